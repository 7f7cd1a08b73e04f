"""Our own training loop: one process, on a processor or one GPU, resumed bit for bit.

A step: the gradient of the loss over all of the step's examples, clipped; every regularizer adds its own; AdamW moves.
Not here: several processes, packing and quantised bases, which `sft` gives to TRL.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ...errors import LearningError
from ..methods.protocol import Regularizer
from .batches import TokenizedExample, TrainingBatch, collate
from .checkpoints import Checkpoints
from .config import TrainingConfig
from .losses import autocast, plain_attention, summed_loss

if TYPE_CHECKING:
    import torch
    from torch import nn

_LOG: Final = logging.getLogger(__name__)
Watch = Callable[[Mapping[str, float]], None]
"""Called after every optimizer step with what was measured at it, before a checkpoint makes it final: after a `kill -9`
it may be called with a step again."""


def train(
    model: nn.Module,
    rows: Sequence[TokenizedExample],
    training: TrainingConfig,
    regularizers: Sequence[Regularizer] = (),
    folder: Path | None = None,
    watch: Watch | None = None,
) -> dict[str, float]:
    """Train a causal language model in place; torch's random state is left as it was.

    Returns:
        `steps` and `tokens` with a loss that this call went through, its `seconds`, and the last step's `loss`.

    Raises:
        LearningError: the loss is no number any more, or the checkpoint in `folder` is of another model.
    """
    import torch

    steps, clock, logged = training.steps_for(len(rows)), time.perf_counter(), {"loss": math.nan}
    tokens, optimizer, checkpoints = 0, adamw(model, training), Checkpoints(folder)
    order = training.order([len(row.ids) for row in rows])
    model.train()
    with torch.random.fork_rng(), plain_attention(model):
        torch.manual_seed(training.seed)
        first = checkpoints.restore(model, optimizer)
        _LOG.info("Training on %d examples: steps %d to %d.", len(rows), first + 1, steps)
        for step in range(first, steps):
            begun, rate = time.perf_counter(), training.learning_rate_at(step, steps)
            taken = [rows[i] for i in order[step]]
            loss = accumulate(model, taken, training)
            norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), training.max_grad_norm or math.inf))
            values = {one.name: one.add_gradient(model, step) for one in regularizers}
            if not all(map(math.isfinite, (loss, norm, *values.values()))):
                raise LearningError(f"Step {step + 1} has loss {loss} and gradient norm {norm}: lower learning_rate.")
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            optimizer.zero_grad()
            tokens += (learned := sum(row.learned for row in taken))
            logged = {"step": step + 1, "steps": steps, "loss": loss, "norm": norm, "learning_rate": rate, **values}
            logged["tokens_per_second"] = learned / (time.perf_counter() - begun)
            checkpoints.log(logged)
            if watch is not None:
                watch(logged)
            if step + 1 == steps or (step + 1) % training.save_every == 0:
                checkpoints.save(model, optimizer, step + 1)
    for one in regularizers:
        one.finish(model)
    return {"steps": steps - first, "tokens": tokens, "seconds": time.perf_counter() - clock, "loss": logged["loss"]}


def accumulate(model: nn.Module, rows: Sequence[TokenizedExample], training: TrainingConfig) -> float:
    """Add the gradient of the rows' mean loss per token to `.grad`, in micro-batches, and return that loss in nats."""
    tokens, loss, where = sum(row.learned for row in rows), 0.0, next(model.parameters()).device
    for part in np.array_split(np.arange(len(rows)), training.gradient_accumulation_steps):
        batch = TrainingBatch(*(tensor.to(where) for tensor in collate([rows[i] for i in part], pad=0)))
        with autocast(model, training.precision):
            share = summed_loss(model, batch) / tokens
        share.backward()  # type: ignore[no-untyped-call]
        loss += share.item()
    return loss


def adamw(model: nn.Module, training: TrainingConfig) -> torch.optim.AdamW:
    """Return AdamW over what is trained; only matrices decay."""
    import torch

    trained, decay = [one for one in model.parameters() if one.requires_grad], training.weight_decay
    matrices, vectors = [one for one in trained if one.ndim > 1], [one for one in trained if one.ndim < 2]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=training.peak, fused=True)

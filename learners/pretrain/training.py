"""The trainer of every objective: accelerate, on a processor or a GPU, resumable after `kill -9`.

Step n draws its batch from a generator that n seeds, so a resumed run sees what an uninterrupted one does. Not here:
what a run's directory holds (`run`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...errors import LearningError
from ...extras import needed_by
from ..training.checkpoints import Checkpoints
from ..training.losses import able
from .config import PretrainConfig
from .protocol import Batch, Objective
from .reader import ExperienceReader

if TYPE_CHECKING:
    from torch import nn

Watch = Callable[[Mapping[str, float]], None]
"""Called after every step with `step`, `steps` and `loss`."""
_RATES: Final = (1e-3, 3e-3)
"""Maximum learning rates for pictures and for texts: a ModernBERT stays longer on word frequencies at the lower one."""


class _StepBatches:
    """The batches of a run by the number of their step, for a DataLoader."""

    def __init__(self, objective: Objective, experience: ExperienceReader, seed: int, steps: int, process: int) -> None:
        self._objective, self._experience = objective, experience
        self._seed, self._steps, self._process = seed, steps, process

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        return self._objective.batch(self._experience, np.random.default_rng([self._seed, self._process, step]))


def new_model(objective: Objective, seed: int) -> nn.Module:
    """Return an objective's model with the weights that a seed draws; torch's random state is not changed."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return objective.build()


def train_objective(
    objective: Objective,
    experience: ExperienceReader,
    config: PretrainConfig,
    folder: Path | None = None,
    watch: Watch | None = None,
) -> nn.Module:
    """Train a new model and return it, in evaluation mode.

    Args:
        objective: The objective.
        experience: The training part.
        config: How.
        folder: Where checkpoints and the log are kept; None for neither.
        watch: Called after every step.

    Raises:
        LearningError: the loss is no number any more, or the checkpoint is of another model.
        MissingDependencyError: torch or accelerate is not installed.
    """
    with needed_by("Pre-training", "learn"):
        import torch
    accelerator = _accelerator(config)
    model = new_model(objective, config.seed)
    highest = config.learning_rate or _RATES[objective.modality == "text"]
    optimizer = torch.optim.AdamW(_groups(model, config.weight_decay), lr=highest)
    keeper = Checkpoints(folder)
    done = keeper.restore(model, optimizer)
    data = _StepBatches(objective, experience, config.seed, config.steps, accelerator.process_index)
    loader: torch.utils.data.DataLoader[Batch] = torch.utils.data.DataLoader(
        data,  # type: ignore[arg-type]
        batch_size=None,
        sampler=range(done, config.steps),
        num_workers=config.loaders,
        pin_memory=accelerator.device.type == "cuda",
    )
    wrapped, optimizer = accelerator.prepare(model, optimizer)
    wrapped.train()
    for step, batch in enumerate(loader, done):
        for group in optimizer.param_groups:
            group["lr"] = highest * share_of_rate(step, config.steps)
        with accelerator.autocast():
            loss = objective.loss(wrapped, to_device(batch, accelerator.device))
        if not math.isfinite(float(loss.detach())):
            raise LearningError(f"Step {step + 1} is no number any more: lower learning_rate.")
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(wrapped.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        row = {"step": step + 1.0, "steps": float(config.steps), "loss": float(loss.detach())}
        if accelerator.is_main_process:
            keeper.log(row)
            if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
                keeper.save(model, optimizer.optimizer, step + 1)
            if watch is not None:
                watch(row)
    return model.eval()


def _accelerator(config: PretrainConfig) -> Any:
    with needed_by("Pre-training", "learn"):
        from accelerate import Accelerator  # type: ignore[import-untyped]
        from accelerate.state import AcceleratorState  # type: ignore[import-untyped]
    # The precision and the device are the process's own: what trained in it before may have set others.
    AcceleratorState._reset_state(reset_partial_state=True)
    precision = able(config.precision, "cpu" if config.device == "cpu" else None)
    return Accelerator(mixed_precision="bf16" if precision == "bf16" else "no", cpu=config.device == "cpu")


def share_of_rate(step: int, steps: int) -> float:
    """Return the share of the maximum rate at a step, counted from 0: up over a twentieth, down as a half cosine."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))) / 2


def to_device(batch: Batch, device: Any) -> Batch:
    """Return a batch with its tensors on a device."""
    return {name: value.to(device, non_blocking=True) for name, value in batch.items()}


def _groups(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Return AdamW's groups: matrices decay, vectors do not."""
    trained = [one for one in model.parameters() if one.requires_grad]
    return [
        {"params": [one for one in trained if one.ndim > 1], "weight_decay": decay},
        {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
    ]

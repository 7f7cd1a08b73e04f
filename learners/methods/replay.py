"""Replay: at every step the model also goes through a little old text, so that it goes on expecting it.

The oldest remedy (Ratcliff 1990; Robins 1995) and, measured, among the strongest. The text is the user's, or the
base model's own samples, drawn before training (self-generated replay: no old text needs to be kept or shipped). Left
out: choosing what to replay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..training.batches import TrainingBatch, draw, pad_of
from ..training.losses import Precision, autocast, summed_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn
    from transformers import PreTrainedTokenizerBase


class Replay:
    """Adds the gradient of `weight` times the mean loss per token on old sequences; a `Preserver`."""

    def __init__(
        self,
        sequences: NDArray[np.int64],
        *,
        per_step: int = 4,
        weight: float = 1.0,
        seed: int = 0,
        precision: Precision = "fp32",
        name: str = "replay",
    ) -> None:
        """Prepare.

        Args:
            sequences: Old text, shape `[sequences, T]`.
            per_step: How many of them a step goes through.
            weight: What their loss counts beside the task's.
            seed: With the step's number, decides which.
            precision: Of the forward pass.
            name: As tables call it.
        """
        self.name = name
        self._sequences, self._per_step, self._weight = sequences, per_step, weight
        self._seed, self._precision = seed, precision

    def add_gradient(self, model: nn.Module, step: int) -> float:
        """Add the gradient; return `weight` times the mean loss of the step's old sequences, in nats per token."""
        batch = whole(draw(self._sequences, self._per_step, seed=self._seed, step=step), model)
        with autocast(model, self._precision):
            loss = self._weight * summed_loss(model, batch) / batch.labels[:, 1:].numel()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def finish(self, model: nn.Module) -> None:
        """Do nothing."""


def whole(sequences: NDArray[np.int64], model: nn.Module) -> TrainingBatch:
    """Return sequences as a batch on the model's device; every token but the first of each is to be predicted."""
    import torch

    ids = torch.from_numpy(sequences).to(next(model.parameters()).device)
    return TrainingBatch(ids, torch.ones_like(ids), ids, torch.ones(len(ids), device=ids.device))


def self_generated(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, *, count: int, length: int, seed: int, batch: int = 16
) -> NDArray[np.int64]:
    """Let a model say what it knows: texts drawn from its own distribution, laid end to end and cut into sequences.

    A text begins after the token that begins one, and ends with the one that ends it, or after `length` tokens. torch's
    random state is left as it was.

    Args:
        model: A causal language model of transformers, before it is trained.
        tokenizer: The model's.
        count: How many sequences.
        length: T, in tokens.
        seed: Decides what is drawn.
        batch: How many texts are drawn side by side.

    Returns:
        Token ids, shape `[count, length]`.
    """
    import torch
    from transformers import GenerationConfig

    end = tokenizer.eos_token_id
    first = end if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    # What is said here is not taken from the model's own defaults: nothing but its distribution decides.
    config = GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=True,
        top_k=0,
        top_p=1.0,
        temperature=1.0,
        repetition_penalty=1.0,
        max_new_tokens=length,
        eos_token_id=end,
        pad_token_id=pad_of(tokenizer),
    )
    tokens: list[int] = []
    where, mode = next(model.parameters()).device, model.training
    begin = torch.full((batch, 1), first, device=where)
    model.eval()
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(seed)
        while len(tokens) < count * length:
            drawn = model.generate(  # type: ignore[operator]
                input_ids=begin, attention_mask=torch.ones_like(begin), generation_config=config
            )
            for text in drawn[:, 1:].tolist():
                tokens += text[: text.index(end) + 1] if end in text else text
    model.train(mode)
    return np.array(tokens[: count * length], dtype=np.int64).reshape(count, length)


__all__ = ["Replay", "self_generated", "whole"]

"""Sequences, their batches, their labels and their loss, as every back end sees them.

The loss of a sequence is the *sum* of its token losses. A model is fed all tokens but the last and predicts all but the
first; padding is on the right, where a causal model cannot see it. Not here: gradients.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import FisherError
from ..models.identity import raw_bytes
from ..training.batches import IGNORED

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class SequenceBatch(NamedTuple):
    """Some sequences side by side."""

    indices: tuple[int, ...]
    """Which sequences they are."""
    inputs: Tensor
    """Token ids, shape `[B, T]`, padded with 0."""
    targets: Tensor
    """The token that follows each, shape `[B, T]`; `IGNORED` where there is padding."""


def check_sequences(sequences: Sequence[Tensor], model: nn.Module) -> None:
    """Make sure that a model can be given these sequences.

    Raises:
        FisherError: there are none, or one is no row of token ids, too short, too long, or not in the vocabulary.
    """
    import torch

    if not sequences:
        raise FisherError("There are no sequences to estimate Fisher information from: give at least one.")
    longest = getattr(getattr(model, "config", None), "max_position_embeddings", None)
    embedding = getattr(model, "get_input_embeddings", lambda: None)()
    vocabulary = getattr(embedding, "num_embeddings", None)
    for i, ids in enumerate(sequences):
        if ids.ndim != 1 or ids.dtype != torch.int64:
            raise FisherError(
                f"Sequence {i} is a {ids.dtype} of shape {tuple(ids.shape)}: give int64 token ids in a row."
            )
        if len(ids) < 2:
            raise FisherError(f"Sequence {i} has {len(ids)} tokens and predicting one needs 2: leave it out.")
        if longest is not None and len(ids) - 1 > longest:
            raise FisherError(f"Sequence {i} has {len(ids)} tokens and the model reads {longest}: cut it.")
        low, high = int(ids.min()), int(ids.max())
        if low < 0 or (vocabulary is not None and high >= vocabulary):
            raise FisherError(
                f"Sequence {i} has token ids from {low} to {high} and the model has {vocabulary}: "
                "use the model's own tokenizer."
            )


def sample_ids(sequences: Sequence[Tensor]) -> tuple[str, ...]:
    """Return the first 16 hex digits of the SHA-256 of each sequence's token ids (int64)."""
    return tuple(hashlib.sha256(raw_bytes(ids)).hexdigest()[:16] for ids in sequences)


def plan_batches(lengths: Sequence[int], size: int, rank: int, world: int) -> list[tuple[int, ...]]:
    """Return which sequences one process goes through together, in order.

    Args:
        lengths: Of all sequences.
        size: How many are taken together, at most; then those of like length, so that there is little padding.
        rank: This process takes sequences `rank`, `rank + world`, ...
        world: The number of processes.
    """
    own = range(rank, len(lengths), world)
    order = own if size == 1 else sorted(own, key=lambda i: (lengths[i], i))
    return [tuple(order[i : i + size]) for i in range(0, len(order), size)]


def make_batch(sequences: Sequence[Tensor], indices: tuple[int, ...], device: torch.device) -> SequenceBatch:
    """Return some sequences side by side, on a device."""
    import torch

    width = max(len(sequences[i]) for i in indices) - 1
    inputs = torch.zeros(len(indices), width, dtype=torch.int64)
    targets = torch.full_like(inputs, IGNORED)
    for row, i in enumerate(indices):
        ids = sequences[i]
        inputs[row, : len(ids) - 1] = ids[:-1]
        targets[row, : len(ids) - 1] = ids[1:]
    return SequenceBatch(indices, inputs.to(device), targets.to(device))


class SequenceLoss:
    """The summed loss of a batch under one model, with labels of the text or drawn from the model."""

    def __init__(self, model: nn.Module, seed: int | None) -> None:
        """Prepare.

        Args:
            model: A causal language model: `model(input_ids=...)` gives logits `[B, T, V]`, or something with them.
            seed: What labels are drawn from; None for the labels of the text.
        """
        self._model = model
        self._seed = seed
        self._accepts = set(inspect.signature(model.forward).parameters)

    def __call__(self, batch: SequenceBatch) -> Tensor:
        """Return the sum over all predicted tokens of -log p(label | what is before it), a scalar in nats.

        Raises:
            FisherError: it is not finite.
        """
        import torch

        logits = self._logits(batch)
        targets = batch.targets if self._seed is None else self._drawn(logits.detach(), batch)
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]).float(), targets.reshape(-1), reduction="sum", ignore_index=IGNORED
        )
        value = float(loss.detach())
        if not np.isfinite(value):
            raise FisherError(
                f"The loss of sequence {', '.join(map(str, batch.indices))} is {value}: use finite weights, in float32 "
                "or bfloat16."
            )
        return loss

    def _logits(self, batch: SequenceBatch) -> Tensor:
        import torch

        rows, width = batch.inputs.shape
        given: dict[str, object] = {}
        if "use_cache" in self._accepts:
            given["use_cache"] = False
        if rows > 1 and "position_ids" in self._accepts:
            # One row of positions for the whole batch would give one gradient for the whole batch.
            given["position_ids"] = torch.arange(width, device=batch.inputs.device).expand(rows, width)
        padded = rows > 1 and bool((batch.targets == IGNORED).any())
        if padded and "attention_mask" in self._accepts:
            given["attention_mask"] = (batch.targets != IGNORED).long()
        output = self._model(input_ids=batch.inputs, **given)
        logits: Tensor = output if isinstance(output, torch.Tensor) else output.logits
        return logits

    def _drawn(self, logits: Tensor, batch: SequenceBatch) -> Tensor:
        """Draw a label for every predicted token; each sequence has its own stream, whatever it is batched with."""
        import torch

        assert self._seed is not None, "labels are drawn"
        drawn = batch.targets.clone()
        for row, i in enumerate(batch.indices):
            known = int((batch.targets[row] != IGNORED).sum())
            uniform = np.random.default_rng([self._seed, i]).random(known, dtype=np.float32)
            reach = logits[row, :known].float().softmax(-1).cumsum(-1)
            mark = torch.from_numpy(uniform).to(reach.device)[:, None] * reach[:, -1:]
            drawn[row, :known] = torch.searchsorted(reach, mark, right=True)[:, 0].clamp(max=reach.shape[-1] - 1)
        return drawn

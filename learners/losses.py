"""What is minimised: the loss of answer tokens, and the precision it is computed in.

The plain loop, replay and the distillation share it. Left out: every penalty; those are preservers.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal

from .batches import Batch

if TYPE_CHECKING:
    import torch
    from torch import nn

Precision = Literal["fp32", "bf16"]
"""bf16: matrix products in bfloat16 (autocast), weights and optimizer in float32."""


def autocast(model: nn.Module, precision: Precision) -> AbstractContextManager[None]:
    """Return the context in which a model's forward pass is computed."""
    import torch

    where = next(model.parameters()).device.type
    return torch.autocast(where, torch.bfloat16, enabled=precision == "bf16")


def summed_loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Return the sum over all answer tokens of weight * -log p(token | what is before it), a scalar in nats."""
    import torch

    logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits[:, :-1]
    labels, place = batch.labels[:, 1:], batch.labels[:, 1:] >= 0
    nats = torch.nn.functional.cross_entropy(logits[place].float(), labels[place], reduction="none")
    return (nats * batch.weights[:, None].expand(labels.shape)[place]).sum()


__all__ = ["Precision", "autocast", "summed_loss"]

"""What is minimised: the loss of answer tokens, and the precision in which it is computed.

The plain loop, replay and the KL method share it. Not here: penalties; those are regularizers (`methods`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch
    from torch import nn

    from .batches import TrainingBatch

Precision = Literal["fp32", "bf16"]
"""bf16: matrix products in bfloat16 where the hardware has it (autocast), weights and optimizer in float32."""


def autocast(model: nn.Module, precision: Precision) -> AbstractContextManager[None]:
    """Return the context in which a model's forward pass is computed, in the precision that its device is able to."""
    import torch

    where = next(model.parameters()).device.type
    return torch.autocast(where, torch.bfloat16, enabled=able(precision, where) == "bf16")


def able(precision: Precision, where: str | None = None) -> Precision:
    """Return the precision in which matrix products are computed if `precision` is asked for.

    A processor that is known to have no bfloat16 units computes in float32: it would imitate them, and be 8 to 17 times
    as slow.

    Args:
        precision: What is asked for.
        where: The type of the device, such as `cpu`; if None, of an accelerator if there is one, as trainers choose.
    """
    import torch

    if where is None:
        chosen = torch.accelerator.current_accelerator(check_available=True)
        where = "cpu" if chosen is None else chosen.type

    has: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)() if where == "cpu" else {}
    lacks = has.get("architecture") == "x86_64" and not (has.get("avx512_bf16") or has.get("amx_bf16"))
    return "fp32" if lacks else precision


@contextmanager
def plain_attention(model: nn.Module) -> Iterator[None]:
    """On a CPU, compute attention by plain matrix products while a block runs.

    The backward pass of torch's fused attention takes 40 % of a step there, on short sequences, and plain products a
    small part of that (torch 2.13; `benchmarks/learners/ewc.py` measures whole steps).
    """
    choose: Any = getattr(model, "set_attn_implementation", None)
    before = getattr(getattr(model, "config", None), "_attn_implementation", None)
    if choose is None or before != "sdpa" or next(model.parameters()).device.type != "cpu":
        yield
        return
    choose("eager")
    try:
        yield
    finally:
        choose(before)


def summed_loss(model: nn.Module, batch: TrainingBatch) -> torch.Tensor:
    """Return the sum over all answer tokens of weight * -log p(token | prefix), a scalar in nats."""
    import torch

    logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits[:, :-1]
    labels, place = batch.labels[:, 1:], batch.labels[:, 1:] >= 0
    nats = torch.nn.functional.cross_entropy(logits[place].float(), labels[place], reduction="none")
    return (nats * batch.weights[:, 1:][place]).sum()

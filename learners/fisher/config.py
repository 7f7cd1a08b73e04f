"""The configuration of an estimate of Fisher information. Not here: estimating (`estimate`, `file`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class FisherConfig:
    """How Fisher information is estimated and stored; see `estimate`."""

    backend: Literal["loop", "hooks", "sampled"] = "loop"
    """How gradients are computed.

    loop: one sequence at a time, any architecture
    hooks: from layers' inputs and output gradients; short texts, also frozen and 4-bit bases
    sampled: the square of a batch's gradient; fastest, rougher
    """
    labels: Literal["data", "sample"] | None = None
    """Whose likelihood is differentiated; None for the back end's default.

    data: the text's own next tokens (empirical Fisher)
    sample: tokens drawn from the model (true Fisher)
    """
    batch: int | None = None
    """Sequences per batch; None for 1 (loop), 4 (hooks) or 8 (sampled)."""
    seed: int = 0
    """Seeds sampled labels."""
    every: int = 64
    """Sequences between checkpoints."""
    storage: Literal["bf16", "sqrt8"] = "bf16"
    """How an entry is stored.

    bf16: 2 bytes
    sqrt8: 1 byte, its square root in 8 bits
    """
    factored: bool = False
    """Keep every matrix as an outer product: a thousandth of the size, enough for the LoRA penalty."""

"""The configuration of an estimate of Fisher information. Not here: estimating (`estimate`, `file`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class FisherConfig:
    """How Fisher information is estimated and stored; see `estimate`."""

    backend: Literal["loop", "hooks", "sampled"] = "loop"
    """loop: any architecture. hooks: short texts, frozen and 4-bit bases. sampled: fastest, rougher."""
    labels: Literal["data", "sample"] | None = None
    """The text's own next tokens, or tokens drawn from the model; None for the back end's default."""
    batch: int | None = None
    """Sequences per batch; None for 1 (loop), 4 (hooks) or 8 (sampled)."""
    seed: int = 0
    """Seeds sampled labels."""
    every: int = 64
    """Sequences between checkpoints."""
    storage: Literal["bf16", "sqrt8"] = "bf16"
    """2 bytes an entry, or 1: bf16 or sqrt8."""
    factored: bool = False
    """Keep every matrix as an outer product: a thousandth of the size, enough for the LoRA penalty."""

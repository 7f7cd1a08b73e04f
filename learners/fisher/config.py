"""How Fisher information is estimated and kept, as the command line asks for it. Left out: doing it (`fisher_file`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class FisherConfig:
    """How Fisher information is estimated and kept; see `fisher.estimate`."""

    backend: Literal["loop", "hooks", "sampled"] = "loop"
    """loop: any architecture. hooks: short texts, frozen and 4-bit bases. sampled: fastest, rougher."""
    labels: Literal["data", "sample"] | None = None
    """The text's own next tokens, or tokens drawn from the model; None for what the back end is made for."""
    batch: int | None = None
    """How many sequences at once; None for 1 (loop), 4 (hooks) or 8 (sampled)."""
    seed: int = 0
    """What sampled labels are drawn from."""
    every: int = 64
    """A checkpoint is written after so many sequences."""
    storage: Literal["bf16", "sqrt8"] = "bf16"
    """2 bytes an entry, or 1: bf16 or sqrt8."""
    factored: bool = False
    """Keep every matrix as an outer product: a thousandth of the size, enough for the LoRA penalty."""


__all__ = ["FisherConfig"]

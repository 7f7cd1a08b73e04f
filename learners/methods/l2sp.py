"""L2-SP (Li, Grandvalet and Davoine 2018): every weight is held where it was, all equally; EWC with F = 1.

It is the rival that shows what Fisher information is worth. Left out: everything but that; the code is EWC's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .ewc import EWC

if TYPE_CHECKING:
    from torch import Tensor


def l2sp(anchor: Mapping[str, Tensor], strength: float) -> EWC:
    """Return the method whose penalty is lambda * sum_i (theta_i - theta*_i)^2.

    Args:
        anchor: theta* by parameter name; `anchor_of(model)` before training.
        strength: lambda, at least 0. Its unit is not that of EWC: what F weighs there, it weighs here.
    """
    import torch

    return EWC({name: torch.ones(()) for name in anchor}, anchor, strength, name="l2sp")


__all__ = ["l2sp"]

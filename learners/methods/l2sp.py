"""L2-SP (Li, Grandvalet and Davoine 2018): every weight is held where it was, all equally; EWC with F = 1.

It is the rival that shows what Fisher information is worth. Not here: anything else; the code is EWC's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...errors import at_least, check
from ..training.lora import is_adapted
from .ewc import EWC
from .ewc_lora import EwcLora, updates
from .parameters import anchor_of
from .protocol import Method, MethodContext, Regularizer

if TYPE_CHECKING:
    from torch import Tensor

    from .ewc_lora import Factors


@dataclass(frozen=True, slots=True)
class L2spConfig:
    """The method `l2sp`."""

    strength: float = 0.01
    """lambda."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` if a field is out of range."""
        check(at_least(self, strength=0), "configuration of l2sp")


def l2sp(anchor: Mapping[str, Tensor], strength: float) -> EWC:
    """Return the method whose penalty is lambda * sum_i (theta_i - theta*_i)^2.

    Args:
        anchor: theta* by parameter name; `anchor_of(model)` before training.
        strength: lambda, at least 0. Its unit is not that of EWC: what F weighs there, it weighs here.
    """
    import torch

    return EWC({name: torch.ones(()) for name in anchor}, anchor, strength, name="l2sp")


def make_l2sp(context: MethodContext, config: L2spConfig) -> Regularizer:
    """Make the regularizer; of an adapter it holds the merged update, as `ewc` does."""
    import torch

    if not is_adapted(context.model):
        return l2sp(anchor_of(context.model), config.strength)
    # F = 1 is of rank 1, so holding the merged update is nearly free.
    ones: dict[str, Tensor | Factors] = {}
    for update in updates(context.model):
        left, right = update.factors()
        ones[update.name] = torch.ones(left.shape[0]), torch.ones(right.shape[1])
    return EwcLora(ones, config.strength, name="l2sp")


METHODS: Final = (
    Method(
        "l2sp",
        "every weight is held alike: lambda * sum (theta - theta*)^2 (Li et al. 2018)",
        L2spConfig,
        make_l2sp,
    ),
)

"""WiSE-FT: after training, the weights are interpolated with the base's.

theta = (1 - alpha) * base + alpha * trained (Wortsman et al. 2022). It costs nothing while training. With a LoRA
adapter the update is scaled, which is the same: W + alpha * s * B A.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...errors import check
from ..training.lora import is_adapted
from .parameters import anchor_of, local, place_like
from .protocol import Method, MethodContext

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class WiseFtConfig:
    """The method `wise-ft`."""

    alpha: float = 0.5
    """The share of what was learned that is kept, in [0, 1]."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` if a field is out of range."""
        check({"alpha must be in [0, 1]": 0 <= self.alpha <= 1}, "configuration of wise-ft")


class WeightAveraging:
    """Interpolates with the base when training ends; a `Regularizer` that adds no gradient."""

    name = "wise-ft"

    def __init__(self, model: nn.Module, *, alpha: float = 0.5) -> None:
        """Remember the base.

        Args:
            model: The model before it is trained; without an adapter its weights are copied.
            alpha: The share of what was learned that is kept: 0 is the base, 1 the trained model.
        """
        self._alpha = alpha
        self._base = {} if is_adapted(model) else anchor_of(model)

    def add_gradient(self, model: nn.Module, step: int) -> float:
        """Add nothing."""
        return 0.0

    def finish(self, model: nn.Module) -> None:
        """Move the weights, in place."""
        import torch

        with torch.no_grad():
            for name, parameter in model.named_parameters():
                mine = local(parameter.detach())
                if name in self._base:
                    mine.copy_(torch.lerp(place_like(self._base[name], parameter), mine, self._alpha))
                elif not self._base and "lora_B" in name:
                    mine.mul_(self._alpha)


def make_wise_ft(context: MethodContext, config: WiseFtConfig) -> WeightAveraging:
    """Make the regularizer."""
    return WeightAveraging(context.model, alpha=config.alpha)


METHODS: Final = (
    Method(
        "wise-ft",
        "after training, the weights are averaged with the base's (Wortsman et al. 2022)",
        WiseFtConfig,
        make_wise_ft,
    ),
)

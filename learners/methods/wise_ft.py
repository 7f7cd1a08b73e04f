"""WiSE-FT: after training, the weights go back part of the way to the base's.

theta = (1 - alpha) * base + alpha * trained (Wortsman et al. 2022). It costs nothing while training. Of a LoRA adapter
the update is scaled, which is the same: W + alpha * s * B A.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..training.lora import is_adapted
from .ewc import anchor_of, local, place_like

if TYPE_CHECKING:
    from torch import nn


class WeightAveraging:
    """Interpolates with the base when training ends; a `Preserver` that adds no gradient."""

    name = "wise-ft"

    def __init__(self, model: nn.Module, *, alpha: float = 0.5) -> None:
        """Remember the base.

        Args:
            model: The model before it is trained; without an adapter its weights are copied.
            alpha: How much of what was learned is kept: 0 is the base, 1 the trained model.
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


__all__ = ["WeightAveraging"]

"""Memory Aware Synapses (Aljundi et al. 2018, arXiv 1711.09601): weights that the base's output depends on are held.

The importance of a weight is Omega_i = mean over inputs of |d ||F(x)||^2 / d theta_i|, with F(x) the logits (equations
2 and 3 of the paper). An input is a sequence of reference text, and Omega is divided by its length, so it is per token.
No labels are needed. The penalty lambda * sum_i Omega_i (theta_i - theta*_i)^2 (equation 4) is EWC's, with Omega in
place of the Fisher information; of a LoRA adapter the merged update is held. Not here: updating Omega after the task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...errors import at_least, check
from ..models.identity import base_parameters
from ..training.lora import is_adapted
from .ewc import EWC
from .ewc_lora import EwcLora
from .parameters import anchor_of
from .protocol import Method, MethodContext, Regularizer, require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class MasConfig:
    """The method `mas`."""

    strength: float = 0.01
    """lambda, for importance per token. Its unit is not that of EWC."""
    sequences: int = 64
    """Reference sequences from which the importance is estimated."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` if a field is out of range."""
        check(at_least(self, strength=0, sequences=1), "configuration of mas")


def estimate_importance(model: nn.Module, sequences: NDArray[np.int64]) -> dict[str, Tensor]:
    """Return Omega of every floating-point weight of the base, by name; the model is left as it was.

    Args:
        model: A causal language model before its first step; a fresh adapter does not change its output.
        sequences: Token ids of reference text, shape `[sequences, T]`.
    """
    import torch

    from ..fisher.backward import each_gradient, undisturbed

    parameters = {name: value for name, value in base_parameters(model) if value.is_floating_point()}
    importance = {name: torch.zeros_like(value, dtype=torch.float32) for name, value in parameters.items()}
    with undisturbed(model), each_gradient(parameters, lambda name, slope: _add_absolute(importance[name], slope)):
        for row in torch.from_numpy(sequences).to(next(model.parameters()).device):
            model(input_ids=row[None]).logits.float().square().sum().backward()
    return {name: value.div_(sequences.size) for name, value in importance.items()}


def _add_absolute(total: Tensor, slope: Tensor) -> None:
    total.add_(slope.abs())


def make_mas(context: MethodContext, config: MasConfig) -> Regularizer:
    """Make the regularizer: EWC's, with Omega in place of the Fisher information."""
    from ..training.batches import draw

    text = require(context.text, "mas", "reference text")
    some = draw(text, config.sequences, seed=context.seed, step=0)
    importance = estimate_importance(context.model, some)
    if is_adapted(context.model):
        return EwcLora(importance, config.strength, name="mas")
    return EWC(importance, anchor_of(context.model, importance), config.strength, name="mas")


METHODS: Final = (
    Method(
        "mas",
        "weights that the base's output on reference text is sensitive to are held (Aljundi et al. 2018)",
        MasConfig,
        make_mas,
        frozenset({"text"}),
    ),
)

"""EWC for several tasks in sequence: quadratics around what was learned, kept separate, decayed or merged into one.

A task k leaves the penalty sum_i F_ki (theta_i - theta_ki)^2. The sum of such quadratics is again one: its precision is
sum_k F_k, its centre the mean of the theta_k weighted by F_k, and there is a constant. So two copies of the weights
suffice for any number of tasks, exactly. They are merged by the update of a weighted mean (West 1979), which does not
subtract great numbers from each other. Not here: the gradient (`ewc`), and estimating F (`fisher`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import FisherError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Quadratic:
    """sum_i precision_i (theta_i - centre_i)^2 + constant, over named parameters."""

    precision: Mapping[str, Tensor]
    """The diagonal of the Fisher information, at least 0, in the shape of the parameter; a scalar counts everywhere."""
    centre: Mapping[str, Tensor]
    """What the parameters are pulled to, in their shapes."""
    constant: float = 0.0
    """The value at the centre: the distance between merged tasks; it has no gradient."""

    def __post_init__(self) -> None:
        """Raise `FisherError` if names or shapes do not fit each other."""
        for name, precision in self.precision.items():
            centre = self.centre.get(name)
            if centre is None:
                raise FisherError(f"Parameter {name!r} has Fisher information and no anchor: give both the same names.")
            if precision.ndim and precision.shape != centre.shape:
                raise FisherError(
                    f"The Fisher information of {name!r} has shape {tuple(precision.shape)}, its anchor "
                    f"{tuple(centre.shape)}: both must be of the same model."
                )


def merged(first: Quadratic, second: Quadratic) -> Quadratic:
    """Return the sum of two quadratics as one, in float32: exactly their sum at every theta.

    A parameter that only one of them has keeps what that one says of it.
    """
    import torch

    precision, centre, constant = dict(first.precision), dict(first.centre), first.constant + second.constant
    for name, more in second.precision.items():
        there = second.centre[name]
        if name not in precision:
            precision[name], centre[name] = more, there
            continue
        held, more = precision[name].float(), more.float()
        total, gap = held + more, there.float() - centre[name].float()
        share = torch.where(total > 0, more / total, torch.zeros_like(total))
        constant += float((held * share * gap * gap).sum())
        precision[name], centre[name] = total, centre[name].float() + share * gap
    return Quadratic(precision, centre, constant)


def online(first: Quadratic, second: Quadratic, decay: float) -> Quadratic:
    """Return the quadratic of online EWC (Schwarz et al. 2018): F = decay * F_old + F_new around the latest anchor.

    A parameter that the latest anchor lacks keeps its own, decayed.
    """
    precision = {name: held.float() * decay for name, held in first.precision.items()}
    for name, more in second.precision.items():
        precision[name] = precision[name] + more.float() if name in precision else more
    return Quadratic(precision, {**first.centre, **second.centre})

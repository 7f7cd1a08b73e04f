"""What learners agree on: how a learner is called, and how something keeps a model near what it knew.

`Regularizer` is one interface for Elastic Weight Consolidation and its rivals. Every optimizer step it is asked once,
after the task's gradient has been accumulated and clipped and before the optimizer moves, to add its own gradient. So
it is right under gradient accumulation, never part of the model's loss (which stays comparable), and the same object
serves our plain loop and any trainer of transformers or TRL through one callback (`callback.PreserverCallback`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ..examples import Example

if TYPE_CHECKING:
    from torch import nn


class Learner(Protocol):
    """Learns from examples."""

    def learn(self, examples: Sequence[Example]) -> Mapping[str, float]:
        """Learn, and return what was measured on the way: `loss`, `seconds`, `steps`, `tokens`, ..."""
        ...


class Regularizer(Protocol):
    """Keeps a model near what it knew while it learns something new."""

    @property
    def name(self) -> str:
        """As tables call it: `"ewc"`."""
        ...

    def add_gradient(self, model: nn.Module, step: int) -> float:
        """Add this method's gradient to `parameter.grad`, in place.

        Args:
            model: The model being trained, unwrapped; parameters that do not require a gradient are left alone. A
                parameter without a gradient gets one.
            step: How many optimizer steps were done before. Whatever is drawn at random follows from the method's seed
                and this number, so that a resumed run draws the same.

        Returns:
            The value of what was added, in the unit of the loss (nats), for the log.
        """
        ...

    def finish(self, model: nn.Module) -> None:
        """Change the trained model one last time, as weight averaging does; most methods do nothing."""
        ...


__all__ = ["Learner", "Regularizer"]

"""What a learning method is: the `Regularizer` that acts during training, and the `Method` row that describes it.

`Regularizer` is one interface for Elastic Weight Consolidation and its rivals. It is called once per optimizer step,
after the task's gradient has been accumulated and clipped and before the optimizer moves, and adds its own gradient. So
it is right under gradient accumulation, never part of the model's loss (which stays comparable), and the same object
serves our plain loop and any trainer of transformers or TRL through one callback (`training.callback`).

To add a method, write one module in this folder: its configuration (a frozen dataclass), its regularizer, and
`METHODS = (Method(...),)`. `registry` finds it; its options appear in `pathei learn --help`.
`learners.checks.check_regularizer` tests it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from ...errors import LearningError
from ..training.losses import Precision

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from .ewc_lora import Factors
    from .sequential import Quadratic

_T = TypeVar("_T")

Need = Literal["fisher", "text", "samples", "adapter"]
"""What a run prepares for a method: Fisher information of the base, reference text, the base's own samples, a LoRA
adapter."""


class Regularizer(Protocol):
    """Keeps a model near what it knew while it learns something new."""

    @property
    def name(self) -> str:
        """The name in logs and tables: `"ewc"`."""

    def add_gradient(self, model: nn.Module, step: int) -> float:
        """Add this method's gradient to `parameter.grad`, in place.

        Args:
            model: The model being trained, unwrapped; parameters that do not require a gradient are left alone. A
                parameter without a gradient gets one.
            step: The number of optimizer steps done before. Everything random follows from the method's seed and this
                number, so that a resumed run draws the same.

        Returns:
            The value of what was added, in the unit of the loss (nats), for the log.
        """

    def finish(self, model: nn.Module) -> None:
        """Change the trained model one last time, as weight averaging does; most methods do nothing."""


@dataclass(frozen=True, slots=True)
class MethodContext:
    """What methods are made from: the model before its first step, and what the run prepared for them."""

    model: nn.Module
    """The base; with its adapter if there is one."""
    seed: int
    """Seeds what the method draws."""
    precision: Precision
    """Of the method's forward passes."""
    text: NDArray[np.int64] | None = None
    """Token ids of reference text, shape `[sequences, T]`."""
    samples: NDArray[np.int64] | None = None
    """Token ids of what the base wrote by itself, shape `[sequences, T]`."""
    fisher: Mapping[str, Tensor | Factors] | None = None
    """Fisher information per token by the parameter's name in the base, matrices whole or as outer products."""
    earlier: Sequence[Quadratic] = ()
    """What earlier runs learned, in their order: Fisher information on each one's examples, at the weights it ended
    with."""


@dataclass(frozen=True, slots=True)
class Method:
    """One learning method."""

    name: str
    """The name on the command line."""
    what: str
    """What it is, in one line, with its source."""
    config: type[Any] | None = None
    """Its configuration, a frozen dataclass whose fields have defaults; None if it has none."""
    make: Callable[[MethodContext, Any], Regularizer] | None = None
    """Makes its regularizer from the context and an instance of `config`; None if it has none."""
    needs: frozenset[Need] = frozenset()
    """What the run has to prepare for it."""
    shares: str = ""
    """The name of the method whose configuration it shares; empty for its own."""

    @property
    def group(self) -> str:
        """The field of `MethodConfigs` that holds its configuration."""
        return (self.shares or self.name).replace("-", "_")


def require(value: _T | None, method: str, what: str) -> _T:
    """Return a field of the context that a method needs.

    Args:
        value: The field.
        method: The method's name, for the message.
        what: What the field is, for the message.

    Raises:
        LearningError: the run did not prepare it.
    """
    if value is None:
        raise LearningError(f"The method {method!r} needs {what}, and none was prepared.")
    return value

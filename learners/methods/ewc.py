"""Elastic Weight Consolidation (Kirkpatrick et al. 2017): weights that reference text depends on are held.

L(theta) = L_V(theta) + lambda * sum_i F_ii (theta_i - theta*_i)^2, with no 1/2, as E2WM states it (Xiang et al. 2023).
The penalty never enters the model's loss: its gradient 2 lambda F (theta - theta*) is added to `.grad` directly, piece
by piece, without an autograd graph. Sharded parameters (FSDP2) are treated shard by shard. Not here: estimating F
(`fisher`), adapters (`ewc_lora`), and how several tasks become one quadratic (`sequential`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self, get_args

from ...errors import FisherError, at_least, check
from ..training.lora import is_adapted
from .ewc_lora import EwcLora
from .parameters import anchor_of, check_fisher, gradient_of, is_sharded, local, place_like
from .protocol import Method, MethodContext, Regularizer, require
from .sequential import Quadratic, merged, online

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..fisher.record import FisherDiagonal

Mode = Literal["separate", "online", "merged"]
"""How several tasks in sequence are remembered: each separately, decayed around the latest anchor (Schwarz et al.
2018), or summed into one quadratic."""

# A piece's temporaries should stay in a core's caches; a GPU wants few launches instead.
_PIECE: Final = 1 << 18
_PIECE_ON_GPU: Final = 1 << 26


@dataclass(frozen=True, slots=True)
class EwcConfig:
    """The method `ewc`."""

    strength: float = 30.0
    """lambda, for Fisher information per token; start with 30 to 100."""
    earlier: Literal["off", "separate", "merged", "online"] = "off"
    """Whether the tasks that earlier runs learned are held as well, where training begins at a run (`--init-from`).

    off: only what the base knows is held
    separate: every earlier task by a penalty of its own, with two copies of the weights for each
    merged: the sum of these penalties, exactly, with two copies for any number of tasks
    online: as merged, around the latest weights alone, with earlier tasks decayed (Schwarz et al. 2018)
    """
    decay: float = 1.0
    """gamma of `online`, from 0 to 1: what earlier Fisher information counts."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` if a field is out of range."""
        rules = {
            **at_least(self, strength=0),
            "earlier must be 'off', 'separate', 'merged' or 'online'": self.earlier in ("off", *get_args(Mode)),
            "decay must be from 0 to 1": 0 <= self.decay <= 1,
        }
        check(rules, "configuration of ewc")


class EWC:
    """The penalty for full fine-tuning, of one task or of several in sequence; a `Regularizer`.

    With several tasks, call `add_task` after each one:

        regularizer = EWC.of(fisher, model, strength=30, mode="merged")
        ...  # train, then estimate Fisher information on the new task
        regularizer.add_task(new_fisher.tensors, anchor_of(model, new_fisher.tensors))
    """

    def __init__(
        self,
        fisher: Mapping[str, Tensor],
        anchor: Mapping[str, Tensor],
        strength: float,
        *,
        mode: Mode = "separate",
        decay: float = 1.0,
        name: str = "ewc",
    ) -> None:
        """Prepare; the tensors are used as they are, in any floating dtype, and neither copied nor changed.

        Args:
            fisher: F by parameter name, on the per-token scale; a scalar counts for a whole tensor. Parameters that are
                not named are left alone.
            anchor: theta* by parameter name: what the parameters were when F was estimated. See `anchor_of`.
            strength: lambda, at least 0; start with 30 to 100 on the per-token scale.
            mode: What `add_task` does with the tasks remembered so far.
            decay: gamma of mode "online", in [0, 1]: the weight of earlier Fisher information.
            name: The name in logs and tables.

        Raises:
            ConfigError: a number or the mode is out of range.
            FisherError: names or shapes of `fisher` and `anchor` differ.
        """
        rules = {
            "strength must be at least 0 and finite": 0 <= strength < math.inf,
            "mode must be 'separate', 'online' or 'merged'": mode in ("separate", "online", "merged"),
            "decay must be in [0, 1]": 0 <= decay <= 1,
        }
        check(rules, "EWC settings")
        self.strength, self.mode, self.decay = float(strength), mode, float(decay)
        self._name = name
        self._tasks = [Quadratic(fisher, anchor)]
        self._placed: dict[str, _Placed] = {}

    @classmethod
    def of(
        cls, fisher: FisherDiagonal, model: nn.Module, strength: float, *, mode: Mode = "separate", decay: float = 1.0
    ) -> Self:
        """Return the penalty around a model as it is now, before training.

        Args:
            fisher: Estimated at these very weights, which is checked; so make it before a checkpoint is loaded.
            model: theta* is copied from it.
            strength: lambda.
            mode: See the constructor.
            decay: See the constructor.

        Raises:
            ConfigError: a number or the mode is out of range.
            FisherError: the Fisher information is of other weights.
        """
        fisher.check(model)
        return cls(fisher.tensors, anchor_of(model, fisher.tensors), strength, mode=mode, decay=decay)

    @property
    def name(self) -> str:
        """The name in logs and tables."""
        return self._name

    @property
    def tasks(self) -> Sequence[Quadratic]:
        """What is remembered: one quadratic per task in mode "separate", otherwise one for all."""
        return tuple(self._tasks)

    def add_task(self, fisher: Mapping[str, Tensor], anchor: Mapping[str, Tensor]) -> None:
        """Remember one more task, estimated after it was learned.

        Raises:
            FisherError: names or shapes of `fisher` and `anchor` differ.
        """
        task, held = Quadratic(fisher, anchor), self._tasks[-1]
        if self.mode == "separate":
            self._tasks.append(task)
        else:
            self._tasks = [merged(held, task) if self.mode == "merged" else online(held, task, self.decay)]
        self._placed = {}

    def add_gradient(self, model: nn.Module, step: int = 0) -> float:
        """Add 2 lambda F (theta - theta*) to the gradients of parameters that are trained and have F.

        Args:
            model: Not wrapped; its parameters have the names of `fisher`. They may be FSDP2's shards.
            step: Not used.

        Returns:
            lambda * sum_i F_ii (theta_i - theta*_i)^2 in nats, over all shards; 0 if lambda is 0.

        Raises:
            FisherError: F does not belong to this model, by name or by shape, or has entries that are negative or not
                finite.
        """
        if not self.strength:
            return 0.0
        values, room = _Sum(), _Room()
        for placed in self._place(model):
            for precision, centre in placed.tasks:
                values.add(placed.parameter, _pull(placed.parameter, precision, centre, self.strength, room))
        return self.strength * (values.total() + sum(task.constant for task in self._tasks))

    def finish(self, model: nn.Module) -> None:
        """Do nothing: the trained model is left as it is."""

    def _place(self, model: nn.Module) -> Iterable[_Placed]:
        """Return the trained parameters that have F, with their part of F and theta*."""
        parameters = dict(model.named_parameters())
        names = {name for task in self._tasks for name in task.precision}
        if strange := sorted(names - set(parameters)):
            raise FisherError(
                f"Fisher information names {strange[0]!r}, and {len(strange) - 1} more, which the model does not have: "
                "estimate it on this model; for a LoRA adapter, use EwcLora."
            )
        placed = self._placed
        for name in sorted(names):
            parameter = parameters[name]
            if not parameter.requires_grad:
                placed.pop(name, None)
            elif name not in placed or not placed[name].matches(parameter):
                placed[name] = _Placed.of(name, parameter, self._tasks)
        return placed.values()


class _Placed(NamedTuple):
    """A parameter and, on its device and in its sharding, what it is pulled towards."""

    parameter: nn.Parameter
    tasks: Sequence[tuple[Tensor, Tensor]]
    """F and theta* of each task that knows the parameter, sharded as it is."""

    def matches(self, parameter: nn.Parameter) -> bool:
        """Whether this is still the same parameter at the same place."""
        return parameter is self.parameter and parameter.device == self.tasks[0][0].device

    @classmethod
    def of(cls, name: str, parameter: nn.Parameter, tasks: Sequence[Quadratic]) -> Self:
        """Place F and theta* of all tasks for one parameter.

        Raises:
            FisherError: a shape or an entry is wrong.
        """
        pairs = []
        for task in tasks:
            if name not in task.precision:
                continue
            precision, centre = task.precision[name], task.centre[name]
            if centre.shape != parameter.shape:
                raise FisherError(
                    f"Parameter {name!r} has shape {tuple(parameter.shape)} and its anchor {tuple(centre.shape)}: "
                    "estimate Fisher information on this model, and train it unsharded or with FSDP2."
                )
            precision = check_fisher(name, place_like(precision, parameter))
            pairs.append((precision, place_like(centre, parameter)))
        return cls(parameter, pairs)


def _pull(parameter: nn.Parameter, precision: Tensor, centre: Tensor, strength: float, room: _Room) -> list[Tensor]:
    """Add 2 lambda F (theta - theta*) to a gradient, and return F (theta - theta*)^2, summed by pieces."""
    import torch

    values, gradient = [], gradient_of(parameter)
    with torch.no_grad():
        for theta, to, weight, slope in _pieces(local(parameter.detach()), centre, precision, gradient):
            # In float32 also where all of them are bfloat16: the difference of near numbers needs their last bits.
            away, pull = room.like(theta)
            torch.sub(theta.float(), to, out=away)
            torch.mul(away, weight, out=pull)
            slope.add_(pull, alpha=2 * strength)
            values.append(torch.dot(pull.reshape(-1), away.reshape(-1)))
    return values


class _Room:
    """Room for the temporaries of one piece, used again by the next: new memory would cost as much as the sums."""

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[Tensor, Tensor]] = {}

    def like(self, piece: Tensor) -> tuple[Tensor, Tensor]:
        """Return two float32 tensors of a piece's shape, on its device."""
        import torch

        kept = self._kept.get(piece.device)
        if kept is None or kept[0].numel() < piece.numel():
            new = (torch.empty(piece.numel(), dtype=torch.float32, device=piece.device) for _ in range(2))
            kept = self._kept[piece.device] = (next(new), next(new))
        return kept[0][: piece.numel()].view(piece.shape), kept[1][: piece.numel()].view(piece.shape)


def _pieces(first: Tensor, *others: Tensor, limit: int | None = None) -> Iterator[tuple[Tensor, ...]]:
    """Split tensors of one shape into rows of at most `limit` entries, or single rows; scalars go with every piece."""
    if not first.numel():
        return
    limit = limit or (_PIECE if first.device.type == "cpu" else _PIECE_ON_GPU)
    if first.numel() <= limit:
        yield (first, *others)
        return
    if all(one.is_contiguous() for one in (first, *others)):
        first, others = first.view(-1), tuple(one.view(-1) if one.ndim else one for one in others)
    rows = max(1, limit * first.shape[0] // first.numel())
    for start in range(0, first.shape[0], rows):
        yield (first[start : start + rows], *(one[start : start + rows] if one.ndim else one for one in others))


class _Sum:
    """A sum over all pieces of all parameters, and over the processes that hold different parts."""

    def __init__(self) -> None:
        self._parts: dict[Any, list[Tensor]] = {}

    def add(self, parameter: Any, values: Sequence[Tensor]) -> None:
        """Add what this process found for its part of a parameter."""
        key = (parameter.device_mesh, parameter.placements) if is_sharded(parameter) else parameter.device
        self._parts.setdefault(key, []).extend(values)

    def total(self) -> float:
        """Return the sum; on a GPU this waits for it, once a step."""
        import torch
        from torch import distributed

        total = 0.0
        for key, values in self._parts.items():
            sharded = isinstance(key, tuple)
            device = torch.device(key[0].device_type) if sharded else key
            value = torch.stack(values).sum() if values else torch.zeros((), device=device)
            for place, how in enumerate(key[1]) if sharded else ():
                if not how.is_replicate():
                    distributed.all_reduce(value, group=key[0].get_group(place))
            total += float(value)
        return total


def make_ewc(context: MethodContext, config: EwcConfig) -> Regularizer:
    """Make the regularizer: `EWC`, or `EwcLora` for a model with an adapter."""
    import torch

    fisher = require(context.fisher, "ewc", "Fisher information")
    if is_adapted(context.model):
        return EwcLora(fisher, config.strength, name="ewc")
    whole = {name: torch.outer(*one) if isinstance(one, tuple) else one for name, one in fisher.items()}
    mode: Mode = "separate" if config.earlier == "off" else config.earlier
    regularizer = EWC(whole, anchor_of(context.model, whole), config.strength, mode=mode, decay=config.decay)
    for task in context.earlier:
        regularizer.add_task(task.precision, task.centre)
    return regularizer


METHODS: Final = (
    Method(
        "ewc",
        "weights that reference text depends on are held: lambda * sum F (theta - theta*)^2 (Kirkpatrick et al. 2017)",
        EwcConfig,
        make_ewc,
        frozenset({"fisher"}),
    ),
)

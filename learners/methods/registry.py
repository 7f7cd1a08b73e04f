"""The methods by name: plain fine-tuning, what can be done against forgetting, and what each can be told.

Names are joined by `+`: `"ewc+replay"`. Left out: the methods themselves, which have modules of their own, and what
they need beforehand (old text, Fisher information), which `run` prepares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from ...errors import ConfigError, LearningError, unknown
from ..training.lora import is_adapted
from ..training.losses import Precision
from .config import MethodConfig
from .ewc import EWC, anchor_of
from .ewc_lora import EwcLora, Factors, updates
from .kl import BaseKL
from .l2sp import l2sp
from .protocol import Regularizer
from .replay import Replay
from .wise_ft import WeightAveraging

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

_T = TypeVar("_T")

Need = Literal["fisher", "text", "samples", "adapter"]
"""Fisher information of the base; old text; the base's own samples; a LoRA adapter."""


@dataclass(frozen=True, slots=True)
class MethodContext:
    """What methods are made from: the model before its first step, and what was prepared for them."""

    model: nn.Module
    """The base; with its adapter if there is one."""
    knobs: MethodConfig
    seed: int
    precision: Precision
    text: NDArray[np.int64] | None = None
    """Old text, shape `[sequences, T]`."""
    samples: NDArray[np.int64] | None = None
    """What the base wrote by itself, shape `[sequences, T]`."""
    fisher: Mapping[str, Tensor | Factors] | None = None
    """Fisher information per token by the parameter's name in the base, matrices whole or as outer products."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way to keep, or not to keep, what a model knew."""

    name: str
    """As the command line calls it."""
    what: str
    """What it is, in one line."""
    knobs: tuple[str, ...] = ()
    """The fields of `MethodConfig` that it reads."""
    needs: frozenset[Need] = frozenset()
    """What has to be prepared for it."""
    make: Callable[[MethodContext], Regularizer] | None = None
    """Makes its preserver; None where there is none."""


def _ewc(setting: MethodContext) -> Regularizer:
    import torch

    fisher = _given(setting.fisher, "ewc", "Fisher information")
    if is_adapted(setting.model):
        return EwcLora(fisher, setting.knobs.ewc_strength, name="ewc")
    whole = {name: torch.outer(*one) if isinstance(one, tuple) else one for name, one in fisher.items()}
    return EWC(whole, anchor_of(setting.model, whole), setting.knobs.ewc_strength)


def _l2sp(setting: MethodContext) -> Regularizer:
    import torch

    strength = setting.knobs.l2sp_strength
    if not is_adapted(setting.model):
        return l2sp(anchor_of(setting.model), strength)
    # Of an adapter the merged update is held, as `ewc` holds it; F = 1 is of rank 1, so that is nearly free.
    ones: dict[str, Tensor | Factors] = {}
    for update in updates(setting.model):
        left, right = update.factors()
        ones[update.name] = torch.ones(left.shape[0]), torch.ones(right.shape[1])
    return EwcLora(ones, strength, name="l2sp")


def _replay(setting: MethodContext) -> Regularizer:
    return _replaying(setting, "replay", _given(setting.text, "replay", "old text"))


def _self_replay(setting: MethodContext) -> Regularizer:
    return _replaying(setting, "self-replay", _given(setting.samples, "self-replay", "the base's own samples"))


def _replaying(setting: MethodContext, name: str, sequences: NDArray[np.int64]) -> Regularizer:
    knobs = setting.knobs
    return Replay(
        sequences,
        per_step=knobs.replay_sequences,
        weight=knobs.replay_weight,
        seed=setting.seed,
        precision=setting.precision,
        name=name,
    )


def _kl(setting: MethodContext) -> Regularizer:
    return BaseKL(
        _given(setting.text, "kl", "old text"),
        setting.model,
        per_step=setting.knobs.kl_sequences,
        weight=setting.knobs.kl_weight,
        seed=setting.seed,
        precision=setting.precision,
    )


def _wise_ft(setting: MethodContext) -> Regularizer:
    return WeightAveraging(setting.model, alpha=setting.knobs.wise_alpha)


def _given(value: _T | None, method: str, what: str) -> _T:
    if value is None:
        raise LearningError(f"The method {method!r} needs {what}, and none was prepared.")
    return value


_METHODS: Final = (
    Method("finetune", "plain fine-tuning: nothing keeps what the model knew"),
    Method("lora", "plain fine-tuning of a low-rank adapter (Hu et al. 2021)", needs=frozenset({"adapter"})),
    Method(
        "ewc",
        "weights that old text depends on are held: lambda * sum F (theta - theta*)^2 (Kirkpatrick et al. 2017)",
        ("ewc_strength", "fisher_sequences", "sequence_length"),
        frozenset({"fisher"}),
        _ewc,
    ),
    Method(
        "l2sp",
        "all weights are held alike: lambda * sum (theta - theta*)^2 (Li et al. 2018)",
        ("l2sp_strength",),
        make=_l2sp,
    ),
    Method(
        "replay",
        "a little old text is learned again at every step (Robins 1995)",
        ("replay_sequences", "replay_weight", "sequence_length"),
        frozenset({"text"}),
        _replay,
    ),
    Method(
        "self-replay",
        "replay of what the base wrote by itself before training; no old text is needed",
        ("samples", "replay_sequences", "replay_weight", "sequence_length"),
        frozenset({"samples"}),
        _self_replay,
    ),
    Method(
        "kl",
        "on a little old text, KL(base || model) is kept small at every step (Li & Hoiem 2016)",
        ("kl_sequences", "kl_weight", "sequence_length"),
        frozenset({"text"}),
        _kl,
    ),
    Method(
        "wise-ft",
        "after training, the weights are averaged with the base's (Wortsman et al. 2022)",
        ("wise_alpha",),
        make=_wise_ft,
    ),
)

METHODS: Final[Mapping[str, Method]] = {method.name: method for method in _METHODS}
"""All methods, by name."""


def method_named(name: str) -> Method:
    """Return one method.

    Raises:
        UnknownNameError: there is none of that name; suggests the nearest.
    """
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    return METHODS[name]


def methods_named(names: str) -> tuple[Method, ...]:
    """Return the methods of a combination, `"ewc+replay"`, in its order.

    Raises:
        ConfigError: one is named twice.
        UnknownNameError: there is none of that name.
    """
    parts = [part.strip() for part in names.split("+")]
    if twice := [part for part in parts if parts.count(part) > 1]:
        raise ConfigError(f"The combination {names!r} names {twice[0]!r} twice: once is enough.")
    return tuple(method_named(part) for part in parts)


def preservers_of(methods: Sequence[Method], setting: MethodContext) -> tuple[Regularizer, ...]:
    """Make the preservers of some methods; plain fine-tuning has none.

    Raises:
        LearningError: something that a method needs was not prepared.
    """
    return tuple(method.make(setting) for method in methods if method.make is not None)


__all__ = [
    "METHODS",
    "Method",
    "MethodConfig",
    "MethodContext",
    "Need",
    "method_named",
    "methods_named",
    "preservers_of",
]

"""Snapshots of a whole environment, wrappers included: what a search needs in order to branch an episode.

A snapshot is taken of the chain of wrappers from the outside in, because saving `env.unwrapped` alone leaves
`TimeLimit` counting. A wrapper whose state is not known is refused by name; nothing is guessed. Not here:
`copy.deepcopy` (an environment that derives from gymnasium's `EzPickle` comes back newly constructed, its state lost),
the random state of `action_space` and `observation_space` (it belongs to the one who samples, not to the environment),
and the observation on restoring (see `restore`).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import gymnasium
import numpy as np

from ..errors import SnapshotError

S = TypeVar("S")
"""The form of a state; whatever the environment likes, as long as nothing that happens later changes it."""


@runtime_checkable
class Snapshotable(Protocol[S]):
    """An environment, or a wrapper with all that it wraps, whose state can be saved and restored.

    The state is everything that the future depends on, the random state (`np_random`) included. It stays valid until
    `close()`, whatever happens in between: steps, resets, other restores, in any order and any number of times.
    `pathei.envs.checks.check_snapshot` tests exactly this.

    A wrapper that implements it answers for everything inside it, as `VerifiedReplay` does: the walk ends there. A
    wrapper that only has some state of its own names its attributes instead, in a class attribute:
    `snapshot_fields: tuple[str, ...] = ("count",)`, or `()` if it has none. Each is saved by shallow copy: immutable
    values, or lists, dicts, sets, deques and arrays of them; numpy's random generators are copied whole.
    """

    def snapshot(self) -> S:
        """Return the present state; later steps do not change what was returned."""

    def restore(self, state: S, /) -> object:
        """Go back to a state that `snapshot` returned, and leave that state as it is; the result is not used."""


class Snapshot(NamedTuple):
    """The state of an environment with its wrappers at one moment."""

    layers: tuple[str, ...]
    """The class of each layer, outermost first; a snapshot fits environments with the same layers only."""
    states: tuple[Any, ...]
    """The state of each layer but the last, in the same order; None for a layer that has none."""
    core: Any
    """The state of the last layer, as its own `snapshot()` returned it."""


class _Saver(NamedTuple):
    """How one wrapper is saved and restored."""

    save: Callable[[], Any]
    load: Callable[[Any], None]


class Snapshotter:
    """Saves and restores one environment; it looks at the chain of wrappers once, so a search should keep one.

    Build another if wrappers are added or exchanged.
    """

    __slots__ = ("_core_restore", "_core_snapshot", "_layers", "_loads", "_saves")

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        """Find out how to save each layer of `env`.

        Raises:
            SnapshotError: a wrapper, or the innermost environment, cannot be saved; it is named.
        """
        layers: list[str] = []
        savers: list[_Saver] = []
        layer: Any = env
        # Plainly by name: isinstance with a protocol takes ten times as long, and this is done on each `snapshot(env)`.
        while not (hasattr(layer, "snapshot") and hasattr(layer, "restore")):
            if not isinstance(layer, gymnasium.Wrapper):
                raise SnapshotError(
                    f"The environment {type(layer).__name__} has no snapshot() and restore(): give it both, or, if it "
                    "is deterministic, wrap it in pathei.envs.replay.VerifiedReplay."
                )
            layers.append(type(layer).__name__)
            savers.append(_saver(layer))
            layer = layer.env
        layers.append(type(layer).__name__)
        self._layers = tuple(layers)
        self._saves = tuple(saver.save for saver in savers)
        self._loads = tuple(saver.load for saver in savers)
        self._core_snapshot: Callable[[], Any] = layer.snapshot
        self._core_restore: Callable[[Any], object] = layer.restore

    def snapshot(self) -> Snapshot:
        """Return the present state of all layers."""
        return Snapshot(self._layers, tuple([save() for save in self._saves]), self._core_snapshot())

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot of this environment, or of another one with the same layers.

        Raises:
            SnapshotError: it is no snapshot, or was taken of an environment with other layers.
        """
        if not isinstance(snapshot, Snapshot):
            raise SnapshotError(f"What is restored is what `snapshot` returned, not {snapshot!r:.80}.")
        if snapshot.layers != self._layers:
            raise SnapshotError(
                f"A snapshot of {_chain(snapshot.layers)} cannot be restored into {_chain(self._layers)}: "
                "wrap both in the same way."
            )
        # The innermost first: a wrapper may hold random state that lies in the environment's generator.
        self._core_restore(snapshot.core)
        for load, state in zip(self._loads, snapshot.states, strict=True):
            load(state)


def snapshot(env: gymnasium.Env[Any, Any]) -> Snapshot:
    """Return the present state of `env` and all its wrappers; in a hot loop, keep a `Snapshotter` instead.

    Raises:
        SnapshotError: a wrapper, or the innermost environment, cannot be saved; it is named.
    """
    return Snapshotter(env).snapshot()


def restore(env: gymnasium.Env[Any, Any], snapshot: Snapshot) -> None:
    """Bring `env` and all its wrappers back to `snapshot`.

    Nothing is returned: what was observed at that moment is what `step` or `reset` returned then, so keep it with
    the snapshot. To make it again would cost far more than the restoring itself, and wrappers that change observations
    (a frame stack, a running mean) cannot do so without changing their state.

    Raises:
        SnapshotError: as for `snapshot`, or the snapshot was taken of an environment with other layers.
    """
    Snapshotter(env).restore(snapshot)


_ATOMS = frozenset({type(None), bool, int, float, str, bytes})


_WHOLE = (np.random.Generator, np.random.BitGenerator)
"""What a shallow copy would share its state with."""


def _copied(value: Any) -> Any:
    if type(value) in _ATOMS:
        return value
    return copy.deepcopy(value) if isinstance(value, _WHOLE) else copy.copy(value)


def _saver(wrapper: gymnasium.Wrapper[Any, Any, Any, Any]) -> _Saver:
    kind = type(wrapper)
    fields = getattr(kind, "snapshot_fields", None)
    if fields is not None:
        absent = [name for name in fields if not hasattr(wrapper, name)]
        if absent:
            raise SnapshotError(
                f"The wrapper {kind.__name__} names {absent[0]!r} in snapshot_fields and has no such attribute: "
                "set it in __init__."
            )
        return _fields(*fields)(wrapper)
    # The exact class only: a subclass of a known wrapper may hold more than the known one does.
    known = _WRAPPERS.get(kind.__name__) if kind.__module__.startswith("gymnasium.wrappers.") else None
    if known is None:
        raise SnapshotError(
            f"The wrapper {kind.__name__} cannot be saved, because its state is not known: leave it out, name the "
            "attributes that it changes in a class attribute `snapshot_fields` (an empty tuple if there are none), or "
            "put pathei.envs.replay.VerifiedReplay around it."
        )
    return known(wrapper)


_NO_STATE = _Saver(lambda: None, lambda state: None)


def _stateless(wrapper: Any) -> _Saver:
    return _NO_STATE


def _fields(*names: str) -> Callable[[Any], _Saver]:
    """Return the factory of savers for wrappers whose state is in these attributes (those that exist)."""

    def make(wrapper: Any) -> _Saver:
        present = names if len(names) == 1 else tuple([name for name in names if hasattr(wrapper, name)])
        if len(present) == 1:
            (only,) = present
            return _Saver(lambda: _copied(getattr(wrapper, only)), lambda state: setattr(wrapper, only, _copied(state)))

        def save() -> tuple[Any, ...]:
            return tuple([_copied(getattr(wrapper, name)) for name in present])

        def load(state: tuple[Any, ...]) -> None:
            for name, value in zip(present, state, strict=True):
                setattr(wrapper, name, _copied(value))

        return _Saver(save, load)

    return make


def _with_random(*names: str) -> Callable[[Any], _Saver]:
    """As `_fields`, and the random state too: these wrappers draw from the environment's own generator.

    The environment need not save a generator that it never draws from itself.
    """
    inner = _fields(*names)

    def make(wrapper: Any) -> _Saver:
        save_fields, load_fields = inner(wrapper)

        def save() -> tuple[Any, Any]:
            return save_fields(), wrapper.np_random.bit_generator.state

        def load(state: tuple[Any, Any]) -> None:
            load_fields(state[0])
            wrapper.np_random.bit_generator.state = state[1]

        return _Saver(save, load)

    return make


def _passive_env_checker(wrapper: Any) -> _Saver:
    """Save what it has checked, and on restoring never take back a check.

    What was checked is a property of the code, not of the environment; checking again after each restore would cost a
    search more than its steps. A checker that has not yet seen a reset takes over all of it.
    """
    names = ("checked_reset", "checked_step", "checked_data_reuse", "_previous_data")
    save, load = _fields(*names)(wrapper)

    def load_once(state: Any) -> None:
        if not wrapper.checked_reset:
            load(state)

    return _Saver(save, load_once)


def _record_episode_statistics(wrapper: Any) -> _Saver:
    """Save the time that the episode has taken, not when it began: time spent on other branches is not its own."""
    names = ("episode_count", "episode_returns", "episode_lengths", "time_queue", "return_queue", "length_queue")
    save_fields, load_fields = _fields(*names)(wrapper)

    def save() -> tuple[Any, float]:
        # Before the first reset, or where a version of gymnasium starts with -1, the value is kept as it is.
        begun = wrapper.episode_start_time
        return save_fields(), time.perf_counter() - begun if begun > 0 else begun

    def load(state: tuple[Any, float]) -> None:
        load_fields(state[0])
        wrapper.episode_start_time = time.perf_counter() - state[1] if state[1] >= 0 else state[1]

    return _Saver(save, load)


_STATELESS = (
    *("ArrayConversion", "JaxToNumpy", "JaxToTorch", "NumpyToTorch", "HumanRendering", "AddRenderObservation"),
    *("TransformAction", "ClipAction", "RescaleAction", "DiscretizeAction", "RepeatAction"),
    *("TransformReward", "ClipReward", "TransformObservation", "FilterObservation", "FlattenObservation"),
    *("GrayscaleObservation", "ResizeObservation", "ReshapeObservation", "RescaleObservation", "DtypeObservation"),
    "DiscretizeObservation",
)
"""Wrappers of gymnasium that keep nothing between steps; a function given to a Transform wrapper is held to be pure."""

_WRAPPERS: Mapping[str, Callable[[Any], _Saver]] = MappingProxyType(
    dict.fromkeys(_STATELESS, _stateless)
    | {
        "TimeLimit": _fields("_elapsed_steps"),
        "OrderEnforcing": _fields("_has_reset"),
        "Autoreset": _fields("autoreset"),
        "PassiveEnvChecker": _passive_env_checker,
        "RecordEpisodeStatistics": _record_episode_statistics,
        "TimeAwareObservation": _fields("timesteps"),
        "FrameStackObservation": _fields("obs_queue"),
        "DelayObservation": _fields("observation_queue"),
        "MaxAndSkipObservation": _fields("_obs_buffer"),
        "NormalizeObservation": _fields("obs_rms", "_update_running_mean"),
        "NormalizeReward": _fields("return_rms", "discounted_reward", "_update_running_mean"),
        "StickyAction": _with_random("last_action", "is_sticky_actions", "num_repeats", "repeats_taken"),
        "RenderCollection": _fields("frame_list"),
        "AddWhiteNoise": _with_random(),
        "ObstructView": _with_random(),
    }
)
"""The wrappers of gymnasium by the name of their class; what is not here (`RecordVideo`, `AtariPreprocessing`) is
refused."""


def _chain(layers: tuple[str, ...]) -> str:
    return "<".join(layers) + ">" * (len(layers) - 1)

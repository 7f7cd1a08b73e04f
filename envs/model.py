"""An environment as a search sees it: actions, rewards, snapshots to go back to; no text, no records.

`model_of(env)` returns the view that an environment offers itself (a method `model()`, for speed) or `EnvModel`, which
drives any snapshotable gymnasium environment, wrappers included, and any deterministic one through `VerifiedReplay`.
Not here: chance. A search over these models takes every transition to be deterministic: a snapshot holds the random
state, so an environment that draws random numbers is searched as if it knew what it will draw.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import gymnasium
import orjson
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker

from ..errors import SnapshotError
from ..experience import Observation
from ..stable_random import StableRandom
from .contract import observe, plain
from .replay import fingerprint
from .snapshots import Snapshotter

A = TypeVar("A")
S = TypeVar("S")
_FOLDED = ("graph", "changes")


class StepResult(NamedTuple):
    """What an action led to."""

    reward: float
    done: bool
    """The episode ended with it: terminated, truncated, or the goal was reached."""


class Model(Protocol[A, S]):
    """A deterministic environment for search. Actions are of any type that can be hashed.

    Reaching the goal should end the episode, or earn something: a rollout asks `success()` only then. A model that
    knows which actions the goal is likely to need has a method `prior(actions)` that weighs them, shape `[actions]`.
    """

    def actions(self) -> Sequence[A]:
        """Return the admissible actions, in a fixed order; none at the end of an episode."""

    def sample(self, draws: StableRandom) -> A | None:
        """Return one admissible action at random, or None if there is none (or none was found cheaply)."""

    def possible(self, action: A, /) -> bool:
        """Return whether an action is admissible now."""

    def step(self, action: A, /) -> StepResult:
        """Do an admissible action."""

    def snapshot(self) -> S:
        """Return the present moment."""

    def restore(self, state: S, /) -> object:
        """Go back to a moment, or forward to one."""

    def key(self) -> Hashable | None:
        """Return something equal for equal states and different for different ones; None where that is not known."""

    def success(self) -> bool | None:
        """Return whether the goal holds now; None where the environment cannot check it."""

    def text(self, action: A, /) -> str:
        """Return the action as the environment's `step` takes it, in words where it takes words."""


Propose = Callable[[Any, Mapping[str, Any]], Sequence[Any]]
"""Given what `step` or `reset` observed and its info, the actions that are worth trying, in a fixed order."""


def model_of(
    env: gymnasium.Env[Any, Any], info: Mapping[str, Any] | None = None, *, observation: Any = None
) -> Model[Any, Any]:
    """Return the fastest model of an environment that was reset.

    That is its own, where it offers one and every wrapper around it only checks how it is used; else an `EnvModel`.

    Args:
        env: The environment; the model moves it.
        info: The info that its reset returned; without it an environment that lists its actions there cannot be
            searched.
        observation: What its reset observed.

    Raises:
        SnapshotError: it, or a wrapper around it, cannot be saved; it is named.
    """
    inner: Any = env
    while isinstance(inner, OrderEnforcing | PassiveEnvChecker):
        inner = inner.env
    own = own_model(inner)
    return EnvModel(env, info, observation=observation) if own is None else own


def own_model(env: gymnasium.Env[Any, Any]) -> Model[Any, Any] | None:
    """Return the view of the present episode that an environment offers by a method `model()`; None if it does not.

    It is faster than `step`, because it writes no text, and moves the environment itself.
    """
    make = getattr(env, "model", None)
    return make() if callable(make) else None


class EnvModel:
    """Any snapshotable gymnasium environment as a model.

    Actions are what `propose` says; else `info["actions"]` where the environment lists them; else all of a `Discrete`
    space, without those that `info["action_mask"]` rules out. Reaching the goal ends the episode.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        info: Mapping[str, Any] | None = None,
        *,
        observation: Any = None,
        observed_state: bool = False,
        propose: Propose | None = None,
    ) -> None:
        """Look at an environment that was reset.

        Args:
            env: The environment; the model moves it.
            info: The info that its reset returned.
            observation: What its reset observed.
            observed_state: Whether equal observations mean equal states, so that transpositions can be recognised.
            propose: Names the actions to try, where the environment does not or where they are too many.

        Raises:
            SnapshotError: it cannot be saved.
        """
        self._env = env
        self._snapshotter = Snapshotter(env)
        self._observed_state = observed_state
        self._propose = propose
        space = env.action_space
        self._every = tuple(_numbers(space)) if isinstance(space, gymnasium.spaces.Discrete) else None
        self._info = dict(info or {})
        self._seen = observation
        self._changed: frozenset[tuple[Any, ...]] = frozenset()
        """The facts that differ from those at the beginning: each with "+" if it holds now and did not, else "-"."""
        self._done = bool(self.success())

    def actions(self) -> Sequence[Any]:
        """Return the admissible actions.

        Raises:
            SnapshotError: nobody lists them.
        """
        if self._done:
            return ()
        if self._propose is not None:
            return tuple(self._propose(self._seen, self._info))
        listed = self._info.get("actions")
        if listed is not None:
            return tuple(listed)
        if self._every is None:
            raise SnapshotError(
                f"Nobody lists the actions of {self._env}: its info has no 'actions' (give EnvModel the info of its "
                f"reset if that has), and {self._env.action_space} cannot be enumerated (name some with `propose`)."
            )
        mask = self._info.get("action_mask")
        return self._every if mask is None else tuple(a for a, may in zip(self._every, mask, strict=True) if may)

    def sample(self, draws: StableRandom) -> Any | None:
        """Return one of them at random."""
        actions = self.actions()
        return actions[draws.below(len(actions))] if actions else None

    def possible(self, action: Any, /) -> bool:
        """Return whether an action is among them."""
        return action in self.actions()

    def step(self, action: Any, /) -> StepResult:
        """Do it in the environment."""
        self._seen, reward, terminated, truncated, info = self._env.step(action)
        self._info = dict(info)
        changes = (info.get("facts") or {}).get("changes")
        if changes:
            self._changed = _folded(self._changed, changes)
        self._done = bool(terminated or truncated or self.success())
        return StepResult(float(reward), self._done)

    def snapshot(self) -> Any:
        """Return the environment's state, and what is known of it here."""
        # An environment may write its next observation into the same array.
        return self._snapshotter.snapshot(), self._info, copy.deepcopy(self._seen), self._done, self._changed

    def restore(self, state: Any, /) -> object:
        """Go back to it."""
        saved, self._info, self._seen, self._done, self._changed = state
        self._snapshotter.restore(saved)
        return None

    def key(self) -> Hashable | None:
        """Return a hash of the observation where that is the whole state."""
        return fingerprint(self._seen) if self._observed_state and self._seen is not None else None

    def likely_key(self) -> Hashable | None:
        """Return a hash of all that is known of the state: what is observed, the actions, and the facts.

        An environment whose text says more of the last action than of the state offers a `state_key()`, which is used
        instead. States that differ in something else have the same key, so a search may leave them out but must not
        take one for the other. None where an observation cannot be hashed.
        """
        own = getattr(self._env.unwrapped, "state_key", None)
        if own is not None:
            key: Hashable = own()
            return key
        facts = {name: value for name, value in dict(self._info.get("facts") or {}).items() if name not in _FOLDED}
        rest = {name: self._info.get(name) for name in ("actions", "action_mask", "character")}
        try:
            # Under other names: `plain` leaves out the facts and the actions of an info.
            return fingerprint((self._seen, plain({"known": [facts, rest]}))), self._changed
        except SnapshotError:
            return None

    def success(self) -> bool | None:
        """Return `info["success"]`."""
        value = self._info.get("success")
        return None if value is None else bool(value)

    def text(self, action: Any, /) -> str:
        """Return a text action as it is, and any other as JSON."""
        return action if isinstance(action, str) else orjson.dumps(plain({"action": action})["action"]).decode()

    def observation(self) -> Observation:
        """Return what is observed now, as an agent may see it; the actions in it are those that are searched.

        Raises:
            ContractError: there is an image in it.
        """
        seen = observe(self._seen, self._info).seen()
        return dataclasses.replace(seen, actions=tuple(map(self.text, self.actions())))

    def close(self) -> None:
        """Close the environment."""
        self._env.close()


def _folded(known: frozenset[tuple[Any, ...]], changes: Iterable[Sequence[Any]]) -> frozenset[tuple[Any, ...]]:
    """Return the facts that differ from those at the beginning, after further changes."""
    differ = set(known)
    for sign, *fact in changes:
        undone = ("-" if sign == "+" else "+", *fact)
        if undone in differ:
            differ.remove(undone)
        else:
            differ.add((sign, *fact))
    return frozenset(differ)


def _numbers(space: gymnasium.spaces.Discrete) -> range:
    return range(int(space.start), int(space.start + space.n))

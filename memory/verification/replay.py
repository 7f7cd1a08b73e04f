"""Episodes replayed in their environments, with attempts at other actions at any step.

One environment is kept for all tasks with the same id. Its observations are compared with the recorded ones, and a
replay that differs raises `ReplayDriftError`. An attempt begins at a snapshot and is undone by restoring it, so an
episode is replayed once for all attempts; an environment without snapshots is replayed from its reset. Not here: what
is attempted, and what that verifies (`verify`).
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from ...envs import contract
from ...envs.replay import VerifiedReplay
from ...envs.snapshots import Snapshot, Snapshotter
from ...errors import PatheiError, ReplayDriftError, SnapshotError
from ...experience import Observation, Task, Trajectory
from .fact_state import FactState


class TryAction(NamedTuple):
    """An action to try."""

    action: str
    needed: bool = True
    """Whether the attempt ends if it is refused; approaching steps may be refused."""


class ReplayResult(NamedTuple):
    """The result of an attempt."""

    refused: str
    """The error of a needed action that was refused; empty if all were accepted."""
    facts: FactState
    """The facts at the end."""
    success: bool | None
    """Whether the goal held at the end; None if the environment does not report it."""
    steps: int
    """The number of environment steps."""
    accepted: tuple[int, ...] = ()
    """The places of the actions that were done and not refused."""


class EpisodeReplay:
    """One episode that is replayed from its reset."""

    def __init__(self, env: gymnasium.Env[Any, Any], snapshots: Snapshotter, trajectory: Trajectory) -> None:
        """Reset the environment to the beginning of the episode.

        Args:
            env: The environment, which nobody else uses meanwhile.
            snapshots: Saves and restores it.
            trajectory: The episode, from its reset on.

        Raises:
            ReplayDriftError: the environment starts differently.
        """
        self._env, self._snapshots, self._trajectory = env, snapshots, trajectory
        self.steps = 0
        """The number of environment steps."""
        self._next = 0
        self._saved: Snapshot | None = None
        observation, info = contract.reset(env, trajectory.task)
        first = trajectory.steps[0].observation if trajectory.steps else trajectory.final
        self._compare(_seen(observation, info), first, "the reset")
        self.facts = FactState.of(info.get("facts"))
        """The current facts."""

    def advance_to(self, step: int) -> None:
        """Replay the episode up to a step, which comes next.

        Raises:
            ReplayDriftError: an observation differs.
        """
        self._undo_attempt()
        steps = self._trajectory.steps
        for number in range(self._next, step):
            observation, *_, info = self._env.step(steps[number].action)
            self.steps += 1
            after = steps[number + 1].observation if number + 1 < len(steps) else self._trajectory.final
            self._compare(_seen(observation, info), after, f"step {number}, {steps[number].action!r},")
            if not info.get("error"):
                self.facts.update(info.get("facts"))
            self._next = number + 1

    def attempt(self, actions: Sequence[TryAction]) -> ReplayResult:
        """Try actions until the episode ends or a needed one is refused; the next call starts from here again."""
        self._undo_attempt()
        self._saved = self._snapshots.snapshot()
        facts, success, refused, done = self.facts.copy(), None, "", 0
        accepted = []
        for action, needed in actions:
            *_, terminated, truncated, info = self._env.step(action)
            done += 1
            success = info.get("success")
            error = str(info.get("error") or "")
            if error and needed:
                refused = error
                break
            if not error:
                facts.update(info.get("facts"))
                accepted.append(done - 1)
            if terminated or truncated:
                break
        self.steps += done
        return ReplayResult(refused, facts, None if success is None else bool(success), done, tuple(accepted))

    def _undo_attempt(self) -> None:
        """Restore the state before an attempt. It is delayed until needed, as some environments replay to restore."""
        if self._saved is not None:
            self._snapshots.restore(self._saved)
            self._saved = None

    def _compare(self, seen: Observation, then: Observation, where: str) -> None:
        if (seen.text, seen.actions) != (then.text, then.actions):
            raise ReplayDriftError(
                f"The replay of {self._trajectory.id} drifted: {where} gave another observation than recorded."
            )


class ReplayEnvs:
    """The environments for replays: one at a time, made when it is first needed."""

    def __init__(self) -> None:
        """Make no environment yet."""
        self._made: dict[str, gymnasium.Env[Any, Any]] = {}
        self._lacking: dict[str, PatheiError] = {}
        # An environment may be a browser or another process: it is closed with this object, even without `close`.
        self._closing = weakref.finalize(self, _close, self._made)

    def replay(self, trajectory: Trajectory) -> EpisodeReplay:
        """Return the replay of an episode at its beginning; a previous replay is over.

        Raises:
            PatheiError: the environment cannot be made here, or starts differently.
            Exception: any other error of the environment.
        """
        env = self.env(trajectory.task)
        return EpisodeReplay(env, Snapshotter(env), trajectory)

    def close(self) -> None:
        """Close the environment; it is made again when needed."""
        _close(self._made)

    def env(self, task: Task) -> gymnasium.Env[Any, Any]:
        """Return the environment of a task, not reset; a replay in it is over.

        Raises:
            PatheiError: it cannot be made here.
        """
        env = self._made.get(task.env)
        if env is not None:
            return env
        if task.env in self._lacking:
            raise self._lacking[task.env]
        _close(self._made)
        try:
            env = contract.make(task)
        except PatheiError as error:
            self._lacking[task.env] = error  # do not try again with every episode
            raise
        try:
            Snapshotter(env)
        except SnapshotError:
            env = VerifiedReplay(env)
        self._made[task.env] = env
        return env


def _seen(observation: Any, info: Mapping[str, Any]) -> Observation:
    return contract.observe(observation, info, _no_image)


def _no_image(image: np.ndarray[Any, Any]) -> str:
    return ""  # only texts are compared


def _close(made: dict[str, gymnasium.Env[Any, Any]]) -> None:
    while made:
        with contextlib.suppress(Exception):  # it is discarded anyway
            made.popitem()[1].close()

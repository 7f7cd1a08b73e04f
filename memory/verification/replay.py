"""Episodes carried out again in their worlds, and other actions tried at any of their steps.

One environment is kept for the tasks of one world. What it shows is compared with what was shown then: a world that
goes another way says nothing about the episode, and is refused (`ReplayDriftError`). Attempts begin at a snapshot and
go back to it, so that an episode is carried out once for all of them; a world without snapshots is replayed. Left out:
what is to be tried, and what that proves (`proving`).
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
from ..builders.events import Fact, facts_after, facts_of


class TryAction(NamedTuple):
    """An action to try."""

    action: str
    needed: bool = True
    """Whether the attempt ends where it is refused; what is only on the way may be."""


class ReplayResult(NamedTuple):
    """What came of an attempt."""

    refused: str
    """Why the world refused a needed action, in its words; empty where all were accepted."""
    facts: frozenset[Fact]
    """The facts at the end; empty in a world that tells none."""
    success: bool | None
    """Whether the goal held at the end; None where the world does not say."""
    steps: int
    """How many actions were sent to the world."""


class EpisodeReplay:
    """One episode that is being carried out again, from its reset on."""

    def __init__(self, env: gymnasium.Env[Any, Any], snapshots: Snapshotter, trajectory: Trajectory) -> None:
        """Reset the world to the episode's beginning.

        Args:
            env: The environment; nobody else uses it meanwhile.
            snapshots: Those of it.
            trajectory: The episode, from its reset on.

        Raises:
            ReplayDriftError: the world begins otherwise.
        """
        self._env, self._snapshots, self._trajectory = env, snapshots, trajectory
        self.steps = 0
        """How many actions were sent to the world."""
        self._place = 0
        self._left: Snapshot | None = None
        observation, info = contract.reset(env, trajectory.task)
        first = trajectory.steps[0].observation if trajectory.steps else trajectory.final
        self._compare(_seen(observation, info), first, "the reset")
        self._facts = facts_of(info.get("facts"))

    @property
    def facts(self) -> frozenset[Fact]:
        """The facts now."""
        return self._facts

    def go_on(self, step: int) -> None:
        """Carry the episode out up to a step, which is done next.

        Raises:
            ReplayDriftError: the world goes another way.
        """
        self._come_back()
        steps = self._trajectory.steps
        for number in range(self._place, step):
            observation, *_, info = self._env.step(steps[number].action)
            self.steps += 1
            after = steps[number + 1].observation if number + 1 < len(steps) else self._trajectory.final
            self._compare(_seen(observation, info), after, f"step {number}, {steps[number].action!r},")
            self._facts = facts_after(self._facts, info.get("facts"), str(info.get("error") or ""))
            self._place = number + 1

    def attempt(self, actions: Sequence[TryAction]) -> ReplayResult:
        """Try actions from here until the episode ends or a needed one is refused; the next call begins here again."""
        self._come_back()
        self._left = self._snapshots.snapshot()
        facts, success, refused, done = self._facts, None, "", 0
        for action, needed in actions:
            *_, terminated, truncated, info = self._env.step(action)
            done += 1
            success = info.get("success")
            error = str(info.get("error") or "")
            if error and needed:
                refused = error
                break
            facts = facts_after(facts, info.get("facts"), error)
            if terminated or truncated:
                break
        self.steps += done
        return ReplayResult(refused, facts, None if success is None else bool(success), done)

    def _come_back(self) -> None:
        """Go back to where an attempt began. Not before it is needed: to come back is to replay, in some worlds."""
        if self._left is not None:
            self._snapshots.restore(self._left)
            self._left = None

    def _compare(self, seen: Observation, then: Observation, where: str) -> None:
        if (seen.text, seen.actions) != (then.text, then.actions):
            raise ReplayDriftError(
                f"Carrying {self._trajectory.id} out again, {where} showed something else than when it was lived."
            )


class ReplayEnvs:
    """The environments in which episodes are carried out again: one at a time, made when it is first needed."""

    def __init__(self) -> None:
        """Make nothing yet."""
        self._made: dict[str, gymnasium.Env[Any, Any]] = {}
        self._lacking: dict[str, PatheiError] = {}
        # A world may be a browser or another process: it ends with its user, also where that forgets to close it.
        self._closing = weakref.finalize(self, _close, self._made)

    def relive(self, trajectory: Trajectory) -> EpisodeReplay:
        """Return an episode at its beginning; whatever was relived before is over.

        Raises:
            PatheiError: the world cannot be made here, or begins otherwise.
            Exception: whatever else the environment raises.
        """
        env = self._env(trajectory.task)
        return EpisodeReplay(env, Snapshotter(env), trajectory)

    def close(self) -> None:
        """Close what was made; it is made again when it is needed."""
        _close(self._made)

    def _env(self, task: Task) -> gymnasium.Env[Any, Any]:
        env = self._made.get(task.env)
        if env is not None:
            return env
        if task.env in self._lacking:
            raise self._lacking[task.env]
        _close(self._made)
        try:
            env = contract.make(task)
        except PatheiError as error:
            self._lacking[task.env] = error  # it is not looked for again with every episode
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
    return ""  # what is compared is in words


def _close(made: dict[str, gymnasium.Env[Any, Any]]) -> None:
    while made:
        with contextlib.suppress(Exception):  # it is given up anyway
            made.popitem()[1].close()


__all__ = ["EpisodeReplay", "ReplayEnvs", "ReplayResult", "TryAction"]

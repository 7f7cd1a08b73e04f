"""States of stored episodes, and what other actions would have done there: played in the environment, from snapshots.

An episode is played again from its reset and compared with what was recorded. At some of its steps the state is saved,
other admissible actions are done, and it is restored; after each, the rest of the episode is tried too. Only what facts
say is kept. Not here: words for it (`questions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium

from ....envs import contract
from ....envs.facts import PASSING, Change, read_changes
from ....envs.replay import VerifiedReplay
from ....envs.snapshots import Snapshotter
from ....errors import PatheiError, SnapshotError
from ....experience import Trajectory
from ....stable_random import StableRandom


class ActionOutcome(NamedTuple):
    """What an action did."""

    action: str
    """As it was sent."""
    refused: bool
    changes: tuple[Change, ...]
    """What began and what ended, without relations that pass (`PASSING`)."""
    progress: float
    """How much of the goal holds after it; 0 where the environment does not say."""
    actions: frozenset[str]
    """What is admissible after it."""
    success: bool
    """Whether the goal holds after it."""


class RestOutcome(NamedTuple):
    """What the rest of an episode came to after another action."""

    success: bool
    """Whether the goal held at its end."""
    refused: str
    """The first action that was refused; empty if none was."""


class BranchPoint(NamedTuple):
    """A step of an episode, with what was done there and what could have been done."""

    step: int
    before: frozenset[str]
    """What was admissible."""
    progress: float
    """How much of the goal held before."""
    path: tuple[ActionOutcome, ...]
    """What was done from here on, at least one action."""
    others: tuple[ActionOutcome, ...]
    """What other actions do in its place."""
    rests: tuple[RestOutcome, ...]
    """What follows each of them if the episode then goes on as before."""


def branch_points(
    env: gymnasium.Env[Any, Any],
    trajectory: Trajectory,
    choices: StableRandom,
    *,
    points: int,
    others: int,
    ahead: int,
) -> list[BranchPoint]:
    """Play an episode again and leave it at some of its steps; nothing where it cannot be played as it was recorded.

    Args:
        env: The environment of its task; it is reset. Without snapshots of its own it is replayed (`VerifiedReplay`).
        trajectory: A whole episode, whose environment takes actions in words.
        choices: Chooses the steps and the other actions.
        points: At how many steps it is left at most.
        others: How many other actions are tried at each.
        ahead: How many actions `path` holds at most.
    """
    if env.action_space.dtype is None or env.action_space.dtype.kind != "U":
        return []
    try:
        return _Branching(_saved(env), trajectory, choices, others, ahead).points(points)
    except PatheiError:  # it cannot be made or saved here, or another version of it recorded the episode
        return []


def _saved(env: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """Return an environment that can be saved at any moment."""
    if getattr(env.unwrapped, "partial_snapshots", False):
        return VerifiedReplay(env)
    try:
        Snapshotter(env)
    except SnapshotError:
        return VerifiedReplay(env)
    return env


class _Branching:
    """One episode that is played again."""

    def __init__(
        self, env: gymnasium.Env[Any, Any], trajectory: Trajectory, choices: StableRandom, others: int, ahead: int
    ) -> None:
        self._env, self._snapshots = env, Snapshotter(env)
        self._trajectory, self._choices, self._others, self._ahead = trajectory, choices, others, ahead

    def points(self, wanted: int) -> list[BranchPoint]:
        steps = self._trajectory.steps
        chosen = set(self._choices.shuffled(range(len(steps)))[:wanted])
        _, info = contract.reset(self._env, self._trajectory.task)
        left: list[tuple[int, frozenset[str], float, tuple[ActionOutcome, ...], tuple[RestOutcome, ...]]] = []
        path: list[ActionOutcome] = []
        for number, step in enumerate(steps):
            allowed, progress = frozenset(info.get("actions") or ()), float(info.get("progress") or 0.0)
            if step.observation.actions is not None and frozenset(step.observation.actions) != allowed:
                return []  # it drifted: what was recorded is not what is here
            if number in chosen:
                left.append((number, allowed, progress, *self._leave(number, allowed)))
            outcome, info = self._do(step.action)
            path.append(outcome)
        return [
            BranchPoint(number, allowed, progress, tuple(path[number : number + self._ahead]), others, rests)
            for number, allowed, progress, others, rests in left
        ]

    def _leave(self, number: int, allowed: frozenset[str]) -> tuple[tuple[ActionOutcome, ...], tuple[RestOutcome, ...]]:
        """Try other actions at a step, and what follows; the environment is left where it was."""
        steps = self._trajectory.steps
        tried = self._choices.shuffled(sorted(allowed - {steps[number].action}))[: self._others]
        outcomes, rests = [], []
        here = self._snapshots.snapshot()
        for action in tried:
            outcome, info = self._do(action)
            rest = RestOutcome(outcome.success, "")
            for later in steps[number + 1 :] if not info["over"] else ():
                next_, info = self._do(later.action)
                rest = RestOutcome(next_.success, rest.refused or (later.action if next_.refused else ""))
                if info["over"] or rest.refused:
                    break
            outcomes.append(outcome)
            rests.append(rest)
            self._snapshots.restore(here)
        return tuple(outcomes), tuple(rests)

    def _do(self, action: str) -> tuple[ActionOutcome, dict[str, Any]]:
        """Do an action; the info says too whether the episode is over."""
        *_, terminated, truncated, info = self._env.step(action)
        refused = bool(info.get("error"))
        changes = () if refused else tuple(one for one in read_changes(info.get("facts")) if one.what not in PASSING)
        allowed, success = frozenset(info.get("actions") or ()), bool(info.get("success"))
        outcome = ActionOutcome(action, refused, changes, float(info.get("progress") or 0.0), allowed, success)
        return outcome, {**info, "over": terminated or truncated}


def net_changes(path: Sequence[ActionOutcome]) -> tuple[Change, ...]:
    """Return what several actions changed together: what began and ended again is not among it."""
    held: dict[tuple[int, str, int | None], Change] = {}
    for change in (one.plain for outcome in path for one in outcome.changes):
        before = held.get(change.fact)
        if before is not None and before.begins != change.begins:
            del held[change.fact]
        else:
            held[change.fact] = change
    return tuple(held.values())

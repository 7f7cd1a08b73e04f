"""Preference export: at one state, the action with the best proved return and one with a worse; for TRL's DPO and KTO.

A return is proved where it was reached: the best of all stored episodes that went on from a state with an action, the
branches of a search tree (`pathei collect STORE mcts --keep-tree`) above all. Episodes of one task that did and saw the
same so far are in the same state. That an action is worse means that nothing as good was found behind it, so it is as
sure as the search was thorough (`visits`). Not here: training on pairs (`learners.preferences`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import ExportError
from ..experience import Trajectory
from .common import ExportCounts, Selection
from .text import step_prompt, write_line


class _Return(NamedTuple):
    """What an episode came to from a state on; greater is better."""

    success: bool
    total: float


class _Tried:
    """An action that was tried in a state."""

    def __init__(self) -> None:
        self.best = _Return(False, float("-inf"))
        self.visits = 0
        self.after: dict[str, _State] = {}
        """The states that it led to, by what was observed."""


class _State:
    """A state of a task: an episode that went through it after `t` steps, and what was tried there."""

    def __init__(self, episode: Trajectory, t: int) -> None:
        self.episode, self.t = episode, t
        self.tried: dict[str, _Tried] = {}


def write_preferences(
    selection: Selection, temporary: Path, target: Path, *, actions: bool = False, history: int = 0, visits: int = 1
) -> ExportCounts:
    r"""Write one pair per line: `{"prompt", "chosen", "rejected", "id", "t", "returns"}`, TRL's preference form.

    A prompt is that of `prompt-completion`; chosen and rejected are a space and an action. Of several worse actions the
    one that was tried most often is taken. `returns` are the rewards from there on, of both.

    Args:
        selection: The episodes.
        temporary: The file to write.
        target: The file that it will be.
        actions: Whether a prompt lists the admissible actions of its observation.
        history: How many earlier steps a prompt repeats.
        visits: The least number of episodes that took an action there, for it to count.

    Raises:
        ExportError: an episode shows images, `history` is negative, or `visits` is less than 1.
    """
    if visits < 1:
        raise ExportError(f"An action was tried at least once: give visits of 1 or more, not {visits}.")
    if history < 0:
        raise ExportError(f"A prompt cannot repeat {history} earlier steps: give 0 or more.")
    selection.refuse_images("preference")
    tasks: dict[tuple[str, int], list[str]] = {}
    skipped = 0
    for one in selection.stored():
        tasks.setdefault((one.task.id, one.task.seed), []).append(one.id)
    episodes = rows = 0
    with temporary.open("wb") as file:
        for ids in tasks.values():
            begun: dict[str, _State] = {}
            for id_ in ids:
                whole = selection.store.expand(selection.store.get(id_))
                skipped += not whole.steps
                episodes += bool(whole.steps)
                _add(begun, whole)
            for state in _states(begun):
                pair = _pair(state, visits)
                if pair is not None:
                    chosen, rejected = pair
                    row = {
                        "prompt": step_prompt(state.episode, state.t, actions=actions, history=history),
                        "chosen": f" {chosen}",
                        "rejected": f" {rejected}",
                        "id": state.episode.id,
                        "t": state.t,
                        "returns": [state.tried[chosen].best.total, state.tried[rejected].best.total],
                    }
                    write_line(file, row)
                    rows += 1
    return ExportCounts(episodes, rows, skipped)


def _add(begun: dict[str, _State], episode: Trajectory) -> None:
    """Add an episode to the states of its task."""
    total, success = sum(step.reward for step in episode.steps), bool(episode.success)
    known = begun
    for t, step in enumerate(episode.steps):
        state = known.setdefault(step.observation.text, _State(episode, t))
        tried = state.tried.setdefault(step.action, _Tried())
        tried.best = max(tried.best, _Return(success, round(total, 9)))
        tried.visits += 1
        total -= step.reward
        known = tried.after


def _states(begun: dict[str, _State]) -> Iterator[_State]:
    """Yield the states of a task, those of one episode in order."""
    waiting = list(reversed(begun.values()))
    while waiting:
        state = waiting.pop()
        yield state
        waiting += [after for tried in reversed(state.tried.values()) for after in reversed(tried.after.values())]


def _pair(state: _State, visits: int) -> tuple[str, str] | None:
    """Return the best action in a state and a worse one; None where all that were tried are as good."""
    tried = {action: one for action, one in state.tried.items() if one.visits >= visits}
    if len(tried) < 2:
        return None
    chosen = max(tried, key=lambda action: tried[action].best)
    worse = [action for action, one in tried.items() if one.best < tried[chosen].best]
    return (chosen, max(worse, key=lambda action: tried[action].visits)) if worse else None

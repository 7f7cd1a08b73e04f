"""Telling a memory how its items served, from what an agent noted while it played.

An agent that acts by a memory notes at each step the ids of the items that it used, `info["agent"]["memory"]`, and of
those that it gave up because they did not lead anywhere, `info["agent"]["abandoned"]`. Left out: what a memory makes
of it (skills that fail are retired there).
"""

from __future__ import annotations

from ..experience import Json, Trajectory
from .protocol import Recollection


def give_feedback(memory: Recollection, trajectory: Trajectory) -> tuple[int, int]:
    """Tell a memory which of its items helped and which did harm, and return how many of each.

    What was used in an episode that succeeded helped. What was given up did harm, and so did what was used in an
    episode that failed. Where nobody could tell whether it succeeded, nothing is said.
    """
    if trajectory.success is None:
        return 0, 0
    used, given_up = _noted(trajectory, "memory"), _noted(trajectory, "abandoned")
    helpful = [id_ for id_ in used if trajectory.success and id_ not in given_up]
    harmful = list(given_up) if trajectory.success else list({**used, **given_up})
    if helpful:
        memory.feedback(helpful, helpful=True)
    if harmful:
        memory.feedback(harmful, helpful=False)
    return len(helpful), len(harmful)


def _noted(trajectory: Trajectory, name: str) -> dict[str, None]:
    found: dict[str, None] = {}
    for step in trajectory.steps:
        notes: Json = step.info.get("agent")
        ids = notes.get(name) if isinstance(notes, dict) else None
        found |= dict.fromkeys(id_ for id_ in ids or () if isinstance(id_, str))
    return found


__all__ = ["give_feedback"]

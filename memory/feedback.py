"""Telling a memory how its items served, from what an agent noted while it played.

An agent that acts by a memory notes at each step, under `info["agent"]`, the ids of items:

| note | what |
|---|---|
| `memory` | those behind the action, or shown to whoever chose it |
| `served` | those that were seen to serve: what was looked for was where a fact said, a mended action was accepted |
| `abandoned` | those that were given up before the action |
| `aims` | by id, the condition that the action is to bring about; of what was given up, that it did not bring about |

Conditions are signatures with ids for roles, `"12 INSIDE 7"`, or `GOAL` for the goal itself. Each item is judged by
what it was used for, whatever came of the episode: see `verdicts`. Left out: what a memory makes of it (skills that
fail are retired there).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ..experience import Json, Step, Trajectory
from .builders.events import Fact, facts_after, facts_of
from .protocol import Recollection

GOAL: Final = "the goal"
"""The condition that the goal is reached."""
_NOTES: Final = ("memory", "served", "abandoned", "aims")


class _Moment(NamedTuple):
    """A step, with what held before and after it."""

    step: Step
    before: frozenset[Fact]
    after: frozenset[Fact]
    you: frozenset[int]
    """The characters."""
    told: bool
    """Whether the world tells facts."""


def give_feedback(memory: Recollection, trajectory: Trajectory) -> tuple[int, int]:
    """Tell a memory which of its items helped and which did harm, and return how many of each.

    It may be said again: a memory counts each item once for a trajectory.

    Raises:
        MemoryStoreError: the agent used another memory, or this one is open for reading.
    """
    judged = verdicts(trajectory)
    helpful = [id_ for id_, served in judged.items() if served]
    harmful = [id_ for id_, served in judged.items() if not served]
    if helpful:
        memory.feedback(helpful, helpful=True, trajectory=trajectory.id)
    if harmful:
        memory.feedback(harmful, helpful=False, trajectory=trajectory.id)
    return len(helpful), len(harmful)


def verdicts(trajectory: Trajectory) -> dict[str, bool]:
    """Return by the ids of items whether each served; those of which that cannot be told are left out.

    An item helped if it was seen to serve, or if what it aimed at held after the step. It did harm if it did not hold,
    or if the item was given up, unless what it aimed at held already. What helped once in an episode helped. Where no
    facts tell whether a condition holds, a reward says that it came about, and a refusal that it did not.

    Of other items that were used, all helped if the episode succeeded. If it failed, it is not known which of them is
    at fault, and nothing is said where the agent notes aims; of an agent that does not, all did harm.
    """
    helped, harmed, used = dict[str, None](), dict[str, None](), dict[str, None]()
    close = False
    for moment in _moments(trajectory):
        notes = _notes(moment.step)
        close = close or isinstance(notes["aims"], Mapping)
        aims = notes["aims"] if isinstance(notes["aims"], Mapping) else {}
        used |= dict.fromkeys(_ids(notes["memory"]))
        helped |= dict.fromkeys(_ids(notes["served"]))
        abandoned = set(_ids(notes["abandoned"]))
        for id_ in abandoned:
            if not _holds(str(aims.get(id_, "")), moment, moment.before):
                harmed[id_] = None
        for id_, condition in aims.items():
            came = None if id_ in abandoned else _came_about(str(condition), moment)
            if came is not None:
                (helped if came else harmed)[id_] = None
    found = dict.fromkeys(harmed, False) | dict.fromkeys(helped, True)
    if trajectory.success or (trajectory.success is False and not close):
        found = dict.fromkeys(used, bool(trajectory.success)) | found
    return found


def _moments(trajectory: Trajectory) -> Iterator[_Moment]:
    """Yield every step of an episode with the facts, as far as the world tells them."""
    if not trajectory.steps:
        return
    first = trajectory.steps[0].observation.facts
    facts = facts_of(first)
    graph = (first or {}).get("graph") if facts else None
    you = frozenset(graph.get("characters", ())) if isinstance(graph, Mapping) else frozenset[int]()
    later = (*(step.observation for step in trajectory.steps[1:]), trajectory.final)
    for step, after in zip(trajectory.steps, later, strict=True):
        before, facts = facts, facts_after(facts, after.facts, str(step.info.get("error") or ""))
        yield _Moment(step, before, facts, you, bool(facts))


def _came_about(condition: str, moment: _Moment) -> bool | None:
    """Tell whether a condition holds after a step; None where that is not known."""
    if condition == GOAL:
        success = moment.step.info.get("success")
        return None if success is None else bool(success)
    if moment.step.info.get("error"):
        return False
    if condition.endswith(" is done"):
        return True  # a deed leaves no other trace than that it was accepted
    if moment.told:
        return _holds(condition, moment, moment.after)
    return True if moment.step.reward > 0 else None


def _holds(condition: str, moment: _Moment, facts: frozenset[Fact]) -> bool:
    """Tell whether a condition of particular things holds; False for one that is not about facts."""
    negated = condition.startswith("not ")
    words = condition.removeprefix("not ").split(" ")
    if len(words) != 3 or not moment.told:
        return False
    first, relation, last = words
    things = moment.you if first == "you" else {int(first)} if first.isdigit() else set[int]()
    if relation == "is":
        found = any((thing, last, None) in facts for thing in things)
    else:
        others = moment.you if last == "you" else {int(last)} if last.isdigit() else set[int]()
        found = any((thing, relation, other) in facts for thing in things for other in others)
    return found != negated


def _notes(step: Step) -> dict[str, Json]:
    notes = step.info.get("agent")
    return {name: notes.get(name) if isinstance(notes, Mapping) else None for name in _NOTES}


def _ids(noted: Json) -> list[str]:
    return [id_ for id_ in noted if isinstance(id_, str)] if isinstance(noted, list | tuple) else []


__all__ = ["GOAL", "give_feedback", "verdicts"]

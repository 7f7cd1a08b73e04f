"""Feedback: which items helped in an episode, from what the agent recorded while it played.

An agent that uses a memory records ids of items at each step, under `info["agent"]`:

| note | what |
|---|---|
| `memory` | items behind the action, or shown to the agent that chose it |
| `served` | items that were seen to help: an object was where a fact said, a fixed action was accepted |
| `abandoned` | items that were given up before the action |
| `aims` | by id, the condition that the action has to bring about; for an abandoned item, that it did not |

Conditions are signatures with ids for roles, `"12 INSIDE 7"`, or `GOAL` for the goal itself. Each item is judged by its
own use, whatever the outcome of the episode: see `verdicts`. Not here: the consequences (`upkeep` retires skills that
fail).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..experience import Json, Step, Trajectory
from .protocol import Memory
from .verification.fact_state import FactState

GOAL: Final = "the goal"
"""The condition that the goal is reached."""
_NOTES: Final = ("memory", "served", "abandoned", "aims")


def give_feedback(memory: Memory, trajectory: Trajectory) -> tuple[int, int]:
    """Report to a memory which of its items helped and which did harm, and return the numbers of both.

    Repeated calls change nothing: a memory counts each item once per trajectory.

    Raises:
        MemoryStoreError: the agent used another memory, or this one is open for reading.
    """
    judged = verdicts(trajectory)
    for kind in (True, False):
        if kind in judged.values():
            memory.feedback(
                [id_ for id_, helped in judged.items() if helped is kind], helpful=kind, trajectory=trajectory.id
            )
    return sum(judged.values()), len(judged) - sum(judged.values())


def verdicts(trajectory: Trajectory) -> dict[str, bool]:
    """Return whether items helped, by id; items that cannot be judged are omitted.

    An item helped if it was seen to help, or if its aim held after the step. It did harm if its aim did not hold, or if
    it was abandoned, unless its aim held already. An item that helped once in an episode helped. If no facts show
    whether a condition holds, a reward counts as success, and a refusal as failure.

    Other items that were used all helped if the episode succeeded. If it failed, the cause is unknown: they are not
    judged if the agent records aims, and all did harm if it does not.
    """
    if not trajectory.steps:
        return {}
    helped, harmed, used = dict[str, None](), dict[str, None](), dict[str, None]()
    has_aims = False
    facts = FactState.of(trajectory.steps[0].observation.facts)
    later = (*(step.observation for step in trajectory.steps[1:]), trajectory.final)
    for step, after in zip(trajectory.steps, later, strict=True):
        notes = _notes(step)
        has_aims = has_aims or isinstance(notes["aims"], Mapping)
        aims = notes["aims"] if isinstance(notes["aims"], Mapping) else {}
        used |= dict.fromkeys(_ids(notes["memory"]))
        helped |= dict.fromkeys(_ids(notes["served"]))
        abandoned = set(_ids(notes["abandoned"]))
        harmed |= {id_: None for id_ in sorted(abandoned) if not _holds(str(aims.get(id_, "")), facts)}
        if not step.info.get("error"):
            facts.update(after.facts)
        for id_, condition in aims.items():
            came_about = None if id_ in abandoned else _came_about(str(condition), step, facts)
            if came_about is not None:
                (helped if came_about else harmed)[id_] = None
    found = dict.fromkeys(harmed, False) | dict.fromkeys(helped, True)
    if trajectory.success or (trajectory.success is False and not has_aims):
        found = dict.fromkeys(used, bool(trajectory.success)) | found
    return found


def _came_about(condition: str, step: Step, facts: FactState) -> bool | None:
    """Return whether a condition holds after a step; None if that is unknown."""
    if condition == GOAL:
        success = step.info.get("success")
        return None if success is None else bool(success)
    if step.info.get("error"):
        return False
    if condition.endswith(" is done"):
        return True  # an action that was accepted was done
    if facts.is_known:
        return _holds(condition, facts)
    return True if step.reward > 0 else None


def _holds(condition: str, facts: FactState) -> bool:
    """Return whether a condition on particular objects holds; False if it is not about facts."""
    negated = condition.startswith("not ")
    words = condition.removeprefix("not ").split(" ")
    if len(words) != 3 or not facts.is_known:
        return False
    first, relation, last = words
    things = _named(first, facts)
    if relation == "is":
        found = any(facts.holds((thing, last, None)) for thing in things)
    else:
        found = any(facts.holds((thing, relation, other)) for thing in things for other in _named(last, facts))
    return found != negated


def _named(word: str, facts: FactState) -> tuple[int, ...]:
    return facts.characters if word == "you" else (int(word),) if word.isdigit() else ()


def _notes(step: Step) -> dict[str, Json]:
    notes = step.info.get("agent")
    return {name: notes.get(name) if isinstance(notes, Mapping) else None for name in _NOTES}


def _ids(noted: Json) -> list[str]:
    return [id_ for id_ in noted if isinstance(id_, str)] if isinstance(noted, list | tuple) else []

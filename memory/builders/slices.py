"""Stretches of an episode: of the steps before one, those that it needs.

A step stays if

* its change of one of these things was in force when a later step of the stretch acted on that thing;
* it made a later step admissible: going there, most often. If it went to what the thing was in or on, it counts as
  going to the thing itself;
* it took what was in the hand when the last step itself names nothing that was held: a tool.

"These things" are those of the last step, and those of every step that stays. Steps that only found a thing (opening
the closet that the mop is in) or a way are left out: where things are is a matter of facts, and looking for them is the
agent's. Whether the rest does without what was left out, the world has to say (`proving`). Left out: what a stretch
brings about (`skills`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..verification.replay import TryAction
from .events import EpisodeLog, StateChange, StepEffect
from .lifting import YOU, LiftedAction, ObjectRef

_LONGEST: Final = 7
"""A stretch with more steps is taken for several things done at once, and not kept."""


class DependencySlice(NamedTuple):
    """The steps of a skill, in the episode that it comes from."""

    steps: tuple[StepEffect, ...]
    acts: tuple[LiftedAction, ...]
    """What each step counts as."""
    things: tuple[ObjectRef, ...]
    """The things of the last step: the roles."""


def stretch_of(happened: EpisodeLog, last: StepEffect, things: tuple[ObjectRef, ...]) -> DependencySlice | None:
    """Return the steps that the last one needs; None where they are too many."""
    steps = happened.steps
    relevant = {thing.id for thing in things} | _tools(steps[: last.number], last)
    kept, acts = [last], [last.act]
    for step in reversed(steps[: last.number]):
        if step.error:
            continue
        act = _needed(happened, step, kept, relevant)
        # Who goes somewhere and at once elsewhere need not have gone there.
        if act is not None and act != acts[-1] and not (step.moved and kept[-1].moved and len(kept) > 1):
            kept.append(step)
            acts.append(act)
            relevant |= {thing.id for thing in act.things}
        if len(kept) > _LONGEST:
            return None
    return DependencySlice(tuple(reversed(kept)), tuple(reversed(acts)), things)


def _needed(happened: EpisodeLog, step: StepEffect, kept: list[StepEffect], relevant: set[int]) -> LiftedAction | None:
    """Return what a step counts as in the skill, or None where the skill does without it."""
    named = {thing.id for thing in step.act.things}
    for change in step.changes:
        about = change.target if change.what == "HOLDS" else change.thing
        if change.begins and about in relevant and _serves(happened, change, step, kept):
            return step.act if named & relevant or not named else None
    later = [one for one in kept if not (step.moved and one.moved)]  # a way to a way is no step of its own
    opened = [one for one in later if one.action in step.after and one.action not in step.before]
    if not opened and step.moved and named & relevant:
        # A plan may go to what is not listed because it is in another room: it is listed on arrival all the same.
        opened = [one for one in later[-1:] if one.action in step.after and step.action not in step.before]
    if not opened:
        return None
    if named & relevant:
        return step.act
    if not step.moved:
        return _tool(step, opened[-1])
    target = [thing for thing in opened[-1].act.things if thing.id in relevant][-1:]  # what is put goes to the last
    return LiftedAction(step.act.verb, tuple(target)) if target else None


def _tool(step: StepEffect, opened: StepEffect) -> LiftedAction | None:
    """Return a step on another thing if it made a known thing usable; not if it brought that thing to light."""
    things = {thing.id for thing in opened.act.things}
    listed = {f"({id_})" for id_ in things}
    return step.act if any(mark in action for action in step.before for mark in listed) else None


def _serves(happened: EpisodeLog, change: StateChange, step: StepEffect, kept: list[StepEffect]) -> bool:
    """Tell whether a later step of the skill acts while a change is in force."""
    ended = next(
        (
            later.number
            for later in happened.steps[step.number + 1 : kept[0].number + 1]
            for other in later.changes
            if not other.begins and other[1:] == change[1:]
        ),
        kept[0].number,
    )
    return any(step.number < one.number <= ended for one in kept)


def _tools(steps: Sequence[StepEffect], last: StepEffect) -> set[int]:
    """Return what was taken in these steps, is still held, and may be what made the last one possible."""
    held: dict[int, StepEffect] = {}
    for step in steps:
        for change in step.changes:
            if change.what == "HOLDS" and change.target is not None:
                if change.begins:
                    held[change.target] = step
                else:
                    held.pop(change.target, None)
    if any(thing.id in held for thing in last.act.things):
        return set()
    return {id_ for id_, taken in held.items() if last.action not in taken.before}


def whole_of(happened: EpisodeLog, lean: DependencySlice) -> DependencySlice | None:
    """Return all that was done from the first step of a stretch to its last, if that is not too much."""
    first, last = lean.steps[0].number, lean.steps[-1].number
    steps = tuple(step for step in happened.steps[first : last + 1] if not step.error)
    return DependencySlice(steps, tuple(step.act for step in steps), lean.things) if len(steps) <= _LONGEST else None


def actions_of(stretch: DependencySlice) -> list[tuple[int, str]]:
    """Return the actions of a stretch with the numbers of their steps."""
    return [(step.number, _line(act, step)) for step, act in zip(stretch.steps, stretch.acts, strict=True)]


def ways(happened: EpisodeLog, first: int, last: int) -> list[tuple[int, TryAction]]:
    """Return the steps, from `first` on and before `last`, that only went somewhere or brought something to light."""
    steps = (step for step in happened.steps[first:last] if not step.error)
    return [
        (step.number, TryAction(step.action, needed=False)) for step in steps if step.moved or brought_to_light(step)
    ]


def brought_to_light(step: StepEffect) -> bool:
    """Tell whether more can be spoken of after a step than before it."""
    return bool(step.before) and len(step.after) > len(step.before) and bool(_ids(step.after) - _ids(step.before))


def atom_of(happened: EpisodeLog, change: StateChange, roles: dict[int, str], *, begins: bool | None = None) -> str:
    """Return a change as a signature; empty where it is about things that have no role."""
    names = [YOU if thing in happened.you else roles.get(thing, "") for thing in change.things]
    if not all(names) or names == [YOU] * 2:
        return ""
    begins = change.begins if begins is None else begins
    atom = f"{names[0]} {change.what} {names[1]}" if change.target is not None else f"{names[0]} is {change.what}"
    return atom if begins else f"not {atom}"


def net_of(steps: Sequence[StepEffect]) -> list[StateChange]:
    """Return the changes whose fact did not change before in these steps: what ended of them had to hold."""
    first: dict[tuple[int, str, int | None], StateChange] = {}
    for step in steps:
        for change in step.changes:
            first.setdefault(change[1:], change)
    return list(first.values())


def _line(act: LiftedAction, step: StepEffect) -> str:
    """Return a step as it is to be carried out: as it was, or with what it counts as."""
    return step.action if act == step.act else " ".join([f"[{act.verb}]", *(f"<{n}> ({id_})" for n, id_ in act.things)])


def _ids(actions: frozenset[str]) -> set[str]:
    return {action.rpartition("(")[2] for action in actions}


__all__ = ["DependencySlice", "actions_of", "atom_of", "brought_to_light", "net_of", "stretch_of", "ways", "whole_of"]

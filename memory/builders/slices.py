"""Dependency slices: of the steps before a given one, those that it needs.

A step stays if

* its change of a relevant object was in force when a later step of the slice acted on that object;
* it made a later step admissible, most often by approaching an object. If it approached the container or surface that
  holds the object, it counts as approaching the object itself;
* it took what was in the hand when the last step itself names nothing that was held: a tool.

Relevant are the objects of the last step, and those of every step that stays. Steps that only found an object (opening
the closet that contains the mop) or a path are dropped: locations are facts, and searching is up to the agent.
Verification shows whether the remaining steps suffice (`verification.verify`). Not here: the effects of a slice
(`skills`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ...envs.facts import HOLDS, YOU, Change, Entity
from ..verification.replay import TryAction
from .episode_log import EpisodeLog, StepEffect
from .signatures import StepAction

_LONGEST: Final = 7
"""A longer slice probably does several things at once, and is not kept."""


class DependencySlice(NamedTuple):
    """The steps of a skill, in the episode that it comes from."""

    steps: tuple[StepEffect, ...]
    actions: tuple[StepAction, ...]
    """What each step counts as."""
    things: tuple[Entity, ...]
    """The objects of the last step: the roles."""


def find_slice(log: EpisodeLog, last: StepEffect, things: tuple[Entity, ...]) -> DependencySlice | None:
    """Return the steps that the last one needs; None if they are too many."""
    steps = log.steps
    relevant = {thing.id for thing in (*things, *last.action.things)} | _tools(steps[: last.number], last)
    kept, actions = [last], [last.action]
    for step in reversed(steps[: last.number]):
        if step.error:
            continue
        action = _needed(log, step, kept, relevant)
        # An approach followed at once by another approach was not needed.
        if action is not None and action != actions[-1] and not (step.moved and kept[-1].moved and len(kept) > 1):
            kept.append(step)
            actions.append(action)
            relevant |= {thing.id for thing in action.things}
        if len(kept) > _LONGEST:
            return None
    return DependencySlice(tuple(reversed(kept)), tuple(reversed(actions)), things)


def whole_slice(log: EpisodeLog, lean: DependencySlice) -> DependencySlice | None:
    """Return all steps from the first to the last of a slice, unless they are too many."""
    first, last = lean.steps[0].number, lean.steps[-1].number
    steps = tuple(step for step in log.steps[first : last + 1] if not step.error)
    return DependencySlice(steps, tuple(step.action for step in steps), lean.things) if len(steps) <= _LONGEST else None


def slice_actions(log: EpisodeLog, found: DependencySlice) -> list[tuple[int, str]]:
    """Return the actions of a slice as text, with the numbers of their steps."""
    pairs = zip(found.steps, found.actions, strict=True)
    return [(step.number, log.write_action(action, step)) for step, action in pairs]


def approach_steps(log: EpisodeLog, first: int, last: int) -> list[tuple[int, TryAction]]:
    """Return the steps from `first` to before `last` that only moved the character or revealed something."""
    steps = (step for step in log.steps[first:last] if not step.error)
    return [(step.number, TryAction(step.text, needed=False)) for step in steps if step.moved or reveals(log, step)]


def reveals(log: EpisodeLog, step: StepEffect) -> bool:
    """Return whether objects can be acted on after a step that existed before it, and could not be acted on then."""
    if not step.before or len(step.after) <= len(step.before):
        return False
    fresh = log.named(step.after - step.before) - log.named(step.before)
    return any(log.existed(id_, step) for id_ in fresh)


def write_change(log: EpisodeLog, change: Change, roles: dict[int, str], *, begins: bool | None = None) -> str:
    """Return a change as a signature; empty if one of its objects has no role."""
    names = [YOU if thing in log.characters else roles.get(thing, "") for thing in change.entities]
    if not all(names) or names == [YOU] * 2:
        return ""
    begins = change.begins if begins is None else begins
    atom = f"{names[0]} {change.what} {names[1]}" if change.target is not None else f"{names[0]} is {change.what}"
    return atom if begins else f"not {atom}"


def net_changes(steps: Sequence[StepEffect]) -> list[Change]:
    """Return the first change of each fact in these steps: a fact that ended there had to hold before."""
    first: dict[tuple[int, str, int | None], Change] = {}
    for step in steps:
        for change in step.changes:
            first.setdefault(change[1:], change)
    return list(first.values())


def _needed(log: EpisodeLog, step: StepEffect, kept: list[StepEffect], relevant: set[int]) -> StepAction | None:
    """Return what a step counts as in the slice, or None if the slice does not need it."""
    named = {thing.id for thing in step.action.things}
    for change in step.changes:
        about = change.target if change.what == HOLDS else change.entity
        if change.begins and about in relevant and _is_used(log, change, step, kept):
            return step.action if named & relevant or not named else None
    later = [one for one in kept if not (step.moved and one.moved)]  # approaching in order to approach needs no step
    enabled = [one for one in later if one.text in step.after and one.text not in step.before]
    if not enabled and step.moved and named & relevant:
        # A plan may approach an object in another room, which is listed only on arrival.
        enabled = [one for one in later[-1:] if one.text in step.after and step.text not in step.before]
    if not enabled:
        return None
    if named & relevant or (step.moved and not named):
        return step.action
    if not step.moved:
        return _tool(log, step, enabled[-1])
    target = [thing for thing in enabled[-1].action.things if thing.id in relevant][-1:]  # the destination comes last
    return StepAction(step.action.verb, tuple(target)) if target else None


def _tool(log: EpisodeLog, step: StepEffect, enabled: StepEffect) -> StepAction | None:
    """Return a step on another object if it made an object usable, but not if it only revealed that object."""
    known = log.named(step.before)
    things = enabled.action.things
    return step.action if any(thing.id in known or not log.existed(thing.id, step) for thing in things) else None


def _is_used(log: EpisodeLog, change: Change, step: StepEffect, kept: list[StepEffect]) -> bool:
    """Return whether a later step of the slice acts while a change is in force."""
    ended = next(
        (
            later.number
            for later in log.steps[step.number + 1 : kept[0].number + 1]
            for other in later.changes
            if not other.begins and other[1:] == change[1:]
        ),
        kept[0].number,
    )
    return any(step.number < one.number <= ended for one in kept)


def _tools(steps: Sequence[StepEffect], last: StepEffect) -> set[int]:
    """Return the objects that were taken in these steps, are still held, and may have made the last one possible."""
    held: dict[int, StepEffect] = {}
    for step in steps:
        for change in step.changes:
            if change.what == HOLDS and change.target is not None:
                if change.begins:
                    held[change.target] = step
                else:
                    held.pop(change.target, None)
    if any(thing.id in held for thing in last.action.things):
        return set()
    return {id_ for id_, taken in held.items() if last.text not in taken.before}

"""Skills that are more than one effect: bringing things to light, and reaching several conditions together.

What opens up new things becomes a skill of its own, "look". Several conditions that were reached together become a
skill that calls those for each, in the order in which they were reached. Its trial is what each of them took
(`stretches`), one condition after the other from the beginning of the episode; all of them have to hold afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, permutations
from typing import Final, NamedTuple

from ...experience import Trajectory
from ..items import Draft, Source
from ..verification.replay import TryAction
from ..verification.verify import SkillCandidate, SkillProposal, SkillTest
from .events import EpisodeLog, StateChange, StepEffect
from .lifting import ROLES, LiftedCondition, LiftedSelector, ObjectRef, done, words
from .slices import actions_of, atom_of, brought_to_light, stretch_of, ways

LOOK: Final = "x is seen"
"""The effect of skills that bring things to light."""
_ORDERS: Final = 6
"""So many orders are tried at most."""


class _Service(NamedTuple):
    """A step at which a condition began to hold for some things."""

    step: StepEffect
    things: tuple[ObjectRef, ...]
    change: StateChange | None
    """What shows it; None for a deed."""


def look(trajectory: Trajectory, step: StepEffect) -> SkillProposal | None:
    """Return the skill of bringing things to light with what a step was done to, or None if nothing new was seen."""
    if step.moved or len(step.act.things) != 1 or not brought_to_light(step):
        return None
    thing = step.act.things[0]
    steps = [f"{step.act.verb} {thing.name}"]
    draft = Draft(
        "skill",
        f"How to bring to light what is in or behind the {words(thing.name)}: {'; '.join(steps)}.",
        trajectory.task.env,
        key=f"{LOOK}: {'; '.join(steps)}",
        task=trajectory.task.goal.text,
        success=trajectory.success,
        data={
            "name": f"look into the {words(thing.name)}",
            "parameters": [],
            "preconditions": [],
            "steps": steps,
            "effects": [LOOK],
            "calls": [],
        },
        source=Source(trajectory.id, step.number),
    )
    return SkillProposal(step.number, (SkillCandidate(draft, SkillTest((TryAction(step.action),), lived=True)),))


def together(trajectory: Trajectory, happened: EpisodeLog, wanted: Sequence[LiftedCondition]) -> SkillProposal | None:
    """Return the skill of reaching several conditions in an order that works, or None if the episode did not.

    The order in which they were reached comes first. It may not be the one: who takes the juice and closes the fridge
    before he puts the juice on the table has not closed the fridge first.
    """
    served = {number: found for number, one in enumerate(wanted) if (found := _services(one, happened))}
    if not trajectory.success or len(served) < 2:
        return None
    lived = sorted(served, key=lambda number: (served[number][-1].step.number, str(number)))
    last = {change.fact: change for step in happened.steps for change in (*step.changes, *step.moves)}
    claims = [one.change for number in lived for one in served[number] if one.change is not None]
    after = tuple(change for change in claims if last[change.fact] == change)
    candidates = []
    for order in islice(permutations(lived), _ORDERS):
        actions = _one_after_another(happened, [service for number in order for service in served[number]])
        if actions is not None:
            own = tuple(do for do in actions if do.needed)
            trial = SkillTest(own, actions if len(own) < len(actions) else (), after=after)
            candidates.append(SkillCandidate(_draft(trajectory, [wanted[number] for number in order]), trial))
    return SkillProposal(0, tuple(candidates)) if candidates else None


def is_done(wanted: LiftedCondition, step: StepEffect) -> bool:
    """Tell whether a step is the deed that a condition asks for, and leaves no other trace."""
    if not wanted.signature.endswith("is done"):
        return False
    names = step.act.things
    return wanted.signature == done(step.act.verb, ROLES[: len(wanted.roles)]) and all(
        role.takes(thing) for role, thing in zip(wanted.roles, names, strict=False)
    )


def _draft(trajectory: Trajectory, order: Sequence[LiftedCondition]) -> Draft:
    roles: dict[LiftedSelector, str] = {}
    calls = []
    for one in order:
        signature = one.signature
        for place, selector in enumerate(one.roles):
            role = roles.setdefault(selector, f"{ROLES[len(roles) % len(ROLES)]}{len(roles) // len(ROLES) or ''}")
            signature = signature.replace(f"{ROLES[place]} ", f"<{role}> ").replace(f" {ROLES[place]}", f" <{role}>")
        calls.append(signature.replace("<", "").replace(">", ""))
    calls = list(dict.fromkeys(calls))
    return Draft(
        "skill",
        f"How to reach several things together: {', then '.join(calls)}.",
        trajectory.task.env,
        key=f"together: {'; '.join(calls)}",
        task=trajectory.task.goal.text,
        success=True,
        data={
            "name": " & ".join(calls),
            "parameters": [{"name": role, "classes": []} for role in roles.values()],
            "preconditions": [],
            "steps": calls,
            "effects": calls,
            "calls": [one.signature for one in order],
        },
        source=Source(trajectory.id),
    )


def _one_after_another(happened: EpisodeLog, services: Sequence[_Service]) -> tuple[TryAction, ...] | None:
    """Return what serves conditions in their order, with the ways to it; None where a stretch is too long.

    What was done for an earlier one already may be refused, and where one went for it, one goes again.
    """
    actions: list[TryAction] = []
    begun: set[int] = set()
    for step, things, _ in services:
        stretch = stretch_of(happened, step, things)
        if stretch is None:
            return None
        own = {number: TryAction(action, number not in begun) for number, action in actions_of(stretch)}
        led = {number: do for number, do in ways(happened, 0, step.number) if number not in begun}
        both = led | own
        actions += [both[number] for number in sorted(both)]
        begun |= both.keys()
    return tuple(actions)


def _services(wanted: LiftedCondition, happened: EpisodeLog) -> list[_Service]:
    """Return where a condition began to hold last, for each thing that it held for, in order."""
    found: dict[tuple[int, ...], _Service] = {}
    for step in happened.steps:
        if step.error:
            continue
        for service in _served_by(wanted, step, happened):
            ids = tuple(thing.id for thing in service.things)
            found.pop(ids, None)
            found[ids] = service
    return list(found.values())


def _served_by(wanted: LiftedCondition, step: StepEffect, happened: EpisodeLog) -> Iterator[_Service]:
    if is_done(wanted, step):
        yield _Service(step, step.act.things, None)
    for change in (*step.changes, *step.moves):
        things = tuple(ObjectRef(happened.names.get(id_, ""), id_) for id_ in change.things if id_ not in happened.you)
        if _is_wanted(wanted, change, things, happened):
            yield _Service(step, things, change)


def _is_wanted(
    wanted: LiftedCondition, change: StateChange, things: tuple[ObjectRef, ...], happened: EpisodeLog
) -> bool:
    roles = {thing.id: role for thing, role in zip(things, ROLES, strict=False)}
    return atom_of(happened, change, roles) == wanted.signature and all(
        role.takes(thing) for role, thing in zip(wanted.roles, things, strict=True)
    )


__all__ = ["LOOK", "is_done", "look", "together"]

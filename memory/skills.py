"""Skills from episodes: for everything that an action brought about, the steps that it took, without particular things.

A stretch of an episode becomes a skill when its last step changed something, or was a deed that the goal asked for. Of
the steps before, those stay that the last one needs:

* a step whose change of one of these things was in force when a later step of the skill acted on that thing;
* a step that made a later one admissible: going there, most often. If it went to what the thing was in or on, it
  counts as going to the thing itself;
* taking what was in the hand when the deed itself names nothing that was held: a tool.

Steps that only found a thing (opening the closet that the mop is in) are left out: where things are is a matter of
facts, and looking for them is the agent's. What opens up new things becomes a skill of its own, "look". Several
conditions that were reached together become a skill that calls those for each, in the order in which they were reached.

The episode was carried out in the world; the shortened stretch was not carried out again by itself. Left out: that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ..experience import Trajectory
from .happened import Change, Happened, Happening, fold
from .items import Draft, Source
from .lifting import ROLES, YOU, Act, Selector, Thing, Wanted, done, read_condition, words

_LONGEST: Final = 7
"""A stretch with more steps is taken for several things done at once, and not kept."""
_ROOM: Final = "room"
LOOK: Final = "x is seen"
"""The effect of skills that bring things to light."""


class Stretch(NamedTuple):
    """The steps of a skill, in the episode that it comes from."""

    steps: tuple[Happening, ...]
    acts: tuple[Act, ...]
    """What each step counts as."""
    things: tuple[Thing, ...]
    """The things of the last step: the roles."""


class Skills:
    """The builder of skills."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return the skills that an episode proves, those for single effects first."""
        happened = fold(trajectory)
        if happened is None:
            return
        served: list[tuple[int, str]] = []
        wanted = [found for found in map(read_condition, trajectory.task.goal.conditions) if found]
        kept: set[str] = set()
        for step in happened.steps:
            if step.error:
                continue
            asked = [one.signature for one in wanted if _is_done(one, step)]
            drafts = [_skill(trajectory, happened, step, asked), _look(trajectory, happened, step)]
            drafts += [_carried(trajectory, happened, step, change) for change in step.moves]
            for draft in drafts:
                if draft is not None and draft.key not in kept:
                    kept.add(draft.key)
                    yield draft
        for number, one in enumerate(wanted):
            step_number = _last_service(one, happened)
            if step_number is not None:
                served.append((step_number, f"{number}"))
        if trajectory.success and len(served) > 1:
            order = [wanted[int(name)] for _, name in sorted(served)]
            yield _together(trajectory, order)


def _carried(trajectory: Trajectory, happened: Happened, step: Happening, change: Change) -> Draft | None:
    """Return the skill of bringing what was carried into the room that a step went to, or None if it was not that."""
    room = next((thing for thing in step.act.things if thing.id == change.target), None)
    if room is None or not change.begins or change.what != "INSIDE" or change.thing in happened.you:
        return None
    carried = Thing(happened.names.get(change.thing, "thing"), change.thing)
    return _skill(trajectory, happened, step, ("x INSIDE y",), (carried, room))


def _skill(
    trajectory: Trajectory,
    happened: Happened,
    step: Happening,
    asked: Sequence[str],
    things: tuple[Thing, ...] | None = None,
) -> Draft | None:
    """Return the skill whose last step is this one, or None if nothing came of it.

    Args:
        trajectory: The episode.
        happened: The same, folded.
        step: The last step.
        asked: What it brought about beside what its changes say.
        things: What the roles are; those that the step names if None.
    """
    things = tuple(dict.fromkeys(step.act.things))[: len(ROLES)] if things is None else things
    roles = {thing.id: role for thing, role in zip(things, ROLES, strict=False)}
    if not (step.changes or asked or step.moves):
        return None
    stretch = _stretch(happened, step, things)
    effects = [] if stretch is None else [*_effects(happened, stretch, roles), *asked]
    if stretch is None or not effects:
        return None
    steps = [write_act(act, roles) for act in stretch.acts]
    before = [
        atom
        for change in _net(stretch.steps)
        if not change.begins and (atom := _atom(happened, change, roles, begins=True))
    ]
    parameters = [
        {"name": role, "classes": [_ROOM] if thing_id in happened.rooms else []} for thing_id, role in roles.items()
    ]
    approach = sorted({act.verb for one, act in zip(stretch.steps, stretch.acts, strict=True) if one.moved})
    told = f"{', '.join(dict.fromkeys(effects))}"
    rooms = "".join(f" ({role} is a room)" for id_, role in roles.items() if id_ in happened.rooms)
    return Draft(
        "skill",
        f"How to bring about: {told}{rooms}. Steps: {'; '.join(steps)}.",
        trajectory.task.env,
        key=f"{told}{rooms}: {'; '.join(steps)}",
        task=trajectory.task.goal.text,
        success=trajectory.success,
        data={
            "name": effects[0],
            "parameters": parameters,
            "preconditions": list(dict.fromkeys(before)),
            "steps": steps,
            "effects": list(dict.fromkeys(effects)),
            "calls": [],
            "approach": approach if len(stretch.acts) > 1 or not step.moved else [],
        },
        source=Source(trajectory.id, step.number),
    )


def _stretch(happened: Happened, last: Happening, things: tuple[Thing, ...]) -> Stretch | None:
    """Return the steps that the last one needs; see the head of this file."""
    steps = happened.steps
    relevant = {thing.id: thing for thing in things}
    relevant |= {id_: Thing(happened.names.get(id_, "thing"), id_) for id_ in _tools(steps[: last.number], last)}
    kept, acts = [last], [last.act]
    for step in reversed(steps[: last.number]):
        if step.error:
            continue
        act = _needed(happened, step, kept, relevant)
        # Who goes somewhere and at once elsewhere need not have gone there.
        if act is not None and act != acts[-1] and not (step.moved and kept[-1].moved and len(kept) > 1):
            kept.append(step)
            acts.append(act)
        if len(kept) > _LONGEST:
            return None
    return Stretch(tuple(reversed(kept)), tuple(reversed(acts)), things)


def _needed(happened: Happened, step: Happening, kept: list[Happening], relevant: dict[int, Thing]) -> Act | None:
    """Return what a step counts as in the skill, or None where the skill does without it."""
    named = {thing.id for thing in step.act.things}
    for change in step.changes:
        about = change.target if change.what == "HOLDS" else change.thing
        if change.begins and about in relevant and _serves(happened, change, step, kept):
            return step.act if named & relevant.keys() or not named else None
    opened = [one for one in kept if one.action in step.after and one.action not in step.before]
    if not opened and step.moved and named & relevant.keys():
        # A plan may go to what is not listed because it is in another room: it is listed on arrival all the same.
        opened = [one for one in kept[-1:] if one.action in step.after and step.action not in step.before]
    if not opened:
        return None
    if named & relevant.keys():
        return step.act
    if not step.moved:
        return _tool(step, opened[-1])
    target = next((thing for thing in opened[-1].act.things if thing.id in relevant), None)
    return None if target is None else Act(step.act.verb, (target,))


def _tool(step: Happening, opened: Happening) -> Act | None:
    """Return a step on another thing if it made a known thing usable; not if it brought that thing to light."""
    things = {thing.id for thing in opened.act.things}
    listed = {f"({id_})" for id_ in things}
    return step.act if any(mark in action for action in step.before for mark in listed) else None


def _serves(happened: Happened, change: Change, step: Happening, kept: list[Happening]) -> bool:
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


def _tools(steps: Sequence[Happening], last: Happening) -> set[int]:
    """Return what was taken in these steps, is still held, and may be what made the last one possible."""
    held: dict[int, Happening] = {}
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


def _effects(happened: Happened, stretch: Stretch, roles: dict[int, str]) -> list[str]:
    """Return what the last step brought about and no earlier one had undone, as signatures."""
    step, net = stretch.steps[-1], _net(stretch.steps)
    changes = (change for change in step.changes if change in net)
    found = [_atom(happened, change, roles) for change in (*changes, *_arrivals(happened, step))]
    return list(dict.fromkeys(atom for atom in found if atom))


def _arrivals(happened: Happened, step: Happening) -> Iterator[Change]:
    """Yield that the one who acts came into a room on purpose."""
    named = {thing.id for thing in step.act.things}
    for change in step.moves:
        if change.begins and change.what == "INSIDE" and change.target in named:
            yield change


def _atom(happened: Happened, change: Change, roles: dict[int, str], *, begins: bool | None = None) -> str:
    """Return a change as a signature; empty where it is about things that the act does not name."""
    names = [YOU if thing in happened.you else roles.get(thing, "") for thing in change.things]
    if not all(names) or names == [YOU] * 2:
        return ""
    begins = change.begins if begins is None else begins
    atom = f"{names[0]} {change.what} {names[1]}" if change.target is not None else f"{names[0]} is {change.what}"
    return atom if begins else f"not {atom}"


def _net(steps: Sequence[Happening]) -> list[Change]:
    """Return the changes whose fact did not change before in these steps: what ended of them had to hold."""
    first: dict[tuple[int, str, int | None], Change] = {}
    for step in steps:
        for change in step.changes:
            first.setdefault(change[1:], change)
    return list(first.values())


def _is_done(wanted: Wanted, step: Happening) -> bool:
    """Tell whether a step is the deed that a condition asks for, and leaves no other trace."""
    if not wanted.signature.endswith("is done"):
        return False
    names = step.act.things
    return wanted.signature == done(step.act.verb, ROLES[: len(wanted.roles)]) and all(
        role.takes(thing) for role, thing in zip(wanted.roles, names, strict=False)
    )


def _last_service(wanted: Wanted, happened: Happened) -> int | None:
    """Return the last step at which a condition began to hold, or None."""
    for step in reversed(happened.steps):
        if step.error:
            continue
        if _is_done(wanted, step):
            return step.number
        for change in (*step.changes, *step.moves):
            if _is_wanted(wanted, change, happened):
                return step.number
    return None


def _is_wanted(wanted: Wanted, change: Change, happened: Happened) -> bool:
    things = [Thing(happened.names.get(id_, ""), id_) for id_ in change.things if id_ not in happened.you]
    roles = {thing.id: role for thing, role in zip(things, ROLES, strict=False)}
    return _atom(happened, change, roles) == wanted.signature and all(
        role.takes(thing) for role, thing in zip(wanted.roles, things, strict=True)
    )


def _look(trajectory: Trajectory, happened: Happened, step: Happening) -> Draft | None:
    """Return the skill of bringing things to light with what a step was done to, or None if nothing new was seen."""
    if step.moved or len(step.act.things) != 1 or not step.before or len(step.after) <= len(step.before):
        return None
    seen = _ids(step.before)
    fresh = sorted(_ids(step.after) - seen)
    if not fresh:
        return None
    thing = step.act.things[0]
    steps = [f"{step.act.verb} {thing.name}"]
    return Draft(
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


def _ids(actions: frozenset[str]) -> set[str]:
    return {action.rpartition("(")[2] for action in actions}


def _together(trajectory: Trajectory, order: Sequence[Wanted]) -> Draft:
    """Return the skill of reaching several conditions in an order that worked."""
    roles: dict[Selector, str] = {}
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


def write_act(act: Act, roles: dict[int, str]) -> str:
    """Write a step of a skill: `"PutIn x y"`; a thing without a role by its kind: `"Grab mop"`."""
    return " ".join([act.verb, *(roles.get(thing.id, thing.name) for thing in act.things)])


__all__ = ["LOOK", "Skills", "Stretch", "write_act"]

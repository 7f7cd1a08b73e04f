"""What the clauses of a request ask for together, and in which order: what later ones undo, what has to be so before.

A machine is switched on after what belongs in it is in it and its door is closed, which follows from its properties.
What is done and leaves nothing behind comes after what was said before it. Not here: reading the clauses (`clauses`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

from ....facts.conditions import ConditionJson
from ...engine.preconditions import CLOSED, IN_HAND, OPEN
from ...engine.rules import Rules
from ...engine.scene import Scene
from ...engine.vocabulary import CHARACTER_CLASS
from .forms import OPPOSITE
from .nouns import Moment, as_selector

_STATED: Final = re.compile(r"\b(?:is|are|be)\b")
_WITHIN: Final = ("ON", "INSIDE")


def in_order(said: str) -> bool:
    """Whether clauses say what is done, one after the other; what is to be true has no order."""
    return "then" in said.split() or not _STATED.search(said)


def opposite(one: ConditionJson, other: ConditionJson) -> bool:
    """Whether two conditions put the same things in opposite states."""
    other_state = OPPOSITE.get(one.get("state", ""))
    return other_state is not None and _bare(other) == {**_bare(one), "state": other_state}


def settled(conditions: Sequence[ConditionJson], said: str, scene: Scene) -> list[ConditionJson]:
    """Leave out what is said twice, and what later clauses undo: holding what is put down, opening what is closed.

    What is to be true ("the fridge is open and the fridge is closed") has no order, so nothing there is undone.
    """
    found: list[ConditionJson] = []
    for place, one in enumerate(conditions):
        later = conditions[place + 1 :]
        held = one.get("relation") == "HOLDS" and any(
            more.get("relation") in _WITHIN and _among(more["from"], one["to"], scene) for more in later
        )
        undone = in_order(said) and any(opposite(one, more) for more in later)
        if not (held or undone or any(_bare(one) == _bare(known) for known in found)):
            found.append(one)
    return found


def put_in_order(
    conditions: Sequence[ConditionJson], said: str, moment: Moment, rules: Rules | None
) -> tuple[ConditionJson, ...]:
    """Return the conditions of a request about a household that is there, in an order in which they can come about.

    Args:
        conditions: Those of its clauses, with `"then"` where that was said.
        said: The request.
        moment: The household.
        rules: What its verbs ask.
    """
    found = settled(conditions, said, moment.scene)
    if in_order(said):
        found = [one for place, one in enumerate(found) if not _on_the_way(one, found[place + 1 :], moment)]
    found = _running(_one_meaning(found, moment.scene), moment)
    if not _STATED.search(said):
        found = [_after(one, found[:place], moment.scene, rules) for place, one in enumerate(found)]
    return tuple(
        _without_lone_names(one, found) if place else _bare(_without_lone_names(one, found))
        for place, one in enumerate(found)
    )


def _bare(condition: ConditionJson) -> dict[str, Any]:
    """Return a condition without when it comes about."""
    return {key: value for key, value in condition.items() if key != "then"}


def _on_the_way(one: ConditionJson, later: Sequence[ConditionJson], moment: Moment) -> bool:
    """Whether being somewhere is only on the way: what is said later takes one to another place."""
    if one.get("from") != {"class": CHARACTER_CLASS} or one["relation"] not in ("INSIDE", "CLOSE"):
        return False
    scene = moment.scene
    here = nodes(one["to"], scene)
    here |= moment.within(here)
    fixed = ~(scene.having["GRABBABLE"] | scene.of_class.get(CHARACTER_CLASS, 0))
    for more in later:
        there = nodes(more.get("to") or more.get("node") or {"any": []}, scene) & fixed
        if there and not there & here:
            return True
    return False


def _running(conditions: Sequence[ConditionJson], moment: Moment) -> list[ConditionJson]:
    """Put off switching a machine on until it is filled and closed: "put the plates in the washer and start it"."""
    scene, found = moment.scene, list(conditions)
    for one in conditions:
        if one.get("state") != "ON" or "node" not in one:
            continue
        machine = nodes(one["node"], scene)
        filling = _filling(machine, found, scene)
        doors = [more for more in found if more.get("node") == one["node"] and more["state"] in ("OPEN", "CLOSED")]
        opens = machine & scene.having["CAN_OPEN"] and (filling or machine & moment.states[OPEN])
        if not doors and opens and not machine & moment.states[CLOSED] & moment.states[OPEN]:
            doors = [{"node": one["node"], "state": "CLOSED"}]
        before = [*filling, *(more for more in doors if more["state"] == "CLOSED")]
        if not before:
            continue
        last = max(place for place, more in enumerate(found) if more is one or more in before)
        kept = [more for more in found[: last + 1] if more is not one and more not in doors]
        found = [*kept, *doors, {**one, "then": True}, *found[last + 1 :]]
    return found


def shut_while_running(conditions: Sequence[ConditionJson], scene: Scene) -> list[ConditionJson]:
    """Say of a machine with a door that it is closed where it is to run with something in it, in any house."""
    found = list(conditions)
    for place, one in reversed([*enumerate(conditions)]):
        if one.get("state") != "ON" or "node" not in one:
            continue
        machine = nodes(one["node"], scene)
        doors = any(more.get("node") == one["node"] and more["state"] in ("OPEN", "CLOSED") for more in conditions)
        if machine & scene.having["CAN_OPEN"] and not doors and _filling(machine, conditions, scene):
            found.insert(place, {"node": one["node"], "state": "CLOSED"})
    return found


def _filling(places: int, conditions: Sequence[ConditionJson], scene: Scene) -> list[ConditionJson]:
    """Return the conditions that put things in or on some places, and others in or on those."""
    found: list[ConditionJson] = []
    while True:
        more = [
            one
            for one in conditions
            if one.get("relation") in _WITHIN
            and one not in found
            and one["from"] != {"class": CHARACTER_CLASS}
            and nodes(one["to"], scene) & places
        ]
        if not more:
            return found
        found += more
        for one in more:
            places |= nodes(one["from"], scene)


def _after(one: ConditionJson, before: Sequence[ConditionJson], scene: Scene, rules: Rules | None) -> ConditionJson:
    """Say of what is done that it comes after what was said before, unless that put out of hand what it takes."""
    if "done" not in one or not before:
        return one
    asks = () if rules is None else rules.table[one["done"]["verb"]].first
    thing = one["done"].get("object")
    if thing is not None and IN_HAND in asks:
        for more in before:
            put = more.get("relation") in _WITHIN and not nodes(more["to"], scene) & scene.rooms
            if put and _among(more["from"], thing, scene):
                return one
    return {**one, "then": True}


def _one_meaning(conditions: Sequence[ConditionJson], scene: Scene) -> list[ConditionJson]:
    """Let all that is said of one thing mean what fits all of it: the plate to put back is one that is not there."""
    meant: dict[str, int] = {}
    called: dict[str, str] = {}
    for selector in (one for condition in conditions for one in _selectors(condition) if "same" in one):
        here = nodes(selector, scene)
        meant[selector["same"]] = meant.get(selector["same"], here) & here or here
    for old, those in meant.items():  # the same goal has the same names, in whatever words
        kind = scene.classes[(those & -those).bit_length() - 1].replace("_", " ")
        number = sum(name.rstrip("0123456789 ") == kind for name in called.values())
        called[old] = f"{kind} {number + 1}" if number else kind

    def fitting(value: Any) -> Any:
        if isinstance(value, Mapping) and "same" in value:
            chosen = meant[value["same"]]
            return {**as_selector(chosen, scene), **({"same": called[value["same"]]} if chosen & (chosen - 1) else {})}
        if isinstance(value, Mapping):
            return {key: fitting(part) for key, part in value.items()}
        return [fitting(part) for part in value] if isinstance(value, list) else value

    return [fitting(one) for one in conditions]


def _selectors(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the selectors in a condition that have a name for their thing."""
    if isinstance(value, Mapping) and "same" in value:
        yield value
    elif isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _selectors(part)


def _without_lone_names(condition: ConditionJson, conditions: Sequence[ConditionJson]) -> dict[str, Any]:
    """Return a condition without the names that no other one has, so that they say nothing."""

    def names(one: ConditionJson) -> set[str]:
        return {selector["same"] for selector in _selectors(one)}

    def kept(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: kept(part) for key, part in value.items() if key != "same" or part in shared}
        return [kept(part) for part in value] if isinstance(value, list) else value

    shared = {name for name in names(condition) if sum(name in names(one) for one in conditions) > 1}
    found: dict[str, Any] = kept(condition)
    return found


def _among(some: ConditionJson, all_: ConditionJson, scene: Scene) -> bool:
    """Whether one selector means some of what another means."""
    few, many = (nodes(selector, scene) for selector in (some, all_))
    return some == all_ or bool(few and not few & ~many)


def nodes(selector: ConditionJson, scene: Scene) -> int:
    """Return the bitset of what a selector means."""
    if "any" in selector:
        return reduce(or_, (nodes(one, scene) for one in selector["any"]), 0)
    if "id" in selector:
        return 1 << scene.index[selector["id"]] if selector["id"] in scene.index else 0
    return scene.union([selector["class"]]) if "class" in selector else scene.having.get(selector["property"], 0)

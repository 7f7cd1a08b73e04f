"""The published goal formats, read into the common form of conditions and written back.

* E2WM: the difference that a program makes, by class: `{"nodes": ["lamp || ON"], "edges": ["cup || ON || table"]}`.
* Watch-And-Help: counts, `{"on_plate_kitchentable": 2}`, or with an id and what each is worth,
  `{"on_plate_235": [2, True, 1.0]}`; and single predicates, `"turnOn_12_1"`.
* Embodied Agent Interface (EAI): `{"goal": [...], "actions": [...]}` by id; its formulas are read by `goal_ltl`.

A writer refuses what its format cannot say. Not here: what the formats say about rewards beyond a weight.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from ....errors import GoalError
from ...facts.conditions import ConditionJson
from ..engine.scene import Scene
from ..engine.vocabulary import CHARACTER_CLASS
from .ltl import from_ltl, to_ltl

__all__ = [
    "e2wm_difference",
    "from_e2wm",
    "from_eai",
    "from_ltl",
    "from_predicates",
    "from_watch_and_help",
    "to_e2wm",
    "to_eai",
    "to_ltl",
    "to_predicates",
    "to_watch_and_help",
]

Conditions = tuple[dict[str, Any], ...]

# --- E2WM

_BARS: Final = " || "


def from_e2wm(graph_change: Mapping[str, Sequence[str]]) -> Conditions:
    """Read E2WM's class-level goal. Only what was not so at the beginning counts; CLOSE counts in either direction.

    Raises:
        GoalError: an entry is not of the form `"class || STATE"` or `"class || RELATION || class"`.
    """
    conditions: list[dict[str, Any]] = []
    for kind, size, form in (("nodes", 2, "class || STATE"), ("edges", 3, "class || RELATION || class")):
        for entry in graph_change.get(kind, ()):
            words = entry.split(_BARS) if isinstance(entry, str) else []
            if len(words) != size or not all(words):
                raise GoalError(f"E2WM's {kind} have the form '{form}', and {entry!r} has not.")
            if kind == "nodes":
                conditions.append({"node": {"class": words[0]}, "state": words[1], "new": True})
            else:
                either = {"either": True} if words[1] == "CLOSE" else {}
                edge = {"from": {"class": words[0]}, "relation": words[1], "to": {"class": words[2]}}
                conditions.append({**edge, "new": True, **either})
    return tuple(conditions)


def to_e2wm(conditions: Sequence[ConditionJson]) -> dict[str, list[str]]:
    """Write conditions as E2WM's class-level goal.

    Raises:
        GoalError: a condition is not on classes, or is not one for what is new.
    """
    change: dict[str, list[str]] = {"nodes": [], "edges": []}
    for condition in conditions:
        match condition:
            case {"node": {"class": name}, "state": state, "new": True, **rest} if not rest:
                change["nodes"].append(_BARS.join((name, state)))
            case {
                "from": {"class": one},
                "relation": "CLOSE",
                "to": {"class": other},
                "new": True,
                "either": True,
                **rest,
            }:
                _nothing_more(rest, condition, "E2WM")
                change["edges"].append(_BARS.join((one, "CLOSE", other)))
            case {"from": {"class": one}, "relation": relation, "to": {"class": other}, "new": True, **rest} if (
                not rest and relation != "CLOSE"
            ):
                change["edges"].append(_BARS.join((one, relation, other)))
            case _:
                raise _cannot_say(condition, "E2WM")
    return change


def e2wm_difference(initial: Mapping[str, Any], final: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the goal that E2WM makes of two graphs: what a program changed, by class.

    A state counts if some node has newly entered it; an edge counts if none of its kind, from class to class, was there
    before. The two names of a CLOSE edge are sorted. The lists are sorted, so that they are the same everywhere.

    Args:
        initial: A graph, `{"nodes": [...], "edges": [...]}`.
        final: The graph afterwards, of the same nodes.
    """
    names = {node["id"]: node["class_name"] for graph in (initial, final) for node in graph["nodes"]}
    before = {node["id"]: set(node["states"]) for node in initial["nodes"]}
    states = {
        _BARS.join((node["class_name"], state))
        for node in final["nodes"]
        for state in set(node["states"]) - before.get(node["id"], set())
    }
    old, new = (
        {(names[e["from_id"]], e["relation_type"], names[e["to_id"]]) for e in graph["edges"]}
        for graph in (initial, final)
    )
    edges = set()
    for one, relation, other in new - old:
        first, second = sorted((one, other)) if relation == "CLOSE" else (one, other)
        edges.add(_BARS.join((first, relation, second)))
    return {"nodes": sorted(states), "edges": sorted(edges)}


# --- Watch-And-Help

_CHARACTER: Final = {"class": CHARACTER_CLASS}
_EDGES: Final = {"on": "ON", "inside": "INSIDE", "offOn": "ON", "offInside": "INSIDE"}
_OF_CHARACTER: Final = {"holds": "HOLDS", "close": "CLOSE"}
_STATES: Final = {"turnOn": "ON", "turnOff": "OFF", "open": "OPEN", "closed": "CLOSED"}
_PREDICATES: Final = (*_EDGES, *_OF_CHARACTER, "sit", *_STATES)


def from_watch_and_help(counts: Mapping[str, Any], classes: Collection[str] | None = None) -> Conditions:
    """Read Watch-And-Help's counts.

    Each key is a predicate; each value how many are wanted, or `[count, mandatory, reward for each]`. A count of 0 asks
    for nothing. The weight of a condition is its whole reward, so that progress is the share of the reward.

    Args:
        counts: For example `{"on_plate_kitchentable": 2, "inside_apple_fridge": 1, "holds_book": 1, "sit_sofa": 1}`.
        classes: The classes of the scene (`Scene.of_class`), by which names with an underscore are distinguished.

    Raises:
        GoalError: a key is no predicate, can be read in two ways, or its value is not a count.
    """
    conditions = []
    for key, value in counts.items():
        count, mandatory, reward = _count(key, value)
        if count:
            condition = _predicate(key, count, classes)
            if count * reward != 1:
                condition["weight"] = count * reward
            conditions.append(condition if mandatory else {**condition, "optional": True})
    return tuple(conditions)


def from_predicates(predicates: Iterable[str], classes: Collection[str] | None = None) -> Conditions:
    """Read single predicates of Watch-And-Help and its successors.

    They are `on_`, `inside_`, `offOn_`, `offInside_` with a class or id and an id; `holds_` and `close_` with a class
    and the character's id; `sit_` with the character's id and an id; `turnOn_`, `turnOff_`, `open_`, `closed_` with an
    id and a 1. Classes may stand for ids.

    Args:
        predicates: For example `["on_plate_235", "turnOn_12_1"]`.
        classes: The classes of the scene (`Scene.of_class`), by which names with an underscore are distinguished.

    Raises:
        GoalError: one of them is no such predicate, or can be read in two ways.
    """
    return tuple(_predicate(text, 1, classes) for text in predicates)


def to_watch_and_help(conditions: Sequence[ConditionJson]) -> dict[str, Any]:
    """Write conditions as Watch-And-Help's counts; with mandatory and reward only where they differ from True and 1.

    Raises:
        GoalError: a condition is not one of its predicates.
    """
    counts: dict[str, Any] = {}
    for condition in conditions:
        body = dict(condition)
        weight, optional = body.pop("weight", 1), body.pop("optional", False)
        count = body.pop("count", 1)
        key = _write_predicate(body, condition)
        reward = weight / count
        counts[key] = count if reward == 1 and not optional else [count, not optional, reward]
    return counts


def to_predicates(conditions: Sequence[ConditionJson]) -> list[str]:
    """Write conditions as single predicates.

    Raises:
        GoalError: a condition is not one of them, or has a count or a weight.
    """
    return [_write_predicate(condition, condition) for condition in conditions]


def _count(key: str, value: Any) -> tuple[int, bool, float]:
    parts = [value, True, 1] if isinstance(value, int) else value
    match parts:
        case [int(count), bool(mandatory), int(reward) | float(reward)] if count >= 0 and reward > 0:
            return count, mandatory, reward
    raise GoalError(
        f"The goal {key!r} has the value {value!r}; it takes a count or [count, mandatory, reward above 0]."
    )


def _predicate(text: str, count: int, classes: Collection[str] | None) -> dict[str, Any]:
    kind, _, rest = text.partition("_")
    if kind not in _PREDICATES or not rest:
        raise GoalError(f"{text!r} is no predicate of Watch-And-Help; known are {', '.join(_PREDICATES)}.")
    several = {"count": count} if count > 1 else {}
    if kind in _STATES:
        return {"node": _selector(rest.removesuffix("_1")), "state": _STATES[kind], **several}
    if kind in _OF_CHARACTER:
        thing, character = re.fullmatch(r"(.+?)(?:_(\d+))?", rest).groups()  # type: ignore[union-attr]  # always fits
        who = _selector(character) if character else _CHARACTER
        return {"from": who, "relation": _OF_CHARACTER[kind], "to": _selector(thing), **several}
    if kind == "sit":
        pair = re.fullmatch(r"(\d+)_(.+)", rest)
        who, place = (_selector(pair[1]), pair[2]) if pair else (_CHARACTER, rest)
        return {"from": who, "relation": "ON", "to": _selector(place), **several}
    thing, place = _split(text, rest, classes)
    edge = {"from": _selector(thing), "relation": _EDGES[kind], "to": _selector(place)}
    return {"not": edge} if kind.startswith("off") else {**edge, **several}


def _selector(name: str) -> dict[str, Any]:
    return {"id": int(name)} if name.isdecimal() else {"class": name}


def _split(text: str, rest: str, classes: Collection[str] | None) -> tuple[str, str]:
    """Split `plate_kitchen_table` where both parts are ids or known classes."""
    places = [i for i, letter in enumerate(rest) if letter == "_" and 0 < i < len(rest) - 1]
    ways = [(rest[:i], rest[i + 1 :]) for i in places]
    if classes is not None:
        known = [way for way in ways if all(part.isdecimal() or part in classes for part in way)]
        ways = known or ways
    elif ids := [way for way in ways if way[1].isdecimal() or way[0].isdecimal()]:
        ways = ids
    if len(ways) == 1:
        return ways[0]
    if not ways:
        raise GoalError(f"The predicate {text!r} names one thing; it needs a second, as in 'on_plate_235'.")
    readings = " or ".join(f"{one} and {other}" for one, other in ways)
    hint = "" if classes is not None else "; give the classes of the scene"
    raise GoalError(f"The predicate {text!r} can be read in several ways, {readings}{hint}.")


def _write_predicate(body: Mapping[str, Any], whole: ConditionJson) -> str:
    match body:
        case {"node": node, "state": str(state), **rest} if not rest and state in _STATES.values():
            kind = next(kind for kind, name in _STATES.items() if name == state)
            return f"{kind}_{_name(node, whole)}_1"
        case {"from": {"class": "character"}, "relation": "ON", "to": place, **rest} if not rest:
            return f"sit_{_name(place, whole)}"
        case {"from": who, "relation": "HOLDS" | "CLOSE" as relation, "to": thing, **rest} if not rest:
            end = "" if who == _CHARACTER else f"_{_name(who, whole)}"
            return f"{relation.lower()}_{_name(thing, whole)}{end}"
        case {"from": thing, "relation": "ON" | "INSIDE" as relation, "to": place, **rest} if not rest:
            return f"{relation.lower()}_{_name(thing, whole)}_{_name(place, whole)}"
        case {"not": {"from": thing, "relation": "ON" | "INSIDE" as relation, "to": place, **inner}, **rest}:
            _nothing_more(inner, whole, "Watch-And-Help")
            _nothing_more(rest, whole, "Watch-And-Help")
            return f"off{relation.title()}_{_name(thing, whole)}_{_name(place, whole)}"
    raise _cannot_say(whole, "Watch-And-Help")


def _name(selector: Any, whole: ConditionJson) -> str:
    match selector:
        case {"class": str(name)} | {"id": int(name)}:
            return str(name)
    raise _cannot_say(whole, "Watch-And-Help")


# --- Embodied Agent Interface


def from_eai(vh_goal: Mapping[str, Any]) -> Conditions:
    """Read a goal of the Embodied Agent Interface: states and edges at the end, by id, and verbs in their order.

    Raises:
        GoalError: an entry of `"goal"` is neither a state nor an edge.
    """
    conditions: list[dict[str, Any]] = []
    for entry in vh_goal.get("goal", ()):
        match entry:
            case {"id": int(number), "state": str(state)}:
                conditions.append({"node": {"id": number}, "state": state})
            case {"from_id": int(one), "relation_type": str(relation), "to_id": int(other)}:
                conditions.append({"from": {"id": one}, "relation": relation, "to": {"id": other}})
            case _:
                raise GoalError(f"EAI's goals are states and edges by id, and {entry!r} is neither.")
    if vh_goal.get("actions"):
        conditions.append({"actions": list(vh_goal["actions"])})
    return tuple(conditions)


def to_eai(conditions: Sequence[ConditionJson], scene: Scene) -> dict[str, Any]:
    """Write conditions as a goal of the Embodied Agent Interface.

    Args:
        conditions: States and edges by id, and at most one sequence of verbs.
        scene: Knows the classes, which the format repeats.

    Raises:
        GoalError: a condition is none of these.
    """
    goal: list[dict[str, Any]] = []
    actions: list[str] = []
    for condition in conditions:
        match condition:
            case {"node": {"id": int(number)}, "state": state, **rest} if not rest and number in scene.index:
                goal.append({"id": number, "class_name": scene.classes[scene.index[number]], "state": state})
            case {"from": {"id": int(one)}, "relation": relation, "to": {"id": int(other)}, **rest} if not rest:
                goal.append({"from_id": one, "relation_type": relation, "to_id": other})
            case {"actions": [*verbs], **rest} if not rest and not actions:
                actions = list(verbs)
            case _:
                raise _cannot_say(condition, "EAI")
    return {"goal": goal, "actions": actions}


def _nothing_more(rest: Mapping[Any, Any], condition: ConditionJson, what: str) -> None:
    if rest:
        raise _cannot_say(condition, what)


def _cannot_say(condition: ConditionJson, what: str) -> GoalError:
    return GoalError(f"The format of {what} cannot say {dict(condition)!r}.")

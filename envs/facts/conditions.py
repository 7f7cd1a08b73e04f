"""The common form of goal conditions over graph facts: JSON in, typed conditions out, every problem named.

A condition is one of these (they stand in `experience.Goal.conditions`; `goals` checks them on a `FactGraph`):

    {"node": S, "state": "ON"}                              a selected node is in that state
    {"from": S, "relation": "INSIDE", "to": S}              this edge holds between selected nodes
    {"not": {...}}                                          a condition that must not hold at the end
    {"actions": ["TYPE", "SWITCHOFF|SWITCHON"]}             these verbs were done in this order, others between them
    {"done": {"verb": "DRINK", "object": S, "destination": S}}   this was done; both objects are optional

A selector `S` is `{"class": "cup"}`, `{"id": 12}`, `{"property": "GRABBABLE"}` (where the environment knows properties)
or `{"any": [S, ...]}`. With a name under `"same"`, as in `{"class": "cup", "same": "cup"}`, all selectors of that name
mean one and the same node (of a count, the same nodes): "a cup is clean and that cup is on the table" (`joined`). A
relation is one of the environment's, `"HOLDS"` for either hand, or several joined by a bar. A node or an edge may also
have

    "count": 2       at least this number of nodes, or of pairs; "all": every node selected first (default 1)
    "new": true      only what did not hold at the beginning counts (E2WM)

an edge `"either": true` (the edge may point either way), and every condition

    "weight": 2.0    its share of the progress (default 1)
    "optional": true it adds to the progress, but success does not need it
    "then": true     it counts only if it came about while those before it in the list held, or held from the beginning;
                     an environment that keeps no history of a goal looks at the end alone

Not here: time (`until`, `always`) and disjunctions of different conditions.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from ...errors import GoalError

ConditionJson = Mapping[str, Any]
"""One condition as JSON."""

EVERY: Final = 0
"""The count that stands for `"all"`."""


@dataclass(frozen=True, slots=True)
class NodeSelector:
    """Which nodes are meant: those with any of these ids, classes or properties."""

    ids: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    same: str = ""
    """The name under which other selectors mean the same node; empty for none."""

    def takes(self, kind: str, id_: int) -> bool:
        """Return whether a node may be meant; without ids and classes any may."""
        return id_ in self.ids or kind in self.classes or not (self.ids or self.classes)

    def nodes(self, kinds: Mapping[int, str]) -> set[int]:
        """Return the nodes that are meant; properties, which facts do not list, mean none."""
        return {n for n, kind in kinds.items() if n in self.ids or kind in self.classes}

    def words(self) -> str:
        """Name what is meant, as an error message does."""
        ids = (f"node {number}" for number in self.ids)
        properties = (f"node with the property {name}" for name in self.properties)
        return " or ".join((*self.classes, *ids, *properties))


@dataclass(frozen=True, slots=True)
class NodeCondition:
    """At least `count` of the nodes are in the state."""

    node: NodeSelector
    state: str
    count: int = 1
    """`EVERY` for all of them."""
    new: bool = False


@dataclass(frozen=True, slots=True)
class EdgeCondition:
    """At least `count` pairs of nodes have one of the relations."""

    source: NodeSelector
    relations: tuple[str, ...]
    """In upper case."""
    target: NodeSelector
    count: int = 1
    """`EVERY`: every source has one to some target."""
    new: bool = False
    either: bool = False


@dataclass(frozen=True, slots=True)
class NotCondition:
    """The inner condition does not hold."""

    inner: Condition


@dataclass(frozen=True, slots=True)
class ActionPattern:
    """One of these verbs, done with such an object and such a destination; None: with any, or with none."""

    verbs: tuple[str, ...]
    object: NodeSelector | None = None
    destination: NodeSelector | None = None


@dataclass(frozen=True, slots=True)
class ActionsCondition:
    """These actions were done in this order."""

    patterns: tuple[ActionPattern, ...]


Condition = NodeCondition | EdgeCondition | NotCondition | ActionsCondition


@dataclass(frozen=True, slots=True)
class Weighted:
    """A condition with its share of the progress."""

    condition: Condition
    weight: float = 1.0
    optional: bool = False
    then: bool = False
    """Whether it has to come about while those before it hold."""


S = TypeVar("S")
T = TypeVar("T")


def gather(conditions: Sequence[S], read: Callable[[S], T], trouble: str) -> tuple[T, ...]:
    """Apply a function to each condition and report the problems of all of them at once.

    Args:
        conditions: What to read.
        read: Raises `GoalError` with half a sentence where a condition is wrong.
        trouble: How the message begins: `"The goal cannot be read"`.

    Raises:
        GoalError: at least one was wrong.
    """
    found: list[T] = []
    problems: list[str] = []
    for number, condition in enumerate(conditions, 1):
        try:
            found.append(read(condition))
        except GoalError as error:  # the problems of all conditions are reported
            problems.append(f"condition {number}: {error}" if len(conditions) > 1 else str(error))
    if problems:
        raise GoalError(f"{trouble}: {'; '.join(problems)}.")
    return tuple(found)


def parse_conditions(conditions: Sequence[ConditionJson]) -> tuple[Weighted, ...]:
    """Read conditions from JSON.

    Raises:
        GoalError: some of them are malformed; the message names every problem.
    """
    return gather(conditions, parse_condition, "The goal cannot be read")


def parse_condition(condition: ConditionJson) -> Weighted:
    """Read one condition from JSON.

    Raises:
        GoalError: it is malformed; the message is half a sentence.
    """
    if not isinstance(condition, Mapping):
        raise GoalError(f"{condition!r} is not an object with 'node', 'from', 'not', 'actions' or 'done'")
    body = dict(condition)
    weight = body.pop("weight", 1.0)
    optional, then = body.pop("optional", False), body.pop("then", False)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
        raise GoalError(f"the weight {weight!r} is not a number above 0")
    return Weighted(_condition(body), float(weight), _flag("optional", optional), _flag("then", then))


def _condition(body: Mapping[str, Any]) -> Condition:
    if not isinstance(body, Mapping):
        raise GoalError(f"{body!r} is not a condition")
    kind = next((key for key in _READERS if key in body), None)
    if kind is None:
        raise GoalError(f"{dict(body)!r} has none of the keys 'node', 'from', 'not', 'actions' and 'done'")
    needed, allowed, read = _READERS[kind]
    for key in body:
        if key not in allowed:
            raise GoalError(f"{key!r} has no meaning with {kind!r}; {suggest(str(key), allowed)}")
    for key in needed:
        if key not in body:
            raise GoalError(f"{dict(body)!r} lacks {key!r}")
    return read(body)


def _node(body: Mapping[str, Any]) -> Condition:
    return NodeCondition(_selector(body["node"]), _name("state", body["state"]).upper(), *_count_and_new(body))


def _edge(body: Mapping[str, Any]) -> Condition:
    return EdgeCondition(
        _selector(body["from"]),
        _relations(_name("relation", body["relation"])),
        _selector(body["to"]),
        *_count_and_new(body),
        _flag("either", body.get("either", False)),
    )


def _not(body: Mapping[str, Any]) -> Condition:
    return NotCondition(_condition(body["not"]))


def _actions(body: Mapping[str, Any]) -> Condition:
    verbs = body["actions"]
    if not isinstance(verbs, list | tuple) or not verbs:
        raise GoalError(f"'actions' is a list of verbs, and {verbs!r} is not one")
    return ActionsCondition(tuple(ActionPattern(_verbs(verb)) for verb in verbs))


def _done(body: Mapping[str, Any]) -> Condition:
    action = body["done"]
    if not isinstance(action, Mapping) or "verb" not in action or not action.keys() <= _DONE:
        raise GoalError(f"'done' takes a 'verb' and, if you like, an 'object' and a 'destination', not {action!r}")
    objects = (_selector(action[key]) if key in action else None for key in ("object", "destination"))
    return ActionsCondition((ActionPattern(_verbs(action["verb"]), *objects),))


_DONE: Final = frozenset({"verb", "object", "destination"})
_COUNTED: Final = ("count", "new")
_READERS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[Mapping[str, Any]], Condition]]]] = {
    "node": (("state",), ("node", "state", *_COUNTED), _node),
    "from": (("relation", "to"), ("from", "relation", "to", "either", *_COUNTED), _edge),
    "not": ((), ("not",), _not),
    "actions": ((), ("actions",), _actions),
    "done": ((), ("done",), _done),
}


def _selector(value: Any) -> NodeSelector:
    if isinstance(value, Mapping) and "same" in value:
        what = {key: part for key, part in value.items() if key != "same"}
        return replace(_selector(what), same=_name("name under 'same'", value["same"]))
    if not isinstance(value, Mapping) or len(value) != 1:
        raise GoalError(f"a selector is one of {{'class': ...}}, {{'id': ...}}, {{'property': ...}}, not {value!r}")
    [(key, what)] = value.items()
    if key == "id":
        if type(what) is not int:
            raise GoalError(f"the id {what!r} is not a whole number")
        return NodeSelector(ids=(what,))
    if key == "class":
        return NodeSelector(classes=(_name("class", what),))
    if key == "property":
        return NodeSelector(properties=(_name("property", what).upper(),))
    if key == "any":
        if not isinstance(what, list | tuple) or not what:
            raise GoalError(f"'any' takes a list of selectors, not {what!r}")
        parts = [_selector(part) for part in what]
        return NodeSelector(
            tuple(number for part in parts for number in part.ids),
            tuple(name for part in parts for name in part.classes),
            tuple(name for part in parts for name in part.properties),
        )
    raise GoalError(f"a selector cannot have {key!r}; {suggest(str(key), ('class', 'id', 'property', 'any'))}")


def _relations(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.upper().split("|")))


def _verbs(text: Any) -> tuple[str, ...]:
    return tuple(_name("verb", text).upper().split("|"))


def _count_and_new(body: Mapping[str, Any]) -> tuple[int, bool]:
    count, new = body.get("count", 1), _flag("new", body.get("new", False))
    if count == "all":
        if new:
            raise GoalError("'all' and 'new' do not go together")
        return EVERY, new
    if type(count) is not int or count < 1:
        raise GoalError(f"the count {count!r} is neither a whole number above 0 nor 'all'")
    return count, new


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise GoalError(f"{key!r} is true or false, not {value!r}")
    return value


def _name(kind: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise GoalError(f"the {kind} {value!r} is not a name")
    return value


def suggest(name: str, known: Collection[str]) -> str:
    """Return the nearest of the known names, or all of them, as the end of a message."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def by_class(condition: ConditionJson, kinds: Mapping[int, str]) -> ConditionJson | None:
    """Return a condition with classes in the place of ids, as it is about another scene; None for an unknown id."""

    def lifted(value: Any) -> Any:
        if isinstance(value, Mapping):
            if "id" in value:
                rest = {key: part for key, part in value.items() if key != "id"}
                return {"class": kinds[value["id"]], **rest}
            return {key: lifted(part) for key, part in value.items()}
        return [lifted(part) for part in value] if isinstance(value, list | tuple) else value

    try:
        found: ConditionJson = lifted(condition)
    except (KeyError, TypeError):
        return None
    return found


def selectors_of(condition: Condition) -> list[NodeSelector]:
    """Return the selectors of a condition, in order."""
    if isinstance(condition, NodeCondition):
        return [condition.node]
    if isinstance(condition, EdgeCondition):
        return [condition.source, condition.target]
    if isinstance(condition, ActionsCondition):
        ends = (end for pattern in condition.patterns for end in (pattern.object, pattern.destination))
        return [end for end in ends if end is not None]
    return selectors_of(condition.inner)


def known_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return a name that must be among the known ones.

    Raises:
        GoalError: it is not; half a sentence with the nearest known name.
    """
    names = tuple(known)
    if name not in names:
        raise GoalError(f"there is no {kind} {name!r}; {suggest(name, names)}")
    return name

"""Goals that cannot hold: a lamp both on and off, a cup in two places, three things in two hands.

Each condition is read as a demand: a number of these nodes in one state, or at one place. Demands that no node can meet
together need different nodes; where there are too few, the goal contradicts itself. This is about logic and places
only: whether the rules allow what is asked is for the search to find out. Under the historical rules a thing may be in
two places at once, so there only states are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Final, NamedTuple

from ....errors import GoalError
from ...facts.conditions import EVERY, Condition, ConditionJson, EdgeCondition, NodeCondition, NotCondition, Weighted
from ..engine.scene import bits
from ..engine.vocabulary import HANDS, INSIDE, ON
from ..language.describe_goal import describe
from .conditions import among, parse_conditions, relations_of

if TYPE_CHECKING:
    from ..engine.world import World

_EITHER: Final = {"ON": "OFF", "OPEN": "CLOSED", "CLEAN": "DIRTY", "PLUGGED_IN": "PLUGGED_OUT"}
_OPPOSITE: Final = _EITHER | {state: other for other, state in _EITHER.items()}
_NEVER_BOTH: Final = _OPPOSITE | {"SITTING": "LYING", "LYING": "SITTING"}
_AT_ONCE: Final = 3
"""How many demands are compared together."""


class _Demand(NamedTuple):
    """At least `number` of `nodes` in a state, in a room, or at a place."""

    condition: int
    """The condition's place in the goal."""
    nodes: int
    number: int
    family: str
    """`"state"`, `"room"`, `"place"`."""
    state: str = ""
    where: int = 0
    """Rooms or places, as a bitset."""
    same: str = ""
    """The name under which other demands mean the same node."""

    def bars(self, other: _Demand) -> bool:
        """Return whether one node cannot meet both."""
        if self.family != other.family:
            return False
        if self.family == "state":
            return _NEVER_BOTH.get(self.state) == other.state
        return not self.where & other.where


def require_possible(conditions: Sequence[ConditionJson], world: World) -> None:
    """Refuse a goal that cannot hold in a world, or that asks for nothing.

    Args:
        conditions: The goal; each can be checked in this world, as `GoalCheck` finds out.
        world: Where it is to hold.

    Raises:
        GoalError: its conditions contradict each other, or all of them are optional.
    """
    read = parse_conditions(conditions)
    if conditions and all(one.optional for one in read):
        raise GoalError("The goal is empty: all of its conditions are optional.")
    if why := _contradiction(conditions, read, world):
        raise GoalError(f"The goal contradicts itself: {why}.")


def _contradiction(conditions: Sequence[ConditionJson], read: Sequence[Weighted], world: World) -> str | None:
    """Return why a goal cannot hold, as half a sentence; None where nothing speaks against it."""
    needed = [(place, one.condition) for place, one in enumerate(read) if not one.optional]
    for place, condition in needed:
        if _of_itself(condition, world):
            return f"{describe(conditions[place : place + 1], world.scene)}, and nothing is in or on itself"
    if clash := _denied(needed, world):
        return _together(conditions, clash, world)
    demands = [demand for place, condition in needed for demand in _demands(place, condition, world)]
    for size in range(2, _AT_ONCE + 1):
        for some in combinations(demands, size):
            if all(a.bars(b) for a, b in combinations(some, 2)):
                there = 0
                for one in some:
                    there |= one.nodes
                one_thing = len({one.same for one in some}) == 1 and some[0].same
                few = one_thing or sum(one.number for one in some) > there.bit_count()
                if few and _one_each(some[0].family, there, world):
                    return _together(conditions, [one.condition for one in some], world)
    held = _held(needed, world)
    if len(held) > len(HANDS) * len(world.characters):
        return f"{len(held)} things are to be held, and nobody has more than two hands"
    return None


def _together(conditions: Sequence[ConditionJson], places: Sequence[int], world: World) -> str:
    said = list(dict.fromkeys(describe([conditions[place]], world.scene) for place in places))
    return f"{' and '.join(f'{one!r}' for one in said)} cannot hold together"


def _demands(place: int, condition: Condition, world: World) -> Iterator[_Demand]:
    no = isinstance(condition, NotCondition)
    while isinstance(condition, NotCondition):
        no = not no if isinstance(condition.inner, NotCondition) else no
        condition = condition.inner
    scene = world.scene
    if isinstance(condition, NodeCondition) and not condition.new:
        nodes = among(condition.node, scene)
        count = nodes.bit_count() if condition.count == EVERY else condition.count
        if not no:
            yield _Demand(place, nodes, count, "state", condition.state, same=condition.node.same)
        elif condition.state in _OPPOSITE:
            other = _OPPOSITE[condition.state]
            either = scene.states[scene.state_names.index(condition.state)]
            either |= scene.states[scene.state_names.index(other)]
            if not nodes & ~either and count <= nodes.bit_count():
                yield _Demand(place, nodes, nodes.bit_count() - count + 1, "state", other)
    elif isinstance(condition, EdgeCondition) and not no and not condition.either and world.rules.name == "clean":
        yield from _places(place, condition, world)


def _places(place: int, condition: EdgeCondition, world: World) -> Iterator[_Demand]:
    scene, relations = world.scene, set(relations_of(condition))
    sources, targets = among(condition.source, scene), among(condition.target, scene)
    fluid = scene.having["POURABLE"] | scene.having["DRINKABLE"]
    if relations <= set(HANDS):
        if not targets & fluid:
            yield _Demand(place, targets, max(condition.count, 1), "place", where=sources, same=condition.target.same)
        return
    count = sources.bit_count() if condition.count == EVERY else condition.count
    if relations == {INSIDE} and not targets & ~scene.rooms:
        yield _Demand(place, sources, count, "room", where=targets, same=condition.source.same)
    elif relations <= {ON, INSIDE} and not targets & scene.rooms and not sources & fluid:
        yield _Demand(place, sources, count, "place", where=targets, same=condition.source.same)


def _one_each(family: str, nodes: int, world: World) -> bool:
    """Whether each of these nodes has one place, or one of two states, at the beginning: some graph files give two."""
    scene = world.scene
    for node in bits(nodes) if family != "state" else ():
        spots = (world.out[ON][node] | world.out[INSIDE][node]) & ~scene.rooms
        if (spots if family == "place" else world.out[INSIDE][node] & scene.rooms).bit_count() > 1:
            return False
    for state, other in _EITHER.items() if family == "state" else ():
        both = scene.states[scene.state_names.index(state)] & scene.states[scene.state_names.index(other)]
        if both & nodes:
            return False
    return True


def _denied(needed: Sequence[tuple[int, Condition]], world: World) -> list[int]:
    """The places of a condition and of one that denies it."""
    plain = [(place, one) for place, one in needed if not isinstance(one, NotCondition)]
    denied = [(place, one.inner) for place, one in needed if isinstance(one, NotCondition)]
    for place, inner in denied:
        for other, one in plain:
            if _implies(one, inner, world):
                return [other, place]
    return []


def _implies(one: Condition, other: Condition, world: World) -> bool:
    if one == other:
        return True
    scene = world.scene
    if isinstance(one, NodeCondition) and isinstance(other, NodeCondition):
        if one.state != other.state or one.new or other.new:
            return False
        few, many = among(one.node, scene), among(other.node, scene)
        return _number(one.count, few) - (few & ~many).bit_count() >= _number(other.count, many)
    if isinstance(one, EdgeCondition) and isinstance(other, EdgeCondition):
        if one.new or other.new or one.either or not set(one.relations) <= set(other.relations):
            return False
        few, many = among(one.source, scene), among(other.source, scene)
        inside = not few & ~many and not among(one.target, scene) & ~among(other.target, scene)
        return inside and _number(one.count, few) >= _number(other.count, many)
    return False


def _number(count: int, nodes: int) -> int:
    return nodes.bit_count() if count == EVERY else count


def _of_itself(condition: Condition, world: World) -> bool:
    if not isinstance(condition, EdgeCondition) or not set(relations_of(condition)) <= {ON, INSIDE}:
        return False
    both = among(condition.source, world.scene) | among(condition.target, world.scene)
    return both.bit_count() == 1


def _held(needed: Sequence[tuple[int, Condition]], world: World) -> list[int]:
    """Different things that have to be held, one for each that is asked for."""
    found: list[int] = []
    taken = 0
    for _, one in needed:
        if isinstance(one, EdgeCondition) and not one.new and set(relations_of(one)) <= set(HANDS):
            nodes = among(one.target, world.scene)
            if not nodes & taken:
                found += list(bits(nodes))[: max(one.count, 1)]
            taken |= nodes
    return found

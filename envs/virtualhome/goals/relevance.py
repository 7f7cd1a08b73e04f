"""Which actions a goal is likely to need: a heuristic for search, read off the goal's conditions once.

An action that brings a condition about by itself, or opens what has to be filled, weighs most, one that prepares it
(walking there, taking the object) less, any other little but never nothing: what looks irrelevant may still be needed.
The weights depend on the goal, not on the state, so looking one up costs a dictionary access.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ...facts.conditions import ActionsCondition, Condition, ConditionJson, EdgeCondition, NodeCondition, NotCondition
from ..engine.preconditions import CLOSED
from ..engine.rules import EngineAction, Rules
from ..engine.scene import bits
from ..engine.vocabulary import CLOSE, FACING, HANDS, INSIDE, ON
from .conditions import among, parse_conditions, relations_of

if TYPE_CHECKING:
    from ..engine.world import World

ACHIEVES: Final = 8
PREPARES: Final = 4
OTHER: Final = 1

_BY_STATE: Final = {
    "ON": ("SWITCHON",),
    "OFF": ("SWITCHOFF",),
    "OPEN": ("OPEN",),
    "CLOSED": ("CLOSE",),
    "CLEAN": ("WASH", "RINSE", "SCRUB", "WIPE"),
    "DIRTY": (),
    "PLUGGED_IN": ("PLUGIN",),
    "PLUGGED_OUT": ("PLUGOUT",),
    "SITTING": ("SIT",),
    "LYING": ("LIE",),
}
_ENDS: Final = {"ON": "SWITCHOFF", "OPEN": "CLOSE", "CLOSED": "OPEN", "OFF": "SWITCHON"}

_BEFORE: Final = {"READ": "GRAB", "DRINK": "GRAB", "POUR": "GRAB", "WATCH": "TURNTO", "LOOKAT": "TURNTO"}
"""What has to be done to an object before some of the verbs that leave no trace."""

Key = tuple[str, int, int]
"""Verb, object and destination; -1 stands for any."""


class Relevance:
    """The weight of each action for one goal in one world.

    Attributes:
        nodes: Bitset of what a plan is likely to handle: what the goal names, what that is in or on at the start, rooms
            and doors.
        verbs: The verbs worth trying: those with effects, one of each kind, and those that the goal asks for.
    """

    __slots__ = ("_priors", "_weights", "nodes", "verbs")

    def __init__(self, conditions: Sequence[ConditionJson], world: World) -> None:
        """Read the conditions.

        Raises:
            GoalError: they are malformed or mean nothing in this world.
        """
        self._weights: dict[Key, int] = {}
        self._priors: dict[EngineAction, float] = {}
        named = 0
        for weighted in parse_conditions(conditions):
            for key, weight in _relevant(weighted.condition, world):
                self._weights[key] = max(weight, self._weights.get(key, OTHER))
                named |= sum(1 << n for n in key[1:] if n >= 0)
        asked = {verb for (verb, _, _), weight in self._weights.items() if weight == ACHIEVES}
        self.verbs: frozenset[str] = frozenset(_distinct(world.rules) | asked)
        for verb in sorted({key[0] for key in self._weights if key[1:] == (-1, -1)} & world.bound.keys()):
            fitting = world.bound[
                verb
            ].first.nodes  # the goal names no object: any will do that the verb can be done to
            named |= 0 if fitting & named else fitting
        every = _with_holders(world, named)
        shut_doors = world.doorways.joining & world.having[CLOSED]
        for way in bits(every & ~named | shut_doors):
            for verb in ("OPEN", "WALK", "FIND"):
                self._weights.setdefault((verb, way, -1), PREPARES)
        self.nodes: int = every | world.scene.rooms | world.doorways.doors

    def weight(self, action: EngineAction) -> int:
        """Return the weight of an action, at least 1; -1 for an object stands for whatever it may be."""
        known, (verb, first, second) = self._weights, action
        return max(
            known.get((verb, first, second), OTHER),
            known.get((verb, -1, second), OTHER) if second >= 0 else OTHER,
            known.get((verb, first, -1), OTHER),
            known.get((verb, -1, -1), OTHER),
        )

    def prior(self, actions: Iterable[EngineAction]) -> list[float]:
        """Return the weights of several actions, as `collectors.search` asks for them; shape `[actions]`."""
        known = self._priors
        return [
            known[action] if action in known else known.setdefault(action, float(self.weight(action)))
            for action in actions
        ]


def _distinct(rules: Rules) -> set[str]:
    """The verbs that change something, of several with the same conditions and effects the first one only."""
    kinds: dict[object, str] = {}
    for verb, rule in rules.table.items():
        if rule.effects:
            kinds.setdefault((rule.arity, rule.first, rule.second, rule.pair, rule.effects), verb)
    return set(kinds.values())


def _with_holders(world: World, nodes: int) -> int:
    """Add what the nodes are in or on, at any height; rooms aside."""
    fresh = nodes
    while fresh:
        around = 0
        for n in bits(fresh):
            around |= world.out[INSIDE][n] | world.out[ON][n]
        fresh = around & ~(nodes | world.scene.rooms)
        nodes |= fresh
    return nodes


def _relevant(condition: Condition, world: World) -> Iterator[tuple[Key, int]]:
    if isinstance(condition, NodeCondition):
        yield from _for_state(condition, world)
    elif isinstance(condition, EdgeCondition):
        sources, targets = among(condition.source, world.scene), among(condition.target, world.scene)
        for relation in relations_of(condition):
            yield from _for_edge(relation, sources, targets, world)
            if condition.either:
                yield from _for_edge(relation, targets, sources, world)
    elif isinstance(condition, ActionsCondition):
        for pattern in condition.patterns:
            objects = -1 if pattern.object is None else among(pattern.object, world.scene)
            for verb in pattern.verbs:
                for n in bits(objects) if objects >= 0 else (-1,):
                    yield (verb, n, -1), ACHIEVES
                    yield from _prepare(n)
                    yield (_BEFORE.get(verb, "WALK"), n, -1), PREPARES
                if verb == "CUT":
                    yield from _take_a_knife(world)
    elif isinstance(condition, NotCondition) and isinstance(condition.inner, NodeCondition):
        end = _ENDS.get(condition.inner.state)
        for n in bits(among(condition.inner.node, world.scene)) if end is not None else ():
            yield (str(end), n, -1), ACHIEVES
            yield from _prepare(n)
    elif isinstance(condition, NotCondition) and isinstance(condition.inner, EdgeCondition):
        yield from _for_absence(condition.inner, world)


def _for_absence(condition: EdgeCondition, world: World) -> Iterator[tuple[Key, int]]:
    """What ends the edges that are there: taking away what is on or in something, standing up, dropping."""
    sources, targets = among(condition.source, world.scene), among(condition.target, world.scene)
    for relation in relations_of(condition):
        for target in bits(targets):
            there = world.into[relation][target] & sources
            if relation in HANDS:
                yield ("DROP", target, -1), ACHIEVES
            elif there & world.character_set:
                yield ("STANDUP", -1, -1), ACHIEVES
            for source in bits(there & ~world.character_set) if relation in (ON, INSIDE) else ():
                yield ("GRAB", source, -1), ACHIEVES
                yield ("DROP", source, -1), PREPARES
                yield ("OPEN", target, -1), PREPARES
                yield from _prepare(source)


def _for_state(condition: NodeCondition, world: World) -> Iterator[tuple[Key, int]]:
    nodes = among(condition.node, world.scene)
    for verb in _BY_STATE.get(condition.state, ()):
        if verb in ("SIT", "LIE"):
            yield (verb, -1, -1), PREPARES
            continue
        for n in bits(nodes):
            yield (verb, n, -1), ACHIEVES
            yield from _prepare(n)
            if verb == "SWITCHON":
                yield ("PLUGIN", n, -1), PREPARES
                yield ("CLOSE", n, -1), PREPARES


def _for_edge(relation: int, sources: int, targets: int, world: World) -> Iterator[tuple[Key, int]]:
    characters, rooms = world.character_set, world.scene.rooms
    for target in bits(targets):
        if sources & characters:
            yield from _for_character(relation, target)
        for source in bits(sources & ~characters):
            if characters >> target & 1:
                yield (("PUTON" if relation == ON else "GRAB"), source, -1), ACHIEVES
            elif rooms >> target & 1:
                yield ("DROP", source, -1), PREPARES
                yield ("WALK", target, -1), PREPARES
            else:
                for verb in {ON: ("PUTBACK",), INSIDE: ("PUTIN", "POUR")}.get(relation, ("PUTBACK", "PUTIN")):
                    yield (verb, source, target), ACHIEVES
                    yield (verb, -1, target), PREPARES
                yield from _prepare(target)
                yield ("OPEN", target, -1), ACHIEVES
            yield ("GRAB", source, -1), PREPARES
            yield from _prepare(source)


def _for_character(relation: int, target: int) -> Iterator[tuple[Key, int]]:
    """What a character itself does to be ON, INSIDE, CLOSE to, FACING or holding a node."""
    if relation == ON:
        yield ("SIT", target, -1), ACHIEVES
        yield ("LIE", target, -1), ACHIEVES
    elif relation in HANDS:
        yield ("GRAB", target, -1), ACHIEVES
    elif relation == FACING:
        yield ("TURNTO", target, -1), ACHIEVES
    elif relation == CLOSE:
        yield ("FIND", target, -1), ACHIEVES
    yield from _prepare(target)


def _take_a_knife(world: World) -> Iterator[tuple[Key, int]]:
    for name, nodes in world.scene.of_class.items():
        for n in bits(nodes) if "knife" in name else ():
            yield ("GRAB", n, -1), PREPARES
            yield from _prepare(n)


def _prepare(n: int) -> Iterator[tuple[Key, int]]:
    yield ("WALK", n, -1), PREPARES
    yield ("FIND", n, -1), PREPARES

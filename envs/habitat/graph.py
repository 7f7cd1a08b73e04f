"""A home as a graph of facts, and the goals that its actions can bring about.

Furniture is INSIDE a room, or ON other furniture; a movable object is ON or INSIDE a piece of furniture, and INSIDE its
room as well, unless the agent HOLDS it. A door is INSIDE one of its two rooms. What can be opened is OPEN or CLOSED.
Not here: positions (`facts["pose"]`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from ..facts import HOLDS, ConditionJson, EdgeCondition, FactGraph, parse_condition
from ..facts.goals import measure, progress
from ..facts.graph import Fact
from ..graph_goals import GraphGoals, edge, kinds_of, state
from .goals import SAID
from .home_map import HomeMap
from .scenes.catalogue import ALIASES, DOOR, FURNITURE, MOVABLE
from .scenes.shapes import SHAPES, Shape
from .simulator.home_simulator import HomeState, Placement

AGENT_ID: Final = 1
AGENT: Final = "character"
_OTHER_AGENTS: Final = 2**32 + 2
"""Ids of rooms and things are lower."""


def node_of(name: str) -> int:
    """Return the id of the node that a room or a thing has by its name, in every home."""
    return 2 + zlib.crc32(name.encode())


def agent_node(number: int) -> int:
    """Return the id of an agent's node."""
    return AGENT_ID if number == 0 else _OTHER_AGENTS + number


class HomeGraph:
    """Reads the facts of one home again and again."""

    def __init__(self, map_: HomeMap, agents: int = 1) -> None:
        """Gather what never changes, with some agents."""
        home = map_.home
        self._map = map_
        self._nodes = {id_: node_of(name) for id_, name in map_.names.items()}
        self._rooms = [node_of(room.name) for room in home.rooms]
        self._agents = [agent_node(number) for number in range(agents)]
        self.kinds: dict[int, str] = dict.fromkeys(self._agents, AGENT)
        self.kinds |= {node: room.name for node, room in zip(self._rooms, home.rooms, strict=True)}
        self.kinds |= {self._nodes[thing.id]: thing.category for thing in home.things}
        fixed: set[Fact] = set()
        for id_, room in map_.rooms.items():
            if room >= 0:
                fixed.add((self._nodes[id_], "INSIDE", self._rooms[room]))
            if map_.bases[id_] != id_:
                fixed.add((self._nodes[id_], "ON", self._nodes[map_.bases[id_]]))
        self._fixed = frozenset(fixed)
        self._openable = [thing.id for thing in home.things if thing.opened is not None]
        self._last: tuple[object, object, frozenset[Fact]] = (None, None, frozenset())
        self._here: tuple[object, Sequence[int], frozenset[Fact]] = (None, (), frozenset())

    def facts(self, now: HomeState, rooms: Sequence[int]) -> frozenset[Fact]:
        """Return everything that holds.

        Args:
            now: The state of the simulator.
            rooms: The room that each agent is in.
        """
        if self._last[0] is not now.placements or self._last[1] is not now.opened:
            found = set(self._fixed)
            found.update((self._nodes[id_], "OPEN" if id_ in now.opened else "CLOSED", None) for id_ in self._openable)
            for id_, place in now.placements.items():
                found.update(self._placed(id_, place))
            self._last = (now.placements, now.opened, frozenset(found))
        if self._here[0] is not self._last[2] or self._here[1] != rooms:
            inside = zip(self._agents, rooms, strict=False)
            agents = {(agent, "INSIDE", self._rooms[room]) for agent, room in inside if room >= 0}
            self._here = self._last[2], rooms, self._last[2] | agents
        return self._here[2]

    def _placed(self, id_: int, place: Placement) -> Iterator[Fact]:
        if place.held_by is not None:
            yield agent_node(place.held_by), HOLDS, self._nodes[id_]
        elif place.holder is not None:
            yield self._nodes[id_], "INSIDE" if place.inside else "ON", self._nodes[place.holder]
            room = self._map.rooms[place.holder]
            if room >= 0:
                yield self._nodes[id_], "INSIDE", self._rooms[room]

    def graph(self, facts: frozenset[Fact]) -> FactGraph:
        """Return facts as a graph."""
        return FactGraph.of_facts(facts, self.kinds, self._rooms, self._agents)


def carried_progress(graph: FactGraph, conditions: Sequence[ConditionJson], start: FactGraph) -> float:
    """Return how much of a goal holds, in [0, 1]; holding a thing that is to be put somewhere counts half of it."""
    whole = progress(graph, conditions, start=start)
    held = {node for agent in graph.characters for node in graph.held(agent)}
    if whole >= 1.0 or not held:
        return whole
    weighted = [parse_condition(one) for one in conditions]
    for one, written in zip(weighted, conditions, strict=True):
        needed = one.condition
        if not isinstance(needed, EdgeCondition) or not (meant := held & needed.source.nodes(graph.kinds)):
            continue
        if measure(graph, written, start=start) < 1.0:
            share = one.weight / sum(each.weight for each in weighted)
            whole += share / (2 * max(needed.count, 1))
            held.remove(min(meant))
    return min(whole, 1.0)


def possible(graph: FactGraph) -> Iterator[ConditionJson]:
    """Yield what actions can bring about: things carried, put on and into furniture; furniture opened and closed."""
    movable = kinds_of(graph, lambda _, kind: kind in MOVABLE)
    furniture = kinds_of(graph, lambda _, kind: kind in FURNITURE)
    rooms = kinds_of(graph, lambda node, _: node in graph.rooms)
    for room in rooms:
        yield edge(AGENT, "INSIDE", room)
    doors = kinds_of(graph, lambda _, kind: kind == DOOR)
    for kind in (*(one for one in furniture if _shape_of(one).opened is not None), *doors):
        yield state(kind, "OPEN")
        yield state(kind, "CLOSED")
    for kind in movable:
        yield edge(AGENT, HOLDS, kind)
        for place in furniture:
            if _shape_of(place).on:
                yield edge(kind, "ON", place)
            if _shape_of(place).inside:
                yield edge(kind, "INSIDE", place)
        for room in rooms:
            yield edge(kind, "INSIDE", room)


@lru_cache(maxsize=64)
def _shape_of(kind: str) -> Shape:
    row = FURNITURE[kind]
    return SHAPES[row.shape](row.size, row.colour, row.other)


def goal_space() -> GraphGoals:
    """Return the goals of homes."""
    return GraphGoals(possible, rows=SAID, noun=lambda kind: kind.replace("_", " "), aliases=ALIASES)

"""A MiniGrid level as a graph of facts, the words of its tasks, and the goals that its actions can bring about.

Kinds are colour and type, `"red ball"`, as missions name things. Doors are OPEN, CLOSED or LOCKED and LEAD_TO the rooms
at their sides; things are INSIDE rooms, may be NEXT_TO each other, and the agent HOLDS at most one and is FACING the
one in the cell ahead. Levels without rooms of their own count as one room. Not here: positions (`facts["objects"]`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from ...experience import Task
from ..facts import Action, ConditionJson, FactGraph
from ..facts.graph import Fact
from ..facts.sentences import HELD, OPENED, Rows
from ..graph_goals import GraphGoals, edge, kinds_of, state
from ..verbalizer import Verbalizer, capitalised

LEVELS: Final = (
    "BabyAI-GoToRedBall-v0",
    "BabyAI-GoToObj-v0",
    "BabyAI-GoToLocal-v0",
    "BabyAI-GoToDoor-v0",
    "BabyAI-OpenDoor-v0",
    "BabyAI-PickupLoc-v0",
    "BabyAI-PickupDist-v0",
    "BabyAI-PutNextLocal-v0",
    "BabyAI-UnlockLocal-v0",
    "BabyAI-OneRoomS8-v0",
)
"""The levels of generated tasks; any other may be named in a task's options."""
AGENT: Final = "character"
_AGENT_ID: Final = 1
_FIRST_ROOM: Final = 2
_FIRST_THING: Final = 1_000
_NOT_THINGS: Final = frozenset({"unseen", "empty", "wall", "floor", "agent"})
_ID: Final = "pathei_id"
"""The attribute of MiniGrid's objects that holds their id; copies of an object keep it."""


class LevelGraph:
    """Reads one level's facts again and again; ids are given out at the beginning."""

    def __init__(self, level: Any) -> None:
        """Number the things of a level that was just reset, in the order of the cells; what is in a box as well."""
        self.level = level
        rooms = level.num_rows * level.num_cols if hasattr(level, "room_from_pos") else 1
        kinds: dict[int, str] = {_AGENT_ID: AGENT}
        kinds.update({_FIRST_ROOM + place: f"room {place + 1}" for place in range(rooms)})
        for thing in things_of(level):
            while thing is not None:
                number = _FIRST_THING + len(kinds)
                setattr(thing, _ID, number)
                kinds[number] = kind_of(thing)
                thing = getattr(thing, "contains", None)
        self.kinds = kinds
        self.rooms = tuple(range(_FIRST_ROOM, _FIRST_ROOM + rooms))
        self._key: tuple[tuple[int, int, str], ...] | None = None
        self._things: frozenset[Fact] = frozenset()

    def facts(self) -> frozenset[Fact]:
        """Return everything that holds now; what concerns things alone is worked out when one has changed."""
        level = self.level
        width = level.grid.width
        where = {
            place: thing
            for place, thing in enumerate(level.grid.grid)
            if thing is not None and thing.type not in _NOT_THINGS
        }
        key = tuple([(place, getattr(thing, _ID), _door_state(thing)) for place, thing in where.items()])
        if key != self._key:
            self._key, self._things = key, frozenset(self._between_things(where))
        column, row = level.agent_pos
        across, down = level.dir_vec
        found: list[Fact] = [(_AGENT_ID, "INSIDE", self._room(int(column), int(row)))]
        ahead = where.get(int((row + down) * width + column + across))
        if ahead is not None:
            found.append((_AGENT_ID, "FACING", getattr(ahead, _ID)))
        if level.carrying is not None:
            found.append((_AGENT_ID, "HOLDS", getattr(level.carrying, _ID)))
        return self._things.union(found)

    def _between_things(self, where: Mapping[int, Any]) -> Iterator[Fact]:
        width = self.level.grid.width
        for place, thing in where.items():
            number = getattr(thing, _ID)
            if thing.type == "door":
                yield number, _door_state(thing), None
                yield from [(number, "LEADS_TO", room) for room in self._sides(place % width, place // width)]
            else:
                yield number, "INSIDE", self._room(place % width, place // width)
            for step in (1, width):
                other = where.get(place + step)
                if other is not None:
                    own = getattr(other, _ID)
                    yield from ((number, "NEXT_TO", own), (own, "NEXT_TO", number))

    def graph(self, facts: Iterable[Fact]) -> FactGraph:
        """Return facts as a graph."""
        return FactGraph.of_facts(facts, self.kinds, self.rooms, [_AGENT_ID])

    def _room(self, column: int, row: int) -> int:
        level = self.level
        if len(self.rooms) == 1:
            return _FIRST_ROOM
        size = level.room_size - 1
        across = min(column // size, level.num_cols - 1)
        return int(_FIRST_ROOM + min(row // size, level.num_rows - 1) * level.num_cols + across)

    def _sides(self, column: int, row: int) -> set[int]:
        if len(self.rooms) == 1:
            return set()
        width, height = self.level.grid.width, self.level.grid.height
        around = ((column - 1, row), (column + 1, row), (column, row - 1), (column, row + 1))
        inside = [(x, y) for x, y in around if 0 <= x < width and 0 <= y < height]
        return {self._room(x, y) for x, y in inside if self.level.grid.get(x, y) is None}


def _door_state(thing: Any) -> str:
    if thing.type != "door":
        return ""
    return "LOCKED" if thing.is_locked else "OPEN" if thing.is_open else "CLOSED"


def things_of(level: Any) -> list[Any]:
    """Return the things that lie or stand in a level, by row and column."""
    return [one for one in level.grid.grid if one is not None and one.type not in _NOT_THINGS]


def kind_of(thing: Any) -> str:
    """Return the kind of a thing: `"red ball"`."""
    return f"{thing.color} {thing.type}"


def conditions_of(level: Any) -> tuple[ConditionJson, ...]:
    """Return the mission of a BabyAI level, just reset, as conditions; empty where its order matters, or has none."""
    mission: Any = getattr(level, "instrs", None)
    name = type(mission).__name__
    if name == "GoToInstr":
        return (_edge({"class": AGENT}, "FACING", _meant(mission.desc)),)
    if name == "PickupInstr":
        return (_edge({"class": AGENT}, "HOLDS", _meant(mission.desc)),)
    if name == "OpenInstr":
        return ({"node": _meant(mission.desc), "state": "OPEN"},)
    if name == "PutNextInstr":
        return (_edge(_meant(mission.desc_move), "NEXT_TO", _meant(mission.desc_fixed)),)
    return ()


def _edge(source: dict[str, Any], relation: str, target: dict[str, Any]) -> ConditionJson:
    return {"from": source, "relation": relation, "to": target}


def _meant(description: Any) -> dict[str, Any]:
    """Return the selector of what a description means: by kind, or by id where the place matters."""
    if description.loc is not None:
        options: list[dict[str, Any]] = [{"id": getattr(one, _ID)} for one in description.obj_set]
    else:
        options = [{"class": kind} for kind in dict.fromkeys(map(kind_of, description.obj_set))]
    return options[0] if len(options) == 1 else {"any": options}


def possible(graph: FactGraph) -> Iterator[ConditionJson]:
    """Yield what actions can bring about: doors opened and closed, things faced, carried and put next to others."""
    doors = kinds_of(graph, lambda node, kind: kind.endswith(" door"))
    movable = kinds_of(graph, lambda node, kind: kind.endswith((" ball", " box", " key")))
    for door in doors:
        yield state(door, "OPEN")
        yield state(door, "CLOSED")
    for kind in (*doors, *movable):
        yield edge(AGENT, "FACING", kind)
    for kind in movable:
        yield edge(AGENT, "HOLDS", kind)
    for kind in movable:
        for other in (*doors, *movable):
            if kind != other:
                yield edge(kind, "NEXT_TO", other)
    if len(graph.rooms) > 1:
        for room in kinds_of(graph, lambda node, _: node in graph.rooms):
            yield edge(AGENT, "INSIDE", room)


_NEAR: Final = "(?:next to|besides?|near|close to|by)"
_SAID: Final[Rows] = (
    *HELD,
    (rf"(?:put|place|move|bring|drop|leave) X {_NEAR} Y", "X NEXT_TO Y"),
    (rf"X is {_NEAR} Y", "X NEXT_TO Y"),
    (r"X and Y are (?:next to|besides?|near) (?:each other|one another)", "X NEXT_TO Y"),
    *OPENED[:2],
    *OPENED[4:6],
    (r"(?:go (?:in)?to|enter|reach|you are in|be in) (?:the )?(?P<X>room \d+)", "you INSIDE X"),
    (
        r"(?:go (?:up )?to|walk (?:up )?to|reach|find|face|look at|you face|you are facing|stand in front of) X",
        "you FACING X",
    ),
)
"""How goals are said."""


def goal_space() -> GraphGoals:
    """Return the goals of MiniGrid's levels."""
    return GraphGoals(possible, rows=_SAID)


class MiniGridVerbalizer(Verbalizer):
    """MiniGrid's six actions, none of which names anything; the activity is the level."""

    def read_action(self, text: str, graph: FactGraph | None = None) -> Action | None:
        """Return the action as a verb without objects: `TURN_LEFT`."""
        words = text.split()
        return Action("_".join(words).upper(), (), ()) if words else None

    def say_action(self, action: Action | str, numbered: Collection[str] = ()) -> str:
        """Return an action as a sentence: "Turn left."."""
        return capitalised((action if isinstance(action, str) else action.verb.replace("_", " ").lower()).strip())

    def activity(self, task: Task) -> str | None:
        """Return the name of the level without its version."""
        level = task.options.get("level")
        return None if level is None else str(level).rpartition("-v")[0]

    def activities(self) -> tuple[str, ...]:
        """Return the levels of generated tasks."""
        return tuple(level.rpartition("-v")[0] for level in LEVELS)

    def scene(self, task: Task) -> str:
        """Return the level with its seed."""
        return f"{task.options.get('level')}/{task.seed}"

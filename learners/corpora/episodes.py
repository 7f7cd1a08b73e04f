"""A lived episode of the household, folded once: what was done, and where everything was at every moment.

Facts are those of `pathei/VirtualHome-v0`: the whole household after a reset, then the changes of every step. A moment
is the number of steps done before it. Left out: words, questions, and edges CLOSE, which no fact tells.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from ...envs.virtualhome.language.plans import PlanAction, read_deed, read_plan
from ...errors import RecordError
from ...experience import Json, Observation, Task, Trajectory

ENV: Final = "pathei/VirtualHome-v0"
_HANDS: Final = ("HOLDS_RH", "HOLDS_LH")
_AROUND: Final = ("ON", "INSIDE")


class ObjectSpot(NamedTuple):
    """Where a node is."""

    room: int | None
    """The room; None where the facts tell none."""
    relation: str
    """`"HELD"` by a character, `"ON"` or `"INSIDE"` another thing; `""` where it stands by itself in the room."""
    holder: int | None
    """The character or thing; None where it stands by itself."""


class EpisodeEvent(NamedTuple):
    """An action that was done; one that the world refused is none."""

    step: int
    """It leads from moment `step` to moment `step + 1`."""
    actor: int
    deed: PlanAction
    changes: tuple[tuple[str, ...], ...]
    """What it changed, as the facts tell it."""
    moved: frozenset[int]
    """The nodes whose `ObjectSpot` it changed."""


class HouseholdMap:
    """Every fact at one moment."""

    __slots__ = ("characters", "classes", "into", "out", "rooms", "states")

    def __init__(self, graph: Mapping[str, Json]) -> None:
        """Read the facts of a reset.

        Raises:
            RecordError: they do not have the form that the environment gives them.
        """
        try:
            self.classes: dict[int, str] = {node[0]: node[1] for node in graph["nodes"]}
            self.states: dict[int, set[str]] = {node[0]: set(node[2]) for node in graph["nodes"]}
            self.rooms = frozenset(graph["rooms"])
            self.characters: tuple[int, ...] = tuple(graph["characters"])
            self.out: dict[int, set[tuple[str, int]]] = {}
            self.into: dict[int, set[tuple[str, int]]] = {}
            for source, relation, target in graph["edges"]:
                self.out.setdefault(source, set()).add((relation, target))
                self.into.setdefault(target, set()).add((relation, source))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise RecordError(f"These are no facts of a household ({type(error).__name__}: {error}).") from error

    def copy(self) -> HouseholdMap:
        """Return the same facts, to be changed on their own."""
        other = object.__new__(HouseholdMap)
        other.classes, other.rooms, other.characters = self.classes, self.rooms, self.characters
        other.states = {node: set(states) for node, states in self.states.items()}
        other.out = {node: set(ends) for node, ends in self.out.items()}
        other.into = {node: set(ends) for node, ends in self.into.items()}
        return other

    def apply(self, change: Json) -> None:
        """Make one change."""
        sign, node, what, *rest = change
        if not rest:
            (self.states[node].add if sign == "+" else self.states[node].discard)(what)
            return
        target = rest[0]
        if sign == "+":
            self.out.setdefault(node, set()).add((what, target))
            self.into.setdefault(target, set()).add((what, node))
        else:
            self.out.get(node, set()).discard((what, target))
            self.into.get(target, set()).discard((what, node))

    def has(self, source: int, relation: str, target: int) -> bool:
        """Tell whether an edge holds."""
        return (relation, target) in self.out.get(source, ())

    def holder_of(self, node: int) -> int | None:
        """Return the character that holds a node."""
        return next((c for relation, c in self.into.get(node, ()) if relation in _HANDS), None)

    def spot(self, node: int) -> ObjectSpot:
        """Return where a node is. What is held or lies in something is in that one's room."""
        holder = self.holder_of(node)
        if holder is not None:
            return ObjectSpot(self.room(holder), "HELD", holder)
        around = self._around(node)
        if around is not None:
            return ObjectSpot(self.room(node), *around)
        return ObjectSpot(self.room(node), "", None)

    def room(self, node: int) -> int | None:
        """Return the room of a node, by what carries or contains it."""
        for _ in range(len(self.classes)):
            above = self.holder_of(node)
            if above is None:
                own = [target for relation, target in self.out.get(node, ()) if relation == "INSIDE"]
                found = next((target for target in own if target in self.rooms), None)
                around = self._around(node)
                if around is None or found is not None:
                    return found
                above = around[1]
            node = above
        return None

    def contents(self, node: int, relation: str) -> list[int]:
        """Return what is directly ON or INSIDE a node, by id; what somebody holds does not count."""
        found = (source for kind, source in self.into.get(node, ()) if kind == relation)
        return sorted(n for n in found if self.holder_of(n) is None)

    def _around(self, node: int) -> tuple[str, int] | None:
        found = [
            (relation, target)
            for relation, target in self.out.get(node, ())
            if relation in _AROUND and target not in self.rooms
        ]
        return min(found) if found else None


@dataclass(frozen=True, slots=True)
class HouseholdEpisode:
    """What corpora need of one trajectory."""

    id: str
    """The trajectory's."""
    task: Task
    success: bool
    """Whether the goal held at the end."""
    steps: int
    """How many steps there were; the last moment."""
    actions: tuple[str, ...]
    """The actions as they were sent, those that the world refused left out."""
    start: HouseholdMap
    end: HouseholdMap
    events: tuple[EpisodeEvent, ...]
    _where: Mapping[int, tuple[tuple[int, ObjectSpot], ...]]
    """For each node that moved: from which moment on it was where."""

    def spot(self, node: int, moment: int) -> ObjectSpot:
        """Return where a node was at a moment."""
        history = self._where.get(node)
        if history is None:
            return self.start.spot(node)
        return history[bisect_right(history, moment, key=lambda entry: entry[0]) - 1][1]

    def history(self, node: int) -> tuple[tuple[int, ObjectSpot], ...]:
        """Return from which moment on a node was where; the first entry is of moment 0."""
        return self._where.get(node) or ((0, self.start.spot(node)),)

    @property
    def moved(self) -> list[int]:
        """The nodes that moved, characters included, by id."""
        return sorted(self._where)

    def contents(self, place: int, relation: str, moment: int) -> list[int]:
        """Return what was directly ON or INSIDE a node at a moment, by id."""
        still = [n for n in self.start.contents(place, relation) if n not in self._where]
        moved = [n for n in self._where if self.spot(n, moment)[1:] == (relation, place)]
        return sorted(still + moved)


def fold(trajectory: Trajectory) -> HouseholdEpisode | None:
    """Fold a whole episode; None where it is not of the household, holds no facts, or tells an action in free words.

    Args:
        trajectory: An episode from its beginning: a branch has to be expanded first.

    Raises:
        RecordError: its facts are malformed.
    """
    if trajectory.task.env != ENV or not trajectory.steps:
        return None
    facts = trajectory.steps[0].observation.facts
    if facts is None or "graph" not in facts:
        return None
    start = HouseholdMap(facts["graph"])
    end = start.copy()
    where: dict[int, list[tuple[int, ObjectSpot]]] = {}
    events: list[EpisodeEvent] = []
    actions: list[str] = []
    for number, (step, after) in enumerate(zip(trajectory.steps, _after(trajectory), strict=True)):
        if "error" in step.info:
            continue
        deed = read_deed(step.action) or _plain_deed(step.action, start)
        if deed is None or after.facts is None:
            return None
        changes = after.facts["changes"]
        actor = step.info.get("character", start.characters[0])
        moved = _apply(changes, end, start, where, number + 1)
        events.append(EpisodeEvent(number, actor, deed, tuple(map(tuple, changes)), moved))
        actions.append(step.action)
    frozen = {node: tuple(history) for node, history in where.items()}
    success = bool(trajectory.success)
    return HouseholdEpisode(
        trajectory.id,
        trajectory.task,
        success,
        len(trajectory.steps),
        tuple(actions),
        start,
        end,
        tuple(events),
        frozen,
    )


def _after(trajectory: Trajectory) -> Iterator[Observation]:
    for step in trajectory.steps[1:]:
        yield step.observation
    yield trajectory.final


def _plain_deed(action: str, house: HouseholdMap) -> PlanAction | None:
    """An action in plain English, where each of its names can mean one thing only."""
    sentences = read_plan(action)
    for reading in sentences[0].readings if len(sentences) == 1 else ():
        ids = []
        for thing in reading.things:
            named = [n for n, name in house.classes.items() if name.replace("_", " ") == thing.name]
            ids += [thing.id] if thing.id in named else named if len(named) == 1 else []
        if len(ids) == len(reading.things):
            return PlanAction(reading.verb, tuple(house.classes[n] for n in ids), tuple(ids))
    return None


def _apply(
    changes: list[Json],
    house: HouseholdMap,
    start: HouseholdMap,
    where: dict[int, list[tuple[int, ObjectSpot]]],
    moment: int,
) -> frozenset[int]:
    """Make the changes of one step, and note which nodes are somewhere else than before."""
    touched: set[int] = set()
    for change in changes:
        house.apply(change)
        if len(change) == 4:
            if change[2] in _HANDS:
                touched.add(change[3])
            elif change[2] in _AROUND:
                touched.add(change[1])
    moved = set()
    for node in _with_load(house, touched):
        spot = house.spot(node)
        history = where.get(node)
        before = history[-1][1] if history else start.spot(node)
        if spot != before:
            where.setdefault(node, [(0, before)]).append((moment, spot))
            moved.add(node)
    return frozenset(moved)


def _with_load(house: HouseholdMap, nodes: set[int]) -> set[int]:
    """Add what the nodes hold and contain: it goes where they go. Rooms do not go anywhere."""
    found: set[int] = set()
    fresh = nodes - house.rooms
    while fresh:
        found |= fresh
        below = set()
        for node in fresh:
            below |= {n for relation, n in house.into.get(node, ()) if relation in _AROUND}
            below |= {n for relation, n in house.out.get(node, ()) if relation in _HANDS}
        fresh = below - found
    return found


__all__ = ["ENV", "EpisodeEvent", "HouseholdEpisode", "HouseholdMap", "ObjectSpot", "fold"]

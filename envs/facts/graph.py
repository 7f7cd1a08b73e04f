"""What holds at one moment, as a graph, and the changes that lead from one moment to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final, NamedTuple

from ...errors import RecordError
from ...experience import Json

HOLDS: Final = "HOLDS"
HOLDING: Final = ("HOLDS", "HOLDS_RH", "HOLDS_LH")
"""Relations from a character to what it holds; `Change.plain` and `plain_relation` make them all `HOLDS`."""
PASSING: Final = frozenset({"CLOSE", "FACING"})
"""Relations that facts need not list, or that change with every step: no state of the environment."""
_PARTS: Final = frozenset({"nodes", "edges", "rooms", "characters"})
_AROUND: Final = ("ON", "INSIDE")
_MALFORMED: Final = (KeyError, IndexError, TypeError, ValueError, AttributeError)

Fact = tuple[int, str, int | None]
"""Something that holds: an entity, a state or relation, and what it is related to."""


class Entity(NamedTuple):
    """Something with a kind and an id."""

    kind: str
    id: int


class Location(NamedTuple):
    """Where a node is."""

    room: int | None
    """The room; None where the facts name none."""
    relation: str
    """`"HELD"` by a character, `"ON"` or `"INSIDE"` another thing; `""` where it stands by itself in the room."""
    holder: int | None
    """The character or thing; None where it stands by itself."""


class Change(NamedTuple):
    """One fact that began or ended."""

    begins: bool
    entity: int
    what: str
    """A state, or a relation to the target, as the environment writes it."""
    target: int | None = None

    @property
    def plain(self) -> Change:
        """The same change with `HOLDS` for either hand."""
        return self._replace(what=HOLDS) if self.what in HOLDING else self

    @property
    def fact(self) -> Fact:
        """What began or ended."""
        return self.entity, self.what, self.target

    @property
    def entities(self) -> tuple[int, ...]:
        """The ids that it is about."""
        return (self.entity,) if self.target is None else (self.entity, self.target)


def plain_relation(what: str) -> str:
    """Return a relation with `HOLDS` for either hand."""
    return HOLDS if what in HOLDING else what


def read_changes(facts: Mapping[str, Json] | None) -> tuple[Change, ...]:
    """Return the changes that facts list; none where there are no facts.

    Raises:
        RecordError: they do not have the form that `pathei.envs.facts` describes.
    """
    listed = () if facts is None else facts.get("changes", ())
    try:
        return tuple([Change(sign == "+", node, what, *target) for sign, node, what, *target in listed])
    except _MALFORMED as error:
        raise RecordError(f"These are not changes of a graph ({type(error).__name__}: {error}).") from error


def read_nodes(facts: Mapping[str, Json] | None) -> dict[int, tuple[str, Sequence[str]]]:
    """Return the nodes that a step made, each with its kind and its states.

    Raises:
        RecordError: they do not have the form that `pathei.envs.facts` describes.
    """
    listed = () if facts is None else facts.get("nodes", ())
    try:
        return {node: (kind, states) for node, kind, states in listed}
    except _MALFORMED as error:
        raise RecordError(f"These are not nodes of a graph ({type(error).__name__}: {error}).") from error


class FactGraph:
    """Every fact at one moment."""

    __slots__ = ("characters", "into", "kinds", "out", "rooms", "states")

    kinds: dict[int, str]
    """The kind of each node: `{12: "cup"}`."""
    states: dict[int, set[str]]
    """The states of each node: `{12: {"DIRTY"}}`."""
    out: dict[int, set[tuple[str, int]]]
    """The edges that leave each node: `{12: {("ON", 7)}}`."""
    into: dict[int, set[tuple[str, int]]]
    """The edges that lead to each node: `{7: {("ON", 12)}}`."""
    rooms: frozenset[int]
    characters: tuple[int, ...]

    def __init__(self, graph: Mapping[str, Json]) -> None:
        """Read the graph of a reset.

        Raises:
            RecordError: it does not have the form that `pathei.envs.facts` describes.
        """
        try:
            self.kinds = {node[0]: node[1] for node in graph["nodes"]}
            self.states = {node[0]: set(node[2]) for node in graph["nodes"]}
            self.rooms = frozenset(graph["rooms"])
            self.characters = tuple(graph["characters"])
            self.out, self.into = {}, {}
            for source, relation, target in graph["edges"]:
                self.out.setdefault(source, set()).add((relation, target))
                self.into.setdefault(target, set()).add((relation, source))
        except _MALFORMED as error:
            raise RecordError(f"These are no facts of a graph ({type(error).__name__}: {error}).") from error

    @classmethod
    def of_facts(
        cls, facts: Iterable[Fact], kinds: Mapping[int, str], rooms: Iterable[int], characters: Iterable[int]
    ) -> FactGraph:
        """Return the graph of these facts.

        Args:
            facts: States and edges.
            kinds: The kind of each node, those without facts included, in the order of the nodes.
            rooms: Which nodes are rooms.
            characters: Which nodes act, in order.
        """
        states: dict[int, list[str]] = {}
        edges = []
        for source, what, target in sorted(facts, key=fact_order):
            if target is None:
                states.setdefault(source, []).append(what)
            else:
                edges.append([source, what, target])
        nodes = [[id_, kind, states.get(id_, [])] for id_, kind in kinds.items()]
        return cls({"nodes": nodes, "edges": edges, "rooms": list(rooms), "characters": list(characters)})

    @classmethod
    def of(cls, facts: Mapping[str, Json] | None) -> FactGraph | None:
        """Return the graph in the facts of a reset; None where they hold none, or one of another form.

        Raises:
            RecordError: it is malformed.
        """
        graph = (facts or {}).get("graph")
        return cls(graph) if isinstance(graph, Mapping) and graph.keys() >= _PARTS else None

    def copy(self) -> FactGraph:
        """Return the same facts, to be changed on their own."""
        other = object.__new__(FactGraph)
        other.kinds, other.rooms, other.characters = self.kinds, self.rooms, self.characters
        other.states = {node: set(states) for node, states in self.states.items()}
        other.out = {node: set(ends) for node, ends in self.out.items()}
        other.into = {node: set(ends) for node, ends in self.into.items()}
        return other

    def add(self, nodes: Mapping[int, tuple[str, Sequence[str]]]) -> None:
        """Add nodes that did not exist before, each with its kind and its states."""
        self.kinds = {**self.kinds, **{node: kind for node, (kind, _) in nodes.items()}}  # copies share the old one
        for node, (_, states) in nodes.items():
            self.states.setdefault(node, set()).update(states)

    def to_json(self) -> dict[str, Json]:
        """Return the graph in the form of `facts`, in a fixed order."""
        return {
            "nodes": [[node, kind, sorted(self.states[node])] for node, kind in self.kinds.items()],
            "edges": sorted([source, what, target] for source, ends in self.out.items() for what, target in ends),
            "rooms": sorted(self.rooms),
            "characters": list(self.characters),
        }

    def changes_to(self, after: FactGraph) -> list[Json]:
        """Return the changes that lead from here to another moment, in the form of `facts`, what ended first.

        For environments that make a new graph at every step; new nodes are listed by themselves (`nodes_new_in`).
        """
        return changes_between(self.facts(), after.facts())

    def nodes_new_in(self, after: FactGraph) -> list[Json]:
        """Return the nodes of another moment that do not exist here, in the form of `facts`."""
        return [
            [node, kind, sorted(after.states[node])] for node, kind in after.kinds.items() if node not in self.kinds
        ]

    def facts(self) -> set[Fact]:
        """Return everything that holds, as the environment writes it."""
        found: set[Fact] = {(node, state, None) for node, states in self.states.items() for state in states}
        found.update((source, what, target) for source, ends in self.out.items() for what, target in ends)
        return found

    def apply(self, change: Change) -> None:
        """Make one change."""
        begins, node, what, target = change
        if target is None:
            states = self.states.setdefault(node, set())
            (states.add if begins else states.discard)(what)
        elif begins:
            self.out.setdefault(node, set()).add((what, target))
            self.into.setdefault(target, set()).add((what, node))
        else:
            self.out.get(node, set()).discard((what, target))
            self.into.get(target, set()).discard((what, node))

    def has(self, source: int, relation: str, target: int) -> bool:
        """Return whether an edge holds; `HOLDS` stands for either hand."""
        ends = self.out.get(source, ())
        return any((one, target) in ends for one in (HOLDING if relation == HOLDS else (relation,)))

    def holder_of(self, node: int) -> int | None:
        """Return the character that holds a node."""
        return next((c for relation, c in self.into.get(node, ()) if relation in HOLDING), None)

    def held(self, character: int) -> list[int]:
        """Return what a character holds, by id."""
        return sorted({node for relation, node in self.out.get(character, ()) if relation in HOLDING})

    def location(self, node: int) -> Location:
        """Return where a node is. What is held or lies in something is in that one's room."""
        holder = self.holder_of(node)
        if holder is not None:
            return Location(self.room(holder), "HELD", holder)
        around = self._around(node)
        if around is not None:
            return Location(self.room(node), *around)
        return Location(self.room(node), "", None)

    def room(self, node: int) -> int | None:
        """Return the room of a node, by what carries or contains it."""
        for _ in range(len(self.kinds)):
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
        """Return what is directly ON or INSIDE a node, by id, without what somebody holds."""
        found = (source for kind, source in self.into.get(node, ()) if kind == relation)
        return sorted(n for n in found if self.holder_of(n) is None)

    def load(self, nodes: set[int]) -> set[int]:
        """Return nodes with what they hold and contain, which goes where they go; rooms go nowhere."""
        found: set[int] = set()
        fresh = nodes - self.rooms
        while fresh:
            found |= fresh
            below = set()
            for node in fresh:
                below |= {n for relation, n in self.into.get(node, ()) if relation in _AROUND}
                below |= {n for relation, n in self.out.get(node, ()) if relation in HOLDING}
            fresh = below - found
        return found

    def _around(self, node: int) -> tuple[str, int] | None:
        found = [
            (relation, target)
            for relation, target in self.out.get(node, ())
            if relation in _AROUND and target not in self.rooms
        ]
        return min(found) if found else None


def changes_between(before: Set[Fact], after: Set[Fact]) -> list[Json]:
    """Return what changed between two moments, in the form of `facts`, what ended first."""
    ended, begun = sorted(before - after, key=fact_order), sorted(after - before, key=fact_order)
    signed = [("-", fact) for fact in ended] + [("+", fact) for fact in begun]
    return [[sign, *fact[: 2 if fact[2] is None else 3]] for sign, fact in signed]


def fact_order(fact: Fact) -> tuple[int, str, int]:
    """Return a key that sorts facts."""
    return fact[0], fact[1], -1 if fact[2] is None else fact[2]

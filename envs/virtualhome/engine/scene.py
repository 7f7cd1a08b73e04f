"""A household as it is read from a graph file: what never changes, and how everything stood at the start.

A node's *index* (0, 1, 2, ... in ascending order of id) is used everywhere inside; ids appear in files, script lines
and observations only. Sets of nodes are bitsets: Python integers in which bit `i` stands for the node with index `i`.
Not here: bounding boxes and prefabs, which no rule reads; they are carried along untouched into `World.to_graph`.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from ....errors import GraphError
from .vocabulary import BACKDROP_CATEGORIES, CHARACTER_CLASS, PROPERTIES, RELATIONS, ROOM_CATEGORY, STATES

_NUMBERS: Final = {name: number for number, name in enumerate(RELATIONS)}


class Edge(NamedTuple):
    """A directed edge between two node indexes; `relation` is a place in `RELATIONS`."""

    source: int
    relation: int
    target: int


@lru_cache(maxsize=1 << 14)
def bits(bitset: int) -> tuple[int, ...]:
    """Return the indexes in a bitset, ascending; nearly every bitset of an episode comes back again and again."""
    found = []
    while bitset:
        low = bitset & -bitset
        found.append(low.bit_length() - 1)
        bitset ^= low
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One household graph, indexed. Build it with `from_graph` or `from_file`."""

    ids: tuple[int, ...]
    """Node ids, ascending, shape `[N]`; the place in this tuple is the index."""
    index: Mapping[int, int]
    """Node id to index."""
    classes: tuple[str, ...]
    """Class name of each node as script lines write it, in lower case and without spaces, shape `[N]`."""
    labels: tuple[str, ...]
    """Each node as observations and explanations name it: `"floor lamp (12)"`, shape `[N]`."""
    nodes: tuple[Mapping[str, Any], ...]
    """The node records as they were read, shape `[N]`."""
    states: tuple[int, ...]
    """For each state of `state_names`, the bitset of nodes that begin with it."""
    state_names: tuple[str, ...]
    """`STATES`, and whatever extra states were declared."""
    edges: tuple[Edge, ...]
    """The edges at the start, without duplicates."""
    in_order: Mapping[tuple[int, int], Sequence[int]]
    """For a node and a relation: where its edges lead at the start, in the order of the file."""
    rooms: int
    """Bitset of the rooms."""
    backdrop: int
    """Bitset of walls, floors, ceilings and windows, which observations list last and in groups."""
    characters: tuple[int, ...]
    """Indexes of the characters, in order of id."""
    of_class: Mapping[str, int]
    """Class name to the bitset of its nodes."""
    having: Mapping[str, int]
    """Property to the bitset of nodes that have it."""

    @property
    def everything(self) -> int:
        """The bitset of all nodes."""
        return (1 << len(self.ids)) - 1

    def union(self, classes: Iterable[str]) -> int:
        """Return the bitset of the nodes of any of these classes."""
        found = 0
        for name in classes:
            found |= self.of_class.get(name, 0)
        return found

    def name(self, node: int) -> str:
        """Return a node as script lines write it: `<cup> (12)`."""
        return f"<{self.classes[node]}> ({self.ids[node]})"

    @classmethod
    def from_file(
        cls, path: str | Path, *, extra_properties: Collection[str] = (), extra_states: Collection[str] = ()
    ) -> Scene:
        """Read a VirtualHome graph file (`{"nodes", "edges"}`, or RobotHow's `{"init_graph": ...}`); see `from_graph`.

        Raises:
            GraphError: the file cannot be read or is not a household; the message names the first problem.
        """
        try:
            data = Path(path).read_bytes()
        except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
            reason = getattr(error, "strerror", error)
            raise GraphError(f"The graph file {str(path)!r} cannot be read: {reason}.") from error
        try:
            graph = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise GraphError(f"The graph file {path} is not JSON: {error}.") from error
        if isinstance(graph, dict) and "init_graph" in graph:
            graph = graph["init_graph"]
        return cls.from_graph(graph, where=str(path), extra_properties=extra_properties, extra_states=extra_states)

    @classmethod
    def from_graph(
        cls,
        graph: Any,
        *,
        where: str = "the graph",
        extra_properties: Collection[str] = (),
        extra_states: Collection[str] = (),
    ) -> Scene:
        """Index a graph given as a dictionary.

        Args:
            graph: `{"nodes": [...], "edges": [...]}` in VirtualHome's form. Of two nodes with one id the last counts.
            where: What an error message calls it.
            extra_properties: Properties beyond VirtualHome's 23 that rules of your own use.
            extra_states: States beyond VirtualHome's 10 that rules of your own use.

        Raises:
            GraphError: it is not a household; the message names the first problem.
        """
        nodes = _read_nodes(graph, where)
        names = state_names(extra_states)
        states = dict.fromkeys(names, 0)
        having = dict.fromkeys(sorted(PROPERTIES | set(extra_properties)), 0)
        of_class: dict[str, int] = {}
        rooms = backdrop = 0
        classes = tuple(node["class_name"].lower().replace(" ", "_") for node in nodes)
        for i, (name, node) in enumerate(zip(classes, nodes, strict=True)):
            what = f"node {node['id']} ({name}) of {where}"
            of_class[name] = of_class.get(name, 0) | 1 << i
            for word in _words("properties", node, what):
                having[_word("property", word, having, what)] |= 1 << i
            for word in _words("states", node, what):
                states[_word("state", word, states, what)] |= 1 << i
            category = str(node.get("category"))
            if category == ROOM_CATEGORY:
                rooms |= 1 << i
            elif category in BACKDROP_CATEGORIES:
                backdrop |= 1 << i
        ids = tuple(node["id"] for node in nodes)
        index = {number: i for i, number in enumerate(ids)}
        characters = tuple(bits(of_class.get(CHARACTER_CLASS, 0)))
        for found, what in ((rooms, f"room (a node of category {ROOM_CATEGORY!r})"), (characters, "character")):
            if not found:
                raise GraphError(f"There is no {what} in {where}, so nobody can act there: add one.")
        return cls(
            ids=ids,
            index=index,
            classes=classes,
            labels=tuple(f"{name.replace('_', ' ')} ({i})" for name, i in zip(classes, ids, strict=True)),
            nodes=nodes,
            states=tuple(states.values()),
            state_names=names,
            edges=(edges := _read_edges(graph, index, where)),
            in_order=_in_order(edges),
            rooms=rooms,
            backdrop=backdrop,
            characters=characters,
            of_class=of_class,
            having=having,
        )


def state_names(extra: Iterable[str] = ()) -> tuple[str, ...]:
    """Return `STATES` and then the extra ones; a state's place in it is its number."""
    return tuple(dict.fromkeys((*STATES, *extra)))


def _read_nodes(graph: Any, where: str) -> tuple[dict[str, Any], ...]:
    if not isinstance(graph, dict) or not all(isinstance(graph.get(key), list) for key in ("nodes", "edges")):
        raise GraphError(f"A household graph is an object with the lists 'nodes' and 'edges'; {where} is not.")
    by_id: dict[int, dict[str, Any]] = {}
    for place, node in enumerate(graph["nodes"]):
        number, name = (node.get("id"), node.get("class_name")) if isinstance(node, dict) else (None, None)
        if type(number) is not int or number < 0 or not isinstance(name, str):
            raise GraphError(
                f"Node number {place} of {where} needs a whole number 'id', not below 0, and a string 'class_name'."
            )
        if not name or name != name.strip() or not name.isprintable() or set(name) & set("<>(){}"):
            raise GraphError(
                f"Node number {place} of {where} has the class name {name!r}, which no script line can hold: "
                "leave out brackets, braces and whatever is not printed."
            )
        by_id[node["id"]] = node
    return tuple(by_id[i] for i in sorted(by_id))


def _in_order(edges: Iterable[Edge]) -> dict[tuple[int, int], list[int]]:
    found: dict[tuple[int, int], list[int]] = {}
    for source, relation, target in edges:
        found.setdefault((source, relation), []).append(target)
    return found


def _read_edges(graph: Any, index: Mapping[int, int], where: str) -> tuple[Edge, ...]:
    edges: dict[Edge, None] = {}
    for place, edge in enumerate(graph["edges"]):
        try:
            source, relation, target = edge["from_id"], edge["relation_type"], edge["to_id"]
        except (TypeError, KeyError) as error:
            raise GraphError(f"The {_edge(place, where)} needs 'from_id', 'relation_type' and 'to_id'.") from error
        for end in (source, target):
            if type(end) is not int or end not in index:
                raise GraphError(f"The {_edge(place, where)} names node {end!r}, and there is no such node.")
        number = _NUMBERS.get(relation) if isinstance(relation, str) else None
        if number is None:
            number = _NUMBERS[_word("relation", relation, RELATIONS, _edge(place, where))]
        edges[Edge(index[source], number, index[target])] = None
    return tuple(edges)


def _edge(place: int, where: str) -> str:
    return f"edge number {place} of {where}"


def _words(key: str, node: Mapping[str, Any], what: str) -> Iterable[Any]:
    words = node.get(key) or ()
    if not isinstance(words, list | tuple):
        raise GraphError(f"The {what} needs a list of words as {key!r}, not {words!r}.")
    return words


def _word(kind: str, word: Any, known: Collection[str], what: str) -> str:
    upper = word.upper() if isinstance(word, str) else repr(word)
    if upper in known:
        return upper
    near = difflib.get_close_matches(upper, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}."
    raise GraphError(f"The {what} has the unknown {kind} {word!r}; {hint}")

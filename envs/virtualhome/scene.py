"""A household as it is read from a graph file: what never changes, and how everything stood at the start.

A node's *index* (0, 1, 2, ... in ascending order of id) is used everywhere inside; ids appear in files, script lines
and observations only. Sets of nodes are bitsets: Python integers in which bit `i` stands for the node with index `i`.
Left out: bounding boxes and prefabs, which no rule reads; they are carried along untouched into `World.to_graph`.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from ...errors import GraphError
from .vocabulary import BACKDROP_CATEGORIES, CHARACTER_CLASS, PROPERTIES, RELATIONS, ROOM_CATEGORY, STATES


class Edge(NamedTuple):
    """A directed edge between two node indexes; `relation` is a place in `RELATIONS`."""

    source: int
    relation: int
    target: int


def bits(bitset: int) -> Iterator[int]:
    """Yield the indexes in a bitset, ascending."""
    while bitset:
        low = bitset & -bitset
        yield low.bit_length() - 1
        bitset ^= low


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One household graph, indexed. Build it with `from_graph` or `from_file`."""

    ids: tuple[int, ...]
    """Node ids, ascending, shape `[N]`; the place in this tuple is the index."""
    index: Mapping[int, int]
    """Node id to index."""
    classes: tuple[str, ...]
    """Class name of each node, shape `[N]`."""
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
    rooms: int
    """Bitset of the rooms."""
    backdrop: int
    """Bitset of walls, floors, ceilings and windows, which observations tell last and in groups."""
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
    def from_file(cls, path: str | Path, **extra: Collection[str]) -> Scene:
        """Read a VirtualHome graph file (`{"nodes", "edges"}`, or RobotHow's `{"init_graph": ...}`).

        Raises:
            GraphError: the file cannot be read or is not a household; the message names the first fault.
        """
        try:
            graph = orjson.loads(Path(path).read_bytes())
        except OSError as error:
            raise GraphError(f"The graph file {path} cannot be read: {error.strerror}.") from error
        except orjson.JSONDecodeError as error:
            raise GraphError(f"The graph file {path} is not JSON: {error}.") from error
        if isinstance(graph, dict) and "init_graph" in graph:
            graph = graph["init_graph"]
        return cls.from_graph(graph, where=str(path), **extra)

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
            GraphError: it is not a household; the message names the first fault.
        """
        nodes = _read_nodes(graph, where)
        names = state_names(extra_states)
        states = dict.fromkeys(names, 0)
        having = dict.fromkeys(sorted(PROPERTIES | set(extra_properties)), 0)
        of_class: dict[str, int] = {}
        rooms = backdrop = 0
        for i, node in enumerate(nodes):
            what = f"node {node['id']} ({node['class_name']}) of {where}"
            of_class[node["class_name"]] = of_class.get(node["class_name"], 0) | 1 << i
            for word in node.get("properties") or ():
                having[_word("property", word, having, what)] |= 1 << i
            for word in node.get("states") or ():
                states[_word("state", word, states, what)] |= 1 << i
            if node.get("category") == ROOM_CATEGORY:
                rooms |= 1 << i
            elif node.get("category") in BACKDROP_CATEGORIES:
                backdrop |= 1 << i
        index = {node["id"]: i for i, node in enumerate(nodes)}
        characters = tuple(bits(of_class.get(CHARACTER_CLASS, 0)))
        for found, what in ((rooms, f"room (a node of category {ROOM_CATEGORY!r})"), (characters, "character")):
            if not found:
                raise GraphError(f"There is no {what} in {where}, so nobody can act there: add one.")
        return cls(
            ids=tuple(node["id"] for node in nodes),
            index=index,
            classes=tuple(node["class_name"] for node in nodes),
            labels=tuple(f"{node['class_name'].replace('_', ' ')} ({node['id']})" for node in nodes),
            nodes=nodes,
            states=tuple(states.values()),
            state_names=names,
            edges=_read_edges(graph, index, where),
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
        if not isinstance(node, dict) or type(node.get("id")) is not int or not isinstance(node.get("class_name"), str):
            raise GraphError(f"Node number {place} of {where} needs a whole number 'id' and a string 'class_name'.")
        by_id[node["id"]] = node
    return tuple(by_id[i] for i in sorted(by_id))


def _read_edges(graph: Any, index: Mapping[int, int], where: str) -> tuple[Edge, ...]:
    edges: dict[Edge, None] = {}
    for place, edge in enumerate(graph["edges"]):
        what = f"edge number {place} of {where}"
        try:
            source, relation, target = edge["from_id"], edge["relation_type"], edge["to_id"]
        except (TypeError, KeyError) as error:
            raise GraphError(f"The {what} needs 'from_id', 'relation_type' and 'to_id'.") from error
        for end in (source, target):
            if end not in index:
                raise GraphError(f"The {what} names node {end!r}, and there is no such node.")
        number = RELATIONS.index(_word("relation", relation, RELATIONS, what))
        edges[Edge(index[source], number, index[target])] = None
    return tuple(edges)


def _word(kind: str, word: Any, known: Collection[str], what: str) -> str:
    upper = word.upper() if isinstance(word, str) else repr(word)
    if upper in known:
        return upper
    near = difflib.get_close_matches(upper, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}."
    raise GraphError(f"The {what} has the unknown {kind} {word!r}; {hint}")

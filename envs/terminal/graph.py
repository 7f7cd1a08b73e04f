"""The files of a home directory as a graph of facts, and the goals that commands can bring about in it.

A node is a name, `"offer.txt"`, and is INSIDE every directory that holds something of that name: so a file that is
moved changes its place, and a copy has two. Its id follows from its name. States are FILE, DIRECTORY or LINK, and
EXECUTABLE and EMPTY; of several files of one name, the states of all. Kinds are names and not file types, because
commands name files; the type is the name's ending. Not here: contents, and files outside the home.
"""

from __future__ import annotations

import posixpath
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from ..facts import ConditionJson, FactGraph, NodeSelector, parse_condition
from ..facts.conditions import EdgeCondition, NotCondition
from ..facts.sentences import Rows
from ..graph_goals import GraphGoals, edge, kinds_of, state
from .files import Tree

USER: Final = "character"
HOME: Final = "home"
"""The kind of the home directory itself."""
_USER_ID: Final = 1
_KINDS: Final = {"file": "FILE", "dir": "DIRECTORY", "link": "LINK"}


@lru_cache(maxsize=1 << 14)
def node_of(name: str) -> int:
    """Return the id of a name."""
    return zlib.crc32(name.encode("utf-8", "replace")) >> 1 | 1 << 31


def read_tree(tree: Tree, home: str, cwd: str) -> FactGraph:
    """Return the files under a home directory as a graph.

    Args:
        tree: All files.
        home: The home directory, absolute.
        cwd: The working directory, absolute: the user is INSIDE it.
    """
    root = home.strip("/")
    top = node_of(HOME)
    kinds = {_USER_ID: USER, top: HOME}
    states: dict[int, set[str]] = {_USER_ID: set(), top: {"DIRECTORY"}}
    edges: set[tuple[int, str, int]] = set()
    inside = f"{root}/"
    for path, entry in tree.items():
        if not path.startswith(inside):
            continue
        above, _, name = path.rpartition("/")
        node = node_of(name)
        kinds[node] = name.encode("utf-8", "replace").decode()
        own = states.setdefault(node, set())
        own.add(_KINDS.get(entry.kind, "OTHER"))
        if entry.kind == "file":
            if entry.mode & 0o100:
                own.add("EXECUTABLE")
            if entry.size == 0:
                own.add("EMPTY")
        edges.add((node, "INSIDE", top if above == root else node_of(above.rpartition("/")[2])))
    where = cwd.strip("/")
    if where == root or where.startswith(inside):
        edges.add((_USER_ID, "INSIDE", top if where == root else node_of(where.rpartition("/")[2])))
    order = sorted(kinds, key=lambda node: (node != _USER_ID, node != top, kinds[node]))
    return FactGraph(
        {
            "nodes": [[node, kinds[node], sorted(states[node])] for node in order],
            "edges": [list(one) for one in sorted(edges)],
            "rooms": sorted(node for node, own in states.items() if "DIRECTORY" in own),
            "characters": [_USER_ID],
        }
    )


def path_of(graph: FactGraph, kind: str) -> str:
    """Return a path from the home to a name, the first in alphabetical order; the name itself if it is nowhere."""
    node, parts = node_of(kind), [kind]
    while len(parts) < len(graph.kinds):
        above = sorted(graph.kinds[target] for what, target in graph.out.get(node, ()) if what == "INSIDE")
        if not above or above[0] == HOME:
            break
        parts.append(above[0])
        node = node_of(above[0])
    return posixpath.join(*reversed(parts))


def say_condition(condition: ConditionJson, graph: FactGraph) -> str:
    """Return a condition in words, with paths in backquotes, as suggested commands need them."""
    if "not" in condition:
        inner = parse_condition(condition).condition
        assert isinstance(inner, NotCondition)
        if not isinstance(inner.inner, EdgeCondition):
            path, _, rest = say_condition(condition["not"], graph).partition("` is ")
            return f"{path}` is not {rest}"
        return f"`{path_of(graph, _one(inner.inner.source))}` is not there any more"
    if "node" in condition:
        return f"`{path_of(graph, condition['node']['class'])}` is {str(condition['state']).lower()}"
    source, place = condition["from"]["class"], condition["to"]["class"]
    there = "the home directory" if place == HOME else f"the directory `{path_of(graph, place)}`"
    if source == USER:
        return f"you are in {there}"
    if node_of(source) not in graph.kinds and source.endswith(".gz"):
        return f"`{path_of(graph, source.removesuffix('.gz'))}` is compressed, and its copy `{source}` is in {there}"
    return f"`{path_of(graph, source)}` is in {there}"


def possible(graph: FactGraph) -> Iterator[ConditionJson]:
    """Yield what commands can bring about: files made executable, removed, compressed, moved, directories entered."""
    files = kinds_of(graph, lambda node, _: "FILE" in graph.states[node])
    directories = kinds_of(graph, lambda node, _: "DIRECTORY" in graph.states[node])
    for kind in files:
        yield state(kind, "EXECUTABLE")
    for kind in files:
        for place in _places(graph, kind):
            yield {"not": edge(kind, "INSIDE", place)}
    for kind in files:
        if not kind.endswith(".gz"):
            for place in _places(graph, kind):
                yield edge(f"{kind}.gz", "INSIDE", place)
    for kind in files:
        for place in directories:
            yield edge(kind, "INSIDE", place)
    for place in directories:
        yield edge(USER, "INSIDE", place)


def _places(graph: FactGraph, kind: str) -> list[str]:
    return sorted(graph.kinds[target] for what, target in graph.out.get(node_of(kind), ()) if what == "INSIDE")


def _one(selector: NodeSelector) -> str:
    return selector.classes[0] if selector.classes else str(selector.ids[0])


_DIRECTORY: Final = "(?:the )?(?:directory |folder )?"
_SAID: Final[Rows] = (
    (r"X is compressed(?:, and its copy .+ is in .+)?", "X.gz INSIDE Y"),
    (r"(?:make|set) X executable", "X EXECUTABLE"),
    (r"X is executable", "X EXECUTABLE"),
    (rf"(?:move|mv|put|copy|cp) X (?:in|into|to) {_DIRECTORY}Y", "X INSIDE Y"),
    (rf"X is (?:in|inside) {_DIRECTORY}Y", "X INSIDE Y"),
    (r"X is (?:there|here)(?: any more)?", "X INSIDE Y"),
    (rf"(?:delete|remove|rm|erase) X from {_DIRECTORY}Y", "not X INSIDE Y"),
    (r"(?:delete|remove|rm|erase) X", "not X INSIDE Y"),
    (r"(?:compress|gzip|zip) X", "X.gz INSIDE Y"),
    (rf"(?:go to|cd(?: to)?|change to|enter|you are in|be in) {_DIRECTORY}X", "you INSIDE X"),
)
"""How goals are said."""


def _said(kind: str) -> str:
    return "home directory" if kind == HOME else kind


def goal_space() -> GraphGoals:
    """Return the goals of a home directory."""
    return GraphGoals(possible, say_condition, grows=True, rows=_SAID, noun=_said)  # files can be copied

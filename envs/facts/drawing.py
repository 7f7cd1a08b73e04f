"""Drawings of where an episode stands, as SVG: what all environments share, and the plan of rooms of any graph facts.

A drawing is a function `(task, seen) -> str` of the task and of the observations from the reset to the moment that is
drawn, facts included; empty where it has nothing to draw. The plan shows every room with what stands in it, what is on
and inside that, states, who is where, and in colour what the last step changed. Facts say nothing of walls and
distances, so rooms are boxes in a row. Not here: drawings of other kinds (`drawing` of the environments' folders).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from typing import Final, NamedTuple, TypeAlias

from ...errors import RecordError
from ...experience import Observation, Task
from .graph import PASSING, FactGraph, read_changes, read_nodes

Drawing: TypeAlias = Callable[[Task, Sequence[Observation]], str]
"""Draws the last of an episode's observations, as SVG."""

INK: Final = "#1d2126"
SOFT: Final = "#8a929c"
LINE: Final = "#cfd5dc"
CHANGED: Final = "#c2571a"
AGENT: Final = "#2a6fb0"
_WIDTH: Final = 236.0
_COLUMNS: Final = 3
_ROW: Final = 15.0
_NOT_XML: Final = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""Characters that XML 1.0 does not allow, section 2.2; recorded texts may hold any."""
_MOST: Final = 400
"""How many lines a plan shows at most."""


def svg(width: float, height: float, parts: Iterable[str]) -> str:
    """Return a whole picture on white ground.

    Args:
        width: In its own units, which are pixels at full size.
        height: Likewise.
        parts: What it shows, as SVG.
    """
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
    size = f'width="{width:.0f}" height="{height:.0f}" font-family="system-ui, sans-serif" font-size="12">'
    shown = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", "".join(parts))
    return f'{frame}{size}<rect width="100%" height="100%" fill="#fff"/>{shown}</svg>'


def box(x: float, y: float, width: float, height: float, *, fill: str = "none", line: str = LINE) -> str:
    """Return a rectangle."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} fill="{fill}" stroke="{line}"/>'


def words(
    x: float, y: float, text: str, *, colour: str = INK, bold: bool = False, middle: bool = False, size: int = 12
) -> str:
    """Return a line of text."""
    more = (' font-weight="600"' if bold else "") + (' text-anchor="middle"' if middle else "")
    more += f' font-size="{size}"' if size != 12 else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{more}>{escape(text)}</text>'


def path(points: Iterable[tuple[float, float]], *, colour: str = LINE, width: float = 1.0) -> str:
    """Return a line through points."""
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{through}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def pointer(x: float, y: float, degrees: float, size: float = 7.0) -> str:
    """Return the agent as an arrowhead; 0 degrees point upwards, and angles count clockwise."""
    shape = f"0,{-size} {0.7 * size},{0.8 * size} 0,{0.4 * size} {-0.7 * size},{0.8 * size}"
    return f'<polygon points="{shape}" fill="{AGENT}" transform="translate({x:.1f} {y:.1f}) rotate({degrees:.0f})"/>'


def graph_now(seen: Sequence[Observation]) -> FactGraph | None:
    """Return the graph of the last observation; None where the facts of the first hold none."""
    try:
        graph = FactGraph.of(seen[0].facts)
        for one in seen[1:]:
            if graph is not None:
                graph.add(read_nodes(one.facts))
                for change in read_changes(one.facts):
                    graph.apply(change)
    except RecordError:
        return None
    return graph


class _Line(NamedTuple):
    """One line of a room."""

    depth: int
    text: str
    states: str
    colour: str


def draw_rooms(task: Task, seen: Sequence[Observation]) -> str:
    """Draw the rooms of graph facts, with what is in them; empty where the facts name no rooms."""
    graph = graph_now(seen)
    if graph is None or not graph.rooms:
        return ""
    changed = {change.entity for change in read_changes(seen[-1].facts) if change.what not in PASSING}
    rooms = [(graph.kinds[room], list(_in_room(graph, room, changed))) for room in sorted(graph.rooms)]
    columns: list[list[tuple[str, list[_Line]]]] = [[] for _ in range(min(_COLUMNS, len(rooms)))]
    for room in rooms:
        min(columns, key=lambda column: sum(len(lines) + 3 for _, lines in column)).append(room)
    parts, height = list[str](), 0.0
    for number, column in enumerate(columns):
        x, y = 8 + number * (_WIDTH + 8), 8.0
        for name, lines in column:
            size = _ROW * (len(lines) + 1) + 12
            parts += [box(x, y, _WIDTH, size), words(x + 8, y + 16, name.replace("_", " "), bold=True)]
            for row, line in enumerate(lines):
                parts.append(_drawn(line, x + 8 + 10 * line.depth, y + 16 + _ROW * (row + 1)))
            y += size + 8
        height = max(height, y)
    return svg(16 + len(columns) * (_WIDTH + 8) - 8, height, parts)


def _in_room(graph: FactGraph, room: int, changed: set[int]) -> Iterator[_Line]:
    alone = [node for node in graph.contents(room, "INSIDE") if graph.location(node).holder is None]
    first = [node for node in alone if node in graph.characters]
    count = 0
    for node in [*first, *(one for one in alone if one not in graph.characters)]:
        for line in _with_contents(graph, node, "", 0, changed):
            count += 1
            if count > _MOST:
                yield _Line(0, "and more", "", SOFT)
                return
            yield line


def _with_contents(graph: FactGraph, node: int, how: str, depth: int, changed: set[int]) -> Iterator[_Line]:
    acts = node in graph.characters
    colour = CHANGED if node in changed else AGENT if acts else INK
    on = [graph.kinds.get(target, "") for what, target in graph.out.get(node, ()) if acts and what in ("ON", "SITTING")]
    name = f"{'● ' if acts else ''}{graph.kinds.get(node, 'something')} {node}{f' on {on[0]}' if on else ''}"
    states = " ".join(sorted(graph.states.get(node, ()))).lower().replace("_", " ")
    yield _Line(depth, f"{how}{name.replace('_', ' ')}", states, colour)
    if depth > 5:
        return
    inner = [("holds ", held) for held in graph.held(node)]
    inner += [(f"{how} ", one) for how in ("on", "inside") for one in graph.contents(node, how.upper())]
    for relation, one in inner:
        if one not in graph.characters:
            yield from _with_contents(graph, one, relation if relation != "on " else "", depth + 1, changed)


def _drawn(line: _Line, x: float, y: float) -> str:
    state = f'<tspan fill="{SOFT}" font-size="10"> {escape(line.states)}</tspan>' if line.states else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{line.colour}">{escape(line.text)}{state}</text>'

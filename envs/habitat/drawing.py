"""A home from above: rooms, furniture, what was moved and where, and the agent, at one moment of an episode."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from ...errors import ConfigError, DataError
from ...experience import Observation, Task
from ..facts.drawing import AGENT, CHANGED, INK, LINE, SOFT, box, graph_now, path, pointer, svg, words
from ..facts.graph import FactGraph, read_changes
from .graph import AGENT_ID, node_of
from .scenes.generate import generate_home, read_name
from .scenes.scene import Home, read_boxes

_SCALE: Final = 68.0
"""Pixels per metre."""
_MARGIN: Final = 12.0
_ROW: Final = 9
"""The height of a line of a label, and its size of type, in pixels."""
_WIDTH: Final = 0.56
"""The width of a letter for its size of type, about."""
_BOLD: Final = 0.66
"""The same of bold type."""
_FAR: Final = 45
"""How many thirds of a line a label is moved at most."""
_LINES: Final = 5
"""How many lines a piece of furniture has at most."""


class _Labels:
    """Places labels where none stands yet: as near as there is room, above or below, and within the picture."""

    def __init__(self, width: float) -> None:
        self._width = width
        self._taken: list[tuple[float, float, float, float]] = []

    def free(
        self, x: float, y: float, lines: Sequence[str], size: int = _ROW, *, middle: bool = False
    ) -> tuple[float, float]:
        """Return the left end of a label and the baseline of its first line, and take its place.

        Args:
            x: Its left end, or its middle.
            y: The baseline that it is to have.
            lines: Its lines.
            size: The size of type.
            middle: Whether `x` is the middle; then it is a name in bold type.
        """
        width, height = (_BOLD if middle else _WIDTH) * size * max(map(len, lines)), size * len(lines)
        left = x - width / 2 if middle else x
        moves = [
            (down * _ROW / 3, aside * width) for down in range(-_FAR, _FAR + 1) for aside in (0.0, -0.5, 0.5, -1.0)
        ]
        for down, aside in sorted(moves, key=lambda move: abs(move[0]) + abs(move[1])):
            start = max(0.0, min(left + aside, self._width - width))
            top = max(0.0, y + down - size)
            mine = start, top, start + width, top + height
            if not any(_meet(mine, other) for other in self._taken):
                break
        self._taken.append(mine)
        return mine[0], mine[1] + size


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def draw_home(task: Task, seen: Sequence[Observation]) -> str:
    """Draw the home; empty where the scene or the agent's pose is not known."""
    poses = [pose for one in seen if isinstance(pose := (one.facts or {}).get("pose"), list | tuple) and len(pose) == 8]
    try:
        home = _home(str(task.options.get("scene", "")))
    except (ConfigError, DataError):
        return ""
    if not home.rooms or not seen or len(poses) < len(seen):
        return ""
    corners = [corner for room in home.rooms for corner in room.polygon]
    left, top = min(x for x, _ in corners), min(z for _, z in corners)
    right, bottom = max(x for x, _ in corners), max(z for _, z in corners)

    def place(x: float, z: float) -> tuple[float, float]:
        return _MARGIN + (x - left) * _SCALE, _MARGIN + (z - top) * _SCALE

    parts, labels = list[str](), _Labels(2 * _MARGIN + (right - left) * _SCALE)
    for room in home.rooms:
        (x0, z0), _, (x1, z1), _ = room.polygon
        parts += [box(*place(x0, z0), (x1 - x0) * _SCALE, (z1 - z0) * _SCALE, fill="#f5f7f9", line=INK)]
    for door in home.doors:
        ends = (
            ((door.at, door.low), (door.at, door.high))
            if door.axis == 0
            else ((door.low, door.at), (door.high, door.at))
        )
        parts.append(path([place(*end) for end in ends], colour="#f5f7f9", width=12))
    graph = graph_now(seen)
    changed = {change.entity for change in read_changes(seen[-1].facts)}
    parts += _furniture(home, graph, changed, place, labels)
    for room in home.rooms:
        (x0, z0), _, (x1, z1), _ = room.polygon
        x, y = place((x0 + x1) / 2, (z0 + z1) / 2)
        name = room.name.replace("_", " ")
        parts.append(words(*labels.free(x, y, [name], 12, middle=True), name, colour=SOFT, bold=True))
    walked = [place(pose[0], pose[2]) for pose in poses]
    parts.append(path(walked, colour=AGENT, width=2))
    x, _, z, _, y, _, w, _ = poses[-1]
    parts.append(pointer(*place(x, z), -math.degrees(2 * math.atan2(y, w)), 11))
    held = [graph.kinds[node].replace("_", " ") for node in graph.held(AGENT_ID)] if graph else []
    low = place(left, bottom)[1] + 20
    parts.append(words(_MARGIN, low, f"in hand: {', '.join(held) or 'nothing'}", colour=CHANGED if held else SOFT))
    return svg(2 * _MARGIN + (right - left) * _SCALE, low + 10, parts)


def _furniture(
    home: Home,
    graph: FactGraph | None,
    changed: set[int],
    place: Callable[[float, float], tuple[float, float]],
    labels: _Labels,
) -> list[str]:
    """Return the furniture, with what is on and in it."""
    kinds = [thing.category for thing in home.things]
    names = [f"{kind}_{kinds[: n + 1].count(kind)}" if kinds.count(kind) > 1 else kind for n, kind in enumerate(kinds)]
    movable = {node_of(name) for name, thing in zip(names, home.things, strict=True) if thing.movable}
    parts, named = list[str](), list[str]()
    for name, thing in zip(names, home.things, strict=True):
        if thing.movable:
            continue
        node = node_of(name)
        (x0, _, z0), (x1, _, z1) = thing.box
        x, y = place(x0, z0)
        opened = graph is not None and "OPEN" in graph.states.get(node, ())
        line = CHANGED if node in changed else AGENT if opened else LINE
        parts.append(box(x, y, (x1 - x0) * _SCALE, (z1 - z0) * _SCALE, fill="#e6ebf0", line=line))
        lines = [(thing.category.replace("_", " ") + (" (open)" if opened else ""), INK)]
        for text, one in _contents(graph, node):
            if one in movable:
                lines.append((text, CHANGED if one in changed else SOFT))
        if len(lines) > _LINES:
            lines[_LINES - 1 :] = [(f"and {len(lines) - _LINES + 1} more", SOFT)]
        x, y = labels.free(x + 2, y + 10, [text for text, _ in lines])
        for row, (text, colour) in enumerate(lines):
            named.append(words(x, y + _ROW * row, text, colour=colour, size=_ROW))
    return parts + named


def _contents(graph: FactGraph | None, node: int) -> Iterator[tuple[str, int]]:
    """Yield what is on and in a piece of furniture: words for it, and its node."""
    for relation, how in (("ON", ""), ("INSIDE", "in: ")):
        for one in graph.contents(node, relation) if graph else ():
            yield f"{how}{graph.kinds[one].replace('_', ' ') if graph else ''}", one


@lru_cache(maxsize=8)
def _home(scene: str) -> Home:
    generated = read_name(scene)
    if generated is None and Path(scene).suffix != ".json":
        raise ConfigError(f"The scene {scene!r} cannot be drawn.")
    return read_boxes(Path(scene)) if generated is None else generate_home(*generated)

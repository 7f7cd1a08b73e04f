"""A MiniGrid level from above: walls, doors, objects and the agent, at one moment of an episode.

Walls and doors are those of the level, which is made again from the task; the rest is in the facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import orjson

from ...experience import Observation, Task, task_from_json
from .. import contract
from ..facts.drawing import LINE, box, graph_now, pointer, svg, words

_CELL: Final = 34.0
_COLOURS: Final = {
    "red": "#c8453b", "green": "#2b8a4b", "blue": "#2a6fb0", "purple": "#7d5ba6", "yellow": "#d9a13b", "grey": "#8a929c"
}  # fmt: skip


def draw_minigrid(task: Task, seen: Sequence[Observation]) -> str:
    """Draw the level; empty where the facts are not those of MiniGrid."""
    facts = seen[-1].facts or {}
    agent, objects = facts.get("agent"), facts.get("objects")
    if not isinstance(agent, list | tuple) or not isinstance(objects, list | tuple):
        return ""
    width, height, walls = _walls(orjson.dumps(task))
    cells = [(x, y) for x in range(width) for y in range(height)]
    parts = [box(x * _CELL, y * _CELL, _CELL, _CELL, fill="#5c636d" if (x, y) in walls else "none") for x, y in cells]
    graph = graph_now(seen)
    opened = {kind for node, kind in graph.kinds.items() if "OPEN" in graph.states[node]} if graph else set()
    for kind, colour, x, y in objects:
        parts.append(_thing(str(kind), _COLOURS.get(colour, LINE), x * _CELL, y * _CELL, f"{colour} {kind}" in opened))
    x, y, facing = agent
    parts.append(pointer((x + 0.5) * _CELL, (y + 0.5) * _CELL, 90 + 90 * facing, 11))
    return svg(width * _CELL, height * _CELL, parts)


def _thing(kind: str, colour: str, x: float, y: float, opened: bool) -> str:
    half = _CELL / 2
    if kind == "ball":
        return f'<circle cx="{x + half:.1f}" cy="{y + half:.1f}" r="{0.3 * _CELL:.1f}" fill="{colour}"/>'
    if kind == "door":
        return box(x + 3, y + 3, _CELL - 6, _CELL - 6, fill="none" if opened else colour, line=colour)
    if kind == "key":
        return words(x + half, y + half + 8, "⚷", colour=colour, bold=True, middle=True, size=24)
    return box(x + 8, y + 8, _CELL - 16, _CELL - 16, fill=colour, line=colour)


@lru_cache(maxsize=8)
def _walls(task: bytes) -> tuple[int, int, frozenset[tuple[int, int]]]:
    """Return the size of a task's level and where its walls are."""
    wanted = task_from_json(orjson.loads(task))
    env = contract.make(wanted)
    try:
        contract.reset(env, wanted)
        level: Any = env.unwrapped
        found: tuple[int, int, frozenset[tuple[int, int]]] = level.walls()
        return found
    finally:
        env.close()

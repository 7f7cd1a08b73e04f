"""The streets around an episode of Touchdown: the map, the way that was walked, and where the agent faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from ...errors import ConfigError, DataError
from ...experience import Observation, Task
from ..facts.drawing import AGENT, SOFT, path, pointer, svg, words
from .graph import StreetGraph
from .maps import map_named

_SIZE: Final = 640.0
_MARGIN: Final = 40.0
_AROUND: Final = 150.0
"""How far around the way streets are drawn, in metres."""
_METRES: Final = 111_195.0
"""Of one degree of latitude."""


def draw_streets(task: Task, seen: Sequence[Observation]) -> str:
    """Draw the streets near the way; empty where the facts or the map are not there."""
    found = [(one.facts or {}).get("pano") for one in seen]
    try:
        graph = map_named(str(task.options.get("map", "")))
    except (ConfigError, DataError):
        return ""
    walked = [graph.index[pano] for pano in found if isinstance(pano, str) and pano in graph.index]
    if len(walked) != len(seen):
        return ""
    at = _plane(graph, walked)
    (low_x, low_y), (high_x, high_y) = _frame([at[pano] for pano in walked])
    scale = (_SIZE - 2 * _MARGIN) / max(high_x - low_x, high_y - low_y)

    def place(pano: int) -> tuple[float, float]:
        x, y = at[pano]
        return _MARGIN + (x - low_x) * scale, _MARGIN + (high_y - y) * scale

    parts = [
        path([place(a), place(b)], width=5)
        for a, b in zip(graph.origins, graph.targets, strict=True)
        if a < b and low_x <= at[a][0] <= high_x and low_y <= at[a][1] <= high_y
    ]
    parts.append(path([place(pano) for pano in walked], colour=AGENT, width=2.5))
    start = place(walked[0])
    parts.append(
        f'<circle cx="{start[0]:.1f}" cy="{start[1]:.1f}" r="5" fill="#fff" stroke="{AGENT}" stroke-width="2"/>'
    )
    heading = (seen[-1].facts or {}).get("heading")
    parts.append(pointer(*place(walked[-1]), float(heading) if isinstance(heading, int | float) else 0.0, 9))
    parts.append(words(_MARGIN, _SIZE - 12, f"{(high_x - low_x):.0f} m across; north is up", colour=SOFT))
    return svg(_SIZE, _SIZE, parts)


def _plane(graph: StreetGraph, walked: Sequence[int]) -> list[tuple[float, float]]:
    """Return where every panorama is, in metres from the first, east and north."""
    latitude, longitude = graph.coordinates[walked[0]]
    east = _METRES * math.cos(math.radians(latitude))
    return [((lon - longitude) * east, (lat - latitude) * _METRES) for lat, lon in graph.coordinates]


def _frame(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the lower and upper corner of a square around points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    half = max(max(xs) - min(xs), max(ys) - min(ys)) / 2 + _AROUND
    x, y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    return (x - half, y - half), (x + half, y + half)

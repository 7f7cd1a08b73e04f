"""How well a route was followed, and how well a spot was found: the measures of Touchdown's two tasks.

Navigation (Chen et al. 2019, section 6): task completion, shortest-path distance, success weighted by edit distance;
and nDTW in the form that the published tables for Touchdown use (Zhu et al. 2021, VLN-Transformer), which differs from
that of Ilharco et al. 2019: distances are counted in links and divided by the root of the route's length. Spatial
description resolution: accuracy within 40, 80 and 120 pixels of a panorama of 3712 by 800.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, hypot, inf, sqrt
from typing import Final, NamedTuple

from .graph import StreetGraph

PANORAMA: Final = (3712, 800)
"""Width and height, in pixels, of the panoramas in which distances are measured."""
SDR_PIXELS: Final = (40, 80, 120)
_DTW_THRESHOLD: Final = 2.0


class Navigation(NamedTuple):
    """The measures of one walk."""

    tc: float
    """Task completion: 1 if it ended at the goal or in a panorama next to it, else 0."""
    spd: float
    """Shortest-path distance from its end to the goal, in links."""
    sed: float
    """Success weighted by edit distance: `tc` times one minus the edit distance over the longer of both routes."""
    ndtw: float
    """Normalised dynamic time warping, in [0, 1]; 1 for the very route."""


class Pointing(NamedTuple):
    """The measures of many answers to spatial descriptions."""

    accuracy: tuple[float, ...]
    """The share within 40, 80 and 120 pixels."""
    consistency: tuple[float, ...]
    """The share of descriptions of which every panorama was answered within that distance."""
    distance: float
    """The mean distance in pixels."""


def navigation(graph: StreetGraph, walked: Sequence[int], route: Sequence[int], *, dtw: bool = True) -> Navigation:
    """Measure a walk.

    Args:
        graph: The streets.
        walked: The panoramas that were visited, the first one included, repeated ones only where they were left.
        route: The panoramas of the reference route; its last is the goal.
        dtw: Whether to work out nDTW, which takes a breadth-first search for each panorama of the route.
    """
    goal, end = route[-1], walked[-1]
    done = float(end == goal or end in graph.neighbours(goal))
    sed = done * (1 - edit_distance(walked, route) / max(len(walked), len(route)))
    away = graph.distances(goal)[end]
    return Navigation(done, float(away) if away >= 0 else inf, sed, _ndtw(graph, walked, route) if dtw else 0.0)


def edit_distance(first: Sequence[int], second: Sequence[int]) -> int:
    """Return Levenshtein's distance: the fewest insertions, deletions and replacements."""
    row = list(range(len(second) + 1))
    for number, one in enumerate(first, start=1):
        diagonal, row[0] = row[0], number
        for place, other in enumerate(second, start=1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (one != other))
    return row[-1]


def pointing(
    answers: Sequence[Sequence[tuple[float, float]]], targets: Sequence[Sequence[tuple[float, float]]]
) -> Pointing:
    """Measure answers to spatial descriptions.

    Args:
        answers: For each description, for each of its panoramas, the point that was chosen: `x` and `y` as shares of
            the panorama's width and height, in [0, 1], from the upper left corner.
        targets: The same for where Touchdown is.
    """
    width, height = PANORAMA
    apart = [
        [hypot((x - x2) * width, (y - y2) * height) for (x, y), (x2, y2) in zip(answer, target, strict=True)]
        for answer, target in zip(answers, targets, strict=True)
    ]
    flat = [one for some in apart for one in some]
    return Pointing(
        tuple(sum(one < limit for one in flat) / len(flat) for limit in SDR_PIXELS),
        tuple(sum(all(one < limit for one in some) for some in apart) / len(apart) for limit in SDR_PIXELS),
        sum(flat) / len(flat),
    )


def _ndtw(graph: StreetGraph, walked: Sequence[int], route: Sequence[int]) -> float:
    maps = [graph.distances(pano) for pano in route]
    row = [0.0] + [inf] * len(route)
    for pano in walked:
        before, row = row, [inf] * (len(route) + 1)
        for place, distances in enumerate(maps, start=1):
            row[place] = distances[pano] + min(before[place], row[place - 1], before[place - 1])
    return exp(-row[-1] / (_DTW_THRESHOLD * sqrt(len(route))))

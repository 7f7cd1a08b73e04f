"""Small towns, generated: a street graph in Touchdown's form and routes with instructions, so that nothing is needed.

A town is a bent grid of streets with gaps, so that there are crossings, three-way junctions and corners. Instructions
name what the setting without images shows: junctions, turns and distances. They are templates, not human language, and
figures on towns say nothing about Touchdown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from math import atan2, cos, degrees, hypot, radians
from typing import Final

import numpy as np

from .graph import StreetGraph
from .routes import Route

_BLOCKS: Final = (4, 5)
"""The number of crossings from south to north and from west to east."""
_BLOCK: Final = 75.0
"""The length of a block in metres, more or less."""
_STRIDE: Final = 10.0
"""From one panorama to the next, in metres, more or less; in Touchdown 9.5."""
_GAPS: Final = 0.15
"""So much of the streets is missing."""
_ORIGIN: Final = (40.73, -73.99)
_METRES: Final = 111_320.0
"""Metres per degree of latitude."""
_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth")

Edge = tuple[int, int]


@lru_cache(maxsize=32)
def town(seed: int) -> StreetGraph:
    """Return a town; the last ones are kept."""
    rng = np.random.default_rng([seed, 0])
    rows, columns = _BLOCKS
    crossings = [
        np.array([column * _BLOCK, row * _BLOCK]) + rng.uniform(-12, 12, 2)
        for row in range(rows)
        for column in range(columns)
    ]
    points = list(crossings)
    joined: list[Edge] = []
    for first, second in _streets(rows, columns, rng):
        gap = crossings[second] - crossings[first]
        between = max(1, round(float(hypot(*gap)) / _STRIDE) - 1)
        chain = [first, *range(len(points), len(points) + between), second]
        points += [crossings[first] + gap * (step + 1) / (between + 1) for step in range(between)]
        joined += pairwise(chain)
    names = [f"t{seed}-{number}" for number in range(len(points))]
    nodes = [(name, 0, *_coordinates(point)) for name, point in zip(names, points, strict=True)]
    links = [
        (names[here], _heading(points[here], points[there]), names[there])
        for one, other in joined
        for here, there in ((one, other), (other, one))
    ]
    return StreetGraph(nodes, links, f"town {seed}")


def town_routes(seed: int, count: int) -> Sequence[Route]:
    """Return routes through a town, each with an instruction; the first ones do not depend on `count`."""
    graph = town(seed)
    rng = np.random.default_rng([seed, 1])
    return [_route(graph, f"town:{seed}/{number}", rng) for number in range(count)]


def _streets(rows: int, columns: int, rng: np.random.Generator) -> list[Edge]:
    """Return pairs of crossings that a street joins: a grid, less some, with every crossing on two streets or more."""
    grid = [
        (row * columns + column, row * columns + column + 1) for row in range(rows) for column in range(columns - 1)
    ]
    grid += [
        (row * columns + column, (row + 1) * columns + column) for row in range(rows - 1) for column in range(columns)
    ]
    ways = np.bincount(np.array(grid).ravel())
    kept = list(grid)
    for place in rng.permutation(len(grid))[: round(_GAPS * len(grid))]:
        first, second = grid[int(place)]
        # Three-way junctions come of it; a crossing on two streets would be a corner inside the town.
        if ways[first] > 3 and ways[second] > 3:
            kept.remove((first, second))
            ways[[first, second]] -= 1
    return kept


def _route(graph: StreetGraph, id_: str, rng: np.random.Generator) -> Route:
    """Walk from the middle of a street over one to four junctions, and tell the way."""
    middles = [pano for pano, ways in enumerate(graph.ways) if ways == 2]
    start = int(rng.choice(middles))
    link = int(rng.choice(list(graph.links[start])))
    first, decisions = link, int(rng.integers(1, 5))
    panos, turns = [start], list[tuple[str, int]]()
    after = 0
    while decisions or after < int(turns[-1][1]):
        pano = graph.targets[link]
        if pano in panos:
            break
        panos.append(pano)
        after += 1
        arriving = graph.moves[0][link]
        if graph.ways[pano] > 2 and decisions:
            back = _reverse(graph, link)
            arriving = int(rng.choice([other for other in graph.links[pano] if other != back]))
            turns.append((_turn(graph.headings[link], graph.headings[arriving]), int(rng.integers(1, 5))))
            decisions, after = decisions - 1, 0
        link = arriving
    heading = (graph.headings[first] + float(rng.uniform(-60, 60))) % 360
    away = float(rng.random()) < 0.3
    if away:
        heading = (heading + 180) % 360
    text = " ".join(_told([turn for turn, _ in turns], after, away, rng))
    return Route(id_, text, tuple(graph.panos[pano] for pano in panos), heading)


def _told(turns: Sequence[str], after: int, away: bool, rng: np.random.Generator) -> Iterator[str]:
    """Yield the sentences of an instruction."""

    def one_of(*choices: str) -> str:
        return choices[int(rng.integers(len(choices)))]

    if away:
        yield one_of("You face the wrong way: turn around first.", "Start by turning around.", "Turn round.")
    yield one_of("Walk along the street.", "Go forward.", "Follow the street in front of you.", "Head straight on.")
    passed = 0
    for turn in turns:
        if turn == "straight":
            passed += 1
            continue
        where = (
            f"the {_ORDINALS[passed]} intersection" if passed else one_of("the next intersection", "the intersection")
        )
        yield one_of(f"At {where} turn {turn}.", f"Take a {turn} at {where}.", f"When you come to {where}, go {turn}.")
        passed = 0
    if passed:
        yield f"Go straight through the next {'intersection' if passed == 1 else f'{passed} intersections'}."
    if after:
        metres = round(after * _STRIDE)
        yield one_of(
            f"After about {metres} metres stop.", f"Stop {metres} metres further on.", f"Go {metres} metres and stop."
        )
    else:
        yield one_of("Stop there.", "That is where you stop.")


def _turn(before: int, after: int) -> str:
    relative = (after - before + 180) % 360 - 180
    return "straight" if abs(relative) < 45 else "left" if relative < 0 else "right"


def _reverse(graph: StreetGraph, link: int) -> int:
    origin, pano = graph.origins[link], graph.targets[link]
    return next(other for other in graph.links[pano] if graph.targets[other] == origin)


def _heading(here: np.ndarray, there: np.ndarray) -> int:
    east, north = there - here
    return round(degrees(atan2(float(east), float(north)))) % 360


def _coordinates(point: np.ndarray) -> tuple[float, float]:
    latitude, longitude = _ORIGIN
    east, north = (float(value) for value in point)
    return latitude + north / _METRES, longitude + east / (_METRES * cos(radians(latitude)))

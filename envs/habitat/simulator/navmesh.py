"""Where an agent with a radius can stand, made as habitat-sim makes its navigation mesh with Recast.

Boxes become columns of voxels (cells of 5 cm, 20 cm high); floor with enough room above it is eroded by the agent's
radius in Recast's chamfer distance; parts of less than a square metre are left out; the outlines are simplified to
within 1.3 cells. The result is polygons on one floor, for each part (island) its own. Not here: Recast's partition into
regions (outlines are simplified whole, so a corner may differ by a cell), slopes, steps and further storeys.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....errors import DataError
from ..backend import Vector
from ..scenes.scene import Solid, Thing, bounds

CELL: Final = 0.05
"""The width of a cell in metres, as in habitat-sim."""
CELL_HEIGHT: Final = 0.2
CLIMB: Final = 1
"""How many layers an agent steps up: habitat-sim's 20 cm."""
_MAX_ERROR: Final = 1.3
_MOST: Final = 40_000_000
"""How many cells a scene has at most: 100,000 square metres."""
_LEAST: Final = 400
"""How many cells an island has at least, as in habitat-sim."""
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


class NavMesh(NamedTuple):
    """One island: free space of a floor in which each place can be reached from each other, as polygons `(x, z)`."""

    loops: tuple[Floats, ...]
    """The outlines, each of shape `[corners, 2]`, with the free space on the left, seen with z up the page."""
    free: Mask
    """The cells that are free before simplification, shape `[x, z]`."""
    origin: tuple[float, float]
    """The `(x, z)` of the first corner of the first cell."""
    height: float
    """The height of an agent's feet; habitat-sim rounds it up to whole cells."""


def fixed_corners(structure: Sequence[Solid], things: Sequence[Thing]) -> tuple[Floats, Floats]:
    """Return the lower and the upper corners of all fixed boxes as they are at first, rounded as habitat-sim's are.

    It adds the middle of a thing and its corners there in single precision, and the last bit decides which cell a face
    on the border of two belongs to.

    Args:
        structure: Floors, walls and ceilings.
        things: The things; movable ones are not in the way.
    """
    low, high = [one.low for one in structure], [one.high for one in structure]
    for thing in things:
        if not thing.movable:
            shown = thing.opened if thing.starts_open and thing.opened else thing.solids
            middle = (np.array(bounds(shown)[0]) + np.array(bounds(shown)[1])) / 2
            for one in shown:
                for corners, corner in ((low, one.low), (high, one.high)):
                    summed = middle.astype(np.float32) + (np.array(corner) - middle).astype(np.float32)
                    corners.append(tuple(summed.tolist()))
    return np.array(low), np.array(high)


def build_navmeshes(low: Floats, high: Floats, radius: float, height: float) -> list[NavMesh]:
    """Build the navigation mesh among boxes, and return its islands, the largest first.

    Args:
        low: The lower corners of all fixed boxes, floor included, shape `[boxes, 3]`.
        high: Their upper corners.
        radius: The agent's radius in metres.
        height: The agent's height in metres.

    Raises:
        DataError: nothing is free, or the scene is too large.
    """
    single = np.float32
    lo, hi = low.astype(single), high.astype(single)
    start, end = lo.min(0), hi.max(0)
    per_cell, per_layer = single(1) / single(CELL), single(1) / single(CELL_HEIGHT)
    width, depth = (int((end[axis] - start[axis]) / single(CELL) + single(0.5)) for axis in (0, 2))
    if width * depth > _MOST:
        raise DataError(f"The scene is too large: {width * CELL:,.0f} by {depth * CELL:,.0f} m.")
    first = ((lo - start) * per_cell).astype(int)
    last = ((hi - start) * per_cell).astype(int)
    bottom = np.floor((lo[:, 1] - start[1]) * per_layer).astype(int)
    top = np.maximum(np.ceil((hi[:, 1] - start[1]) * per_layer).astype(int), bottom + 1)
    layers = math.ceil(single(height) / single(CELL_HEIGHT))
    # What is above an agent's head does not matter.
    solid = np.zeros((width, depth, 1 + layers + CLIMB), dtype=bool)
    for (x0, _, z0), (x1, _, z1), y0, y1 in zip(first, last, bottom, top, strict=True):
        solid[x0 : min(x1, width - 1) + 1, z0 : min(z1, depth - 1) + 1, y0:y1] = True
    # An agent steps up by one layer of voxels: onto the foot of a lamp, or a low box.
    tops = [solid[:, :, top] & ~solid[:, :, top + 1 : top + 1 + layers].any(2) for top in range(1 + CLIMB)]
    walkable = np.logical_or.reduce(tops)
    parts = _parts(_eroded(walkable, math.ceil(single(radius) / single(CELL))))
    if not parts:
        raise DataError("There is no room to stand in this scene.")
    origin, floor = (float(start[0]), float(start[2])), float(start[1]) + CELL_HEIGHT
    # The largest is kept in any case: a scene may be small.
    return [NavMesh(_loops(one, origin), one, origin, floor) for one in parts if one is parts[0] or one.sum() >= _LEAST]


def with_barriers(mesh: NavMesh, boxes: Sequence[tuple[Vector, Vector]], radius: float) -> NavMesh:
    """Return a mesh without the places that are nearer than a radius to some boxes; it may come apart.

    Args:
        mesh: The mesh.
        boxes: The lower and the upper corner of each box; heights are ignored.
        radius: The agent's radius in metres.

    Raises:
        DataError: nothing is left.
    """
    free, cells = mesh.free.copy(), np.indices(mesh.free.shape).astype(float)
    x, z = (mesh.origin[axis] + (cells[axis] + 0.5) * CELL for axis in (0, 1))
    for (x0, _, z0), (x1, _, z1) in boxes:
        off = np.hypot(np.maximum(np.maximum(x0 - x, x - x1), 0.0), np.maximum(np.maximum(z0 - z, z - z1), 0.0))
        free &= off >= radius
    if not free.any():
        raise DataError("There is no room to stand in this scene.")
    return NavMesh(_loops(free, mesh.origin), free, mesh.origin, mesh.height)


def _loops(free: Mask, origin: tuple[float, float]) -> tuple[Floats, ...]:
    return tuple(np.array(_simplified(loop), dtype=np.float64) * CELL + np.array(origin) for loop in _outlines(free))


def _eroded(walkable: Mask, radius: int) -> Mask:
    """Return the cells at least `radius` cells away from the edge of what is walkable, in the chamfer distance."""
    padded = np.pad(walkable, 1)
    inner = padded[2:, 1:-1] & padded[:-2, 1:-1] & padded[1:-1, 2:] & padded[1:-1, :-2]
    edge = ~(walkable & inner)
    width, depth = walkable.shape
    wide = np.pad(edge, radius)
    near = edge.copy()
    for across in range(-radius, radius + 1):
        for along in range(-radius, radius + 1):
            if 2 * max(abs(across), abs(along)) + min(abs(across), abs(along)) < 2 * radius:
                near |= wide[radius + across : radius + across + width, radius + along : radius + along + depth]
    return np.asarray(~near)


def _parts(mask: Mask) -> list[Mask]:
    """Return the parts of a mask that are connected along edges, the largest first."""
    left, found = mask.copy(), list[Mask]()
    while left.any():
        part = np.zeros_like(mask)
        part[tuple(np.argwhere(left)[0])] = True
        while True:
            grown = part.copy()
            for axis in (0, 1):
                # Runs along one axis at a time: a wave of single cells would take hundreds of rounds.
                grown |= _flooded(grown, left, axis)
            if (grown == part).all():
                break
            part = grown
        left &= ~part
        found.append(part)
    return sorted(found, key=lambda part: -int(part.sum()))


def _flooded(part: Mask, mask: Mask, axis: int) -> Mask:
    """Return the cells of a mask in a run along an axis that contains a cell of the part."""
    turned, seeds = (mask, part) if axis == 1 else (mask.T, part.T)
    flat = np.pad(turned, ((0, 0), (1, 0))).ravel()
    runs = np.cumsum(np.diff(flat.astype(np.int8), prepend=0) == 1)
    taken = np.zeros(int(runs[-1]) + 1, dtype=bool)
    taken[runs[np.pad(seeds, ((0, 0), (1, 0))).ravel()]] = True
    found = (flat & taken[runs]).reshape(turned.shape[0], -1)[:, 1:]
    return np.asarray(found if axis == 1 else found.T)


def _outlines(mask: Mask) -> list[list[tuple[int, int]]]:
    """Return the outlines of a mask as corners of cells, with the inside on the left, each edge a corner."""
    padded = np.pad(mask, 1)
    edges: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for (dx, dz), (x0, z0), (x1, z1) in (
        ((0, -1), (0, 0), (1, 0)), ((1, 0), (1, 0), (1, 1)), ((0, 1), (1, 1), (0, 1)), ((-1, 0), (0, 1), (0, 0)),
    ):  # fmt: skip
        width, depth = mask.shape
        other = padded[1 + dx : 1 + dx + width, 1 + dz : 1 + dz + depth]
        for x, z in np.argwhere(mask & ~other).tolist():
            edges.setdefault((x + x0, z + z0), []).append((x + x1, z + z1))
    loops = []
    while edges:
        start = min(edges)
        loop, here, before = [start], edges[start].pop(), start
        while here != start:
            loop.append(here)
            ways = edges[here]
            # Where two cells touch at a corner only, turn left: they are not connected.
            turn = max(ways, key=lambda way: _cross(before, here, way))
            ways.remove(turn)
            before, here = here, turn
        for corner in loop:
            if not edges.get(corner, True):
                del edges[corner]
        loops.append(loop)
    return loops


def _cross(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    return (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])


def _simplified(loop: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return an outline with as few corners as keep it within the error, by Recast's rule."""
    points = np.array(loop)
    count = len(loop)
    kept = sorted({min(range(count), key=lambda at: loop[at]), max(range(count), key=lambda at: loop[at])})
    place = 0
    while place < len(kept):
        a, b = kept[place], kept[(place + 1) % len(kept)]
        between = np.arange(a + 1, b + count * (b <= a)) % count
        if loop[b] < loop[a]:
            between = between[::-1]  # ties fall the same way whichever way an edge is walked
        if len(between):
            away = _away(points[between], points[a], points[b])
            worst = int(away.argmax())
            if away[worst] > _MAX_ERROR**2:
                kept.insert(place + 1, int(between[worst]))
                continue
        place += 1
    return [loop[at] for at in kept]


def _away(points: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64]) -> Floats:
    """Return the squared distance of points from a segment."""
    along, from_a = (b - a).astype(float), (points - a).astype(float)
    share = np.clip(from_a @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
    off = from_a - share[:, None] * along
    return np.asarray((off * off).sum(1))

"""Walking and shortest paths on a `NavMesh`: sliding steps, nearest free places, geodesic distances.

Shortest paths bend at corners of the outlines that stick into the free space. Which of them see each other, and the
distances between them, are worked out once for a mesh; a query then looks only at what its two ends see. Not here:
heights.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import Vector
from .navmesh import CELL, NavMesh

Floats = NDArray[np.float64]
Point = tuple[float, float]
_OFF: Final = 1e-4
"""Corners of paths keep this distance from the walls, in metres, so that no line only just touches one."""
_SURE: Final = 2
_CORNER: Final = 0.7072 * CELL
"""How far a cell's corners are from its middle, in metres."""
_FAR: Final = 2.0
"""How far from the mesh habitat-sim looks for it, along each axis, in metres: what is farther away has no way to it."""
_TOUCH: Final = 1e-7
"""Who is nearer to a wall than this stands at it, in metres."""
_STRIDE: Final = 0.3
"""In metres: up to this length of a step, the walls around it are remembered."""
_DETOUR: Final = 1.6
"""How much longer the way to where a step ends may be than the step: pi / 2, within the circle that Detour looks in."""
_TRIED: Final = 16
_KEPT: Final = 65_536
_KEPT_FIELDS: Final = 64


class _Edge(NamedTuple):
    """An edge of an outline: where it begins, how it runs on, and the square of its length."""

    x: float
    z: float
    end: float
    """The z of its end."""
    dx: float
    dz: float
    length2: float

    def nearest(self, x: float, z: float) -> Point:
        """Return its nearest place to another."""
        share = min(max(((x - self.x) * self.dx + (z - self.z) * self.dz) / self.length2, 0.0), 1.0)
        return self.x + share * self.dx, self.z + share * self.dz

    def bars(self, start: Point, end: Point) -> bool:
        """Return whether a straight way leaves the free space here, which is on the left of the edge."""
        x0, z0, _, dx, dz, length2 = self
        slack = 1e-9 * math.sqrt(length2)
        x, z = end
        if dx * (z - z0) - dz * (x - x0) >= -slack:
            return False
        a, b = start
        if dx * (b - z0) - dz * (a - x0) < -slack:
            return False
        one = (x - a) * (z0 - b) - (z - b) * (x0 - a)
        other = one + (x - a) * dz - (z - b) * dx
        return min(one, other) <= slack and max(one, other) >= -slack


class _View(NamedTuple):
    """What a place sees."""

    nodes: NDArray[np.intp]
    distances: Floats


class _Field(NamedTuple):
    """The way to the nearest of several goals: the places from which it is known, the goals before the corners."""

    places: Floats
    """Shape `[goals + corners, 2]`."""
    sides: NDArray[np.bool_]
    """Shape `[goals + corners, edges]`."""
    left: Floats
    """The distance from each to the nearest goal, shape `[goals + corners]`."""


class MeshPaths:
    """Queries on one mesh; repeated ones are remembered."""

    def __init__(self, mesh: NavMesh) -> None:
        """Prepare the graph of corners."""
        self.mesh = mesh
        loops = mesh.loops
        self._a = np.concatenate(loops)
        self._b = np.concatenate([np.roll(loop, -1, 0) for loop in loops])
        self._along = self._b - self._a
        self._length2 = (self._along**2).sum(1)
        # The corners of all outlines in one row, each outline closed; what lies between two of them is no edge.
        self._ring = np.concatenate([np.concatenate([loop, loop[:1]]) for loop in loops])
        ends = np.cumsum([len(loop) + 1 for loop in loops])[:-1] - 1
        self._is_edge = np.ones(len(self._ring) - 1, dtype=bool)
        self._is_edge[ends] = False
        self._sure = _inner(mesh.free, _SURE)
        self._near: dict[tuple[int, int], tuple[_Edge, ...]] = {}
        self._around: dict[tuple[int, int], tuple[_Edge, ...]] = {}
        self._rows: dict[int, tuple[_Edge, ...]] = {}
        self._views: dict[Point, _View] = {}
        self._found: dict[tuple[Point, Point], float] = {}
        self._ways: dict[tuple[Point, Point], tuple[Point, ...]] = {}
        self._fields: dict[tuple[Vector, ...], _Field] = {}
        self._nodes = self._corners()
        self._sides = self._side_of(self._nodes)
        between = self._seen_from_nodes()
        self._distances, self._via = _all_pairs(between)

    @property
    def floor(self) -> float:
        """The height of an agent's feet."""
        return self.mesh.height

    def _corners(self) -> Floats:
        """Return the corners at which a path may bend, a little off the wall."""
        before = np.concatenate([np.roll(loop, 1, 0) for loop in self.mesh.loops])
        into, out = self._a - before, self._b - self._a
        into /= np.linalg.norm(into, axis=1, keepdims=True)
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        bends = into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0] < 0
        normals = np.stack([-(into + out)[:, 1], (into + out)[:, 0]], 1)
        return np.asarray((self._a + _OFF * normals)[bends])

    def _side_of(self, points: Floats) -> NDArray[np.bool_]:
        """Return on which side of each edge points lie, shape `[points, corners of the outlines - 1]`."""
        x, along = points[:, None, :] - self._ring[:-1], self._ring[1:] - self._ring[:-1]
        return np.asarray((along[:, 0] * x[..., 1] - along[:, 1] * x[..., 0] > 0) & self._is_edge)

    def _blocked(self, start: Floats, ends: Floats, sides: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which ends a place does not see; `sides` is `_side_of(ends)`."""
        corners = self._ring - start
        above = (ends - start) @ np.array((corners[:, 1], -corners[:, 0])) > 0
        crossed = (above[:, 1:] != above[:, :-1]) & (sides != self._side_of(start[None]))
        return np.asarray(crossed.any(1))

    def _seen_from_nodes(self) -> Floats:
        nodes = self._nodes
        found = np.full((len(nodes), len(nodes)), np.inf)
        for number, node in enumerate(nodes):
            seen = ~self._blocked(node, nodes, self._sides)
            found[number, seen] = np.hypot(*(nodes[seen] - node).T)
        return np.asarray(np.minimum(found, found.T))

    def is_free(self, x: float, z: float) -> bool:
        """Return whether an agent can stand there."""
        column, row = self._cell(x, z)
        width, depth = self._sure.shape
        if not (0 <= column < width and 0 <= row < depth):
            return False
        if self._sure[column, row]:
            return True
        known = self._rows.get(row)
        if known is None:
            low, high = (self.mesh.origin[1] + (row + share) * CELL for share in (-0.01, 1.01))
            one, other = self._a[:, 1], self._b[:, 1]
            kept = (np.minimum(one, other) <= high) & (np.maximum(one, other) >= low)
            known = self._rows[row] = self._edges_where(kept)
        inside = False
        for edge in known:
            if (edge.z > z) != (edge.end > z) and x < edge.x + (z - edge.z) / edge.dz * edge.dx:
                inside = not inside
        return inside

    def nearest(self, x: float, z: float) -> Point:
        """Return the nearest place where an agent can stand."""
        if self.is_free(x, z):
            return x, z
        return min((one.nearest(x, z) for one in self._edges_near(x, z)), key=lambda on: _squared(on, (x, z)))

    def _edges_near(self, x: float, z: float) -> tuple[_Edge, ...]:
        """Return the edges of which one is the nearest to a place, among them all that are nearer than `_OFF`."""
        cell = self._cell(x, z)
        known = self._near.get(cell)
        if known is None:
            if len(self._near) >= _KEPT:
                self._near.clear()
            known = self._near[cell] = self._edges_of(cell, _OFF)
        return known

    def _cell(self, x: float, z: float) -> tuple[int, int]:
        return math.floor((x - self.mesh.origin[0]) / CELL), math.floor((z - self.mesh.origin[1]) / CELL)

    def _edges_of(self, cell: tuple[int, int], reach: float) -> tuple[_Edge, ...]:
        """Return the edges that may be within reach of a place in a cell, and those that may be the nearest to it."""
        middle = np.array(self.mesh.origin) + (np.array(cell) + 0.5) * CELL
        share = np.clip(((middle - self._a) * self._along).sum(1) / self._length2, 0.0, 1.0)
        away = np.hypot(*(self._a + share[:, None] * self._along - middle).T)
        # No place in the cell is farther from its middle than its corners.
        kept = away <= max(float(away.min()) + 2 * _CORNER, _CORNER + reach)
        return self._edges_where(kept)

    def _edges_where(self, kept: NDArray[np.bool_]) -> tuple[_Edge, ...]:
        rows = np.column_stack([self._a[kept], self._b[kept, 1], self._along[kept], self._length2[kept]])
        return tuple(_Edge(x, z, end, dx, dz, length2) for x, z, end, dx, dz, length2 in rows.tolist())

    def walk(self, start: Point, end: Point) -> Point:
        """Return where a walk to a place ends that slides along the walls, as `moveAlongSurface` of Detour finds it.

        That is the place nearest to the end to which a way leads that is hardly longer than the walk: what is behind a
        thin wall is not reached. Where no way at all leads to what is nearest, the walk ends where it began.
        """
        start, reached = self.nearest(*start), self.nearest(*end)
        if self._is_open(start, reached):
            return reached
        way, longest = self._query(start, reached)[0], _DETOUR * math.dist(start, end)
        if way <= longest:
            return reached
        if math.isinf(way):
            return start
        share = np.clip(((np.array(end) - self._a) * self._along).sum(1) / self._length2, 0.0, 1.0)
        places = self._a + share[:, None] * self._along
        away = np.hypot(*(places - end).T)
        tried = (_plain(places[one]) for one in away.argsort()[:_TRIED].tolist())
        return next((one for one in tried if self._query(start, one)[0] <= longest), self.straight(start, end))

    def _is_open(self, start: Point, end: Point) -> bool:
        """Return whether no wall lies between two places near each other, each of them free or on a wall."""
        if math.dist(start, end) > _STRIDE:
            return self._sees(self._inside(start), self._inside(end))
        cell = self._cell(*start)
        known = self._around.get(cell)
        if known is None:
            if len(self._around) >= _KEPT:
                self._around.clear()
            known = self._around[cell] = self._edges_of(cell, _STRIDE)
        return not any(one.bars(start, end) for one in known)

    def straight(self, start: Point, end: Point) -> Point:
        """Return where a walk in a straight line ends that stops at the first wall."""
        p, way = np.array(start), np.array(end) - np.array(start)
        # How far inside of each edge both ends are, times its length: the inside is on the left.
        off, length = self._a - p, np.sqrt(self._length2)
        before = off[:, 0] * self._along[:, 1] - off[:, 1] * self._along[:, 0]
        after = before - way[0] * self._along[:, 1] + way[1] * self._along[:, 0]
        out = (before >= -_TOUCH * length) & (after < -_TOUCH * length)
        share = np.clip(before[out] / (before[out] - after[out]), 0.0, 1.0)
        place = ((share[:, None] * way - off[out]) * self._along[out]).sum(1)
        hit = (place >= -_TOUCH * length[out]) & (place <= self._length2[out] + _TOUCH * length[out])
        reached = p + float(share[hit].min(initial=1.0)) * way
        return float(reached[0]), float(reached[1])

    def _view(self, point: Point) -> _View:
        view = self._views.get(point)
        if view is None:
            place = np.array(point)
            seen = np.flatnonzero(~self._blocked(place, self._nodes, self._sides))
            view = _View(seen, np.hypot(*(self._nodes[seen] - place).T))
            if len(self._views) >= _KEPT:
                self._views.clear()
            self._views[point] = view
        return view

    def _sees(self, start: Point, end: Point) -> bool:
        ends = np.array((end,))
        return not self._blocked(np.array(start), ends, self._side_of(ends))[0]

    def distance(self, start: Point, end: Point) -> float:
        """Return the geodesic distance of two places, each taken to the nearest free place."""
        known = self._found.get((start, end))
        if known is None:
            if len(self._found) >= _KEPT:
                self._found.clear()
            known = self._found[start, end] = self._query(start, end)[0]
        return known

    def nearest_distance(self, start: Point, goals: tuple[Vector, ...]) -> float:
        """Return the geodesic distance to the nearest of several goals, which are worked out once; heights are ignored.

        Far faster than one query for each goal. Infinite where there is no goal, or no way.
        """
        if not goals:
            return float("inf")
        field = self._fields.get(goals)
        if field is None:
            if len(self._fields) >= _KEPT_FIELDS:
                self._fields.clear()
            ends = [(near, (x, z)) for x, _, z in goals for near in [self._inside((x, z))]]
            reached = [near for near, end in ends if not _is_far(near, end)]
            field = self._fields[goals] = self._field(np.array(reached).reshape(-1, 2))
        inside = self._inside(start)
        if _is_far(inside, start):
            return float("inf")
        here = np.array(inside)
        seen = ~self._blocked(here, field.places, field.sides)
        ways = np.hypot(*(field.places[seen] - here).T) + field.left[seen]
        return float(ways.min(initial=np.inf))

    def _field(self, goals: Floats) -> _Field:
        direct = np.full(len(self._nodes), np.inf)
        for goal in goals:
            seen = ~self._blocked(goal, self._nodes, self._sides)
            direct[seen] = np.minimum(direct[seen], np.hypot(*(self._nodes[seen] - goal).T))
        from_nodes = (self._distances + direct).min(1, initial=np.inf)
        return _Field(
            np.concatenate([goals, self._nodes]),
            np.concatenate([self._side_of(goals), self._sides]),
            np.concatenate([np.zeros(len(goals)), from_nodes]),
        )

    def points(self, start: Point, end: Point) -> tuple[Point, ...]:
        """Return the corners of the shortest path, both ends included; empty where there is no way."""
        known = self._ways.get((start, end))
        if known is None:
            if len(self._ways) >= _KEPT:
                self._ways.clear()
            known = self._ways[start, end] = self._points(start, end)
        return known

    def _points(self, start: Point, end: Point) -> tuple[Point, ...]:
        length, first, last = self._query(start, end)
        if not np.isfinite(length):
            return ()
        middle: list[Point] = []
        if first >= 0:
            at = first
            middle.append(_plain(self._nodes[at]))
            while at != last:
                at = int(self._via[at, last])
                middle.append(_plain(self._nodes[at]))
        return (self._inside(start), *middle, self._inside(end))

    def _inside(self, point: Point) -> Point:
        """Return the nearest free place, a little off the wall: places on a wall see along it."""
        x, z = self.nearest(*point)
        column, row = self._cell(x, z)
        if self._sure[min(column, self._sure.shape[0] - 1), min(row, self._sure.shape[1] - 1)]:
            return x, z
        off = [one for one in self._edges_near(x, z) if _squared(one.nearest(x, z), (x, z)) < _OFF**2]
        for one in off:
            length = math.sqrt(one.length2)
            x, z = x - _OFF * one.dz / length, z + _OFF * one.dx / length
        return x, z

    def _query(self, start: Point, end: Point) -> tuple[float, int, int]:
        """Return the distance and the first and last corner between; -1 where the ends see each other."""
        a, b = self._inside(start), self._inside(end)
        if _is_far(a, start) or _is_far(b, end):
            return float("inf"), -1, -1
        if self._sees(a, b):
            return float(np.hypot(b[0] - a[0], b[1] - a[1])), -1, -1
        one, other = self._view(a), self._view(b)
        if not len(one.nodes) or not len(other.nodes):
            return float("inf"), -1, -1
        sums = one.distances[:, None] + self._distances[np.ix_(one.nodes, other.nodes)] + other.distances
        row, column = divmod(int(sums.argmin()), sums.shape[1])
        return float(sums[row, column]), int(one.nodes[row]), int(other.nodes[column])


def _is_far(near: Point, place: Point) -> bool:
    """Return whether a place is so far from the free space that it is not on it."""
    return max(abs(near[0] - place[0]), abs(near[1] - place[1])) > _FAR


def _squared(one: Point, other: Point) -> float:
    x, z = one[0] - other[0], one[1] - other[1]
    return x * x + z * z


def _plain(point: Floats) -> Point:
    return float(point[0]), float(point[1])


def _inner(free: NDArray[np.bool_], cells: int) -> NDArray[np.bool_]:
    """Return the cells that have only free cells around them, up to a distance."""
    wide = np.pad(free, cells)
    width, depth = free.shape
    found = free.copy()
    for across in range(2 * cells + 1):
        for along in range(2 * cells + 1):
            found &= wide[across : across + width, along : along + depth]
    return found


def _all_pairs(between: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Return the distances of all pairs of nodes, and the node after the first (Floyd-Warshall)."""
    distances = between.copy()
    following = np.broadcast_to(np.arange(len(between)), between.shape).copy()
    for middle in range(len(between)):
        through = distances[:, middle, None] + distances[middle]
        better = through < distances - 1e-12
        distances[better] = through[better]
        following[better] = np.broadcast_to(following[:, middle, None], better.shape)[better]
    return distances, following

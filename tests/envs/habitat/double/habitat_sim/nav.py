"""A double of `habitat_sim.nav`: the navigation mesh of boxes, with a roof as a second island."""

from __future__ import annotations

import math
import os
import signal
from typing import Any, ClassVar

import numpy as np
from strict_boxes import Boxes

from pathei.envs.habitat.simulator.navmesh import build_navmeshes
from pathei.envs.habitat.simulator.paths import MeshPaths

from .strict import Strict, vector

_FAR = 2.0
"""Farther than this from the mesh there is nothing to snap to, in metres."""


class NavMeshSettings(Strict):
    """What the mesh is made for."""

    fields: ClassVar[dict[str, Any]] = {"agent_radius": 0.0, "agent_height": 0.0, "include_static_objects": False}

    def set_defaults(self) -> None:
        """Take habitat-sim's defaults."""
        self.agent_radius, self.agent_height = 0.1, 1.5


class MultiGoalShortestPath:
    """A query and its answer."""

    def __init__(self) -> None:
        self._start: Any = None
        self._ends: list[Any] = []
        self.points: list[Any] = []
        self.geodesic_distance, self.closest_end_point_index = math.inf, -1

    @property
    def requested_start(self) -> Any:
        """Where the path begins."""
        return self._start

    @requested_start.setter
    def requested_start(self, value: Any) -> None:
        self._start = vector(value)

    @property
    def requested_ends(self) -> list[Any]:
        """Where it may end."""
        return self._ends

    @requested_ends.setter
    def requested_ends(self, values: Any) -> None:
        self._ends = [vector(value) for value in values]


class PathFinder:
    """Queries on the mesh; without one each of them crashes the process (trap 2)."""

    def __init__(self) -> None:
        self._islands: list[MeshPaths] = []
        self._rng = np.random.default_rng(0)

    @property
    def is_loaded(self) -> bool:
        """Whether there is a mesh."""
        return bool(self._islands)

    def build(self, boxes: Boxes, settings: NavMeshSettings) -> None:
        """Make the mesh: island 0 is the roof, island 1 the floor (trap 3), others are parts of the floor."""
        low, high = boxes.low, boxes.high
        top = high[:, 1] >= high[:, 1].max() - 1e-3
        roof = build_navmeshes(low[top], high[top], settings.agent_radius, settings.agent_height)[0]
        roof = roof._replace(height=float(high[:, 1].max()) + 0.1)
        floors = build_navmeshes(low, high, settings.agent_radius, settings.agent_height)
        self._islands = [MeshPaths(roof), *map(MeshPaths, floors)]

    def forget(self) -> None:
        """Have no mesh, as after another scene was loaded."""
        self._islands = []

    def _queried(self) -> None:
        if not self._islands:
            os.kill(os.getpid(), signal.SIGSEGV)

    @property
    def num_islands(self) -> int:
        """How many parts the mesh has."""
        self._queried()
        return len(self._islands)

    def island_area(self, island_index: int = -1) -> float:
        """Return the area of a part."""
        self._queried()
        return float(self._islands[island_index].mesh.free.sum()) * 0.05**2

    def get_island(self, point: Any) -> int:
        """Return the part that is nearest to a point."""
        self._queried()
        x, y, z = map(float, vector(point))
        away = [math.dist((x, y, z), (a, one.floor, b)) for one in self._islands for a, b in [one.nearest(x, z)]]
        return int(np.argmin(away))

    def seed(self, seed: int) -> None:
        """Seed the random points."""
        if type(seed) is not int:
            raise TypeError("seed takes an int")
        self._rng = np.random.default_rng(seed)

    def get_random_navigable_point(self, max_tries: int = 10, island_index: int = -1) -> Any:
        """Return a random place; without an island most are on the roof."""
        self._queried()
        island = island_index if island_index >= 0 else int(self._rng.random() > 0.7)
        mesh = self._islands[island].mesh
        cells = np.argwhere(mesh.free)
        x, z = cells[int(self._rng.integers(len(cells)))] * 0.05 + np.array(mesh.origin) + 0.025
        x, z = self._islands[island].nearest(float(x), float(z))
        return np.array((x, self._islands[island].floor, z), dtype=np.float32)

    def snap_point(self, point: Any, island_index: int = -1) -> Any:
        """Return the nearest place; NaN where none is near (trap 2)."""
        self._queried()
        x, y, z = map(float, vector(point))
        island = self._islands[island_index if island_index >= 0 else self.get_island(point)]
        near = island.nearest(x, z)
        if math.dist(near, (x, z)) > _FAR or abs(island.floor - y) > _FAR:
            return np.full(3, np.nan, dtype=np.float32)
        return np.array((near[0], island.floor, near[1]), dtype=np.float32)

    def _at(self, point: Any) -> MeshPaths:
        return self._islands[self.get_island(point)]

    def try_step(self, start: Any, end: Any) -> Any:
        """Return where a step ends, sliding."""
        return self._stepped(start, end, sliding=True)

    def _stepped(self, start: Any, end: Any, *, sliding: bool) -> Any:
        self._queried()
        a, b, mesh = vector(start), vector(end), self._at(start)
        if self._at(end) is not mesh:
            return a
        here, there = (float(a[0]), float(a[2])), (float(b[0]), float(b[2]))
        x, z = mesh.walk(here, there) if sliding else mesh.straight(here, there)
        return np.array((x, float(a[1]), z), dtype=np.float32)

    def try_step_no_sliding(self, start: Any, end: Any) -> Any:
        """Return where a step ends that stops at the first wall."""
        return self._stepped(start, end, sliding=False)

    def find_path(self, path: Any) -> bool:
        """Answer a query."""
        self._queried()
        if not isinstance(path, MultiGoalShortestPath):
            raise TypeError("find_path takes a ShortestPath or a MultiGoalShortestPath")
        start, mesh = path.requested_start, self._at(path.requested_start)
        here = float(start[0]), float(start[2])
        lengths = [
            mesh.distance(here, (float(end[0]), float(end[2]))) if self._at(end) is mesh else math.inf
            for end in path.requested_ends
        ]
        path.closest_end_point_index = int(np.argmin(lengths))
        path.geodesic_distance = lengths[path.closest_end_point_index]
        end = path.requested_ends[path.closest_end_point_index]
        found = math.isfinite(path.geodesic_distance)
        corners = mesh.points(here, (float(end[0]), float(end[2]))) if found else ()
        path.points = [np.array((x, mesh.floor, z), dtype=np.float32) for x, z in corners]
        return found

    def get_bounds(self) -> tuple[Any, Any]:
        """Return the corners of the mesh."""
        self._queried()
        corners = np.concatenate([loop for one in self._islands for loop in one.mesh.loops])
        (x0, z0), (x1, z1) = corners.min(0), corners.max(0)
        heights = [one.floor for one in self._islands]
        return np.array((x0, min(heights), z0), np.float32), np.array((x1, max(heights), z1), np.float32)

    def get_topdown_view(self, meters_per_pixel: float, height: float, eps: float = 0.5) -> Any:
        """Return which points of a grid are on the mesh, `[z, x]`."""
        low, high = self.get_bounds()
        columns, rows = (int((high[axis] - low[axis]) / meters_per_pixel) for axis in (0, 2))
        near = [one for one in self._islands if abs(one.floor - height) < eps]
        found = np.zeros((rows, columns), dtype=bool)
        for row in range(rows):
            for column in range(columns):
                x, z = float(low[0]) + column * meters_per_pixel, float(low[2]) + row * meters_per_pixel
                found[row, column] = any(one.is_free(x, z) for one in near)
        return found

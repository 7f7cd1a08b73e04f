"""Geodesic distances against Dijkstra's algorithm on the cells, which never cuts a corner."""

from __future__ import annotations

import heapq
from pathlib import Path

import numpy as np
import pytest

from pathei.envs.habitat.backend import AgentSettings, Vector
from pathei.envs.habitat.simulator.embedded import EmbeddedBackend

SCENE = str(Path(__file__).parents[2] / "data" / "habitat" / "apt0_scene.json")
CELL, OCTILE = 0.05, 1.09
"""The width of a cell; how much longer a way along cells can be than a straight one."""


def _by_cells(free: np.ndarray, start: tuple[int, int]) -> dict[tuple[int, int], float]:
    found, heap = {start: 0.0}, [(0.0, start)]
    while heap:
        length, (x, z) = heapq.heappop(heap)
        if length > found[x, z]:
            continue
        for dx, dz in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)):
            if free[x + dx, z + dz] and free[x + dx, z] and free[x, z + dz]:
                way = length + CELL * float(np.hypot(dx, dz))
                if way < found.get((x + dx, z + dz), np.inf):
                    found[x + dx, z + dz] = way
                    heapq.heappush(heap, (way, (x + dx, z + dz)))
    return found


@pytest.mark.parametrize("seed", range(2))
def test_geodesics_lie_between_the_straight_line_and_the_way_along_cells(seed: int) -> None:
    sim, rng = EmbeddedBackend(AgentSettings()), np.random.default_rng(seed)
    sim.reset(SCENE)
    mesh = sim.paths.mesh

    def cell(point: Vector) -> tuple[int, int]:
        return int((point[0] - mesh.origin[0]) / CELL), int((point[2] - mesh.origin[1]) / CELL)

    points = [point for point in (sim.random_point(rng) for _ in range(80)) if mesh.free[cell(point)]]
    start = points[0]
    along = _by_cells(mesh.free, cell(start))
    for goal in points[1:]:
        path = sim.path(start, [goal])
        straight, walked = np.hypot(goal[0] - start[0], goal[2] - start[2]), along[cell(goal)]
        assert straight - 1e-3 <= path.distance <= walked + 3 * CELL
        assert path.distance >= walked / OCTILE - 4 * CELL
        corners = np.array(path.points)
        assert np.linalg.norm(np.diff(corners, axis=0), axis=1).sum() == pytest.approx(path.distance, abs=0.02)


def test_walking_never_leaves_the_free_space() -> None:
    sim, rng = EmbeddedBackend(AgentSettings()), np.random.default_rng(0)
    sim.reset(SCENE)
    for _ in range(2_000):
        sim.act(str(rng.choice(["move_forward", "move_forward", "turn_left", "turn_right"])))
        snapped = sim.snap(sim.agent().position)
        assert np.allclose(snapped, sim.agent().position, atol=1e-6)

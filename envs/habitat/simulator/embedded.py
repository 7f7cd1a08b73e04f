"""The embedded simulator: `SimBackend` in numpy, for scenes of boxes.

Furniture is in the way whether it is open or not; a door bars the way while it is closed. Not here: physics beyond
collisions of agents with what is fixed: things stay where they are put.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....errors import ConfigError
from ..backend import MOVES, SENSORS, AgentSettings, PathResult, Vector
from ..planning.follower import ahead, collided, turned
from ..scenes.generate import generate_home, read_name
from ..scenes.scene import Solid, Thing, bounds, read_boxes
from .bodies import BODY, body
from .home_simulator import (
    AddedObjects,
    HomeSimulator,
    HomeState,
    Placement,
    Scenery,
    doors_of,
    first_pose,
    open_at_first,
    placed_at_first,
    tilted,
)
from .navmesh import CELL, build_navmeshes, fixed_corners, with_barriers
from .paths import MeshPaths
from .portals import Portals
from .raster import Faces, box_faces, camera_at, joined, render

_KEPT: Final = 32
"""How many sets of closed doors are remembered for a home."""


class _Loaded(NamedTuple):
    """A scene with what is worked out once."""

    scenery: Scenery
    radius: float
    """Of the agents."""
    paths: MeshPaths
    """With all doors open."""
    start: Mapping[int, Placement]
    portals: Portals
    doors: frozenset[int]
    behind: dict[frozenset[int], MeshPaths]
    """The paths with some doors closed, as far as they were asked for."""
    islands: tuple[MeshPaths, ...]
    """Parts of the floor to which no way leads: rooms without a door, corners behind furniture."""
    within: dict[tuple[MeshPaths, tuple[Vector, ...]], tuple[Vector, ...]]
    """Which of several goals are on an island, as far as it was asked for."""

    def paths_with(self, opened: frozenset[int]) -> MeshPaths:
        """Return the paths where some things are open."""
        closed = self.doors - opened
        if not closed:
            return self.paths
        known = self.behind.get(closed)
        if known is None:
            if len(self.behind) >= _KEPT:
                self.behind.clear()
            boxes = [self.scenery.home.things[id_ - 1].box for id_ in sorted(closed)]
            known = self.behind[closed] = MeshPaths(with_barriers(self.paths.mesh, boxes, self.radius))
        return known


class EmbeddedBackend(HomeSimulator):
    """Simulates one home; a scene is a generated one (`"home:7"`) or the path of a JSON file of boxes."""

    def __init__(self, settings: AgentSettings | None = None) -> None:
        """Create a simulator without a scene."""
        super().__init__(settings)
        self._loaded: _Loaded | None = None
        self._fixed: tuple[Any, Faces] = (None, box_faces(*_arrays([])))
        self._drawn: tuple[Any, Any, Faces] = (None, None, self._fixed[1])

    def reset(self, scene: str, *, seed: int = 0, agents: int = 1, added: AddedObjects = AddedObjects()) -> None:  # noqa: B008
        """Load a scene, or put it back; nothing here is random.

        Raises:
            ConfigError: there is no such scene, or objects are to be added.
            DataError: its file cannot be read.
        """
        if added.objects:
            raise ConfigError(
                "Only habitat-sim adds objects to a scene: the option 'backend' is 'habitat_sim' for that."
            )
        self._loaded = loaded = load_scene(scene, self.settings.radius, self.settings.height, written(scene))
        self._scenery = loaded.scenery
        pose, opened = first_pose(loaded.scenery), open_at_first(loaded.scenery.home)
        self._state = HomeState((pose,) * agents, loaded.start, opened)

    @property
    def _scene(self) -> _Loaded:
        if self._loaded is None:
            raise ConfigError("The simulator has no scene yet: call reset first.")
        return self._loaded

    @property
    def paths(self) -> MeshPaths:
        """Walking and shortest paths in the home, as its doors are now, on its largest island."""
        return self._scene.paths_with(self._state.opened)

    def _island(self, point: Vector) -> MeshPaths:
        """Return the walking and shortest paths on the island that a place is on, or nearest to."""
        x, _, z = point
        paths, others = self.paths, self._scene.islands
        if not others or paths.is_free(x, z):
            return paths
        return min((paths, *others), key=lambda one: math.dist(one.nearest(x, z), (x, z)))

    def act(self, action: str, agent: int = 0) -> bool:
        """Do one of `MOVES` and return whether the agent collided.

        Raises:
            ConfigError: it is another action.
        """
        pose, settings = self._state.poses[agent], self.settings
        if action == "move_forward":
            wanted = ahead(pose.position, pose.rotation, settings.forward)
            reached = self.try_step(pose.position, wanted)
            self.set_agent(pose._replace(position=reached), agent)
            return collided(pose.position, wanted, reached)
        if action in ("turn_left", "turn_right"):
            angle = settings.turn if action == "turn_left" else -settings.turn
            self.set_agent(pose._replace(rotation=turned(pose.rotation, angle)), agent)
        elif action in ("look_up", "look_down"):
            self.set_agent(pose._replace(pitch=tilted(pose.pitch, action, settings)), agent)
        else:
            raise ConfigError(f"{action!r} is no move of an agent: those are {', '.join(MOVES)}.")
        return False

    def try_step(self, start: Vector, end: Vector) -> Vector:
        """Return where an agent comes that walks straight from one place to another, sliding if it may."""
        paths = self._island(start)
        if self._island(end) is not paths:
            return start  # as in habitat-sim
        here, there = (start[0], start[2]), (end[0], end[2])
        x, z = paths.walk(here, there) if self.settings.sliding else paths.straight(here, there)
        return x, start[1], z

    def render(self, sensors: Sequence[str] = SENSORS, agent: int = 0) -> dict[str, NDArray[Any]]:
        """Return what an agent's camera sees now."""
        pose, settings = self._state.poses[agent], self.settings
        _, y, _, w = pose.rotation
        eye = np.array(pose.position) + np.array((0.0, settings.camera_height, 0.0))
        yaw = 2 * math.atan2(y, w)
        camera = camera_at(eye, math.degrees(yaw), pose.pitch, settings.hfov)
        x, _, z = pose.position
        aspect = settings.rows / settings.width
        rooms = self._scene.portals.visible(x, z, yaw, math.radians(pose.pitch), camera.half, aspect)
        return render(self._with_others(agent), camera, settings.rows, settings.width, sensors, rooms)

    def _with_others(self, agent: int) -> Faces:
        """Return the faces of everything, the other agents included."""
        solids = [
            (one, BODY + number, BODY + number, self._scene.portals.room_at(pose.position[0], pose.position[2]))
            for number, pose in enumerate(self._state.poses)
            if number != agent
            for one in body(pose)
        ]
        return joined([self.faces(), box_faces(*_arrays(solids))]) if solids else self.faces()

    def faces(self) -> Faces:
        """Return the faces of all things as they are now; what is held is not drawn."""
        state, loaded = self._state, self._scene
        if self._drawn[0] is not state.placements or self._drawn[1] is not state.opened:
            if self._fixed[0] != (loaded.scenery.home.name, state.opened):
                solids = [(one, 0, 0, loaded.portals.room_of(one)) for one in loaded.scenery.home.structure]
                for thing in loaded.scenery.home.things:
                    if not thing.movable:
                        shown = thing.opened if thing.id in state.opened and thing.opened else thing.solids
                        room = loaded.portals.room_of(*thing.solids)
                        solids += [(one, thing.semantic_id, thing.id, room) for one in shown]
                self._fixed = ((loaded.scenery.home.name, state.opened), box_faces(*_arrays(solids)))
            loose = [
                (solid, thing.semantic_id, thing.id, loaded.portals.room_of(solid))
                for thing in loaded.scenery.home.things
                if thing.movable and state.placements[thing.id].held_by is None and self.in_the_open(thing.id)
                for solid in _placed(thing, state.placements[thing.id].position)
            ]
            moved = box_faces(*_arrays(loose))
            self._drawn = (state.placements, state.opened, joined([self._fixed[1], moved]))
        return self._drawn[2]

    def path(self, start: Vector, goals: Sequence[Vector]) -> PathResult:
        """Return the shortest path to the nearest of some goals."""
        paths = self._island(start)
        here = (start[0], start[2])
        lengths = [
            paths.distance(here, (goal[0], goal[2])) if self._island(goal) is paths else math.inf for goal in goals
        ]
        best = min(range(len(goals)), key=lengths.__getitem__) if goals else -1
        if best < 0 or math.isinf(lengths[best]):
            return PathResult(math.inf, (), -1)
        goal = goals[best]
        points = tuple((x, paths.floor, z) for x, z in paths.points(here, (goal[0], goal[2])))
        return PathResult(lengths[best], points, best)

    def nearest_distance(self, start: Vector, goals: tuple[Vector, ...]) -> float:
        """Return the geodesic distance to the nearest of many goals; far faster than `path`."""
        paths, scene = self._island(start), self._scene
        if scene.islands:
            if len(scene.within) >= _KEPT:
                scene.within.clear()
            known = scene.within.get((paths, goals))
            if known is None:
                known = tuple(goal for goal in goals if self._island(goal) is paths)
                scene.within[paths, goals] = known
            goals = known
        return paths.nearest_distance((start[0], start[2]), goals)

    def snap(self, point: Vector) -> Vector:
        """Return the nearest place where an agent can stand."""
        paths = self._island(point)
        x, z = paths.nearest(point[0], point[2])
        return x, paths.floor, z

    def random_point(self, rng: np.random.Generator) -> Vector:
        """Return a place, drawn evenly from the largest island; `rng` is consumed."""
        paths = self._scene.paths
        cells = np.argwhere(paths.mesh.free)
        x, z = cells[int(rng.integers(len(cells)))] + rng.random(2)
        (ox, oz), y = paths.mesh.origin, paths.floor
        place = paths.nearest(float(ox + x * CELL), float(oz + z * CELL))
        return place[0], y, place[1]

    def topdown(self, metres_per_pixel: float = 0.05) -> tuple[NDArray[np.bool_], tuple[float, float]]:
        """Return where an agent can stand, from above, shape `[z, x]`, and the `(x, z)` of the first corner."""
        mesh = self.paths.mesh
        free = np.logical_or.reduce([mesh.free, *(one.mesh.free for one in self._scene.islands)])
        width, depth = (math.ceil(size * CELL / metres_per_pixel - 1e-9) for size in mesh.free.shape)
        across, along = (
            np.minimum(((np.arange(n) + 0.5) * metres_per_pixel / CELL).astype(int), size - 1)
            for n, size in ((width, mesh.free.shape[0]), (depth, mesh.free.shape[1]))
        )
        return free[np.ix_(across, along)].T.copy(), mesh.origin


@lru_cache(maxsize=32)
def load_scene(scene: str, radius: float, height: float, when: int = 0) -> _Loaded:
    """Return a scene by its name, ready to be walked in.

    Args:
        scene: Its name.
        radius: Of the agents, in metres.
        height: Of the agents, in metres.
        when: When its file was written (`written`): a file that was changed is read again.

    Raises:
        ConfigError: there is no such scene.
        DataError: its file cannot be read.
    """
    generated = read_name(scene)
    if generated is None and Path(scene).suffix != ".json":
        raise ConfigError(f"There is no scene {scene!r}: name a generated one (home:7) or the JSON file of a scene.")
    home = read_boxes(Path(scene)) if generated is None else generate_home(*generated)
    meshes = build_navmeshes(*fixed_corners(home.structure, home.things), radius, height)
    paths, *islands = map(MeshPaths, meshes)
    scenery = Scenery(home, paths)
    return _Loaded(scenery, radius, paths, placed_at_first(home), Portals(home), doors_of(home), {}, tuple(islands), {})


def written(scene: str) -> int:
    """Return when the file of a scene was written, in nanoseconds; 0 for a generated home, or where it is not there."""
    try:
        return 0 if read_name(scene) else Path(scene).stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def _placed(thing: Thing, position: Vector) -> list[Solid]:
    low, high = bounds(thing.solids)
    by = (position[0] - (low[0] + high[0]) / 2, position[1] - low[1], position[2] - (low[2] + high[2]) / 2)
    return [one.moved(by) for one in thing.solids]


def _arrays(solids: Sequence[tuple[Solid, int, int, int]]) -> tuple[Any, Any, Any, Any]:
    """Return boxes as arrays, for `box_faces`."""
    low = np.array([one.low for one, *_ in solids], dtype=float).reshape(-1, 3)
    high = np.array([one.high for one, *_ in solids], dtype=float).reshape(-1, 3)
    colours = np.array(
        [[one.colour >> 16, one.colour >> 8 & 255, one.colour & 255] for one, *_ in solids], dtype=np.uint8
    ).reshape(-1, 3)
    return low, high, colours, np.array([ids for _, *ids in solids], dtype=np.int32).reshape(-1, 3)

"""The embedded simulator: `SimBackend` in numpy, for scenes of boxes.

Its state is immutable values, so a snapshot costs nothing. Fixed things are in the way whether they are open or not.
Not here: physics beyond collisions of agents with what is fixed: things stay where they are put.
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
from ..backend import MOVES, SENSORS, AgentSettings, ObjectInfo, PathResult, Pose, RoomInfo, Vector
from ..follower import ahead, collided, turned
from ..scenes.generate import generate_home, read_name
from ..scenes.scene import Home, Solid, Thing, bounds, read_boxes
from .navmesh import CELL, build_navmesh
from .paths import MeshPaths
from .portals import Portals
from .raster import Faces, box_faces, camera_at, joined, render

_PITCH_LIMIT: Final = 90.0


class Placement(NamedTuple):
    """Where a movable thing is."""

    position: Vector
    """The middle of its lower side."""
    holder: int | None
    inside: bool
    held_by: int | None = None


class EmbeddedState(NamedTuple):
    """Everything that changes in the simulator."""

    poses: tuple[Pose, ...]
    placements: Mapping[int, Placement]
    opened: frozenset[int]


class _Loaded(NamedTuple):
    """A scene with what is worked out once."""

    home: Home
    paths: MeshPaths
    start: Mapping[int, Placement]
    portals: Portals


class EmbeddedBackend:
    """Simulates one home; a scene is a generated one (`"home:7"`) or the path of a JSON file of boxes."""

    def __init__(self, settings: AgentSettings | None = None) -> None:
        """Create a simulator without a scene."""
        self.settings = settings or AgentSettings()
        self._loaded: _Loaded | None = None
        self._state = EmbeddedState((), {}, frozenset())
        self._fixed: tuple[Any, Faces] = (None, box_faces(*_arrays([])))
        self._drawn: tuple[Any, Any, Faces] = (None, None, self._fixed[1])

    def reset(self, scene: str, *, seed: int = 0, agents: int = 1) -> None:
        """Load a scene, or put it back; nothing here is random."""
        self._loaded = loaded = load_scene(scene, self.settings.radius, self.settings.height)
        rooms = loaded.home.rooms
        middle = rooms[0].polygon if rooms else ((0.0, 0.0),)
        x, z = (sum(corner[axis] for corner in middle) / len(middle) for axis in (0, 1))
        place = loaded.paths.nearest(x, z)
        pose = Pose((place[0], loaded.paths.mesh.height, place[1]))
        self._state = EmbeddedState((pose,) * agents, loaded.start, frozenset())

    @property
    def _scene(self) -> _Loaded:
        if self._loaded is None:
            raise ConfigError("The simulator has no scene yet: call reset first.")
        return self._loaded

    @property
    def home(self) -> Home:
        """The home as it was built."""
        return self._scene.home

    @property
    def paths(self) -> MeshPaths:
        """Walking and shortest paths in the home."""
        return self._scene.paths

    @property
    def state(self) -> EmbeddedState:
        """Everything that changes; equal states are equal."""
        return self._state

    def set_agent(self, pose: Pose, agent: int = 0) -> None:
        """Put an agent somewhere."""
        poses = list(self._state.poses)
        poses[agent] = pose
        self._state = self._state._replace(poses=tuple(poses))

    def agent(self, agent: int = 0) -> Pose:
        """Return where an agent is."""
        return self._state.poses[agent]

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
            pitch = pose.pitch + (settings.tilt if action == "look_up" else -settings.tilt)
            self.set_agent(pose._replace(pitch=min(max(pitch, -_PITCH_LIMIT), _PITCH_LIMIT)), agent)
        else:
            raise ConfigError(f"{action!r} is no move of an agent: those are {', '.join(MOVES)}.")
        return False

    def try_step(self, start: Vector, end: Vector) -> Vector:
        """Return where an agent comes that walks straight from one place to another, sliding if it may."""
        paths = self._scene.paths
        if self.settings.sliding:
            x, z = paths.nearest(end[0], end[2])
        else:
            x, z = paths.straight((start[0], start[2]), (end[0], end[2]))
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
        return render(self.faces(), camera, settings.rows, settings.width, sensors, rooms)

    def faces(self) -> Faces:
        """Return the faces of everything as it is now; what is held is not drawn."""
        state, loaded = self._state, self._scene
        if self._drawn[0] is not state.placements or self._drawn[1] is not state.opened:
            if self._fixed[0] != (loaded.home.name, state.opened):
                solids = [(one, 0, 0, loaded.portals.room_of(one)) for one in loaded.home.structure]
                for thing in loaded.home.things:
                    if not thing.movable:
                        shown = thing.opened if thing.id in state.opened and thing.opened else thing.solids
                        room = loaded.portals.room_of(*thing.solids)
                        solids += [(one, thing.semantic_id, thing.id, room) for one in shown]
                self._fixed = ((loaded.home.name, state.opened), box_faces(*_arrays(solids)))
            loose = [
                (solid, thing.semantic_id, thing.id, loaded.portals.room_of(solid))
                for thing in loaded.home.things
                if thing.movable and state.placements[thing.id].held_by is None and self.in_the_open(thing.id)
                for solid in _placed(thing, state.placements[thing.id].position)
            ]
            moved = box_faces(*_arrays(loose))
            self._drawn = (state.placements, state.opened, joined([self._fixed[1], moved]))
        return self._drawn[2]

    def in_the_open(self, object_id: int) -> bool:
        """Return whether a thing is not shut away in something."""
        placement = self._state.placements[object_id]
        if not placement.inside or placement.holder is None:
            return True
        holder = self._scene.home.things[placement.holder - 1]
        return holder.opened is None or holder.id in self._state.opened

    def path(self, start: Vector, goals: Sequence[Vector]) -> PathResult:
        """Return the shortest path to the nearest of some goals."""
        paths = self._scene.paths
        here = (start[0], start[2])
        lengths = [paths.distance(here, (goal[0], goal[2])) for goal in goals]
        best = min(range(len(goals)), key=lengths.__getitem__) if goals else -1
        if best < 0 or math.isinf(lengths[best]):
            return PathResult(math.inf, (), -1)
        goal = goals[best]
        points = tuple((x, paths.mesh.height, z) for x, z in paths.points(here, (goal[0], goal[2])))
        return PathResult(lengths[best], points, best)

    def nearest_distance(self, start: Vector, goals: tuple[tuple[float, float], ...]) -> float:
        """Return the geodesic distance to the nearest of many goals `(x, z)`; far faster than `path`."""
        return self._scene.paths.nearest_distance((start[0], start[2]), goals)

    def snap(self, point: Vector) -> Vector | None:
        """Return the nearest place where an agent can stand."""
        paths = self._scene.paths
        x, z = paths.nearest(point[0], point[2])
        return x, paths.mesh.height, z

    def random_point(self, rng: np.random.Generator) -> Vector:
        """Return a place, drawn evenly from the free space; `rng` is consumed."""
        paths = self._scene.paths
        cells = np.argwhere(paths.mesh.free)
        x, z = cells[int(rng.integers(len(cells)))] + rng.random(2)
        (ox, oz), y = paths.mesh.origin, paths.mesh.height
        place = paths.nearest(float(ox + x * CELL), float(oz + z * CELL))
        return place[0], y, place[1]

    def topdown(self, metres_per_pixel: float = 0.05) -> tuple[NDArray[np.bool_], tuple[float, float]]:
        """Return where an agent can stand, from above, shape `[z, x]`, and the `(x, z)` of the first corner."""
        mesh = self._scene.paths.mesh
        width, depth = (math.ceil(size * CELL / metres_per_pixel - 1e-9) for size in mesh.free.shape)
        across, along = (
            np.minimum(((np.arange(n) + 0.5) * metres_per_pixel / CELL).astype(int), size - 1)
            for n, size in ((width, mesh.free.shape[0]), (depth, mesh.free.shape[1]))
        )
        return mesh.free[np.ix_(across, along)].T.copy(), mesh.origin

    def objects(self) -> Sequence[ObjectInfo]:
        """Return all things, by id."""
        return [self._info(thing) for thing in self._scene.home.things]

    def _info(self, thing: Thing) -> ObjectInfo:
        low, high = thing.box
        size = (high[0] - low[0], high[1] - low[1], high[2] - low[2])
        middle = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2)
        opened = None if thing.opened is None else thing.id in self._state.opened
        if not thing.movable:
            return ObjectInfo(thing.id, thing.category, thing.semantic_id, middle, size, False, opened)
        place = self._state.placements[thing.id]
        at = place.position if place.held_by is None else self._state.poses[place.held_by].position
        middle = (at[0], at[1] + size[1] / 2 + (self.settings.camera_height * 0.6) * (place.held_by is not None), at[2])
        return ObjectInfo(
            thing.id, thing.category, thing.semantic_id, middle, size, True, None,
            place.holder, place.inside, place.held_by,
        )  # fmt: skip

    def rooms(self) -> Sequence[RoomInfo]:
        """Return the rooms."""
        return self._scene.home.rooms

    def hold(self, object_id: int, agent: int = 0) -> None:
        """Put a movable thing into an agent's hand."""
        place = self._state.placements[object_id]
        self._set_placement(object_id, Placement(place.position, None, False, agent))

    def place(self, object_id: int, position: Vector, holder: int | None = None, *, inside: bool = False) -> None:
        """Put a movable thing down."""
        self._set_placement(object_id, Placement(position, holder, inside))

    def _set_placement(self, object_id: int, placement: Placement) -> None:
        self._state = self._state._replace(placements={**self._state.placements, object_id: placement})

    def set_open(self, object_id: int, is_open: bool) -> None:
        """Open or close a thing."""
        opened = self._state.opened
        self._state = self._state._replace(opened=opened | {object_id} if is_open else opened - {object_id})

    def snapshot(self) -> EmbeddedState:
        """Return all that changes."""
        return self._state

    def restore(self, state: EmbeddedState, /) -> None:
        """Go back to a snapshot of the same scene."""
        self._state = state

    def close(self) -> None:
        """Let go of nothing: there is nothing to let go of."""


@lru_cache(maxsize=32)
def load_scene(scene: str, radius: float, height: float) -> _Loaded:
    """Return a scene by its name, ready to be walked in.

    Raises:
        ConfigError: there is no such scene.
        DataError: its file cannot be read.
    """
    generated = read_name(scene)
    if generated is None and Path(scene).suffix != ".json":
        raise ConfigError(f"There is no scene {scene!r}: name a generated one (home:7) or the JSON file of a scene.")
    home = read_boxes(Path(scene)) if generated is None else generate_home(*generated)
    low, high = _fixed_corners(home)
    start = {}
    for thing in home.things:
        if thing.movable:
            bottom, top = thing.box
            middle = ((bottom[0] + top[0]) / 2, bottom[1], (bottom[2] + top[2]) / 2)
            start[thing.id] = Placement(middle, thing.holder, thing.in_holder)
    return _Loaded(home, MeshPaths(build_navmesh(low, high, radius, height)), start, Portals(home))


def _fixed_corners(home: Home) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of all fixed boxes, rounded as habitat-sim's are.

    It adds the middle of a thing and its corners there in single precision, and the last bit decides which cell a face
    on the border of two belongs to.
    """
    low, high = [one.low for one in home.structure], [one.high for one in home.structure]
    for thing in home.things:
        if not thing.movable:
            middle = (np.array(thing.box[0]) + np.array(thing.box[1])) / 2
            for one in thing.solids:
                for corners, corner in ((low, one.low), (high, one.high)):
                    summed = middle.astype(np.float32) + (np.array(corner) - middle).astype(np.float32)
                    corners.append(tuple(summed.tolist()))
    return np.array(low), np.array(high)


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


__all__ = ["EmbeddedBackend", "EmbeddedState", "Placement", "load_scene"]

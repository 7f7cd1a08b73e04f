"""The child's side of the back end `habitat_sim`: it drives habitat-sim, versions 0.2.5 to 0.3.4.

It is run by another Python (from 3.8 on) through `pathei.envs.foreign`, so it imports nothing of pathei. There is one
simulator in a process, and it is reconfigured, never made a second time: with colour images that takes 13 s. Positions
go in as single-precision arrays, which all versions take; a navigation mesh is there before the first query, because
without one habitat-sim crashes; a place off the mesh is None, where habitat-sim says NaN. Not here: tasks, `stop`, and
what things mean.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import re
import tempfile
from typing import Any, Sequence  # noqa: UP035  # Python 3.8 takes these as types

os.environ.setdefault("MAGNUM_LOG", "quiet")
os.environ.setdefault("HABITAT_SIM_LOG", "quiet")

import numpy as np

OLDEST, NEWEST = (0, 2, 5), (0, 3, 4)
"""The versions of habitat-sim that this was written for."""
SEARCH_M = 3.0
"""How far `snap` may move a point, in metres."""
_PHYSICS = {"physics_simulator": "bullet", "timestep": 0.008, "gravity": [0, -9.8, 0]}
_NUMBERED = re.compile(r"_:\d+$")
_SMALL_ISLAND = 0.1


def version_of(text: str) -> tuple[int, ...]:
    """Return a version as numbers: `(0, 3, 3)` of `"0.3.3"`; letters and what follows them are left out."""
    return tuple(int(one) for one in re.findall(r"\d+", re.split(r"[a-z+-]", text)[0])[:3])


def require_version(text: str) -> None:
    """Refuse a version that this was not written for."""
    if not OLDEST <= version_of(text) <= NEWEST:
        raise RuntimeError(f"habitat-sim {text} is not one of the versions 0.2.5 to 0.3.4")


class Simulator:
    """The one simulator of this process; every method is a call of `HabitatSimBackend`."""

    def __init__(self, settings: dict[str, Any], gpu: int = -1) -> None:
        """Look at the version; nothing is loaded before `load`.

        Args:
            settings: The fields of pathei's `AgentSettings`.
            gpu: The CUDA device that draws; -1 draws on the processor. Without that device the process ends.
        """
        habitat_sim: Any = importlib.import_module("habitat_sim")
        version = str(habitat_sim.__version__)
        require_version(version)
        self.hs = habitat_sim
        self.mn: Any = importlib.import_module("magnum")
        self.settings, self.gpu, self.version = settings, gpu, version
        self.sim: Any = None
        self.island = -1
        with tempfile.NamedTemporaryFile("w", suffix=".physics_config.json", delete=False) as file:
            json.dump(_PHYSICS, file)
        self.physics = file.name

    # Loading

    def load(
        self,
        dataset: str,
        scene: str,
        agents: int,
        seed: int,
        inside: Sequence[float] | None = None,
        objects: Sequence[tuple[str, Sequence[float]]] = (),
        folders: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Load a scene and return what is in it.

        Args:
            dataset: The configuration of the scene data set; `"default"` for a scene that is a file of its own.
            scene: The scene's name in it, or its file.
            agents: How many agents there are.
            seed: Seeds habitat-sim.
            inside: A place in the part of the navigation mesh where agents are; else the lowest large part.
            objects: What is added to the scene: a part of the name of a shape, and where its middle is.
            folders: Where the shapes of these are, besides the scene data set.
        """
        config = self._configuration(dataset, scene, agents, seed)
        if self.sim is None:
            self.sim = self.hs.Simulator(config)
        else:
            self.sim.reconfigure(config)
        self.sim.seed(seed)
        finder = self.sim.pathfinder
        if not finder.is_loaded and not self.sim.recompute_navmesh(finder, self._navmesh()):
            raise RuntimeError(f"no navigation mesh can be made of {scene}")
        self.island = self._island(inside)
        for folder in folders:
            self.sim.get_object_template_manager().load_configs(folder)
        for template, middle in objects:
            self._add(template, middle)
        start = finder.get_random_navigable_point(max_tries=100, island_index=self.island)
        return {
            "version": self.version, "floor": float(start[1]), "things": self._things(), "rooms": self._rooms(),
        }  # fmt: skip

    def _configuration(self, dataset: str, scene: str, agents: int, seed: int) -> Any:
        sim = self.hs.SimulatorConfiguration()
        sim.scene_dataset_config_file, sim.scene_id = dataset, scene
        sim.gpu_device_id, sim.random_seed = self.gpu, seed
        sim.allow_sliding = bool(self.settings["sliding"])
        sim.enable_physics, sim.physics_config_file = True, self.physics
        return self.hs.Configuration(sim, [self._agent(number) for number in range(agents)])

    def _agent(self, number: int) -> Any:
        given, hs = self.settings, self.hs
        sensors = []
        for name, kind in (("rgb", "COLOR"), ("depth", "DEPTH"), ("semantic", "SEMANTIC")):
            sensor = hs.CameraSensorSpec()
            # The newest version keeps the sensors of all agents in one table.
            sensor.uuid, sensor.sensor_type = f"{number}_{name}", getattr(hs.SensorType, kind)
            sensor.sensor_subtype = hs.SensorSubType.PINHOLE
            sensor.resolution = [int(given["rows"]), int(given["width"])]
            sensor.position = _vector((0.0, given["camera_height"], 0.0))
            sensor.hfov = float(given["hfov"])
            sensors.append(sensor)
        spec, amount = hs.agent.ActionSpec, hs.agent.ActuationSpec
        actions = {
            name: spec(name, amount(float(given[field])))
            for name, field in (("move_forward", "forward"), ("turn_left", "turn"), ("turn_right", "turn"))
        }
        return hs.agent.AgentConfiguration(
            height=float(given["height"]), radius=float(given["radius"]),
            sensor_specifications=sensors, action_space=actions,
        )  # fmt: skip

    def _navmesh(self) -> Any:
        made = self.hs.nav.NavMeshSettings()
        made.set_defaults()
        made.agent_radius, made.agent_height = float(self.settings["radius"]), float(self.settings["height"])
        made.include_static_objects = True
        return made

    def _island(self, inside: Sequence[float] | None) -> int:
        """Return the part of the mesh where agents are: the roof of a closed room is another, and as large."""
        finder = self.sim.pathfinder
        if inside is not None:
            return int(finder.get_island(_vector(inside)))
        count = int(finder.num_islands)
        areas = [float(finder.island_area(island_index=island)) for island in range(count)]
        large = [island for island in range(count) if areas[island] >= _SMALL_ISLAND * max(areas)]
        return min(large, key=self._height_of, default=-1)

    def _height_of(self, island: int) -> float:
        return float(self.sim.pathfinder.get_random_navigable_point(max_tries=100, island_index=island)[1])

    def draw_nothing(self) -> None:
        """Draw the depth of an empty scene: colour images take 13 s to begin with."""
        config = self._configuration("default", "NONE", 1, 0)
        config.agents[0].sensor_specifications = config.agents[0].sensor_specifications[1:2]
        self.sim = self.hs.Simulator(config)
        self.sim.get_sensor_observations(agent_ids=0)

    # What is there

    def _things(self) -> list[dict[str, Any]]:
        found = []
        for handle, one in sorted(self.sim.get_rigid_object_manager().get_objects_by_handle_substring("").items()):
            fixed = one.motion_type == self.hs.physics.MotionType.STATIC
            found.append(self._thing(handle, one, "rigid", int(one.semantic_id), movable=not fixed))
        articulated = self.sim.get_articulated_object_manager().get_objects_by_handle_substring("")
        for handle, one in sorted(articulated.items()):
            found.append(self._thing(handle, one, "articulated", 0, movable=False))
        for one in self.sim.semantic_scene.objects if self.sim.semantic_scene is not None else ():
            if one is not None and one.category is not None:
                low, high = _corners(one.aabb)
                found.append(
                    {
                        "handle": str(one.id), "kind": "semantic", "category": str(one.category.name()),
                        "semantic_id": int(one.semantic_id), "low": low, "high": high, "movable": False,
                    }
                )  # fmt: skip
        return found

    def _thing(self, handle: str, one: Any, kind: str, semantic: int, movable: bool) -> dict[str, Any]:
        low, high = _corners(one.root_scene_node.cumulative_bb)
        ends = (low, high)
        vector = self.mn.Vector3
        turned = [
            one.transformation.transform_point(vector(ends[i][0], ends[j][1], ends[k][2]))
            for i in (0, 1)
            for j in (0, 1)
            for k in (0, 1)
        ]
        corners = [[float(corner[axis]) for axis in range(3)] for corner in turned]
        attributes, category = one.user_attributes, ""
        if attributes is not None and attributes.has_value("category"):
            category = str(attributes.get("category"))
        return {
            "handle": handle, "kind": kind, "movable": movable, "semantic_id": semantic,
            "category": category or _NUMBERED.sub("", handle),
            "low": [min(corner[axis] for corner in corners) for axis in range(3)],
            "high": [max(corner[axis] for corner in corners) for axis in range(3)],
        }  # fmt: skip

    def _rooms(self) -> list[dict[str, Any]]:
        scene = self.sim.semantic_scene
        found = []
        for one in scene.regions if scene is not None else ():
            low, high = _corners(one.aabb)
            if all(math.isfinite(value) for value in (*low, *high)) and low != high:
                name = one.category.name() if one.category is not None else str(one.id)
                found.append({"name": str(name), "low": low, "high": high})
        return found

    # Agents

    def set_agent(
        self, position: Sequence[float], rotation: Sequence[float], pitch: float, agent: int
    ) -> dict[str, Any]:
        """Put an agent somewhere, its camera tilted by degrees."""
        body = self.sim.get_agent(agent)
        state = self.hs.AgentState(position=_vector(position), rotation=[float(one) for one in rotation])
        body.set_state(state)
        if pitch:
            half = math.radians(pitch) / 2
            _, y, _, w = rotation
            s, c = math.sin(half), math.cos(half)
            state = body.get_state()
            for seen in state.sensor_states.values():
                seen.rotation = [w * s, y * c, -y * s, w * c]
            body.set_state(state, reset_sensors=True, infer_sensor_states=False)
        return self._where(agent, False)

    def act(self, action: str, agent: int) -> dict[str, Any]:
        """Walk or turn."""
        return self._where(agent, bool(self.sim.get_agent(agent).act(action)))

    def _where(self, agent: int, collided: bool) -> dict[str, Any]:
        state = self.sim.get_agent(agent).get_state()
        turn = state.rotation
        return {
            "position": _plain(state.position), "collided": collided,
            "rotation": [float(turn.x), float(turn.y), float(turn.z), float(turn.w)],
        }  # fmt: skip

    def render(self, sensors: Sequence[str], agent: int) -> dict[str, Any]:
        """Return images."""
        seen = self.sim.get_sensor_observations(agent_ids=agent)
        types = {"rgb": np.uint8, "depth": np.float32, "semantic": np.int32}
        return {
            name: np.ascontiguousarray(
                np.asarray(seen[f"{agent}_{name}"])[..., :3] if name == "rgb" else seen[f"{agent}_{name}"],
                dtype=types[name],
            )
            for name in sensors
        }

    # The navigation mesh

    def try_step(self, start: Sequence[float], end: Sequence[float]) -> list[float]:
        """Return where a straight step ends."""
        finder = self.sim.pathfinder
        step = finder.try_step if self.settings["sliding"] else finder.try_step_no_sliding
        return _plain(step(_vector(start), _vector(end)))

    def path(self, start: Sequence[float], goals: Sequence[Sequence[float]]) -> dict[str, Any]:
        """Return the shortest path to the nearest of some goals."""
        path = self.hs.nav.MultiGoalShortestPath()
        path.requested_start = _vector(start)
        path.requested_ends = [_vector(goal) for goal in goals]
        found = bool(self.sim.pathfinder.find_path(path))
        return {
            "distance": float(path.geodesic_distance) if found else math.inf,
            "points": [_plain(point) for point in path.points] if found else [],
            "goal": int(path.closest_end_point_index) if found else -1,
        }

    def snap(self, point: Sequence[float]) -> list[float] | None:
        """Return the nearest place of the agents' part of the mesh; None where none is near."""
        place = _plain(self.sim.pathfinder.snap_point(_vector(point), island_index=self.island))
        return place if math.dist(place, point) <= SEARCH_M else None

    def random_point(self, seed: int) -> list[float]:
        """Return a place of the agents' part of the mesh, which follows from the seed."""
        finder = self.sim.pathfinder
        finder.seed(int(seed))
        return _plain(finder.get_random_navigable_point(max_tries=100, island_index=self.island))

    def topdown(self, metres: float, height: float) -> dict[str, Any]:
        """Return where an agent can stand at a height, `[z, x]`, and where the first cell begins."""
        finder = self.sim.pathfinder
        low, high = finder.get_bounds()
        free = np.asarray(finder.get_topdown_view(meters_per_pixel=metres, height=height))
        return {"free": free, "origin": [min(float(low[0]), float(high[0])), min(float(low[2]), float(high[2]))]}

    # Things

    def move(self, handle: str, middle: Sequence[float]) -> None:
        """Put a rigid object somewhere."""
        one = self.sim.get_rigid_object_manager().get_object_by_handle(handle)
        # Habitat-sim does not move what is STATIC, and lets fall what is DYNAMIC.
        one.motion_type = self.hs.physics.MotionType.KINEMATIC
        one.translation = self.mn.Vector3(*map(float, middle))

    def exchange(
        self, handle: str, template: str, middle: Sequence[float], inside: Sequence[float] | None = None
    ) -> str:
        """Put a fixed object of another shape in the place of one, and return its handle.

        Args:
            handle: The object.
            template: The shape.
            middle: Where its middle is.
            inside: For what bars the way, a place in the part of the navigation mesh where agents are.
        """
        manager = self.sim.get_rigid_object_manager()
        old = manager.get_object_by_handle(handle)
        new = self._add(template, middle)
        new.semantic_id = int(old.semantic_id)
        new.motion_type = self.hs.physics.MotionType.STATIC
        manager.remove_object_by_handle(handle)
        if inside is not None:
            self.sim.recompute_navmesh(self.sim.pathfinder, self._navmesh())
            self.island = self._island(inside)
        return str(new.handle)

    def _add(self, template: str, middle: Sequence[float]) -> Any:
        names = self.sim.get_object_template_manager().get_template_handles(template)
        if not names:
            raise KeyError(f"there is no shape {template} in the scene data set")
        new = self.sim.get_rigid_object_manager().add_object_by_template_handle(names[0])
        new.motion_type = self.hs.physics.MotionType.KINEMATIC
        new.translation = self.mn.Vector3(*map(float, middle))
        return new

    def open(self, handle: str, is_open: bool) -> None:
        """Move all joints of an articulated object to one end or the other."""
        one = self.sim.get_articulated_object_manager().get_object_by_handle(handle)
        low, high = one.joint_position_limits
        ends = [(a, b) if abs(a) <= abs(b) else (b, a) for a, b in zip(low, high)]  # noqa: B905  # Python 3.8
        one.joint_positions = [float(far if is_open else near) for near, far in ends]

    def close(self) -> None:
        """End the simulator."""
        if self.sim is not None:
            self.sim.close(destroy=True)
            self.sim = None
        if os.path.exists(self.physics):
            os.unlink(self.physics)


def _vector(values: Sequence[float]) -> Any:
    return np.array([float(value) for value in values], dtype=np.float32)


def _plain(vector: Any) -> list[float]:
    return [float(vector[axis]) for axis in range(3)]


def _corners(box: Any) -> tuple[list[float], list[float]]:
    """Return the corners of a box: of magnum's `Range3D`, or of the older class with a centre and sizes."""
    if hasattr(box, "sizes"):
        centre, sizes = box.center, box.sizes
        return (
            [float(centre[axis] - sizes[axis] / 2) for axis in range(3)],
            [float(centre[axis] + sizes[axis] / 2) for axis in range(3)],
        )
    return _plain(box.min), _plain(box.max)


class Probe:
    """What a doctor asks."""

    def __init__(self, version: str) -> None:
        """Keep what was found."""
        self._version = version

    def version(self) -> str:
        """Return the version of habitat-sim that drew an image."""
        return self._version

    def close(self) -> None:
        """Do nothing: the process ends."""


def probe(gpu: int) -> Probe:
    """Draw an image of an empty scene; without the device the process ends."""
    settings = {
        "radius": 0.1, "height": 1.5, "camera_height": 1.25, "hfov": 90.0, "forward": 0.25, "turn": 30.0,
        "width": 8, "rows": 8, "sliding": True,
    }  # fmt: skip
    found = Simulator(settings, gpu)
    try:
        found.draw_nothing()
    finally:
        found.close()
    return Probe(found.version)

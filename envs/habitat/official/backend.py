"""The back end `habitat_sim`: homes in habitat-sim itself, which runs in an interpreter of its own.

Generated homes are exported as scene data sets and opened there; official scenes are named by their files. What changes
is kept here as in the embedded simulator, so snapshots cost nothing, and habitat-sim is brought after it. Walking,
collisions, distances and images are habitat-sim's. Not here: what the child calls of habitat-sim (`child`), and
installing it (`install`).
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ....errors import ConfigError, ForeignRuntimeError, WorldError
from ...foreign import ForeignRuntime, python_command
from ..backend import MOVES, SENSORS, AgentSettings, PathResult, Pose, Vector
from ..files.scene_dataset import export_home, file_name, middle, template_of
from ..scenes.generate import generate_home, read_name
from ..scenes.scene import Home, read_boxes
from ..simulator.home_simulator import (
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
from .described import describe_home
from .install import gpus_to_try, python_of

CHILD: Final = Path(__file__).with_name("child.py")
_LOAD_S: Final = 600.0
"""The first image of a process takes 13 s and more, and a large scene far longer."""
_CALL_S: Final = 60.0
_GRID: Final = 0.05
_FAR_BELOW: Final = 50.0
"""Where things are while they are held, in metres under the floor: they are not drawn."""
_KEPT: Final = 65_536


class HabitatSimBackend(HomeSimulator):
    """Simulates one home in habitat-sim.

    A scene is a generated home (`"home:7"`), the path of a JSON file of boxes, or an official one: the file of a scene
    or scene instance, after its scene data set where it has one: `"hssd.scene_dataset_config.json:102344022"`.
    """

    def __init__(self, settings: AgentSettings | None = None, *, gpus: Sequence[int] | None = None) -> None:
        """Create a back end; habitat-sim is started with the first scene.

        Args:
            settings: The agents' bodies, steps and cameras.
            gpus: The CUDA devices to draw with, in turn until one is there; -1 is the processor. By default what
                `install.gpus_to_try` says.
        """
        super().__init__(settings)
        self._gpus = gpus
        self.gpu: int | None = None
        """What it draws with; None until a scene is loaded."""
        self._runtime: ForeignRuntime | None = None
        self._loaded: tuple[str, int, AddedObjects] | None = None
        self._handles: dict[int, str] = {}
        self._start: dict[int, Placement] = {}
        self._distances: dict[tuple[Vector, tuple[Vector, ...]], float] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="pathei-habitat-")

    # Scenes

    def reset(self, scene: str, *, seed: int = 0, agents: int = 1, added: AddedObjects = AddedObjects()) -> None:  # noqa: B008
        """Load a scene, or put a loaded one back.

        Raises:
            ConfigError: there is no such scene.
            InstallError: no interpreter with habitat-sim is known.
            ForeignRuntimeError: habitat-sim cannot be started, or cannot load the scene.
        """
        if self._loaded == (scene, agents, added) and self._runtime is not None and self._runtime.running:
            opened = open_at_first(self.home)
            self._bring(HomeState((first_pose(self.scenery),) * agents, self._start, opened))
            return
        home = known_home(scene)
        if home is not None and added.objects:
            raise ConfigError(f"{scene} has all its objects: none are added to a home of pathei's.")
        if home is not None:
            export = export_home(home, Path(self._folder.name) / file_name(home))
            dataset, name = str(export.config), str(export.scene)
        else:
            dataset, name = split_scene(scene)
        described = self._load(dataset, name, agents, seed, home, added)
        if home is None:
            home = describe_home(scene, described)
            handles = dict(enumerate((one["handle"] for one in described["things"]), 1))
        else:
            handles = {int(Path(one["handle"]).name[:4]): one["handle"] for one in described["things"]}
        self._handles, self._loaded = handles, (scene, agents, added)
        self._distances.clear()
        self._start = placed_at_first(home)
        self._scenery = Scenery(home, _Grid(self, float(described["floor"])))
        pose = first_pose(self._scenery)
        self._state = HomeState((pose,) * agents, self._start, open_at_first(home))
        for number in range(agents):
            self.set_agent(pose, number)

    def _load(
        self, dataset: str, scene: str, agents: int, seed: int, home: Home | None, added: AddedObjects
    ) -> Mapping[str, Any]:
        inside = None
        if home is not None and home.rooms:
            x, z = (math.fsum(one[axis] for one in home.rooms[0].polygon) / 4 for axis in (0, 1))
            inside = [x, home.rooms[0].floor + 0.1, z]
        asked = {
            "dataset": dataset, "scene": scene, "agents": agents, "seed": seed % 2**31, "inside": inside,
            "objects": added.objects, "folders": added.folders,
        }  # fmt: skip
        tries: Sequence[int | None]
        tries = [None] if self._runtime is not None and self._runtime.running else self._gpus or gpus_to_try()
        failure: ForeignRuntimeError | None = None
        for gpu in tries:
            try:
                if gpu is not None:
                    self._begin(gpu)
                loaded: Mapping[str, Any] = self._call("load", _LOAD_S, **asked)
                return loaded
            except ForeignRuntimeError as error:
                # Without the CUDA device that its configuration names, habitat-sim ends the process.
                failure = failure or error
                if self._runtime is not None and self._runtime.running:
                    break
        raise failure or ForeignRuntimeError("habitat-sim was not started.")

    def _begin(self, gpu: int) -> None:
        self._end()
        settings = {name: getattr(self.settings, name) for name in AgentSettings.__dataclass_fields__}
        self._runtime = ForeignRuntime(python_command(python_of(), f"{CHILD}:Simulator"), name="habitat-sim")
        self._call("make", _CALL_S, settings=settings, gpu=gpu)
        self.gpu = gpu

    def _call(self, name: str, limit: float = _CALL_S, **args: Any) -> Any:
        if self._runtime is None:
            raise ConfigError("The simulator has no scene yet: call reset first.")
        return self._runtime.call(name, args, limit)

    # Agents

    def set_agent(self, pose: Pose, agent: int = 0) -> None:
        """Put an agent somewhere."""
        self._call("set_agent", position=pose.position, rotation=pose.rotation, pitch=pose.pitch, agent=agent)
        super().set_agent(pose, agent)

    def act(self, action: str, agent: int = 0) -> bool:
        """Do one of `MOVES` and return whether the agent collided.

        Raises:
            ConfigError: it is another action.
        """
        pose = self._state.poses[agent]
        if action in ("look_up", "look_down"):
            self.set_agent(pose._replace(pitch=tilted(pose.pitch, action, self.settings)), agent)
            return False
        if action not in MOVES:
            # `stop` among others: habitat-sim has no such control, it ends an episode.
            raise ConfigError(f"{action!r} is no move of an agent: those are {', '.join(MOVES)}.")
        done = self._call("act", action=action, agent=agent)
        x, y, z = done["position"]
        a, b, c, d = done["rotation"]
        super().set_agent(Pose((x, y, z), (a, b, c, d), pose.pitch), agent)
        return bool(done["collided"])

    def render(self, sensors: Sequence[str] = SENSORS, agent: int = 0) -> dict[str, NDArray[Any]]:
        """Return what an agent's camera sees."""
        seen: dict[str, NDArray[Any]] = self._call("render", _LOAD_S, sensors=list(sensors), agent=agent)
        return seen

    # Distances

    def try_step(self, start: Vector, end: Vector) -> Vector:
        """Return where an agent comes that walks straight from one place to another, sliding if it may."""
        x, y, z = self._call("try_step", start=start, end=end)
        return x, y, z

    def path(self, start: Vector, goals: Sequence[Vector]) -> PathResult:
        """Return the shortest path to the nearest of some goals."""
        if not goals:
            return PathResult(math.inf, (), -1)
        found = self._call("path", start=start, goals=list(goals))
        points = tuple((x, y, z) for x, y, z in found["points"])
        return PathResult(found["distance"], points, found["goal"])

    def nearest_distance(self, start: Vector, goals: tuple[Vector, ...]) -> float:
        """Return the geodesic distance to the nearest of many goals."""
        key = start, goals
        if key not in self._distances:
            if len(self._distances) >= _KEPT:
                self._distances.clear()
            self._distances[key] = self.path(start, goals).distance
        return self._distances[key]

    def snap(self, point: Vector) -> Vector | None:
        """Return the nearest place where an agent can stand; None where none is near."""
        found = self._call("snap", point=point)
        return None if found is None else (found[0], found[1], found[2])

    def random_point(self, rng: np.random.Generator) -> Vector:
        """Return a place, drawn by habitat-sim; `rng` is consumed.

        Raises:
            WorldError: habitat-sim finds none.
        """
        x, y, z = self._call("random_point", seed=int(rng.integers(2**31)))
        if not math.isfinite(x + y + z):
            raise WorldError(f"habitat-sim finds no place to stand in {self.home.name}.")
        return x, y, z

    def topdown(self, metres_per_pixel: float = _GRID) -> tuple[NDArray[np.bool_], tuple[float, float]]:
        """Return where an agent can stand, from above, shape `[z, x]`, and the `(x, z)` of the first corner."""
        seen = self._call("topdown", _LOAD_S, metres=metres_per_pixel, height=self.scenery.free.floor)
        x, z = seen["origin"]
        return np.asarray(seen["free"], dtype=bool), (x, z)

    # Things

    def _set_placement(self, object_id: int, placement: Placement) -> None:
        x, y, z = placement.position
        height = self.home.things[object_id - 1].box[1][1] - self.home.things[object_id - 1].box[0][1]
        sunk = _FAR_BELOW if placement.held_by is not None else 0.0
        self._call("move", handle=self._handles[object_id], middle=(x, y + height / 2 - sunk, z))
        super()._set_placement(object_id, placement)

    def set_open(self, object_id: int, is_open: bool) -> None:
        """Open or close a thing: its shape is exchanged, or its joints are moved."""
        thing = self.home.things[object_id - 1]
        handle = self._handles[object_id]
        if known_home(self.home.name) is None:
            self._call("open", handle=handle, is_open=is_open)
        elif is_open != (object_id in self._state.opened) and thing.opened is not None:
            place = middle(thing.opened if is_open else thing.solids)
            shape = template_of(object_id, opened=is_open)
            inside = self._state.poses[0].position if object_id in doors_of(self.home) else None
            asked: dict[str, Any] = {"handle": handle, "template": shape, "middle": place, "inside": inside}
            self._handles[object_id] = self._call("exchange", **asked)
            if inside is not None:
                self._distances.clear()
        super().set_open(object_id, is_open)

    def restore(self, state: HomeState, /) -> None:
        """Go back to a snapshot of the same scene."""
        self._bring(state)

    def _bring(self, state: HomeState) -> None:
        """Bring habitat-sim from the present state to another."""
        for number in state.opened ^ self._state.opened:
            self.set_open(number, number in state.opened)
        for number, placement in state.placements.items():
            if placement != self._state.placements[number]:
                self._set_placement(number, placement)
        for number, pose in enumerate(state.poses):
            if pose != self._state.poses[number]:
                self.set_agent(pose, number)
        self._state = state

    def close(self) -> None:
        """End habitat-sim."""
        self._end()
        self._folder.cleanup()

    def _end(self) -> None:
        if self._runtime is not None:
            self._runtime.close()
            self._runtime = None
        self._loaded = None


class _Grid:
    """Where an agent can stand, looked up in the view from above."""

    def __init__(self, sim: HabitatSimBackend, floor: float) -> None:
        self._sim, self.floor = sim, floor
        """The height of an agent's feet."""
        self._seen: tuple[NDArray[np.bool_], tuple[float, float]] | None = None

    def is_free(self, x: float, z: float) -> bool:
        """Return whether an agent can stand there."""
        if self._seen is None:
            self._seen = self._sim.topdown()
        free, (x0, z0) = self._seen
        row, column = round((z - z0) / _GRID), round((x - x0) / _GRID)
        return 0 <= row < free.shape[0] and 0 <= column < free.shape[1] and bool(free[row, column])

    def nearest(self, x: float, z: float) -> tuple[float, float]:
        """Return the nearest place where an agent can stand; the same place where none is near."""
        found = self._sim.snap((x, self.floor, z))
        return (x, z) if found is None else (found[0], found[2])


@lru_cache(maxsize=32)
def known_home(scene: str) -> Home | None:
    """Return the home that a scene's name means here: a generated one, or a file of boxes; None for another's.

    Raises:
        ConfigError: it is a generated one that cannot be.
        DataError: the file of boxes cannot be read.
    """
    generated = read_name(scene)
    if generated is not None:
        return generate_home(*generated)
    if Path(scene).suffix == ".json" and not scene.endswith(("scene_instance.json", "config.json")):
        return read_boxes(Path(scene))
    return None


def split_scene(scene: str) -> tuple[str, str]:
    """Return the scene data set and the scene of an official one's name.

    Raises:
        ConfigError: the file that it names is not there.
    """
    dataset, mark, name = scene.rpartition(".scene_dataset_config.json:")
    dataset = f"{dataset}{mark.removesuffix(':')}" if mark else "default"
    file = Path(dataset if mark else name)
    if not file.is_file():
        raise ConfigError(
            f"There is no scene {scene!r}: name a generated one (home:7), the file of a scene, or "
            "DATASET.scene_dataset_config.json:SCENE."
        )
    return dataset, name

"""A double of habitat-sim: the names that pathei's back end uses, with strict types and the known traps.

It is not habitat-sim. It reads exported homes, and walks and draws by pathei's own embedded parts, so it proves nothing
about physics or images: it proves that the back end calls what there is, with the types that are taken, and keeps clear
of what crashes. The traps are numbered as in the notes on habitat-sim 0.3.3 that they were found on. Environment
variables make other cases: `DOUBLE_VERSION`, `DOUBLE_CUDA` (how many devices there are).
"""

from __future__ import annotations

import enum
import math
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from strict_boxes import together

from pathei.envs.habitat.simulator.raster import Camera, box_faces, render

from . import agent, nav, scenes
from .agent import AgentState
from .strict import Strict

__version__ = os.environ.get("DOUBLE_VERSION", "0.3.3")
physics = SimpleNamespace(MotionType=scenes.MotionType)


class SensorType(enum.Enum):
    """What a sensor sees."""

    COLOR = 1
    DEPTH = 2
    SEMANTIC = 3


class SensorSubType(enum.Enum):
    """How it sees."""

    PINHOLE = 1


class CameraSensorSpec(Strict):
    """A camera."""

    fields: ClassVar[dict[str, Any]] = {
        "uuid": "", "sensor_type": SensorType.COLOR, "sensor_subtype": SensorSubType.PINHOLE, "resolution": [1, 1],
        "position": np.zeros(3, np.float32), "hfov": 90.0,
    }  # fmt: skip


class SimulatorConfiguration(Strict):
    """What is simulated; drawing is on CUDA device 0 by default (trap 1)."""

    fields: ClassVar[dict[str, Any]] = {
        "scene_dataset_config_file": "default", "scene_id": "", "gpu_device_id": 0, "random_seed": 0,
        "allow_sliding": True, "enable_physics": False, "physics_config_file": "./data/default.physics_config.json",
    }  # fmt: skip


class Configuration:
    """The simulator and its agents."""

    def __init__(self, sim_cfg: SimulatorConfiguration, agents: list[agent.AgentConfiguration]) -> None:
        self.sim_cfg, self.agents = sim_cfg, agents


class Simulator:
    """The one simulator of a process (trap 11)."""

    _made = False

    def __init__(self, config: Configuration) -> None:
        if Simulator._made:
            raise AssertionError("a second simulator in this process")
        Simulator._made = True
        if not -1 <= config.sim_cfg.gpu_device_id < int(os.environ.get("DOUBLE_CUDA", "0")):
            print(f"unable to find CUDA device {config.sim_cfg.gpu_device_id} among 1 EGL devices", file=sys.stderr)
            sys.stderr.flush()
            os._exit(1)
        self.pathfinder = nav.PathFinder()
        self.reconfigure(config)

    def reconfigure(self, config: Configuration) -> None:
        """Load another scene, or other agents."""
        if not config.agents:
            raise RuntimeError("Config has not agents specified.")
        uuids = [one.uuid for each in config.agents for one in each.sensor_specifications]
        assert len(set(uuids)) == len(uuids), "sensors of the same name, which 0.3.4 mixes up"
        physics_file = Path(config.sim_cfg.physics_config_file)
        assert not config.sim_cfg.enable_physics or (physics_file.is_absolute() and physics_file.is_file())
        self.config = config
        self.pathfinder.forget()
        self._load(config.sim_cfg)
        self.agents = [agent.Agent(one, self.step_filter) for one in config.agents]

    def _load(self, given: SimulatorConfiguration) -> None:
        self.semantic_scene: Any = SimpleNamespace(regions=[], objects=[])
        if given.scene_id == "NONE":
            return
        data = scenes.DataSet(Path(given.scene_dataset_config_file))
        scene = data.templates[data.find(given.scene_id, "scene_instance")]
        self._stage = data.boxes(data.find(scene["stage_instance"]["template_name"], "stage_config"))
        self._data = data
        self._rigid = scenes.Objects(data, scenes.ManagedObject)
        self._articulated = scenes.Objects(data, scenes.JointedObject)
        for cell, manager in (("object_instances", self._rigid), ("articulated_object_instances", self._articulated)):
            for one in scene.get(cell, ()):
                added = manager.add_object_by_template_handle(data.find(one["template_name"], "object_config"))
                added.translation = scenes._vector(one["translation"])
                added.motion_type = scenes.MotionType[one["motion_type"]]
        self.semantic_scene.regions = scenes.regions_of(data, scene)

    def recompute_navmesh(self, pathfinder: nav.PathFinder, navmesh_settings: nav.NavMeshSettings) -> bool:
        """Make the navigation mesh."""
        if not isinstance(navmesh_settings, nav.NavMeshSettings):
            raise TypeError("recompute_navmesh takes NavMeshSettings")
        fixed = [one for one in self._rigid.all.values() if one.motion_type == scenes.MotionType.STATIC]
        parts = [one.placed() for one in fixed if navmesh_settings.include_static_objects]
        pathfinder.build(together([self._stage, *parts]), navmesh_settings)
        return True

    def step_filter(self, start: Any, end: Any) -> Any:
        """Return where a step ends."""
        sliding = self.config.sim_cfg.allow_sliding
        return (self.pathfinder.try_step if sliding else self.pathfinder.try_step_no_sliding)(start, end)

    def seed(self, seed: int) -> None:
        """Seed everything."""
        self.pathfinder.seed(seed)

    def get_agent(self, agent_id: int) -> agent.Agent:
        """Return an agent."""
        return self.agents[agent_id]

    def get_rigid_object_manager(self) -> Any:
        """Return the rigid objects."""
        return self._rigid

    def get_articulated_object_manager(self) -> Any:
        """Return the articulated objects."""
        return self._articulated

    def get_object_template_manager(self) -> Any:
        """Return the templates."""
        return SimpleNamespace(
            get_template_handles=lambda part: [
                name for name in sorted(self._data.templates) if part in name and ".object_config" in name
            ]
        )

    def get_sensor_observations(self, agent_ids: int = 0) -> dict[str, Any]:
        """Return what an agent's sensors see: RGBA, metres, ids without a sign."""
        found = {}
        for spec in self.config.agents[agent_ids].sensor_specifications:
            rows, width = spec.resolution
            if self.config.sim_cfg.scene_id == "NONE":
                found[spec.uuid] = np.zeros((rows, width), np.float32)
                continue
            pose = self.agents[agent_ids].get_state().sensor_states[spec.uuid]
            found[spec.uuid] = self._draw(spec, pose, rows, width)
        return found

    def _draw(self, spec: CameraSensorSpec, pose: agent.SixDOFPose, rows: int, width: int) -> Any:
        things = [(self._stage, 0)]
        for manager in (self._rigid, self._articulated):
            things += [(one.placed(), one.semantic_id) for one in manager.all.values()]
        boxes = together([one for one, _ in things])
        ids = np.repeat([number for _, number in things], [len(one.low) for one, _ in things])
        ids = np.stack([ids, np.zeros_like(ids), np.full_like(ids, -1)], 1).astype(np.int32)
        turn = agent.read_rotation(pose.rotation)
        right, up, forward = (turn.rotate(np.array(axis)) for axis in ((1.0, 0, 0), (0, 1.0, 0), (0, 0, -1.0)))
        half = math.tan(math.radians(spec.hfov) / 2)
        camera = Camera(np.asarray(pose.position, dtype=float), right, up, forward, half)
        faces = box_faces(boxes.low.astype(float), boxes.high.astype(float), boxes.colours, ids)
        name = {SensorType.COLOR: "rgb", SensorType.DEPTH: "depth", SensorType.SEMANTIC: "semantic"}[spec.sensor_type]
        image = render(faces, camera, rows, width, (name,))[name]
        if name == "rgb":
            return np.dstack([image, np.full((rows, width), 255, np.uint8)])
        return image.astype(np.uint32) if name == "semantic" else image

    def close(self, destroy: bool = True) -> None:
        """End."""
        self.agents = []


__all__ = [
    "AgentState", "CameraSensorSpec", "Configuration", "SensorSubType", "SensorType", "Simulator",
    "SimulatorConfiguration", "agent", "nav", "physics",
]  # fmt: skip

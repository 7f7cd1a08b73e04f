"""A double of `habitat_sim.agent`: a body with sensors on a navigation mesh."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .strict import vector


class Quaternion:
    """A rotation, as numpy-quaternion has it."""

    def __init__(self, x: float, y: float, z: float, w: float) -> None:
        self.x, self.y, self.z, self.w = x, y, z, w

    def rotate(self, by: Any) -> np.ndarray:
        """Return a vector turned by the rotation."""
        axis = np.array((self.x, self.y, self.z))
        turned = 2 * np.cross(axis, by)
        return np.asarray(by + self.w * turned + np.cross(axis, turned))


def read_rotation(value: Any) -> Quaternion:
    """Take a rotation as an agent's state does: a quaternion, or `[x, y, z, w]`."""
    if isinstance(value, Quaternion):
        return value
    if not isinstance(value, list) or not math.isclose(float(np.linalg.norm(value)), 1.0, rel_tol=1e-4):
        raise ValueError(f"{value!r} is not a unit length vector")
    return Quaternion(*value)


@dataclass
class SixDOFPose:
    """Where a sensor is."""

    position: Any
    rotation: Any


class AgentState:
    """Where an agent is; what is not finite is refused (trap 2)."""

    def __init__(self, position: Any = None, rotation: Any = None, sensor_states: Any = None) -> None:
        self.position = np.zeros(3, np.float32) if position is None else vector(position)
        if not np.isfinite(self.position).all():
            raise ValueError(f"{position} contains non-finite values")
        self.rotation = Quaternion(0.0, 0.0, 0.0, 1.0) if rotation is None else read_rotation(rotation)
        self.sensor_states: dict[str, SixDOFPose] = dict(sensor_states or {})


@dataclass
class ActuationSpec:
    """How far."""

    amount: float
    constraint: float | None = None


@dataclass
class ActionSpec:
    """A control and how far it goes."""

    name: str
    actuation: ActuationSpec


@dataclass
class AgentConfiguration:
    """A body."""

    height: float = 1.5
    radius: float = 0.1
    sensor_specifications: list[Any] = field(default_factory=list)
    action_space: dict[str, ActionSpec] = field(default_factory=dict)
    body_type: str = "cylinder"


class Agent:
    """A body in a scene."""

    def __init__(self, config: AgentConfiguration, step_filter: Callable[[Any, Any], Any]) -> None:
        self.agent_config, self._filter = config, step_filter
        self._state = AgentState()
        self.set_state(self._state)

    def get_state(self) -> AgentState:
        """Return a copy of where it is."""
        sensors = {name: SixDOFPose(one.position, one.rotation) for name, one in self._state.sensor_states.items()}
        return AgentState(self._state.position, self._state.rotation, sensors)

    def set_state(
        self,
        state: AgentState,
        reset_sensors: bool = True,
        infer_sensor_states: bool = True,
        is_initial: bool = False,
    ) -> None:
        """Put it somewhere."""
        given = state.sensor_states
        self._state = AgentState(state.position, state.rotation)
        for spec in self.agent_config.sensor_specifications:
            place = state.position + state.rotation.rotate(np.asarray(spec.position, dtype=float))
            self._state.sensor_states[spec.uuid] = SixDOFPose(place, state.rotation)
        if not infer_sensor_states:
            for name, one in given.items():
                assert name in self._state.sensor_states
                self._state.sensor_states[name] = SixDOFPose(one.position, read_rotation(one.rotation))

    def act(self, action: Any) -> bool:
        """Do a control and return whether it collided."""
        assert action in self.agent_config.action_space, f"No action {action} in action space"
        spec = self.agent_config.action_space[action]
        if spec.name == "move_forward":
            return self._forward(spec.actuation.amount)
        if spec.name not in ("turn_left", "turn_right"):
            raise AssertionError(f"No move_fn for action '{spec.name}'")  # trap 5
        half = math.radians(spec.actuation.amount if spec.name == "turn_left" else -spec.actuation.amount) / 2
        s, c = math.sin(half), math.cos(half)
        for one in (self._state, *self._state.sensor_states.values()):
            one.rotation = _times(Quaternion(0.0, s, 0.0, c), one.rotation)
        return False

    def _forward(self, metres: float) -> bool:
        before = self._state.position
        wanted = (before + self._state.rotation.rotate(np.array((0.0, 0.0, -metres)))).astype(np.float32)
        after = self._filter(before, wanted)
        self._state.position = after
        for one in self._state.sensor_states.values():
            one.position = one.position + (after - before)
        return bool(((after - before) ** 2).sum() + 1e-5 < ((wanted - before) ** 2).sum())


def _times(a: Quaternion, b: Quaternion) -> Quaternion:
    return Quaternion(
        a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y, a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
        a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w, a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
    )  # fmt: skip

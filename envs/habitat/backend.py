"""What a simulator of homes must do for Habitat's tasks: the one interface of the embedded simulator and habitat-sim.

Conventions are Habitat's: metres, Y up, an agent looks along -Z, turning left is positive about +Y, quaternions are
`(x, y, z, w)`. A position of an agent is that of its feet. Not here: tasks, metrics, words (they need no more than
this).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
"""`(x, y, z)` in metres."""
Quaternion = tuple[float, float, float, float]
"""A rotation `(x, y, z, w)`."""

_FARTHEST: Final = 1e5
_UNIT: Final = 1e-2
"""How far the length of a rotation may be from 1: files of episodes round."""
MOVES: Final = ("move_forward", "turn_left", "turn_right", "look_up", "look_down")
"""The actions of `SimBackend.act`; `stop` belongs to the task."""
RGB, DEPTH, SEMANTIC = "rgb", "depth", "semantic"
SENSORS: Final = (RGB, DEPTH, SEMANTIC)
"""The images of `SimBackend.render`."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """The body, the steps and the camera of every agent; the defaults are those of Habitat's ObjectNav challenge."""

    radius: float = 0.18
    """In metres; the agent is a cylinder."""
    height: float = 1.5
    """In metres."""
    camera_height: float = 1.25
    """In metres above the feet."""
    hfov: float = 90.0
    """The horizontal field of view, in degrees."""
    forward: float = 0.25
    """The length of `move_forward`, in metres."""
    turn: float = 30.0
    """The angle of `turn_left` and `turn_right`, in degrees."""
    tilt: float = 30.0
    """The angle of `look_up` and `look_down`, in degrees."""
    width: int = 128
    """Pixels of an image."""
    rows: int = 128
    """Rows of pixels of an image."""
    sliding: bool = True
    """Whether an agent slides along what it walks into."""


class Pose(NamedTuple):
    """Where an agent stands and looks."""

    position: Vector
    rotation: Quaternion = (0.0, 0.0, 0.0, 1.0)
    """Of the body: about +Y only."""
    pitch: float = 0.0
    """Of the camera, in degrees; positive looks up."""


class PathResult(NamedTuple):
    """A shortest path for the agent's body."""

    distance: float
    """The geodesic distance in metres; infinite where there is no way."""
    points: tuple[Vector, ...]
    """The corners of the path, both ends included; empty where there is no way."""
    goal: int = 0
    """Which of the goals is the nearest; -1 where there is no way."""


class ObjectInfo(NamedTuple):
    """A thing in a home as it is now."""

    id: int
    """A number above 0 that no other thing of the scene has; semantic images hold `semantic_id`."""
    category: str
    """Its kind, as Habitat's and VirtualHome's users name it: `"kitchentable"`."""
    semantic_id: int
    """What the semantic image shows for it, above 0; things of one kind may share it. 0 is the building."""
    position: Vector
    """The middle of its box."""
    size: Vector
    """The edges of its box along X, Y and Z, in metres."""
    movable: bool = False
    """Whether it can be picked up."""
    is_open: bool | None = None
    """Whether it is open; None for what cannot be opened."""
    holder: int | None = None
    """The id of the thing that it lies on or in; None where it stands on the floor or is held."""
    inside: bool = False
    """Whether it lies in the holder, not on it."""
    held_by: int | None = None
    """The number of the agent that holds it."""


class RoomInfo(NamedTuple):
    """A room (a semantic region)."""

    name: str
    """`"kitchen"`; a second one is `"kitchen_2"`."""
    polygon: tuple[tuple[float, float], ...]
    """Its corners `(x, z)` on the floor."""
    floor: float
    """The height of its floor."""
    height: float
    """From the floor to the ceiling."""


class SimBackend(Protocol):
    """A simulator with one home and one or more agents in it.

    Every method but `reset` and `close` needs a scene. An `agent` is a number from 0.
    """

    settings: AgentSettings

    def reset(self, scene: str, *, seed: int = 0, agents: int = 1) -> None:
        """Load a scene, or put a loaded one back to its beginning.

        Args:
            scene: The name of a scene; which names there are depends on the simulator.
            seed: Seeds what is random in the simulator itself.
            agents: How many agents there are. Where they stand is set by `set_agent`.

        Raises:
            ConfigError: there is no such scene.
            DataError: the scene cannot be read.
        """

    def set_agent(self, pose: Pose, agent: int = 0) -> None:
        """Put an agent somewhere; the position is taken as it is."""

    def agent(self, agent: int = 0) -> Pose:
        """Return where an agent is."""

    def act(self, action: str, agent: int = 0) -> bool:
        """Do one of `MOVES` and return whether the agent collided."""

    def try_step(self, start: Vector, end: Vector) -> Vector:
        """Return where an agent comes that walks straight from one place to another, sliding if it may."""

    def render(self, sensors: Sequence[str] = SENSORS, agent: int = 0) -> dict[str, NDArray[Any]]:
        """Return what an agent's camera sees now.

        Returns:
            The images asked for by name: `"rgb"`, uint8 of shape `[rows, width, 3]`; `"depth"`, float32 of shape
            `[rows, width]`, in metres along the camera's axis, 0 where there is nothing; `"semantic"`, int32 of shape
            `[rows, width]`.
        """

    def path(self, start: Vector, goals: Sequence[Vector]) -> PathResult:
        """Return the shortest path to the nearest of some goals; each end is taken to the nearest free place."""

    def snap(self, point: Vector) -> Vector | None:
        """Return the nearest place where an agent can stand; None where none is near."""

    def random_point(self, rng: np.random.Generator) -> Vector:
        """Return a place, drawn evenly from the largest connected free space; `rng` is consumed."""

    def topdown(self, metres_per_pixel: float = 0.05) -> tuple[NDArray[np.bool_], tuple[float, float]]:
        """Return where an agent can stand, from above.

        Returns:
            An array of shape `[z, x]`, and the `(x, z)` of its first corner.
        """

    def objects(self) -> Sequence[ObjectInfo]:
        """Return all things, by id."""

    def rooms(self) -> Sequence[RoomInfo]:
        """Return the rooms; none where the scene has no semantic regions."""

    def hold(self, object_id: int, agent: int = 0) -> None:
        """Put a movable thing into an agent's hand: it goes where the agent goes and collides with nothing."""

    def place(self, object_id: int, position: Vector, holder: int | None = None, *, inside: bool = False) -> None:
        """Put a movable thing down.

        Args:
            object_id: What.
            position: Where the middle of its lower side comes to lie.
            holder: The thing that it then lies on or in, if any.
            inside: Whether it lies in the holder.
        """

    def set_open(self, object_id: int, is_open: bool) -> None:
        """Open or close a thing: a door, a drawer, a fridge."""

    def snapshot(self) -> Any:
        """Return all that changes, in a form that stays valid until the next `reset` with another scene."""

    def restore(self, state: Any, /) -> None:
        """Go back to a snapshot of the same scene."""

    def close(self) -> None:
        """Let go of what the simulator holds; may be called twice."""


def read_vector(values: Any) -> Vector:
    """Return a place of three numbers in metres.

    Raises:
        TypeError: they are no numbers.
        ValueError: they are not three, not finite, or farther away than any home reaches.
    """
    x, y, z = map(float, values)
    if not all(abs(one) <= _FARTHEST for one in (x, y, z)):
        raise ValueError(f"{list(values)} is no place: its numbers are metres, at most {_FARTHEST:,.0f}")
    return x, y, z


def read_rotation(values: Any) -> Quaternion:
    """Return a rotation of four numbers.

    Raises:
        TypeError: they are no numbers.
        ValueError: they are not four, or no rotation about +Y.
    """
    x, y, z, w = map(float, values)
    if not (abs(math.hypot(y, w) - 1) <= _UNIT and math.hypot(x, z) <= _UNIT):
        raise ValueError(f"{list(values)} is no rotation about +Y: that is [0, sin, 0, cos] of half the angle")
    return x, y, z, w

"""What the simulators of homes share: the things of a home, where they are, what is open, who holds what.

All that changes is one immutable value, `HomeState`, so a snapshot costs nothing. Not here: walking, distances and
images, which are each simulator's own.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ....errors import ConfigError
from ..backend import AgentSettings, ObjectInfo, Pose, RoomInfo, SimBackend, Vector
from ..scenes.scene import Home, Thing


class Placement(NamedTuple):
    """Where a movable thing is."""

    position: Vector
    """The middle of its lower side."""
    holder: int | None
    inside: bool
    held_by: int | None = None


class HomeState(NamedTuple):
    """Everything that changes in a home."""

    poses: tuple[Pose, ...]
    placements: Mapping[int, Placement]
    opened: frozenset[int]


class AddedObjects(NamedTuple):
    """The objects of an official episode, which are not in its scene."""

    objects: tuple[tuple[str, Vector], ...] = ()
    """A part of the name of each one's shape, and where its middle is."""
    folders: tuple[str, ...] = ()
    """Where their shapes are, besides the scene data set."""


class FreeSpace(Protocol):
    """Where an agent can stand, on one floor."""

    @property
    def floor(self) -> float:
        """The height of an agent's feet, in metres."""

    def is_free(self, x: float, z: float) -> bool:
        """Return whether an agent can stand there."""

    def nearest(self, x: float, z: float) -> tuple[float, float]:
        """Return the nearest place where an agent can stand."""


@dataclass(frozen=True, eq=False)
class Scenery:
    """A home with where one can stand in it; each is a value of its own."""

    home: Home
    free: FreeSpace


class HomeSimulator(SimBackend, abc.ABC):
    """A `SimBackend` of one home; see that protocol for what the methods mean."""

    def __init__(self, settings: AgentSettings | None = None) -> None:
        """Create a simulator without a scene."""
        self.settings = settings or AgentSettings()
        self._scenery: Scenery | None = None
        self._state = HomeState((), {}, frozenset())

    @property
    def scenery(self) -> Scenery:
        """The home as it was built, and where one can stand in it."""
        if self._scenery is None:
            raise ConfigError("The simulator has no scene yet: call reset first.")
        return self._scenery

    @property
    def home(self) -> Home:
        """The home as it was built."""
        return self.scenery.home

    @property
    def state(self) -> HomeState:
        """Everything that changes; equal states are equal."""
        return self._state

    @abc.abstractmethod
    def reset(self, scene: str, *, seed: int = 0, agents: int = 1, added: AddedObjects = AddedObjects()) -> None:  # noqa: B008
        """Load a scene, or put it back; objects may be added to an official one."""

    def set_agent(self, pose: Pose, agent: int = 0) -> None:
        """Put an agent somewhere."""
        poses = self._state.poses
        self._state = self._state._replace(poses=(*poses[:agent], pose, *poses[agent + 1 :]))

    def agent(self, agent: int = 0) -> Pose:
        """Return where an agent is."""
        return self._state.poses[agent]

    @abc.abstractmethod
    def nearest_distance(self, start: Vector, goals: tuple[Vector, ...]) -> float:
        """Return the geodesic distance to the nearest of many goals; far faster than `path`."""

    def in_the_open(self, object_id: int) -> bool:
        """Return whether a thing is not inside a closed container."""
        placement = self._state.placements[object_id]
        if not placement.inside or placement.holder is None:
            return True
        holder = self.home.things[placement.holder - 1]
        return holder.opened is None or holder.id in self._state.opened

    def objects(self) -> Sequence[ObjectInfo]:
        """Return all things, by id."""
        return [self._info(thing) for thing in self.home.things]

    def _info(self, thing: Thing) -> ObjectInfo:
        low, high = thing.box
        size = (high[0] - low[0], high[1] - low[1], high[2] - low[2])
        middle = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2)
        opened = None if thing.opened is None else thing.id in self._state.opened
        if not thing.movable:
            return ObjectInfo(thing.id, thing.category, thing.semantic_id, middle, size, False, opened)
        place = self._state.placements[thing.id]
        at = place.position if place.held_by is None else self.hand(place.held_by)
        return ObjectInfo(
            thing.id, thing.category, thing.semantic_id, (at[0], at[1] + size[1] / 2, at[2]), size, True, None,
            place.holder, place.inside, place.held_by,
        )  # fmt: skip

    def hand(self, agent: int) -> Vector:
        """Return where an agent carries things: at three fifths of its camera's height."""
        x, y, z = self._state.poses[agent].position
        return x, y + self.settings.camera_height * 0.6, z

    def rooms(self) -> Sequence[RoomInfo]:
        """Return the rooms."""
        return self.home.rooms

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

    def snapshot(self) -> HomeState:
        """Return all that changes."""
        return self._state

    def restore(self, state: HomeState, /) -> None:
        """Go back to a snapshot of the same scene."""
        self._state = state

    def close(self) -> None:  # an embedded simulator holds nothing
        """Let go of what the simulator holds."""


def open_at_first(home: Home) -> frozenset[int]:
    """Return which things of a home are open at the beginning."""
    return frozenset(thing.id for thing in home.things if thing.starts_open)


def doors_of(home: Home) -> frozenset[int]:
    """Return the leaves of a home's doors."""
    return frozenset(door.leaf for door in home.doors if door.leaf)


def placed_at_first(home: Home) -> dict[int, Placement]:
    """Return where the movable things of a home are at the beginning."""
    start = {}
    for thing in home.things:
        if thing.movable:
            bottom, top = thing.box
            middle = ((bottom[0] + top[0]) / 2, bottom[1], (bottom[2] + top[2]) / 2)
            start[thing.id] = Placement(middle, thing.holder, thing.in_holder)
    return start


def tilted(pitch: float, action: str, settings: AgentSettings) -> float:
    """Return the pitch of a camera after `look_up` or `look_down`, in degrees, at most straight up or down."""
    return min(max(pitch + (settings.tilt if action == "look_up" else -settings.tilt), -90.0), 90.0)


def first_pose(scenery: Scenery) -> Pose:
    """Return where agents are before they are put somewhere: in the middle of the first room."""
    rooms = scenery.home.rooms
    corners = rooms[0].polygon if rooms else ((0.0, 0.0),)
    x, z = (math.fsum(corner[axis] for corner in corners) / len(corners) for axis in (0, 1))
    place = scenery.free.nearest(x, z)
    return Pose((place[0], scenery.free.floor, place[1]))

"""What a home of the embedded simulator is made of: boxes, things and rooms; and files of boxes.

Not here: where things are after they were moved, which is the simulator's state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from ....errors import DataError
from ..backend import RoomInfo, Vector, read_vector

WALL: Final = 0xE4DFD3
FLOOR: Final = 0xB98F63
CEILING: Final = 0xF4F2EC
_PALETTE: Final = (0x5B7DB1, 0xB5835A, 0x7FA65A, 0xC9CDD2, 0xA25C7A, 0xC8453B, 0x3E9B5F, 0xD9A441, 0x6C5B9E)


class Solid(NamedTuple):
    """A box of one colour."""

    low: Vector
    high: Vector
    colour: int = WALL
    """`0xRRGGBB`."""

    def moved(self, by: Vector) -> Solid:
        """Return the box somewhere else."""
        low = (self.low[0] + by[0], self.low[1] + by[1], self.low[2] + by[2])
        high = (self.high[0] + by[0], self.high[1] + by[1], self.high[2] + by[2])
        return Solid(low, high, self.colour)


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing of a home. Coordinates are the world's; a movable thing's are where it is at the beginning."""

    id: int
    category: str
    semantic_id: int
    solids: tuple[Solid, ...]
    movable: bool = False
    on: tuple[Vector, ...] = ()
    """The places on it where something can be put."""
    inside: tuple[Vector, ...] = ()
    """The places in it where something can be put."""
    opened: tuple[Solid, ...] | None = None
    """What it looks like when it is open; None for what cannot be opened."""
    holder: int | None = None
    """For a movable thing, what it lies on or in at the beginning."""
    in_holder: bool = False
    spot: int = -1
    """For a movable thing, which place of the holder it takes at the beginning."""
    starts_open: bool = False
    """Whether it is open at the beginning."""

    box: tuple[Vector, Vector] = field(init=False, repr=False, compare=False)
    """The lower and the upper corner of all of it."""

    def __post_init__(self) -> None:
        """Work out the box."""
        object.__setattr__(self, "box", bounds(self.solids))


class Doorway(NamedTuple):
    """An opening between two rooms, from the floor up."""

    rooms: tuple[int, int]
    """The rooms, by their places in `Home.rooms`."""
    axis: int
    """Which way it leads: 0 along X, 1 along Z."""
    at: float
    """Where the middle of its wall is on that axis."""
    low: float
    """Where it begins on the other axis."""
    high: float
    """Where it ends on the other axis."""
    height: float
    leaf: int = 0
    """The thing that closes it, a door; 0 where there is none."""

    @property
    def middle(self) -> tuple[float, float]:
        """Its middle `(x, z)`."""
        along = (self.low + self.high) / 2
        return (self.at, along) if self.axis == 0 else (along, self.at)


@dataclass(frozen=True, slots=True)
class Home:
    """A home."""

    name: str
    structure: tuple[Solid, ...]
    """Floors, walls and ceilings."""
    things: tuple[Thing, ...]
    """By id, from 1."""
    rooms: tuple[RoomInfo, ...] = ()
    doors: tuple[Doorway, ...] = ()
    """The doorways; with them a camera draws only the rooms that it may see."""


def bounds(solids: Sequence[Solid]) -> tuple[Vector, Vector]:
    """Return the lower and the upper corner of several boxes together."""
    low = [min(one.low[axis] for one in solids) for axis in range(3)]
    high = [max(one.high[axis] for one in solids) for axis in range(3)]
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def read_boxes(path: Path) -> Home:
    """Read a scene from a JSON file of boxes: `{"stage": {name: {lo, hi}}, "objects": [...], "regions": [...]}`.

    An object has a `name`, a `semantic_id`, a `motion` (`"static"` or `"dynamic"`) and `boxes`.

    Raises:
        DataError: the file cannot be read, or is not of this form.
    """
    try:
        data = orjson.loads(path.read_bytes())
        stage = [_solid(box, _stage_colour(name)) for name, box in data["stage"].items()]
        if not stage:
            raise ValueError("the stage has no boxes")
        things = [_thing(number, one) for number, one in enumerate(data.get("objects", ()), 1)]
        rooms = list[RoomInfo]()
        for one in data.get("regions", ()):
            rooms.append(_room(one, rooms))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is no scene of boxes ({type(error).__name__}: {error}).") from error
    return Home(str(path), tuple(stage), tuple(things), tuple(rooms))


def _solid(box: Mapping[str, Any], colour: int) -> Solid:
    low, high = read_vector(box["lo"]), read_vector(box["hi"])
    if not all(one <= other for one, other in zip(low, high, strict=True)):
        raise ValueError(f"a box has its lower corner at {list(low)} and its higher one at {list(high)}")
    return Solid(low, high, colour)


def _stage_colour(name: str) -> int:
    return FLOOR if name.startswith("floor") else CEILING if name.startswith("ceiling") else WALL


def _thing(number: int, one: Mapping[str, Any]) -> Thing:
    colour = _PALETTE[(number - 1) % len(_PALETTE)]
    solids = tuple(_solid(box, colour) for box in one["boxes"])
    if not solids:
        raise ValueError(f"object {number} has no boxes")
    if one["motion"] not in ("static", "dynamic"):
        raise ValueError(f"the motion of object {number} is 'static' or 'dynamic', not {one['motion']!r}")
    low, high = bounds(solids)
    movable = one["motion"] == "dynamic"
    top = ((low[0] + high[0]) / 2, high[1], (low[2] + high[2]) / 2)
    return Thing(number, as_word(str(one["name"])), int(one["semantic_id"]), solids, movable, () if movable else (top,))


def _room(one: Mapping[str, Any], others: Sequence[RoomInfo]) -> RoomInfo:
    (x0, y0, z0), (x1, y1, z1) = _solid(one, 0)[:2]
    name = numbered(as_word(str(one["name"])), others)
    return RoomInfo(name, ((x0, z0), (x1, z0), (x1, z1), (x0, z1)), y0, y1 - y0)


def as_word(text: str) -> str:
    """Return a name as pathei writes it: `"living_room"` of `"Living Room"`; `"thing"` of what has no letters."""
    return re.sub(r"\W+", "_", text.strip().lower()).strip("_") or "thing"


def numbered(name: str, others: Sequence[RoomInfo]) -> str:
    """Return a room's name with a number where others have it already."""
    count = sum(one.name == name or one.name.rpartition("_")[0] == name for one in others)
    return name if not count else f"{name}_{count + 1}"

"""The plan of a generated home: rooms that divide a rectangle, walls between them, and doorways that join them.

Not here: what stands in the rooms (`furnish`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ....stable_random import StableRandom
from .catalogue import HUBS, ROOM_ORDER, ROOMS
from .scene import CEILING, Doorway, Solid

HEIGHT: Final = 2.6
"""From the floor to the ceiling, in metres."""
DOOR_WIDTH: Final = 0.95
DOOR_HEIGHT: Final = 2.05
WALL_WIDTH: Final = 0.1
_FLOOR_WIDTH: Final = 0.2
_LEAF_WIDTH, _LEAF = 0.04, 0xB08A5E
_SHARED: Final = DOOR_WIDTH + 0.4
"""The least length of wall that two rooms with a doorway share."""
_NARROWEST: Final = 1.95
_HALLWAY: Final = 1.4
_TRIES: Final = 200


class Rect(NamedTuple):
    """A rectangle on the floor."""

    x0: float
    z0: float
    x1: float
    z1: float

    def meets(self, other: Rect, gap: float = 0.0) -> bool:
        """Return whether two rectangles overlap or come nearer than a gap."""
        return (
            self.x0 < other.x1 + gap
            and other.x0 < self.x1 + gap
            and self.z0 < other.z1 + gap
            and other.z0 < self.z1 + gap
        )

    def within(self, other: Rect) -> bool:
        """Return whether it lies in another."""
        return self.x0 >= other.x0 and self.x1 <= other.x1 and self.z0 >= other.z0 and self.z1 <= other.z1

    @property
    def middle(self) -> tuple[float, float]:
        """Its middle."""
        return (self.x0 + self.x1) / 2, (self.z0 + self.z1) / 2


class FloorPlan(NamedTuple):
    """Rooms and the doorways between them."""

    kinds: tuple[str, ...]
    rooms: tuple[Rect, ...]
    """Inside the walls."""
    doors: tuple[Doorway, ...]


def lay_out(draws: StableRandom, count: int) -> FloorPlan:
    """Return the plan of a home of some rooms; the draws are consumed."""
    while True:
        kinds = draws.shuffled(ROOM_ORDER[:count])
        areas = [_area(draws, kind) for kind in kinds]
        whole = sum(areas)
        width = _rounded(math.sqrt(whole * (0.9 + 0.7 * draws.uniform())))
        rooms = list(_divided(kinds, areas, Rect(0.0, 0.0, width, _rounded(whole / width)), draws))
        narrow = (
            min(room.x1 - room.x0, room.z1 - room.z0) < (_HALLWAY if kind == "hallway" else _NARROWEST)
            for kind, room in zip(kinds, rooms, strict=True)
        )
        if not any(narrow):
            doors = _joined(kinds, rooms, draws)
            if doors is not None:
                return FloorPlan(tuple(kinds), tuple(rooms), doors)


def _area(draws: StableRandom, kind: str) -> float:
    low, high = ROOMS[kind].area
    return low + (high - low) * draws.uniform()


def _rounded(metres: float) -> float:
    return round(metres * 20) / 20


def _divided(kinds: Sequence[str], areas: Sequence[float], rect: Rect, draws: StableRandom) -> Iterator[Rect]:
    """Yield the rooms of a rectangle, in order: it is cut across its longer side again and again."""
    if len(kinds) == 1:
        yield rect
        return
    half = sum(areas) / 2
    cut = min(range(1, len(areas)), key=lambda at: abs(sum(areas[:at]) - half))
    share = sum(areas[:cut]) / (2 * half)
    if rect.x1 - rect.x0 >= rect.z1 - rect.z0:
        at = _rounded(rect.x0 + (rect.x1 - rect.x0) * share)
        one = rect._replace(x1=at - WALL_WIDTH / 2)
        other = rect._replace(x0=at + WALL_WIDTH / 2)
    else:
        at = _rounded(rect.z0 + (rect.z1 - rect.z0) * share)
        one = rect._replace(z1=at - WALL_WIDTH / 2)
        other = rect._replace(z0=at + WALL_WIDTH / 2)
    yield from _divided(kinds[:cut], areas[:cut], one, draws)
    yield from _divided(kinds[cut:], areas[cut:], other, draws)


def _joined(kinds: Sequence[str], rooms: Sequence[Rect], draws: StableRandom) -> tuple[Doorway, ...] | None:
    """Return doorways by which every room is reached; None where the walls do not allow it."""
    ranks = [HUBS.index(kind) if kind in HUBS else len(HUBS) + ROOMS[kind].private for kind in kinds]
    shared = [
        (ranks[a] + ranks[b] + 10 * (min(ranks[a], ranks[b]) >= len(HUBS)), a, b, wall)
        for a in range(len(rooms))
        for b in range(a)
        if (wall := _shared(rooms[a], rooms[b])) is not None
    ]
    group = list(range(len(rooms)))
    doors: list[Doorway] = []
    for rank, a, b, wall in sorted(shared):
        if group[a] != group[b] or (rank <= len(HUBS) and draws.chance(0.5)):
            group = [group[b] if one == group[a] else one for one in group]
            doors.append(_doorway(a, b, wall, draws))
    return tuple(doors) if len(set(group)) == 1 else None


def _shared(a: Rect, b: Rect) -> tuple[int, float, float, float] | None:
    """Return the wall between two rooms: its axis, where it stands along it, and from where to where it goes."""
    for axis, (a0, a1, b0, b1), (c0, c1, d0, d1) in (
        (0, (a.x0, a.x1, b.x0, b.x1), (a.z0, a.z1, b.z0, b.z1)),
        (1, (a.z0, a.z1, b.z0, b.z1), (a.x0, a.x1, b.x0, b.x1)),
    ):
        for left, right in ((a1, b0), (b1, a0)):
            low, high = max(c0, d0), min(c1, d1)
            if abs(right - left - WALL_WIDTH) < 1e-6 and high - low >= _SHARED:
                return axis, (left + right) / 2, low, high
    return None


def _doorway(a: int, b: int, wall: tuple[int, float, float, float], draws: StableRandom) -> Doorway:
    axis, at, low, high = wall
    slack = high - low - DOOR_WIDTH - 0.3
    # Near a corner, as doors are, so that the rest of the wall is free for furniture.
    start = _rounded(low + 0.15 + slack * draws.pick((0.0, 0.05, 0.95, 1.0)))
    return Doorway((a, b), axis, at, start, start + DOOR_WIDTH, DOOR_HEIGHT)


def door_leaf(plan: FloorPlan, door: Doorway) -> tuple[tuple[Solid, ...], tuple[Solid, ...]] | None:
    """Return the leaf of a doorway, closed and open, into the more private room; None for a doorway without a door.

    It hangs on the side that is nearer to a corner of the room, and lies along the wall there when it is open.
    """
    rooms = sorted(door.rooms, key=lambda number: not ROOMS[plan.kinds[number]].private)
    if not ROOMS[plan.kinds[rooms[0]]].private:
        return None
    room, half, width = plan.rooms[rooms[0]], _LEAF_WIDTH / 2, door.high - door.low
    begin, end = (room.z0, room.z1) if door.axis == 0 else (room.x0, room.x1)
    into = 1 if (room.middle[door.axis] > door.at) else -1
    wall = door.at + into * WALL_WIDTH / 2
    start, stop = sorted((wall, wall + into * width))
    hinge = (
        (door.low - _LEAF_WIDTH, door.low)
        if door.low - begin < end - door.high
        else (door.high, door.high + _LEAF_WIDTH)
    )
    top = door.height - 0.02
    closed = _piece(door.axis, door.at - half, door.at + half, door.low, door.high, 0.01, top, _LEAF)
    opened = _piece(door.axis, start, stop, *hinge, 0.01, top, _LEAF)
    return (closed,), (opened,)


def walls(plan: FloorPlan) -> Iterator[Solid]:
    """Yield the floors, walls and ceilings of a home; each room has its own side of a wall, in its colour."""
    half = WALL_WIDTH / 2
    for number, (kind, room) in enumerate(zip(plan.kinds, plan.rooms, strict=True)):
        colours = ROOMS[kind]
        x0, z0, x1, z1 = room.x0 - half, room.z0 - half, room.x1 + half, room.z1 + half
        yield Solid((x0, -_FLOOR_WIDTH, z0), (x1, 0.0, z1), colours.floor)
        yield Solid((x0, HEIGHT, z0), (x1, HEIGHT + 0.1, z1), CEILING)
        for axis, at, low, high in ((0, x0, z0, z1), (0, room.x1, z0, z1), (1, z0, x0, x1), (1, room.z1, x0, x1)):
            openings = sorted(
                (door.low, door.high)
                for door in plan.doors
                if number in door.rooms and door.axis == axis and at - 1e-6 <= door.at <= at + half + 1e-6
            )
            yield from _wall(axis, at, low, high, openings, colours.wall)


def _wall(
    axis: int, at: float, low: float, high: float, openings: Sequence[tuple[float, float]], colour: int
) -> Iterator[Solid]:
    half, begin = WALL_WIDTH / 2, low
    for start, end in openings:
        yield _piece(axis, at, at + half, begin, start, 0.0, HEIGHT, colour)
        yield _piece(axis, at, at + half, start, end, DOOR_HEIGHT, HEIGHT, colour)
        begin = end
    yield _piece(axis, at, at + half, begin, high, 0.0, HEIGHT, colour)


def _piece(axis: int, a0: float, a1: float, b0: float, b1: float, y0: float, y1: float, colour: int) -> Solid:
    if axis == 0:
        return Solid((a0, y0, b0), (a1, y1, b1), colour)
    return Solid((b0, y0, a0), (b1, y1, a1), colour)

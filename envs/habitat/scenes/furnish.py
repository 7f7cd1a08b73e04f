"""Furniture in the rooms of a floor plan, and movable objects on and in it, so that all of it can be reached.

Furniture stands at right angles to the walls. It keeps doorways free, and the space in front of it, and between it and
the next piece is either no gap or one that an agent passes. Not here: the plan itself (`layout`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ....stable_random import StableRandom
from ..backend import Vector
from .catalogue import FURNITURE, MOVABLE, FurnitureKind
from .layout import FloorPlan, Rect
from .scene import Solid, Thing
from .shapes import SHAPES, Shape

_FRONT: Final = 0.75
"""How much room furniture needs in front of it, in metres."""
_DOOR_ROOM: Final = 1.0
"""How much room a doorway needs on both sides."""
_PASSAGE: Final = 0.7
"""The least gap between pieces that does not block an agent."""
_STEP: Final = 0.1
_OFF_WALL: Final = 0.02
_TOPS: Final = ("sideboard", "tv_stand", "nightstand", "dresser", "bathroom_cabinet")
"""What opens and has things on it too."""


class Piece(NamedTuple):
    """Furniture with its place: the corner of its footprint, and which way its front looks."""

    kind: str
    room: int
    rect: Rect
    facing: int
    """0 to 3: the front looks to +Z, +X, -Z, -X."""
    base: float = 0.0
    """The height of its lower side."""
    holder: int = -1
    """The place of the piece that it stands on; -1 for the floor."""

    def shape(self) -> Shape:
        """Return what it looks like, in the coordinates of the home."""
        row = FURNITURE[self.kind]
        local = SHAPES[row.shape](row.size, row.colour, row.other)
        w, _, d = row.size
        return Shape(
            tuple(self._box(one, w, d) for one in local.solids),
            tuple(self._point(one, w, d) for one in local.on),
            tuple(self._point(one, w, d) for one in local.inside),
            None if local.opened is None else tuple(self._box(one, w, d) for one in local.opened),
        )

    def _point(self, point: Vector, w: float, d: float) -> Vector:
        x, y, z = point
        turned = ((x, z), (z, w - x), (w - x, d - z), (d - z, x))[self.facing]
        return self.rect.x0 + turned[0], y + self.base, self.rect.z0 + turned[1]

    def _box(self, solid: Solid, w: float, d: float) -> Solid:
        one, other = self._point(solid.low, w, d), self._point(solid.high, w, d)
        low = (min(one[0], other[0]), one[1], min(one[2], other[2]))
        high = (max(one[0], other[0]), other[1], max(one[2], other[2]))
        return Solid(low, high, solid.colour)

    def front(self) -> Rect:
        """Return the floor in front of it that is to stay free."""
        x0, z0, x1, z1 = self.rect
        return (
            Rect(x0, z1, x1, z1 + _FRONT),
            Rect(x1, z0, x1 + _FRONT, z1),
            Rect(x0, z0 - _FRONT, x1, z0),
            Rect(x0 - _FRONT, z0, x0, z1),
        )[self.facing]


def furnish(plan: FloorPlan, draws: StableRandom) -> list[Piece]:
    """Return the furniture of a home, what holds others first; what does not fit is left out. Draws are consumed."""
    pieces: list[Piece] = []
    for kind, row in FURNITURE.items():
        for room in _rooms_of(row, plan, draws):
            _stand(kind, row, room, plan, pieces, draws)
    return pieces


def _rooms_of(row: FurnitureKind, plan: FloorPlan, draws: StableRandom) -> Iterator[int]:
    """Yield the rooms in which a piece stands, once for each piece."""
    for word in row.rooms.split():
        name, _, many = word.partition("*")
        sure = not name.endswith("?")
        options = [one for one in name.rstrip("?").split("|") if one in plan.kinds]
        if options and (sure or draws.chance(0.6)):
            yield from [plan.kinds.index(options[0])] * int(many or 1)


def _stand(kind: str, row: FurnitureKind, room: int, plan: FloorPlan, pieces: list[Piece], draws: StableRandom) -> None:
    """Put a piece into a room, if there is a place for it."""
    where, _, other = row.place.partition(" ")
    holders = [place for place, one in enumerate(pieces) if one.kind == other and one.room == room]
    if where == "on":
        if holders and (piece := _put_on(kind, row, holders[0], pieces)) is not None:
            pieces.append(piece)
        return
    if other and not holders:
        return
    around = pieces[holders[0]] if holders else None
    space, doors = plan.rooms[room], _door_room(plan, room)
    here = [one for one in pieces if one.room == room and one.holder < 0]
    for rect, facing in draws.shuffled(list(_places(where, row, space, around))):
        piece = Piece(kind, room, rect, facing)
        if _fits(piece, where, here, around, space, doors):
            pieces.append(piece)
            return


def _put_on(kind: str, row: FurnitureKind, holder: int, pieces: Sequence[Piece]) -> Piece | None:
    """Return a piece on another, as far left as there is room; None where there is none."""
    base = pieces[holder]
    w, _, d = row.size
    wide, tall, deep = FURNITURE[base.kind].size
    alone = sum(one.holder == holder for one in pieces)
    taken = sum(FURNITURE[one.kind].size[0] + 0.1 for one in pieces if one.holder == holder)
    left = (wide - w) / 2 if wide - w < 0.5 and not alone else taken + 0.05
    if left + w > wide or d > deep + 0.05:
        return None
    x0, _, z0 = base._point((left, 0.0, max(0.0, deep - d) / 2), wide, deep)
    x1, _, z1 = base._point((left + w, 0.0, max(0.0, deep - d) / 2 + d), wide, deep)
    rect = Rect(min(x0, x1), min(z0, z1), max(x0, x1), max(z0, z1))
    return Piece(kind, base.room, rect, base.facing, tall, holder)


def _places(where: str, row: FurnitureKind, space: Rect, around: Piece | None) -> Iterator[tuple[Rect, int]]:
    """Yield the places where a piece may stand, with the way that it then looks."""
    w, _, d = row.size
    if where == "middle":
        for facing in (0, 1):
            x, z = space.middle
            a, b = (w, d) if facing == 0 else (d, w)
            for dx in (0.0, -0.4, 0.4, -0.8, 0.8):
                for dz in (0.0, -0.4, 0.4, -0.8, 0.8):
                    yield Rect(x + dx - a / 2, z + dz - b / 2, x + dx + a / 2, z + dz + b / 2), facing
    elif where in ("at", "before", "by") and around is not None:
        yield from _next_to(where, row, around)
    else:
        x0, z0, x1, z1 = space
        for facing in range(4):
            along, start = ((x1 - x0), x0) if facing % 2 == 0 else ((z1 - z0), z0)
            for step in range(int((along - w) / _STEP) + 1):
                at = start + min(step * _STEP, along - w) if step else start + _OFF_WALL
                yield _at_wall(facing, at, w, d, space), facing


def _at_wall(facing: int, at: float, w: float, d: float, space: Rect) -> Rect:
    x0, z0, x1, z1 = space
    gap = _OFF_WALL
    return (
        Rect(at, z0 + gap, at + w, z0 + gap + d),
        Rect(x0 + gap, at, x0 + gap + d, at + w),
        Rect(at, z1 - gap - d, at + w, z1 - gap),
        Rect(x1 - gap - d, at, x1 - gap, at + w),
    )[facing]


def _next_to(where: str, row: FurnitureKind, around: Piece) -> Iterator[tuple[Rect, int]]:
    """Yield the places of chairs at a table, of a table before a couch, of a nightstand by a bed."""
    w, _, d = row.size
    wide, _, deep = FURNITURE[around.kind].size
    sides: list[tuple[float, float, int]] = []
    """Where the corner is in the other's coordinates, and how much further it is turned than the other."""
    if where == "by":
        sides += [(-w - 0.04, 0.0, 0), (wide + 0.04, 0.0, 0)]
    elif where == "before":
        sides.append(((wide - w) / 2, deep + 0.45, 0))
    elif around.kind == "desk":
        sides.append(((wide - w) / 2, deep - 0.12, 2))
    else:
        for share in (0.27, 0.73):
            sides += [(wide * share - w / 2, deep - 0.1, 2), (wide * share - w / 2, 0.1 - d, 0)]
    for x, z, turn in sides:
        a, b = around._point((x, 0.0, z), wide, deep), around._point((x + w, 0.0, z + d), wide, deep)
        rect = Rect(min(a[0], b[0]), min(a[2], b[2]), max(a[0], b[0]), max(a[2], b[2]))
        yield rect, (around.facing + turn) % 4


def _door_room(plan: FloorPlan, room: int) -> list[Rect]:
    found = []
    for door in plan.doors:
        if room in door.rooms:
            a, b, c, d = door.at - _DOOR_ROOM, door.at + _DOOR_ROOM, door.low - 0.05, door.high + 0.05
            found.append(Rect(a, c, b, d) if door.axis == 0 else Rect(c, a, d, b))
    return found


def _fits(
    piece: Piece, where: str, here: Sequence[Piece], around: Piece | None, space: Rect, doors: Sequence[Rect]
) -> bool:
    if not piece.rect.within(space) or any(piece.rect.meets(door) for door in doors):
        return False
    if where in ("at", "before", "by"):
        others = [one for one in here if one is not around]
        return not any(piece.rect.meets(one.rect, 0.03) for one in others)
    if where == "middle":
        return not any(piece.rect.meets(one.rect, 0.8) for one in here) and _inset(space, 0.75, piece.rect)
    if any(piece.rect.meets(one.rect, 0.02) or piece.rect.meets(one.front()) for one in here):
        return False
    front = piece.front()
    if not front.within(space) or any(front.meets(one.rect) for one in here):
        return False
    return all(not piece.rect.meets(one.rect, _PASSAGE) or _in_row(piece, one) for one in here)


def _inset(space: Rect, gap: float, rect: Rect) -> bool:
    sides = (rect.x0 - space.x0, space.x1 - rect.x1, rect.z0 - space.z0, space.z1 - rect.z1)
    return min(sides) >= gap


def _in_row(one: Piece, other: Piece) -> bool:
    """Return whether two pieces have their backs to the same wall or to walls that meet, so that no way is between."""
    return (one.facing - other.facing) % 4 != 2 and FURNITURE[other.kind].place == "wall"


def stock(things: Sequence[Thing], draws: StableRandom) -> list[Thing]:
    """Return movable objects on and in furniture, each in a place of its own; draws are consumed.

    Args:
        things: The furniture, by id from 1; the objects' ids follow.
        draws: What is drawn from.
    """
    free = open_spots(things)
    found: list[Thing] = []
    for kind, row in MOVABLE.items():
        for number in range(row.most):
            if number and not draws.chance(0.5):
                continue
            places = [
                (thing, inside)
                for thing in things
                if thing.category in row.places.split()
                for inside in (False, True)
                if free[thing.id, inside] and _goes(row.size, thing, inside)
            ]
            if places:
                holder, inside = draws.pick(places)
                spot = draws.pick(free[holder.id, inside])
                free[holder.id, inside].remove(spot)
                at = (holder.inside if inside else holder.on)[spot]
                found.append(_movable(len(things) + len(found) + 1, kind, at, holder.id, inside, spot))
    return found


def open_spots(things: Sequence[Thing]) -> dict[tuple[int, bool], list[int]]:
    """Return which places on and in furniture are not taken by other furniture, by `(id, inside)`."""
    free = {(thing.id, False): list(range(len(thing.on))) for thing in things if not thing.movable}
    free |= {(thing.id, True): list(range(len(thing.inside))) for thing in things if not thing.movable}
    for thing in things:
        for other in things:
            if not thing.movable and not other.movable and other.id != thing.id and other.box[0][1] > 0.1:
                _keep_off(thing, other, free[thing.id, False])
    return free


def _keep_off(thing: Thing, other: Thing, free: list[int]) -> None:
    """Take the places out on which another thing stands."""
    (x0, y0, z0), (x1, _, z1) = other.box
    for spot in list(free):
        x, y, z = thing.on[spot]
        if abs(y - y0) < 0.05 and x0 - 0.1 < x < x1 + 0.1 and z0 - 0.1 < z < z1 + 0.1:
            free.remove(spot)


def _goes(size: Vector, thing: Thing, inside: bool) -> bool:
    """Return whether an object goes into a thing, or is seen on it; shelves and what opens have both."""
    if inside:
        low, high = thing.box
        return size[1] < 0.3 * max(high[1] - low[1], 0.8) and max(size[0], size[2]) < 0.45
    return thing.opened is None or thing.category in _TOPS


def _movable(number: int, kind: str, at: Vector, holder: int, inside: bool, spot: int) -> Thing:
    row = MOVABLE[kind]
    w, _, d = row.size
    by = (at[0] - w / 2, at[1], at[2] - d / 2)
    solids = tuple(one.moved(by) for one in SHAPES[row.shape](row.size, row.colour, row.other).solids)
    return Thing(number, kind, number, solids, True, (), (), None, holder, inside, spot)

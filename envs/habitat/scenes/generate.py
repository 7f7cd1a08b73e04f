"""Furnished homes from a seed: the scenes that come with pathei, for the embedded simulator.

The same seed gives the same home on any machine. Private rooms have doors, which are open at first. Every room, and
every piece of furniture from within its room, can be reached by an agent of the default size. Not here: what is in them
(`catalogue`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from ....errors import ConfigError
from ....stable_random import StableRandom
from ..backend import AgentSettings, RoomInfo
from ..simulator.navmesh import CELL, build_navmeshes, fixed_corners
from .catalogue import DOOR, ROOM_ORDER
from .furnish import Piece, furnish, stock
from .layout import HEIGHT, FloorPlan, Rect, door_leaf, lay_out, walls
from .scene import Doorway, Home, Solid, Thing

FEWEST, MOST = 2, len(ROOM_ORDER)
NEAR: Final = 0.6
"""How near an agent can come to any piece of furniture, in metres."""
_NAME: Final = re.compile(r"home:(\d+)(?::(\d+))?")


def home_name(seed: int, rooms: int | None = None) -> str:
    """Return the name of a generated home as a scene: `"home:7"`, or `"home:7:4"` with four rooms."""
    return f"home:{seed}" if rooms is None else f"home:{seed}:{rooms}"


def read_name(name: str) -> tuple[int, int | None] | None:
    """Return the seed and the number of rooms of a generated home by its name; None for any other name."""
    found = _NAME.fullmatch(name)
    return None if found is None else (int(found[1]), None if found[2] is None else int(found[2]))


def generate_home(seed: int, rooms: int | None = None) -> Home:
    """Generate a furnished home.

    Args:
        seed: A whole number, 0 or above.
        rooms: How many rooms, 2 to 8; drawn from the seed if None.

    Raises:
        ConfigError: an argument has no possible value.
    """
    if seed < 0:
        raise ConfigError(f"The seed of a home is 0 or above, not {seed}.")
    if rooms is not None and not FEWEST <= rooms <= MOST:
        raise ConfigError(f"A generated home has {FEWEST} to {MOST} rooms, not {rooms}.")
    draws = StableRandom.seeded(seed, rooms or 0)
    count = rooms or draws.between(FEWEST, MOST)
    furniture = None
    while furniture is None:
        plan = lay_out(draws, count)
        structure = tuple(walls(plan))
        leaves = [_door(plan, door) for door in plan.doors]
        furniture = _reached(plan, structure, [leaf for leaf in leaves if leaf], furnish(plan, draws))
    things = [*furniture, *stock(furniture, draws)]
    doors = list[Doorway]()
    for door, leaf in zip(plan.doors, leaves, strict=True):
        if leaf is not None:
            number = len(things) + 1
            door = door._replace(leaf=number)
            things.append(replace(leaf, id=number, semantic_id=number))
        doors.append(door)
    rooms_ = tuple(_room(kind, rect) for kind, rect in zip(plan.kinds, plan.rooms, strict=True))
    return Home(home_name(seed, rooms), structure, tuple(things), rooms_, tuple(doors))


def _door(plan: FloorPlan, door: Doorway) -> Thing | None:
    """Return the leaf of a doorway, not numbered yet; None for a doorway without a door."""
    leaf = door_leaf(plan, door)
    return None if leaf is None else Thing(0, DOOR, 0, leaf[0], opened=leaf[1], starts_open=True)


def _reached(
    plan: FloorPlan, structure: Sequence[Solid], leaves: Sequence[Thing], pieces: Sequence[Piece]
) -> list[Thing] | None:
    """Return the furniture without what nobody reaches; None where a room cannot be entered.

    The doors are open, as they are at first: a leaf is in the way like a piece of furniture.
    """
    body = AgentSettings()
    corners = fixed_corners(structure, [*leaves, *_things(pieces)])
    mesh = build_navmeshes(*corners, body.radius, body.height)[0]
    free = np.argwhere(mesh.free) * CELL + np.array(mesh.origin) + CELL / 2
    x, z = free[:, 0], free[:, 1]
    inside = [(x > room.x0) & (x < room.x1) & (z > room.z0) & (z < room.z1) for room in plan.rooms]
    if not all(np.count_nonzero(one) * CELL**2 > 1.0 for one in inside):
        return None

    def near(piece: Piece) -> bool:
        x0, z0, x1, z1 = piece.rect
        own = free[inside[piece.room]]
        off = np.maximum(np.maximum((x0, z0) - own, own - (x1, z1)), 0.0)
        return bool((np.hypot(off[:, 0], off[:, 1]) < NEAR).any())

    kept = [near(pieces[one.holder] if one.holder >= 0 else one) for one in pieces]
    return list(_things([piece for piece, keep in zip(pieces, kept, strict=True) if keep]))


def _things(pieces: Sequence[Piece]) -> Iterator[Thing]:
    for number, piece in enumerate(pieces, 1):
        shape = piece.shape()
        yield Thing(number, piece.kind, number, shape.solids, False, shape.on, shape.inside, shape.opened)


def _room(kind: str, rect: Rect) -> RoomInfo:
    x0, z0, x1, z1 = rect
    return RoomInfo(kind, ((x0, z0), (x1, z0), (x1, z1), (x0, z1)), 0.0, HEIGHT)

"""Furniture as boxes: each shape is a function of a size and two colours.

A shape stands with its back on `z = 0` and its front towards +Z, from 0 to its width along X and to its depth along Z.
Not here: where it stands in a room (`furnish`), and which thing has which shape (`catalogue`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from ..backend import Vector
from .scene import Solid

_LEG: Final = 0.05
_BOARD: Final = 0.03
_SPACING: Final = 0.28
_MOST_SPOTS: Final = 10


class Shape(NamedTuple):
    """What something looks like, and where something can be put on or in it; all in its own coordinates."""

    solids: tuple[Solid, ...]
    on: tuple[Vector, ...] = ()
    inside: tuple[Vector, ...] = ()
    opened: tuple[Solid, ...] | None = None
    """What it looks like when it is open; None for what cannot be opened."""


ShapeMaker = Callable[[Vector, int, int], Shape]
"""Makes a shape of a width, a height and a depth in metres, its main colour and a second one."""


def spots(x0: float, x1: float, z0: float, z1: float, y: float, most: int = _MOST_SPOTS) -> tuple[Vector, ...]:
    """Return evenly spaced places on a surface, at least one."""
    across, along = max(1, int((x1 - x0) / _SPACING)), max(1, int((z1 - z0) / _SPACING))
    places = [
        (x0 + (x1 - x0) * (i + 0.5) / across, y, z0 + (z1 - z0) * (j + 0.5) / along)
        for j in range(along)
        for i in range(across)
    ]
    return tuple(places[:most])


def box(x0: float, y0: float, z0: float, x1: float, y1: float, z1: float, colour: int) -> Solid:
    """Return a box by its two corners."""
    return Solid((x0, y0, z0), (x1, y1, z1), colour)


def block(size: Vector, colour: int, other: int) -> Shape:
    """A plain block with something of another colour as its top: a counter, a stove, a bench."""
    w, h, d = size
    top = min(0.04, h / 4)
    solids = (box(0, 0, 0, w, h - top, d, colour), box(0, h - top, 0, w, h, d, other))
    return Shape(solids, spots(0, w, 0, d, h))


def table(size: Vector, colour: int, other: int) -> Shape:
    """A top on four legs."""
    w, h, d = size
    legs = tuple(
        box(x, 0, z, x + _LEG, h - _BOARD, z + _LEG, other) for x in (0.02, w - 0.02 - _LEG) for z in (0.02, d - 0.07)
    )
    return Shape((box(0, h - _BOARD, 0, w, h, d, colour), *legs), spots(0, w, 0, d, h))


def chair(size: Vector, colour: int, other: int) -> Shape:
    """A seat with a back on four legs."""
    w, h, d = size
    seat = 0.46
    legs = tuple(box(x, 0, z, x + 0.04, seat - 0.04, z + 0.04, other) for x in (0, w - 0.04) for z in (0, d - 0.04))
    back = box(0, seat, 0, w, h, 0.05, colour)
    return Shape((box(0, seat - 0.04, 0, w, seat, d, colour), back, *legs), ((w / 2, seat, d / 2 + 0.03),))


def couch(size: Vector, colour: int, other: int) -> Shape:
    """A seat with a back and two arms."""
    w, h, d = size
    seat, arm = 0.42, 0.16
    solids = (
        box(arm, 0.0, 0.2, w - arm, seat, d, other), box(0, 0, 0, w, h, 0.2, colour),
        box(0, 0, 0.2, arm, 0.6, d, colour), box(w - arm, 0, 0.2, w, 0.6, d, colour),
    )  # fmt: skip
    return Shape(solids, spots(arm, w - arm, 0.25, d - 0.15, seat, 3))


def bed(size: Vector, colour: int, other: int) -> Shape:
    """A mattress with a blanket in a frame with a headboard."""
    w, h, d = size
    solids = (
        box(0, 0, 0, w, 0.28, d, colour), box(0.03, 0.28, 0.04, w - 0.03, 0.5, d - 0.02, 0xF2EEE6),
        box(0, 0, -0.0, w, h, 0.06, colour), box(0.02, 0.3, 0.6, w - 0.02, 0.53, d, other),
    )  # fmt: skip
    return Shape(solids, spots(0.1, w - 0.1, 0.7, d - 0.2, 0.53, 6))


def shelf(size: Vector, colour: int, other: int) -> Shape:
    """Boards between two sides, open to the front."""
    w, h, d = size
    boards = max(2, int(h / 0.4))
    heights = [h * number / boards for number in range(boards)]
    solids = [box(0, 0, 0, _BOARD, h, d, colour), box(w - _BOARD, 0, 0, w, h, d, colour)]
    solids += [box(0, 0, 0, w, h, 0.02, other), box(0, h - _BOARD, 0, w, h, d, colour)]
    solids += [box(_BOARD, y, 0.02, w - _BOARD, y + _BOARD, d, colour) for y in heights]
    places = [spots(_BOARD, w - _BOARD, 0.02, d, y + _BOARD, 4) for y in heights[1:]]
    return Shape(tuple(solids), tuple(place for row in places for place in row))


def cabinet(size: Vector, colour: int, other: int) -> Shape:
    """A cabinet with a door at its front: a fridge, a closet, an oven."""
    w, h, d = size
    front, gap = d - _BOARD, 0.012
    closed = (
        box(0, 0, 0, w, h, front, colour), box(gap, gap, front, w - gap, h - gap, d, other),
        box(w - 0.1, h * 0.45, d - 0.001, w - 0.07, h * 0.6, d + 0.015, 0x55585C),
    )  # fmt: skip
    levels = [_BOARD] if h < 1.0 else [h * share for share in (0.3, 0.5, 0.7)]
    shell = [
        box(0, 0, 0, _BOARD, h, front, colour), box(w - _BOARD, 0, 0, w, h, front, colour),
        box(0, h - _BOARD, 0, w, h, front, colour), box(0, 0, 0, w, h, _BOARD, colour),
        box(0, 0, 0, w, _BOARD, front, colour), box(-_BOARD, gap, front, 0.0, h - gap, front + w * 0.9, other),
    ]  # fmt: skip
    shell += [box(_BOARD, y - 0.015, _BOARD, w - _BOARD, y, front - 0.04, colour) for y in levels if y > _BOARD]
    inside = [spots(_BOARD, w - _BOARD, _BOARD, front, y, 6) for y in levels]
    on = spots(0, w, 0, d, h) if h < 1.3 else ()
    return Shape(closed, on, tuple(place for row in inside for place in row), tuple(shell))


def drawers(size: Vector, colour: int, other: int) -> Shape:
    """A chest whose upper drawer pulls out."""
    w, h, d = size
    count = max(1, int(h / 0.25))
    front, tall = d - 0.02, h / count
    body = box(0, 0, 0, w, h, front, colour)
    faces = [box(0.02, y * tall + 0.015, front, w - 0.02, (y + 1) * tall - 0.015, d, other) for y in range(count)]
    out, floor, rim = 0.3, h - tall + 0.02, h - 0.04
    pulled = (
        body, *faces[:-1], box(0.03, floor, front, w - 0.03, floor + 0.02, front + out, colour),
        box(0.02, floor, front + out, w - 0.02, rim, front + out + 0.02, other),
        box(0.03, floor, front, 0.045, rim - 0.02, front + out, colour),
        box(w - 0.045, floor, front, w - 0.03, rim - 0.02, front + out, colour),
    )  # fmt: skip
    inside = spots(0.05, w - 0.05, front + 0.03, front + out, floor + 0.02, 4)
    return Shape((body, *faces), spots(0, w, 0, d, h), inside, pulled)


def bin_with_lid(size: Vector, colour: int, other: int) -> Shape:
    """A container whose lid comes off: a bin, a chest."""
    w, h, d = size
    wall = 0.025
    sides = (
        box(0, 0, 0, w, 0.03, d, colour), box(0, 0, 0, wall, h - 0.04, d, colour),
        box(w - wall, 0, 0, w, h - 0.04, d, colour), box(0, 0, 0, w, h - 0.04, wall, colour),
        box(0, 0, d - wall, w, h - 0.04, d, colour),
    )  # fmt: skip
    closed = (box(0, 0, 0, w, h - 0.04, d, colour), box(0, h - 0.04, 0, w, h, d, other))
    opened = (*sides, box(0, h - 0.04, 0, w, h - 0.04 + d, 0.03, other))
    return Shape(closed, (), spots(wall, w - wall, wall, d - wall, 0.03, 4), opened)


def basin(size: Vector, colour: int, other: int) -> Shape:
    """An open trough: a bathtub, a sink, a basket."""
    w, h, d = size
    wall, floor = 0.06, max(0.05, h - 0.4)
    solids = (
        box(0, 0, 0, w, floor, d, colour), box(0, floor, 0, wall, h, d, colour),
        box(w - wall, floor, 0, w, h, d, colour), box(wall, floor, 0, w - wall, h, wall, colour),
        box(wall, floor, d - wall, w - wall, h, d, colour),
        box(wall, floor, wall, w - wall, floor + 0.01, d - wall, other),
    )  # fmt: skip
    return Shape(solids, (), spots(wall, w - wall, wall, d - wall, floor + 0.01, 4))


def toilet(size: Vector, colour: int, other: int) -> Shape:
    """A bowl with a tank behind it."""
    w, h, d = size
    bowl = (box(0.08, 0, 0.15, w - 0.08, 0.36, d - 0.08, colour), box(0, 0.36, 0.18, w, 0.42, d, other))
    return Shape((*bowl, box(0, 0.36, 0, w, h, 0.18, colour)))


def lamp(size: Vector, colour: int, other: int) -> Shape:
    """A foot, a pole and a shade."""
    w, h, d = size
    foot = box(w * 0.25, 0, d * 0.25, w * 0.75, 0.03, d * 0.75, other)
    pole = box(w / 2 - 0.015, 0, d / 2 - 0.015, w / 2 + 0.015, h * 0.75, d / 2 + 0.015, other)
    return Shape((foot, pole, box(0, h * 0.72, 0, w, h, d, colour)))


def screen(size: Vector, colour: int, other: int) -> Shape:
    """A screen on a foot."""
    w, h, d = size
    picture = box(0, 0.06, d * 0.4, w, h, d * 0.6, colour)
    foot = box(w * 0.3, 0, d * 0.2, w * 0.7, 0.03, d * 0.8, other)
    return Shape((picture, foot, box(w / 2 - 0.04, 0.03, d * 0.4, w / 2 + 0.04, 0.06, d * 0.6, other)))


def plant(size: Vector, colour: int, other: int) -> Shape:
    """Leaves in a pot."""
    w, h, d = size
    pot = box(w * 0.25, 0, d * 0.25, w * 0.75, h * 0.3, d * 0.75, other)
    stem = box(w * 0.46, h * 0.3, d * 0.46, w * 0.54, h * 0.5, d * 0.54, 0x5C4A32)
    lower, upper = box(0, h * 0.45, 0, w, h * 0.75, d, colour), (w * 0.15, h * 0.75, d * 0.15)
    return Shape((pot, stem, lower, box(*upper, w * 0.85, h, d * 0.85, colour)))


def rack(size: Vector, colour: int, other: int) -> Shape:
    """A stand with a bar on two posts and a board at its foot: towels, coats, an ironing board's frame."""
    w, h, d = size
    near, far = d / 2 - 0.02, d / 2 + 0.02
    posts = (box(0, 0, near, 0.04, h, far, colour), box(w - 0.04, 0, near, w, h, far, colour))
    bar, board = box(0, h - 0.04, near, w, h, far, colour), box(0, 0.1, 0, w, 0.13, d, other)
    return Shape((*posts, bar, board), spots(0.02, w - 0.02, 0, d, 0.13, 3))


def bottle(size: Vector, colour: int, other: int) -> Shape:
    """A body with a narrower neck."""
    w, h, d = size
    neck = box(w * 0.3, h * 0.7, d * 0.3, w * 0.7, h, d * 0.7, other)
    return Shape((box(0, 0, 0, w, h * 0.7, d, colour), neck))


def dish(size: Vector, colour: int, other: int) -> Shape:
    """A rim around something of another colour: a cup, a bowl, a pot, a plate."""
    w, h, d = size
    rim = min(w, d) * 0.15
    inner = box(rim, h * 0.9, rim, w - rim, h, d - rim, other)
    return Shape((box(0, 0, 0, w, h * 0.9, d, colour), inner))


def lump(size: Vector, colour: int, other: int) -> Shape:
    """One box."""
    w, h, d = size
    return Shape((box(0, 0, 0, w, h, d, colour),))


SHAPES: Final[Mapping[str, ShapeMaker]] = MappingProxyType(
    {
        "block": block, "table": table, "chair": chair, "couch": couch, "bed": bed, "shelf": shelf, "cabinet": cabinet,
        "drawers": drawers, "bin": bin_with_lid, "basin": basin, "toilet": toilet, "lamp": lamp, "screen": screen,
        "plant": plant, "rack": rack, "bottle": bottle, "dish": dish, "lump": lump,
    }
)  # fmt: skip
"""The shapes by the names that the catalogue uses."""

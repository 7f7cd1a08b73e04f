"""A home made of what habitat-sim says of a scene of others: boxes around its things, and its regions as rooms.

A thing's box is what is known of it: one may put something on the top of what cannot be moved. Not here: several
floors. Rooms and free places are those of the floor that the agents are on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from ..backend import RoomInfo, Vector
from ..scenes.scene import Home, Solid, Thing, as_word, numbered
from ..scenes.shapes import spots

_INSET: Final = 0.05
_ENDING: Final = re.compile(r"(\.(object_config|glb|json|urdf|ao_config).*|[_\W]*\d+)$")


def describe_home(name: str, described: Mapping[str, Any]) -> Home:
    """Return a home by what the child's `load` says."""
    things = tuple(_thing(number, one) for number, one in enumerate(described["things"], 1))
    rooms: list[RoomInfo] = []
    floor = float(described["floor"])
    for one in described["rooms"]:
        (x0, y0, z0), (x1, y1, z1) = one["low"], one["high"]
        if y0 - 1.0 <= floor <= y1:
            polygon = ((x0, z0), (x1, z0), (x1, z1), (x0, z1))
            rooms.append(RoomInfo(numbered(kind_of(one["name"]), rooms), polygon, y0, y1 - y0))
    return Home(name, (), things, tuple(rooms))


def kind_of(text: str) -> str:
    """Return a kind as pathei writes it: `"living_room"` of `"Living Room"`, `"cup"` of `"objects/cup_2.glb"`."""
    word = PurePath(text.strip().lower()).name
    shorter = _ENDING.sub("", word)
    while shorter and shorter != word:
        word, shorter = shorter, _ENDING.sub("", shorter)
    return as_word(word)


def _thing(number: int, one: Mapping[str, Any]) -> Thing:
    low, high = _vector(one["low"]), _vector(one["high"])
    solid = (Solid(low, high),)
    on: tuple[Vector, ...] = ()
    if not one["movable"]:
        x0, x1, z0, z1 = low[0] + _INSET, high[0] - _INSET, low[2] + _INSET, high[2] - _INSET
        if x0 < x1 and z0 < z1:
            on = spots(x0, x1, z0, z1, high[1])
    opened = solid if one["kind"] == "articulated" else None
    kind = kind_of(one["category"])
    return Thing(number, kind, int(one["semantic_id"]), solid, bool(one["movable"]), on, (), opened)


def _vector(values: Any) -> Vector:
    x, y, z = map(float, values)
    return x, y, z

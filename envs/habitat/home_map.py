"""What is worked out once for a home: names, rooms, free places, where to stand, from where objects are seen.

Not here: what changes (`world`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Final

import numpy as np

from .backend import AgentSettings, Vector
from .scenes.catalogue import ALIASES
from .scenes.furnish import open_spots
from .scenes.scene import Home, Thing
from .simulator.home_simulator import FreeSpace, Scenery
from .simulator.sight import Sight

Place = tuple[float, float]
"""`(x, z)` on the floor."""
VIEW_DISTANCE: Final = 1.0
"""How far the view points of an object are from it at most, in metres, as in Habitat's ObjectNav episodes."""
_VIEW_GRID: Final = 0.14
_STAND: Final = 0.65
_ASIDE: Final = 0.3
"""How far from a closed door an agent stands at least, in metres."""
_KEPT: Final = 65_536
_STAND_GRID: Final = 0.08


class HomeMap:
    """What does not change in a home."""

    def __init__(self, home: Home, free: FreeSpace, settings: AgentSettings) -> None:
        """Name the things and find their rooms."""
        self.home, self.free = home, free
        self._rooms_at: dict[Place, int] = {}
        self.sight = Sight(home, settings)
        kinds: dict[str, list[int]] = {}
        for thing in home.things:
            kinds.setdefault(thing.category, []).append(thing.id)
        self.kinds = kinds
        """The ids of the things of each kind."""
        self.names = {
            id_: kind if len(ids) == 1 else f"{kind}_{number}"
            for kind, ids in kinds.items()
            for number, id_ in enumerate(ids, 1)
        }
        """The name of each thing: its kind, with a number where there are several: `"cup"`, `"chair_2"`."""
        self.ids = {name: id_ for id_, name in self.names.items()}
        furniture = [thing for thing in home.things if not thing.movable]
        self.rooms = {thing.id: self.room_at(*middle(thing)) for thing in furniture}
        """The room of each piece of furniture, by its place in `home.rooms`; -1 where the home has none."""
        self.bases = {thing.id: _base(thing, furniture) for thing in furniture}
        """For furniture, the piece that stands on the floor: itself, or what it is on."""
        self.spots = open_spots(home.things)
        """The places on and in furniture that other furniture leaves free, by `(id, inside)`."""
        self.joins = {door.leaf: door.rooms for door in home.doors if door.leaf}
        """The rooms that each door joins."""
        self.in_room = {
            room: [(id_, *_footprint(self.thing(base))) for id_, base in self.bases.items() if self.is_in(id_, room)]
            for room in (-1, *range(len(home.rooms)))
        }
        """The furniture of each room, with the lower and the upper corner of what it stands on, seen from above."""
        self._stands: dict[int, Sequence[Place]] = {}
        self._views: dict[str, tuple[Vector, ...]] = {}

    def thing(self, id_: int) -> Thing:
        """Return a thing by its id."""
        return self.home.things[id_ - 1]

    def kind(self, word: str) -> str:
        """Return the kind of this home that a word means: itself, or another name of it; the word's own where none is.

        Scenes of others have kinds of their own names: `"sofa"` where a generated home has `"couch"`.
        """
        meant = ALIASES.get(word, word)
        alike = (word, meant, *(other for other, kind in ALIASES.items() if kind == meant))
        return next((one for one in alike if one in self.kinds), meant)

    def is_in(self, id_: int, room: int) -> bool:
        """Return whether furniture is in a room; a door is in both of its rooms."""
        return room in self.joins.get(id_, (self.rooms[self.bases[id_]],))

    @cached_property
    def ways(self) -> Mapping[int, str]:
        """The furniture on the floor that an agent can go to, each with the action that goes there."""
        return {
            id_: f"go to {self.names[id_]}"
            for id_, base in self.bases.items()
            if base == id_ and self.stand_at(id_) is not None
        }

    def room_at(self, x: float, z: float) -> int:
        """Return the room of a place, the nearest where it is in none (a doorway); -1 where the home has no rooms."""
        known = self._rooms_at.get((x, z))
        if known is None:
            rooms = self.home.rooms

            def away(room: int) -> float:
                (x0, z0), _, (x1, z1), _ = rooms[room].polygon
                return max(x0 - x, x - x1, 0.0) + max(z0 - z, z - z1, 0.0)

            if len(self._rooms_at) >= _KEPT:
                self._rooms_at.clear()
            known = self._rooms_at[x, z] = min(range(len(rooms)), key=away, default=-1)
        return known

    def stand_at(self, id_: int) -> Place | None:
        """Return where an agent stands to use a piece of furniture; None where it cannot come near."""
        return next(iter(self.stands(id_)), None)

    def stands(self, id_: int) -> Sequence[Place]:
        """Return all places where an agent may stand to use a piece of furniture, the best first."""
        if id_ not in self._stands:
            places, centre = self._near(id_, _STAND, _STAND_GRID), middle(self.thing(id_))
            self._stands[id_] = sorted(places, key=lambda place: math.dist(place, centre))
        return self._stands[id_]

    def view_points(self, kind: str) -> tuple[Vector, ...]:
        """Return the places from which some furniture of a kind is seen near by; empty where there is none.

        As in Habitat's ObjectNav episodes they are at most 1 m from its box and in its room.
        """
        if kind not in self._views:
            ids = [id_ for id_ in self.kinds.get(kind, ()) if id_ in self.bases]
            self._views[kind] = tuple(place for id_ in ids for place in self.views_of(id_))
        return self._views[kind]

    def views_of(self, id_: int) -> tuple[Vector, ...]:
        """Return the view points of one piece of furniture."""
        near = self._near(id_, VIEW_DISTANCE, _VIEW_GRID)
        return tuple((x, self.free.floor, z) for x, z in near if self.sight.sees_fixed((x, z), id_))

    def _near(self, id_: int, distance: float, step: float) -> Iterator[Place]:
        """Yield free places in a piece of furniture's room, not farther from it than a distance, on a grid."""
        for room in self.joins.get(id_, (self.rooms[id_],)):
            yield from self._near_in(id_, room, distance, step)

    def _near_in(self, id_: int, room: int, distance: float, step: float) -> Iterator[Place]:
        thing, least = self.thing(id_), _ASIDE if id_ in self.joins else 0.0
        (x0, _, z0), (x1, _, z1) = thing.box
        x0, z0, x1, z1 = x0 - distance, z0 - distance, x1 + distance, z1 + distance
        if room >= 0:
            (a0, b0), _, (a1, b1), _ = self.home.rooms[room].polygon
            x0, z0, x1, z1 = max(x0, a0), max(z0, b0), min(x1, a1), min(z1, b1)
        for x in np.arange(x0 + step / 2, x1, step).tolist():
            for z in np.arange(z0 + step / 2, z1, step).tolist():
                if least <= away_from(thing, x, z) <= distance and self.free.is_free(x, z):
                    yield x, z


def _footprint(thing: Thing) -> tuple[float, float, float, float]:
    (x0, _, z0), (x1, _, z1) = thing.box
    return x0, z0, x1, z1


def middle(thing: Thing) -> Place:
    """Return the middle of a thing, seen from above."""
    low, high = thing.box
    return (low[0] + high[0]) / 2, (low[2] + high[2]) / 2


def away_from(thing: Thing, x: float, z: float) -> float:
    """Return how far a place is from the box of a thing, seen from above, in metres."""
    (x0, _, z0), (x1, _, z1) = thing.box
    return math.hypot(max(x0 - x, x - x1, 0.0), max(z0 - z, z - z1, 0.0))


def _base(thing: Thing, furniture: Sequence[Thing]) -> int:
    """Return what a piece of furniture stands on, itself where that is the floor."""
    if thing.box[0][1] < 0.1:
        return thing.id
    x, z = middle(thing)
    under = (
        one.id
        for one in furniture
        if one is not thing and one.box[0][0] <= x <= one.box[1][0] and one.box[0][2] <= z <= one.box[1][2]
    )
    return next(under, thing.id)


@lru_cache(maxsize=32)
def known_map(scenery: Scenery, settings: AgentSettings) -> HomeMap:
    """Return what is worked out once for a home."""
    return HomeMap(scenery.home, scenery.free, settings)

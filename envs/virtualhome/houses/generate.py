"""Furnished houses from a seed, in VirtualHome's own form: the world that comes with the package.

The same seed gives the same house, byte for byte, on any machine. Every node but a room is INSIDE exactly one room, and
at most ON or INSIDE one other thing; containers nest; no way is barred by more than shut doors and lids. CLOSE edges
are symmetric and few: between a thing and what it is on or in, between things side by side, between some neighbours.
What houses are made of stands in `furnishings`. Not here: coordinates, bounding boxes and prefabs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple

from ....errors import ConfigError
from ....stable_random import StableRandom
from .catalogue import FurnitureSpot, HousePlan, PiecePlan, States, ThingPlan, plan
from .furnishings import HOME, FurnishingCatalogue

Size = Literal["small", "medium", "large"]


class _Scale(NamedTuple):
    """What a size means."""

    rooms: tuple[int, int]
    nodes: tuple[int, int]
    """How many nodes there are to be, the optional things included; what is never left out may exceed it."""
    left_out: float
    """The chance that a thing is left out which other houses always have."""


_SCALES: Final[dict[str, _Scale]] = {
    "small": _Scale((3, 3), (60, 75), 0.4),
    "medium": _Scale((4, 5), (98, 109), 0.04),
    "large": _Scale((6, 7), (115, 145), 0.04),
}

MOST_ROOMS: Final = 7
FIRST_THING: Final = 100
"""The lowest id of a thing; rooms, characters, doors and furniture have lower ones."""
MOST_CHARACTERS: Final = 4
"""This number of characters can live in a house: goals, demonstrations and searches are made for that many."""
CROWDED: Final = 8
"""This number of things on or in one other thing is enough, if there is another place."""


def generate_house(
    seed: int,
    *,
    rooms: int | None = None,
    characters: int = 1,
    size: Size = "medium",
    catalogue: FurnishingCatalogue = HOME,
) -> dict[str, Any]:
    """Generate a furnished house.

    Args:
        seed: A whole number, 0 or above.
        rooms: How many rooms, 3 to 7; by the size if None.
        characters: How many characters live in it, 1 to 4.
        size: How many rooms and things: a small house has 3 rooms and some 80 nodes, a medium one 4 or 5 and some 100,
            a large one 6 or 7 and some 130.
        catalogue: What it is made of.

    Returns:
        A graph `{"nodes": [...], "edges": [...]}` as `Scene.from_graph` reads it. It is the caller's to change.

    Raises:
        ConfigError: an argument has no possible value, or the catalogue cannot be read; every problem is named.
    """
    check_house(seed, rooms=rooms, characters=characters, size=size, catalogue=catalogue)
    scale = _SCALES[size]
    builder = _Builder(StableRandom.seeded(seed), plan(catalogue))
    builder.lay_out(catalogue, rooms or builder.draws.between(*scale.rooms))
    for _ in range(characters):
        home = builder.draws.pick(builder.rooms)
        builder.node("character", "Characters", (), (), room=home)
    builder.join_rooms(catalogue)
    builder.furnish()
    builder.fill(scale)
    return {"nodes": builder.nodes, "edges": builder.edges}


def check_house(
    seed: int, *, rooms: int | None = None, characters: int, size: str, catalogue: FurnishingCatalogue = HOME
) -> None:
    """Raise what `generate_house` raises for arguments without a possible value."""
    fewest, most = len(catalogue.rooms[:3]), min(MOST_ROOMS, len(catalogue.rooms) + len(catalogue.more_rooms))
    problems = []
    if type(seed) is not int or seed < 0:
        problems.append(f"its seed is a whole number, 0 or above, not {seed!r}")
    if not isinstance(size, str) or size not in _SCALES:
        problems.append(f"its size is one of {', '.join(_SCALES)}, not {size!r}")
    if rooms is not None and (type(rooms) is not int or not fewest <= rooms <= most):
        problems.append(f"it has {fewest} to {most} rooms, not {rooms!r}")
    if type(characters) is not int or not 1 <= characters <= MOST_CHARACTERS:
        problems.append(f"1 to {MOST_CHARACTERS} characters live in it, not {characters!r}")
    if problems:
        raise ConfigError(f"Such a house cannot be generated: {'; '.join(problems)}.")


class _Builder:
    """A house that is being built. Rooms and everything else are named by their ids."""

    def __init__(self, draws: StableRandom, rows: HousePlan) -> None:
        self.draws = draws
        self.rows = rows
        self.nodes: list[dict[str, Any]] = []
        self.edges: list[dict[str, Any]] = []
        self.rooms: list[int] = []
        self.names: dict[int, str] = {}
        self.room_named: dict[str, int] = {}
        self.room_of: dict[int, int] = {}
        self.of_class: dict[str, list[int]] = {}
        self.upon: dict[int, list[int]] = {}
        self.next_id = 1

    # --- parts

    def edge(self, source: int, relation: str, target: int) -> None:
        self.edges.append({"from_id": source, "relation_type": relation, "to_id": target})

    def close(self, one: int, other: int) -> None:
        self.edge(one, "CLOSE", other)
        self.edge(other, "CLOSE", one)

    def node(
        self, name: str, category: str, properties: Sequence[str], states: Sequence[str], room: int | None = None
    ) -> int:
        number = self.next_id
        self.next_id += 1
        self.nodes.append(
            {
                "id": number,
                "class_name": name,
                "category": category,
                "properties": list(properties),
                "states": list(states),
                "prefab_name": None,
                "bounding_box": None,
            }
        )
        self.names[number] = name
        self.of_class.setdefault(name, []).append(number)
        if room is not None:
            self.room_of[number] = room
            self.edge(number, "INSIDE", room)
        return number

    def place(self, number: int, relation: str, holder: int) -> None:
        """Put a node ON or INSIDE another; things on the same surface come to be side by side."""
        self.edge(number, relation, holder)
        self.close(number, holder)
        there = self.upon.setdefault(holder, [])
        if relation == "ON":
            for other in there:
                self.close(number, other)
        there.append(number)

    def states(self, chances: States) -> list[str]:
        states = []
        for chance, rare, usual in chances:
            states.append(rare if self.draws.chance(chance) else usual)
        if "ON" in states and "PLUGGED_OUT" in states:
            states[states.index("ON")] = "OFF"
        return states

    # --- rooms and doors

    def lay_out(self, catalogue: FurnishingCatalogue, count: int) -> None:
        names = list(catalogue.rooms[:count])
        names += self.draws.shuffled(catalogue.more_rooms)[: count - len(names)]
        for name in names:
            number = self.node(name, "Rooms", (), ())
            self.rooms.append(number)
            self.room_named[name] = number

    def join_rooms(self, catalogue: FurnishingCatalogue) -> None:
        """Join the rooms in a tree, whose inner rooms are not private, and now and then by one more door."""
        draws, private = self.draws, catalogue.private
        hub = next((self.room_named[name] for name in catalogue.hubs if name in self.room_named), self.rooms[0])
        entered = [hub]
        joined: set[tuple[int, int]] = set()
        others = draws.shuffled([room for room in self.rooms if room != hub])
        for room in sorted(others, key=lambda r: self.names[r] in private):  # stable: the private ones come last
            ways = [r for r in entered if self.names[r] not in private] or [hub]
            other = hub if draws.chance(0.5) else draws.pick(ways)
            self.door(room, other, private)
            joined.add((room, other))
            entered.append(room)
        if draws.chance(0.3):
            ways = [r for r in entered if self.names[r] not in private]
            loose = [(a, b) for a in ways for b in ways if a < b and not {(a, b), (b, a)} & joined]
            if loose:
                self.door(*draws.pick(loose), private)

    def door(self, one: int, other: int, private: Sequence[str]) -> None:
        draws = self.draws
        if self.names[one] in private or self.names[other] in private or draws.chance(0.4):
            states = ["CLOSED" if draws.chance(0.3) else "OPEN"]
            number = self.node("door", "Doors", ("CAN_OPEN",), states, room=one)
        else:
            number = self.node("doorjamb", "Doors", (), (), room=one)
        self.edge(number, "BETWEEN", one)
        self.edge(number, "BETWEEN", other)

    # --- furniture

    def furnish(self) -> None:
        standing: dict[int, list[int]] = {room: [] for room in self.rooms}
        rows: dict[int, PiecePlan] = {}
        for row in self.rows.pieces:
            for room in self._rooms_for(row):
                number = self.node(row.name, row.category, row.properties, self.states(row.states), room)
                rows[number] = row
                holder = self._first(row.on, room)
                if holder is not None:
                    self.place(number, "ON", holder)
                elif row.category not in ("Floor", "Windows") and row.name != "light":
                    standing[room].append(number)
        near: set[tuple[int, int]] = set()
        for number, row in rows.items():
            beside = self._first(row.beside, self.room_of[number])
            if beside is not None and (beside, number) not in near:
                near.add((number, beside))
                self.close(number, beside)
            faced = self._first(row.faces, self.room_of[number])
            if faced is not None:
                self.edge(number, "FACING", faced)
        for room in self.rooms:
            row_of_pieces = self.draws.shuffled(standing[room])
            for one, other in pairwise(row_of_pieces):
                if self.draws.chance(0.5) and not {(one, other), (other, one)} & near:
                    self.close(one, other)

    def _rooms_for(self, row: PiecePlan) -> list[int]:
        found = []
        for stand in row.stands:
            if stand.rooms == ("*",):
                rooms = self.rooms
            else:
                rooms = [self.room_named[name] for name in stand.rooms if name in self.room_named][:1]
            for room in rooms:
                found += [room] * self.draws.between(stand.low, stand.high)
        return found

    def _first(self, names: Sequence[str], room: int) -> int | None:
        for name in names:
            for number in self.of_class.get(name, ()):
                if self.room_of[number] == room:
                    return number
        return None

    # --- things

    def fill(self, scale: _Scale) -> None:
        draws = self.draws
        amounts = [0 if scale.left_out and draws.chance(scale.left_out) else row.low for row in self.rows.things]
        spare = draws.between(*scale.nodes) - len(self.nodes) - sum(amounts)
        extras = [place for place, row in enumerate(self.rows.things) for _ in range(row.high - amounts[place])]
        for place in draws.shuffled(extras)[: max(0, spare)]:
            amounts[place] += 1
        self.next_id = max(FIRST_THING, self.next_id)
        for row, amount in zip(self.rows.things, amounts, strict=True):
            for _ in range(amount):
                self.put(row)

    def put(self, row: ThingPlan) -> None:
        """Put one more thing into the house; where nothing of its places is there, it is left out."""
        spots = [(spot.relation, where) for spot in row.spots if (where := self._spot(spot))]
        if not spots:
            return
        for _ in range(3):
            relation, where = self.draws.pick(spots)
            holder = self.draws.pick(where)
            if not relation or len(self.upon.get(holder, ())) < CROWDED:
                break
        room = self.room_of[holder] if relation else holder
        number = self.node(row.name, row.category, row.properties, self.states(row.states), room)
        if relation:
            self.place(number, relation, holder)

    def _spot(self, spot: FurnitureSpot) -> list[int]:
        if not spot.relation:
            return [self.room_named[spot.name]] if spot.name in self.room_named else []
        found = self.of_class.get(spot.name, [])
        if spot.room:
            found = [number for number in found if self.names[self.room_of[number]] == spot.room]
        return found

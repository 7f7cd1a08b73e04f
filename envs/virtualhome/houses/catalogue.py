"""The tables of `furnishings`, read once: their short notations spelt out and their names checked."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from ....errors import ConfigError
from ..engine.vocabulary import PROPERTIES
from .furnishings import ODDS, FurnishingCatalogue, FurniturePiece, HouseItem

States = tuple[tuple[float, str, str], ...]
"""Independent pairs of states: the chance of the rarer one, its name, and the usual one (empty: there is none)."""


class Stand(NamedTuple):
    """How many of a piece stand in which room."""

    rooms: tuple[str, ...]
    """The first of these that the house has; `("*",)` for every room."""
    low: int
    high: int


class FurnitureSpot(NamedTuple):
    """A place for a thing."""

    relation: str
    """`"ON"`, `"INSIDE"`, or `""` for the middle of a room."""
    name: str
    """Class of what it is on or in, or the room."""
    room: str
    """Only in this room; empty for any."""


class PiecePlan(NamedTuple):
    """A row of furniture, spelt out."""

    name: str
    category: str
    properties: tuple[str, ...]
    states: States
    stands: tuple[Stand, ...]
    on: tuple[str, ...]
    beside: tuple[str, ...]
    faces: tuple[str, ...]


class ThingPlan(NamedTuple):
    """A row of things, spelt out."""

    name: str
    category: str
    properties: tuple[str, ...]
    states: States
    spots: tuple[FurnitureSpot, ...]
    low: int
    high: int


class HousePlan(NamedTuple):
    """A whole catalogue, spelt out."""

    pieces: tuple[PiecePlan, ...]
    things: tuple[ThingPlan, ...]


@lru_cache(maxsize=8)
def plan(catalogue: FurnishingCatalogue) -> HousePlan:
    """Read a catalogue.

    Raises:
        ConfigError: a row cannot be read; every problem is named.
    """
    problems: list[str] = [] if catalogue.rooms else ["it begins with no room"]
    rooms = {*catalogue.rooms, *catalogue.more_rooms}
    known = rooms | {row.name for row in catalogue.pieces} | {row.name for row in catalogue.things}
    pieces = [_piece(row, problems) for row in catalogue.pieces]
    things = [_thing(row, problems) for row in catalogue.things]
    for piece in pieces:
        named = [*(room for stand in piece.stands for room in stand.rooms), *piece.on, *piece.beside, *piece.faces]
        problems += _strangers(piece.name, named, known | {"*"})
    for thing in things:
        for spot in thing.spots:
            problems += _strangers(thing.name, [spot.name], known if spot.relation else rooms)
            problems += _strangers(thing.name, [spot.room] if spot.room else [], rooms)
    if problems:
        raise ConfigError(f"The catalogue of furnishings cannot be used: {'; '.join(problems)}.")
    return HousePlan(tuple(pieces), tuple(things))


def _strangers(row: str, names: Iterable[str], known: Iterable[str]) -> list[str]:
    return [f"{row} names {name!r}, which is not in it" for name in names if name not in known]


def _piece(row: FurniturePiece, problems: list[str]) -> PiecePlan:
    stands = []
    for word in row.rooms.split():
        rooms, _, amount = word.partition("=")
        stands.append(Stand(tuple(rooms.split("|")), *_amount(amount or "1", row.name, problems)))
    properties = _properties(row, problems)
    states = _states(properties, row.odds, row.name, problems)
    aside = (tuple(text.split()) for text in (row.on, row.beside, row.faces))
    return PiecePlan(row.name, row.category, properties, states, tuple(stands), *aside)


def _thing(row: HouseItem, problems: list[str]) -> ThingPlan:
    spots: list[FurnitureSpot] = []
    for group in row.places.split(";"):
        where, *names = group.split() or [""]
        relation = {"on": "ON", "in": "INSIDE", "at": ""}.get(where)
        if relation is None or not names:
            problems.append(f"{row.name} has the place {group.strip()!r}, which does not begin with on, in or at")
            continue
        for word in names:
            name, _, room = word.partition("@")
            spots.append(FurnitureSpot(relation, name, room))
    properties = _properties(row, problems)
    states = _states(properties, row.odds, row.name, problems)
    return ThingPlan(row.name, row.category, properties, states, tuple(spots), *_amount(row.amount, row.name, problems))


def _properties(row: FurniturePiece | HouseItem, problems: list[str]) -> tuple[str, ...]:
    words = tuple(row.properties.split())
    problems += [f"{row.name} has the unknown property {word!r}" for word in words if word not in PROPERTIES]
    return words


def _amount(text: str, row: str, problems: list[str]) -> tuple[int, int]:
    low, _, high = text.partition("..")
    if not low.isdecimal() or not (high or low).isdecimal() or int(low) > int(high or low):
        problems.append(f"{row} has the amount {text!r}, which is neither like '2' nor like '0..1'")
        return 0, 0
    return int(low), int(high or low)


def _states(properties: tuple[str, ...], text: str, row: str, problems: list[str]) -> States:
    odds: dict[str, float] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        try:
            odds[name] = float(value)
        except ValueError:
            problems.append(f"{row} has the odds {word!r}, which are not like 'OPEN=0.3'")
    pairs = (("CAN_OPEN", "OPEN", "CLOSED"), ("HAS_SWITCH", "ON", "OFF"), ("HAS_PLUG", "PLUGGED_OUT", "PLUGGED_IN"))
    states = [(odds.pop(rare, ODDS[rare]), rare, usual) for needed, rare, usual in pairs if needed in properties]
    if "DIRTY" in odds:
        states.append((odds.pop("DIRTY"), "DIRTY", "CLEAN"))
    problems += [f"{row} cannot be {name}" for name in odds]
    return tuple(states)

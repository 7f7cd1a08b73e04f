"""What the bot perceives as text: where it is, how it is, what it has, what is near, and what just happened.

Not here: what can be done (`actions`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

from ..text_env import fit
from .process.game import Seen

_NEAR: Final = 12
"""How many kinds of blocks are listed with their distance."""
_PLAIN: Final = frozenset({"air", "cave_air", "void_air"})
_SECTORS: Final = ("east", "southeast", "south", "southwest", "west", "northwest", "north", "northeast")


def describe(seen: Seen) -> str:
    """Return everything that is perceived, a line for each matter, as far as an observation holds it."""
    return fit("\n".join(_lines(seen)))


def clock(time: int) -> str:
    """Return a time of the day, `"06:00"` for 0, with day or night."""
    minutes = (time * 60 // 1000 + 360) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d} ({'night' if 13_000 <= time < 23_000 else 'day'})"


def listed(things: Mapping[str, int]) -> str:
    """Return things with their numbers: `"3 oak_log, 1 stick"`."""
    return ", ".join(f"{count} {name}" for name, count in things.items())


def _lines(seen: Seen) -> Iterator[str]:
    x, y, z = (math.floor(value) for value in seen["position"])
    where = "" if seen["sky"] else ", under cover"
    yield f"You are at {x} {y} {z} in a {seen['biome']} biome{where}. Day {seen['day'] + 1}, {clock(seen['time'])}."
    air = f", air {max(0, seen['air'])}/300" if seen["air"] < 300 else ""
    yield f"Health {seen['health']:g}/20, food {seen['food']}/20{air}."
    worn = [name for name in seen["worn"] if name]
    if worn:
        yield f"You wear {', '.join(worn)}."
    yield f"Inventory: {listed(seen['inventory']) or 'nothing'}."
    if seen["durability"]:
        left = ", ".join(f"{name} {uses}" for name, uses in seen["durability"].items())
        yield f"Uses left: {left}."
    near = sorted((far, name) for name, far in seen["blocks"].items() if name not in _PLAIN)
    if near:
        yield f"Blocks near: {', '.join(f'{name} {far:.0f}' for far, name in near[:_NEAR])}."
    shown = {name for _, name in near[:_NEAR]} | _PLAIN
    others = [name for name in seen["within"] if name not in shown]
    if others:
        yield f"Within 32 blocks also: {', '.join(others)}."
    if seen["entities"]:
        creatures = (f"{one['name']} {one['far']:.0f} {_way(seen, one['at'])}" for one in seen["entities"])
        yield f"Creatures: {', '.join(creatures)}."
    if seen["dropped"]:
        yield f"On the ground: {', '.join(sorted(set(seen['dropped'])))}."
    for place, held in seen["chests"].items():
        yield f"The chest at {place} held {listed(held) or 'nothing'}."


def _way(seen: Seen, at: tuple[float, float, float]) -> str:
    x, _, z = seen["position"]
    return _SECTORS[round(math.atan2(at[2] + 0.5 - z, at[0] + 0.5 - x) / (math.pi / 4)) % 8]

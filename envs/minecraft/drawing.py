"""Where a bot of Minecraft is, from above: the way it went, the creatures that it sees, its health and what it carries.

All of it comes from the texts of the episode, which name places to a block and directions to an eighth of a turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ...experience import Observation, Task
from ..facts.drawing import AGENT, CHANGED, INK, SOFT, box, path, svg, words

_SIZE: Final = 480.0
_SIDE: Final = 300.0
"""The width of the words on the right."""
_LEAST: Final = 24.0
"""The least that is shown around the bot, in blocks."""
_MOST: Final = 24
"""How many lines of what it carries are shown."""

_PLACE: Final = re.compile(r"You are at (-?\d+) (-?\d+) (-?\d+) in an? (\w+) biome")
_BARS: Final = re.compile(r"Health ([\d.]+)/20, food (\d+)/20")
_CARRIED: Final = re.compile(r"^Inventory: (.+)\.$", re.MULTILINE)
_CREATURES: Final = re.compile(r"^Creatures: (.+)\.$", re.MULTILINE)
_CREATURE: Final = re.compile(r"(.+?) (\d+) (north|south|east|west|northeast|northwest|southeast|southwest)\b.*")
_AXES: Final = {"north": (0, -1), "south": (0, 1), "east": (1, 0), "west": (-1, 0)}


def draw_map(task: Task, seen: Sequence[Observation]) -> str:
    """Draw the way until now, north up; empty where a text does not say where the bot is."""
    places = [found for one in seen if (found := _PLACE.search(one.text))]
    if not places or _PLACE.search(seen[-1].text) is None:
        return ""
    way = [(float(one[1]), float(one[3])) for one in places]
    here, creatures = way[-1], list(_creatures(seen[-1].text))
    there = [(here[0] + x, here[1] + z) for _, x, z in creatures]
    half = max(_LEAST, *(max(abs(x - here[0]), abs(z - here[1])) for x, z in [*way, *there])) * 1.1

    block = _SIZE / 2 / half

    def at(x: float, z: float) -> tuple[float, float]:
        return _SIZE / 2 + (x - here[0]) * block, _SIZE / 2 + (z - here[1]) * block

    parts = [box(0, 0, _SIZE, _SIZE, fill="#f7f9f4"), words(_SIZE / 2, 16, "N", colour=SOFT, middle=True)]
    parts.append(path([at(*one) for one in way], colour=AGENT, width=2.5))
    for (name, _, _), place in zip(creatures, there, strict=True):
        parts += [_dot(at(*place), CHANGED, 4), words(at(*place)[0] + 7, at(*place)[1] + 4, name)]
    parts += [_dot(at(*way[0]), SOFT, 4), _dot(at(*here), AGENT, 7)]
    parts.append(path([(12, _SIZE - 12), (12 + 16 * block, _SIZE - 12)], colour=INK, width=2))
    parts.append(words(12, _SIZE - 18, "16 blocks", colour=SOFT))
    return svg(_SIZE + _SIDE, _SIZE, [*parts, *_side(seen[-1].text, places[-1])])


def _creatures(text: str) -> Iterator[tuple[str, float, float]]:
    """Yield the creatures of a text: the name of each, and how far it is to the east and to the south."""
    listed = _CREATURES.search(text)
    for one in listed[1].split(", ") if listed else ():
        if found := _CREATURE.fullmatch(one):
            east, south = (sum(_AXES[way][axis] for way in _AXES if way in found[3]) for axis in (0, 1))
            far = float(found[2]) / (2**0.5 if east and south else 1)
            yield found[1], east * far, south * far


def _side(text: str, place: re.Match[str]) -> Iterator[str]:
    x, y = _SIZE + 16, 24.0
    yield words(x, y, place[4].replace("_", " "), bold=True, size=15)
    yield words(x, y + 20, f"x {place[1]}, y {place[2]}, z {place[3]}", colour=SOFT)
    y += 36
    if bars := _BARS.search(text):
        for name, value, colour in (("health", float(bars[1]), "#c8453b"), ("food", float(bars[2]), "#d9a13b")):
            yield box(x, y, 160, 12, fill="#fff")
            yield box(x, y, 8 * min(value, 20), 12, fill=colour, line=colour)
            yield words(x + 168, y + 10, f"{name} {value:g}", colour=SOFT)
            y += 20
    carried = _CARRIED.search(text)
    lines = carried[1].split(", ") if carried and carried[1] != "nothing" else []
    yield words(x, y + 22, "carries" if lines else "carries nothing", bold=True)
    left = len(lines) - _MOST
    for number, one in enumerate([*lines[:_MOST], *([f"and {left} more"] if left > 0 else [])]):
        yield words(x, y + 40 + 16 * number, one.replace("_", " "))


def _dot(at: tuple[float, float], colour: str, size: float) -> str:
    return f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{size}" fill="{colour}"/>'

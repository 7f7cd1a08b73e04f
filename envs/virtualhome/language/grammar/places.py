"""Where things go: in or on a place, near it, and where they are put away.

Not here: what a place is called (`nouns`).
"""

from __future__ import annotations

import re
from typing import Any

from .....errors import GoalError
from ...engine.scene import Scene
from ..phrases import AT_WORDS, IN_WORDS, NEAR_WORDS, PUT_AWAY_IN
from .nouns import Noun

_TOYS = ("toy_car", "teddy_bear", "building_blocks", "ball")


def hollow(place: Noun, scene: Scene) -> int:
    """Return the bitset of what things can be put into."""
    having = scene.having
    return place.nodes & (having["CONTAINERS"] | having["RECIPIENT"] | having["CAN_OPEN"])


def flat(place: Noun, scene: Scene) -> int:
    """Return the bitset of what things can be put on."""
    return place.nodes & (scene.having["SURFACES"] | scene.having["SITTABLE"] | scene.having["LIEABLE"])


def around(place: Noun, scene: Scene) -> str:
    """Return the relations by which something is on or in a place, as conditions write them."""
    if place.nodes & scene.rooms:
        return "INSIDE"
    on, inside = flat(place, scene), hollow(place, scene)
    return "ON" if on and not inside else "INSIDE" if inside and not on else "ON|INSIDE"


def relation_to(place: Noun, preposition: str, scene: Scene, *, literal: bool) -> str:
    """Return the relation that a preposition means at a place.

    Args:
        place: The place.
        preposition: "in", "on", "at", "next to", ...
        scene: The household.
        literal: Whether it says what is so, and not what is to be done: then "on" is ON, whatever the place.
    """
    if re.fullmatch(NEAR_WORDS, preposition):
        return "CLOSE"
    if literal and preposition == "on or in":
        return "ON|INSIDE"
    if literal and not re.fullmatch(AT_WORDS, preposition):
        return "INSIDE" if re.fullmatch(IN_WORDS, preposition) else "ON"
    if place.nodes & scene.rooms:
        return "INSIDE"
    on, inside = flat(place, scene), hollow(place, scene)
    if re.fullmatch(IN_WORDS, preposition):
        return "ON" if on and not inside else "INSIDE"
    if re.fullmatch(AT_WORDS, preposition):
        return "INSIDE" if place.nodes & scene.having["CAN_OPEN"] or (inside and not on) else "ON"
    return "ON"


def home_of(noun: Noun, key: str, scene: Scene) -> tuple[str, dict[str, Any]]:
    """Return the relation and the selector of where something is put away, or with the key "DISCARD" thrown away.

    Raises:
        GoalError: there is no such place; half a sentence.
    """
    names = ["trashcan", "garbage_can"] if key == "DISCARD" else []
    if not names and any(name in _TOYS for name in noun.classes):
        names = ["toy_box"]
    for properties, homes in PUT_AWAY_IN if not names else ():
        if any(noun.nodes & scene.having[name] for name in properties.split()):
            names = homes.split()
            break
    there = next((name for name in (*names, "kitchen_cabinet", "shelf") if name in scene.of_class), None)
    if there is None or (key == "DISCARD" and there not in names):
        raise GoalError(f"there is no place here to put {noun.text}")
    return ("ON" if there in ("bookshelf", "shelf") else "INSIDE"), {"class": there}

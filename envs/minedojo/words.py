"""MineDojo's actions and observations in words. Not here: the numbers' meaning, which is the package's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

NO_OP: Final = (0, 0, 0, 12, 12, 0, 0, 0)
"""Forward and back, left and right, jump and so on, pitch, yaw, what is done, what is crafted, which slot."""
_PARTS: Final[Mapping[str, tuple[int, int]]] = {
    "forward": (0, 1), "back": (0, 2), "left": (1, 1), "right": (1, 2), "jump": (2, 1), "sneak": (2, 2),
    "sprint": (2, 3), "use": (5, 1), "drop": (5, 2), "attack": (5, 3),
    "look up": (3, 11), "look down": (3, 13), "turn left": (4, 11), "turn right": (4, 13),
    "turn far left": (4, 6), "turn far right": (4, 18),
}  # fmt: skip
"""Each word with the place of the action that it sets, and to what. A bin of the camera is 15 degrees."""
_CRAFT: Final = 4
_SLOTS: Final = {"equip": 5, "place": 6, "destroy": 7}
_LISTED: Final = (*_PARTS, "forward and jump", "wait")
_FORMS: Final = "craft THING, equip THING, place THING, destroy THING, wait"


def read_action(text: str, seen: Mapping[str, Any], crafts: Sequence[str]) -> Sequence[int] | str:
    """Return an action as the package's eight numbers, or a sentence that says why there is none.

    Args:
        text: Words of the list above, joined by `and`: `"forward and jump"`, `"craft planks"`.
        seen: The observation, which says what lies in which slot.
        crafts: What can be crafted and smelted, in the package's order.
    """
    action = list(NO_OP)
    for part in " ".join(text.lower().split()).rstrip(".!").split(" and "):
        verb, _, thing = part.partition(" ")
        name = thing.replace("_", " ")
        if part in _PARTS:
            place, value = _PARTS[part]
            action[place] = value
        elif verb == "craft" or verb == "smelt":
            if name not in (known := [one.replace("_", " ") for one in crafts]):
                return f"{thing[:80]!r} cannot be crafted or smelted"
            action[5:7] = _CRAFT, known.index(name)
        elif verb in _SLOTS:
            if name not in (held := _held(seen)):
                return f"you have no {thing[:80]}"
            action[5], action[7] = _SLOTS[verb], held.index(name)
        elif part not in ("wait", ""):
            return f"{part[:80]!r} is no action; actions are, joined by 'and': {', '.join(_PARTS)}, {_FORMS}"
    return action


def admissible(seen: Mapping[str, Any], crafts: Sequence[str]) -> tuple[str, ...]:
    """Return actions in words that the masks allow."""
    masks, held = seen["masks"], _held(seen)
    found = [one for one in _LISTED if one not in _PARTS or _PARTS[one][0] != 5 or masks["action_type"][_PARTS[one][1]]]
    found += [f"craft {crafts[int(place)]}" for place in np.flatnonzero(masks["craft_smelt"])]
    for verb in _SLOTS:
        found += [f"{verb} {held[place].replace(' ', '_')}" for place in np.flatnonzero(masks[verb])]
    return tuple(dict.fromkeys(found))


def describe(seen: Mapping[str, Any]) -> str:
    """Return what is perceived, a line for each matter."""
    return "\n".join(_lines(seen))


def _held(seen: Mapping[str, Any]) -> list[str]:
    return [name.replace("_", " ") for name in seen["inventory"]["name"]]


def _lines(seen: Mapping[str, Any]) -> Iterator[str]:
    where, life = seen["location_stats"], seen["life_stats"]
    x, y, z = (round(float(value), 1) for value in where["pos"])
    yaw, pitch = (float(where[name][0]) for name in ("yaw", "pitch"))
    health, food, air = (float(life[name][0]) for name in ("life", "food", "oxygen"))
    yield f"You are at {x} {y} {z}, looking {yaw:.0f} degrees round and {pitch:.0f} down."
    yield f"Health {health:g}/20, food {food:g}/20, air {air:g}/300."
    held: dict[str, int] = {}
    for name, count in zip(_held(seen), seen["inventory"]["quantity"], strict=True):
        if name != "air":
            held[name] = held.get(name, 0) + int(count)
    yield f"Inventory: {', '.join(f'{count} {name}' for name, count in held.items()) or 'nothing'}."
    worn = [name for name in seen["equipment"]["name"] if name != "air"]
    if worn:
        yield f"In hand and worn: {', '.join(worn)}."
    tools = [name for name in ("table", "furnace") if seen["nearby_tools"][name]]
    if tools:
        yield f"Near: a {' and a '.join(tools)}."
    blocks = sorted({name for name in seen["voxels"]["block_name"] if name != "air"})
    if blocks:
        yield f"Blocks around: {', '.join(blocks)}."
    for kind, verb in (("inc", "got"), ("dec", "used or lost")):
        delta = seen["delta_inv"]
        changed = [
            f"{float(count):g} {name}"
            for way in ("craft", "other")
            for name, count in zip(delta[f"{kind}_name_by_{way}"], delta[f"{kind}_quantity_by_{way}"], strict=True)
            if count > 0
        ]
        if changed:
            yield f"You {verb} {', '.join(changed)}."

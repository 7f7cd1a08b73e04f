"""What can be done now, in words, and other spellings of it. Not here: doing it (`server/bot/skills.js`)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from .process.game import Seen
from .rules import GameRules

DIRECTIONS: Final = ("north", "east", "south", "west")
FUNCTIONAL: Final = frozenset({"crafting_table", "furnace", "chest", "barrel", "torch"})
"""What is placed for its use; other blocks can be placed too, and are not listed."""
LOWEST: Final = -58
"""No way leads deeper."""
_SEVERAL: Final = 4
ROOM: Final = 1
"""With no more free places for things than this, throwing some away is listed."""
_NIGHT: Final = (12_542, 23_459)
_NAMED: Final = re.compile(
    r"(mine|craft|place|smelt|kill|eat|equip|use|deposit|withdraw|drop)((?: \d+)?)(?: (?:an?|the))? (.+)"
)
_FORMS: Final = (
    "mine N THING, craft N THING, place THING, smelt N THING, kill CREATURE, eat THING, equip THING, use TOOL, "
    "deposit N THING, withdraw N THING, drop N THING, collect, sleep, wait, "
    "explore north (east, south, west, up, down), go to X Y Z"
)


def normalise(action: str) -> str:
    """Return an action in the spelling that is listed: `"Craft 4 Oak Planks."` is `"craft 4 oak_planks"`."""
    words = " ".join(action.lower().split()).rstrip(".!")
    named = _NAMED.fullmatch(words)
    if named is None:
        return words
    verb, count, thing = named.groups()
    count = "" if verb in ("place", "kill", "eat", "equip", "use") else count
    return f"{verb}{count} {thing.strip().replace(' ', '_').removeprefix('minecraft:')}"


def unknown_form(action: str) -> str:
    """Return the sentence for an action of no known form."""
    return f"{action[:80]!r} is no action; actions are: {_FORMS}"


def admissible(
    seen: Seen, rules: GameRules, wanted: Collection[str] = (), worked_with: Collection[str] = ()
) -> tuple[str, ...]:
    """Return what the rules allow now, in a fixed order. Some of it may still be tried in vain, as a creature may flee.

    Args:
        seen: What the bot perceives.
        rules: The rules.
        wanted: Blocks that the goal wants placed.
        worked_with: Tools that the goal wants used.
    """
    found = [
        *_mining(seen, rules), *_crafting(seen, rules), *_smelting(seen, rules), *_placing(seen, wanted),
        *_living(seen, rules), *_using(seen, rules, worked_with), *_storing(seen), *_dropping(seen), *_moving(seen),
    ]  # fmt: skip
    return tuple(dict.fromkeys(found))


def _mining(seen: Seen, rules: GameRules) -> Iterator[str]:
    held, within = seen["inventory"], set(seen["within"])
    items = sorted({item for block in within for item in rules.given.get(block, ())})
    for item in items:
        blocks = [block for block in rules.giving[item] if block in within]
        if not all(rules.breaks(block, held) for block in blocks):
            continue
        yield f"mine {item}"
        if any(block.endswith(("_log", "_ore")) or block in ("stone", "deepslate") for block in blocks):
            yield f"mine {_SEVERAL} {item}"


def _crafting(seen: Seen, rules: GameRules) -> Iterator[str]:
    held, table = seen["inventory"], "crafting_table" in seen["within"]
    for name, recipes in rules.recipes.items():
        for recipe in recipes:
            enough = all(held.get(part, 0) >= count for part, count in recipe.parts.items())
            if enough and (table or not recipe.table):
                yield f"craft {name}"
                break


def _smelting(seen: Seen, rules: GameRules) -> Iterator[str]:
    held = seen["inventory"]
    if "furnace" not in seen["within"]:
        return
    for name, count in held.items():
        if name in rules.smelting and rules.fuels(held, name):
            yield f"smelt {name}"
            if count > 1:
                yield f"smelt {min(count, 8)} {name}"


def _placing(seen: Seen, wanted: Collection[str]) -> Iterator[str]:
    for name in seen["inventory"]:
        if name in FUNCTIONAL or name in wanted or name.endswith("_bed"):
            yield f"place {name}"


def _living(seen: Seen, rules: GameRules) -> Iterator[str]:
    held = seen["inventory"]
    for one in seen["entities"]:
        if one["name"] in rules.creatures:
            yield f"kill {one['name']}"
    if seen["food"] < 20:
        yield from [f"eat {name}" for name in held if name in rules.foods]
    yield from [f"equip {name}" for name in held if name in rules.armor and name not in seen["worn"]]
    if any(name.endswith("_bed") for name in seen["within"]) and _NIGHT[0] <= seen["time"] <= _NIGHT[1]:
        yield "sleep"


def _using(seen: Seen, rules: GameRules, wanted: Collection[str]) -> Iterator[str]:
    near = {one["name"] for one in seen["entities"]}
    serving = {tool for tool, creature in rules.givers.values() if creature in near}
    yield from [f"use {name}" for name in seen["inventory"] if name in serving or name in wanted]


def _storing(seen: Seen) -> Iterator[str]:
    if "chest" not in seen["within"]:
        return
    yield from [f"deposit {min(count, 64)} {name}" for name, count in seen["inventory"].items()]
    inside: dict[str, int] = {}
    for held in seen["chests"].values():
        for name, count in held.items():
            inside[name] = max(count, inside.get(name, 0))
    yield from [f"withdraw {min(count, 64)} {name}" for name, count in inside.items()]


def _dropping(seen: Seen) -> Iterator[str]:
    if seen["free"] <= ROOM:
        yield from [f"drop {min(count, 64)} {name}" for name, count in seen["inventory"].items()]


def _moving(seen: Seen) -> Iterator[str]:
    position: Any = seen["position"]
    if seen["dropped"]:
        yield "collect"
    yield from [f"explore {way}" for way in DIRECTIONS]
    if position[1] > LOWEST + 1:
        yield "explore down"
    if not seen["sky"] and position[1] < 300:
        yield "explore up"
    yield "wait"

"""The ids of MineDojo's programmatic tasks that this world can hold, as families of names.

A test compares them with the list of the real package, where that is installed. Not here: what an id means (`dojo`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import product
from typing import Final

from ....experience import Task
from .dojo import KINDS, PIECES, TOOLS, read_task, to_task

_COUNTS: Final = (1, 8)
_HUNTED: Final = ("cow", "pig", "sheep", "chicken")
_FOUGHT: Final = ("zombie", "spider", "skeleton", "creeper")
_FIELDS: Final = ("forest", "plains", "extreme_hills")
_WOODED: Final = ("plains", "taiga", "forest")
_FOUND: Final = (
    "apple", "beef", "bone", "cactus", "chicken", "dirt", "feather", "leaves", "log", "mutton", "porkchop", "pumpkin",
    "reeds", "sapling", "string", "wheat_seeds",
)  # fmt: skip
_CRAFTED: Final = (
    "book", "crafting_table", "dye", "flint_and_steel", "gold_nugget", "iron_nugget", "iron_trapdoor", "lever",
    "planks", "pumpkin_seeds", "sandstone", "shears", "stick", "stone_button", "stone_pressure_plate", "stonebrick",
    "sugar", "torch", "trapped_chest", "wooden_button", "wool",
)  # fmt: skip
_AT_A_TABLE: Final = (
    "anvil", "arrow", "banner", "bed", "boat", "bookshelf", "bowl", "bucket", "cauldron", "chest", "fence",
    "fence_gate", "fishing_rod", "furnace", "glass_bottle", "glass_pane", "golden_apple", "hopper", "iron_bars",
    "ladder", "map", "minecart", "painting", "paper", "rail", "shield", "sign", "stone_slab", "trapdoor",
    "tripwire_hook", "wooden_door",
)  # fmt: skip
_SMELTED: Final = (
    "cooked_beef", "cooked_chicken", "cooked_mutton", "cooked_porkchop", "emerald", "glass", "gold_ingot",
    "iron_ingot", "stone",
)  # fmt: skip
_MINED: Final = ("iron_ore", "gold_ore", "diamond", "redstone", "coal", "cobblestone")
_PICKAXES: Final = ("wooden", "stone", "iron", "golden", "diamond")
_IN_BIOMES: Final = (
    "apple", "beef", "bone", "chicken", "log", "reeds", "flint_and_steel", "crafting_table", "planks", "shears",
    "stick", "sugar", "torch",
)  # fmt: skip
_TABLE_IN_BIOMES: Final = ("arrow", "chest", "shield", "fishing_rod", "bucket", "furnace")
_SMELTED_IN_BIOMES: Final = ("cooked_beef", "glass", "gold_ingot", "iron_ingot", "stone")
_LADDER: Final = ("wood", "stone", "iron", "gold", "diamond")
_REDSTONE: Final = (
    "redstone_block", "dispenser", "dropper", "piston", "redstone_torch", "repeater", "detector_rail",
    "activator_rail",
)  # fmt: skip


def dojo_names() -> tuple[str, ...]:
    """Return the ids, each once, kind by kind."""
    return tuple(dict.fromkeys((*_harvests(), *_combats(), *_techs(), "survival", "survival_sword_food")))


def dojo_tasks(kinds: Iterable[str] = KINDS) -> list[Task]:
    """Return the tasks of some kinds, each in a world that follows from its id.

    Args:
        kinds: Some of `dojo.KINDS`.
    """
    wanted = frozenset(kinds)
    return [to_task(task) for task in map(read_task, dojo_names()) if task.kind in wanted]


harvest_tasks, combat_tasks, techtree_tasks, survival_tasks = (partial(dojo_tasks, (kind,)) for kind in KINDS)


def _harvests() -> Iterator[str]:
    for animal, target, tool, article in (("sheep", "wool", "shears", ""), ("cow", "milk", "empty_bucket", "an_")):
        yield f"harvest_{target}"
        yield from [f"harvest_{target}_with_{given}" for given in (animal, tool, f"{tool}_and_{animal}")]
        for biome in _FIELDS:
            yield from (f"harvest_{target}_{biome}", f"harvest_{target}_{biome}_with_{article}{tool}")
    yield "harvest_log_with_diamond_axe"
    for count in _COUNTS:
        some = f"harvest_{count}"
        yield from [f"{some}_{thing}" for thing in (*_MINED, *_FOUND, *_CRAFTED, *_AT_A_TABLE, *_SMELTED)]
        yield from [f"{some}_{ore}_with_{kind}_pickaxe" for ore, kind in product(_MINED, _PICKAXES)]
        yield from [f"{some}_{thing}_with_crafting_table" for thing in _AT_A_TABLE]
        yield from [f"{some}_{thing}_with_furnace_and_fuel" for thing in _SMELTED]
        for biome in _WOODED:
            yield from [f"{some}_{thing}_{biome}" for thing in (*_IN_BIOMES, *_TABLE_IN_BIOMES, *_SMELTED_IN_BIOMES)]
            yield from [f"{some}_{thing}_{biome}_with_crafting_table" for thing in _TABLE_IN_BIOMES]
            yield from [f"{some}_{thing}_{biome}_with_furnace_and_fuel" for thing in _SMELTED_IN_BIOMES]


def _combats() -> Iterator[str]:
    for mob, land in product((*_HUNTED, *_FOUGHT), _FIELDS):
        if mob in _HUNTED:
            yield f"combat_{mob}_{land}_barehand"
        for armour, weapon in product(("leather", "iron", "diamond"), ("wooden", "iron", "diamond")):
            yield f"combat_{mob}_{land}_{armour}_armors_{weapon}_sword_shield"


def _techs() -> Iterator[str]:
    """Yield those from each rung of a ladder of materials to all that follow."""
    for rung, start in enumerate(("barehand", *_LADDER)):
        steps = _LADDER[rung:]
        for material in steps:
            name = {"wood": "wooden", "gold": "golden"}.get(material, material)
            things = TOOLS if material in ("wood", "stone") else (*TOOLS, *PIECES)
            yield from [f"techtree_from_{start}_to_{name}_{thing}" for thing in things]
        if start in ("barehand", "wood"):
            yield from [f"techtree_from_{start}_to_leather_{piece}" for piece in PIECES]
        if start in ("barehand", "stone"):
            yield f"techtree_from_{start}_to_explosives"
        yield from [f"techtree_from_{start}_to_redstone_{thing}" for thing in _REDSTONE]

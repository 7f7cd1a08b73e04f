"""What holds in the world as a graph of facts, and the goals that it offers to a curriculum.

Every kind of thing is one node: what is held has an edge `HOLDS` from the character, and what was crafted, smelted,
mined, placed, killed or eaten has that as its state. The rooms are cells of 16 blocks, each of the kind of its biome.
Not here: counts, which conditions of `goals` have.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ..facts import ConditionJson, FactGraph
from ..graph_goals import GraphGoals, edge, state
from .goals import SAID
from .process.game import Seen

YOU: Final = "character"
_YOU_ID: Final = 1
_CELL: Final = 16
_STATES: Final = {
    "crafted": "CRAFTED", "smelted": "SMELTED", "mined": "MINED", "placed": "PLACED", "killed": "KILLED",
    "eaten": "EATEN",
}  # fmt: skip
WORTH: Final = (
    "oak_log", "birch_log", "spruce_log", "acacia_log", "oak_planks", "birch_planks", "spruce_planks", "acacia_planks",
    "stick", "crafting_table", "chest", "bowl", "ladder", "barrel", "wooden_pickaxe", "wooden_axe", "wooden_sword",
    "wooden_shovel", "wooden_hoe", "dirt", "sand", "gravel", "flint", "cobblestone", "granite", "diorite", "andesite",
    "cobbled_deepslate", "stone_pickaxe", "stone_axe", "stone_sword", "stone_shovel", "stone_hoe", "furnace", "lever",
    "coal", "torch", "charcoal", "stone", "glass", "raw_copper", "copper_ingot", "raw_iron", "iron_ingot",
    "iron_nugget",
    "iron_pickaxe", "iron_axe", "iron_sword", "iron_shovel", "iron_hoe", "bucket", "shears", "shield", "iron_helmet",
    "iron_chestplate", "iron_leggings", "iron_boots", "raw_gold", "gold_ingot", "golden_pickaxe", "redstone", "compass",
    "clock", "lapis_lazuli", "diamond", "diamond_pickaxe", "diamond_axe", "diamond_sword", "white_wool", "white_bed",
    "beef", "cooked_beef", "porkchop", "cooked_porkchop", "mutton", "cooked_mutton", "chicken", "cooked_chicken",
    "leather", "feather", "wheat_seeds", "apple", "oak_slab", "oak_stairs", "oak_door", "oak_trapdoor", "oak_fence",
    "oak_button", "oak_sign", "birch_slab", "birch_stairs", "birch_door", "birch_fence", "birch_button", "birch_sign",
    "cobblestone_slab", "cobblestone_stairs", "cobblestone_wall", "stone_slab", "stone_bricks", "stone_button",
    "stone_pressure_plate", "smooth_stone", "blast_furnace", "smoker", "iron_bars", "iron_door", "chain", "lantern",
    "cauldron", "hopper", "minecart", "tripwire_hook", "copper_block", "cut_copper", "lightning_rod", "sandstone",
    "polished_andesite", "polished_granite", "polished_diorite",
)  # fmt: skip
"""Things worth having, roughly from the first to the last."""
CREATURES: Final = ("cow", "pig", "sheep", "chicken", "zombie", "skeleton", "spider")
_PLACED: Final = ("crafting_table", "furnace", "chest", "torch")


def node_of(name: str) -> int:
    """Return the id of a kind of thing, or of a cell, by its name."""
    return zlib.crc32(name.encode()) >> 1 | 1 << 31


def character_id(bot: int) -> int:
    """Return the id of the node of a bot, by its number from 0."""
    return _YOU_ID + bot


def graph_of(team: Sequence[Seen]) -> FactGraph:
    """Return what the bots perceive as a graph."""
    states: dict[str, dict[str, None]] = {}
    cells: dict[int, str] = {}
    edges: list[Any] = []
    for bot, seen in enumerate(team):
        here = node_of(f"cell {' '.join(str(int(value // _CELL)) for value in seen['position'])}")
        cells[here] = seen["biome"]
        for name in seen["inventory"]:
            states.setdefault(name, {})
        for what, shown in _STATES.items():
            for name in seen["stats"].get(what, {}):
                states.setdefault(name, {})[shown] = None
        edges.append([character_id(bot), "INSIDE", here])
        edges += [[character_id(bot), "HOLDS", node_of(name)] for name in seen["inventory"]]
    ids = list(map(character_id, range(len(team))))
    nodes: list[Any] = [[one, YOU, []] for one in ids] + [[here, biome, []] for here, biome in cells.items()]
    nodes += [[node_of(name), name, list(own)] for name, own in sorted(states.items())]
    return FactGraph({"nodes": nodes, "edges": edges, "rooms": list(cells), "characters": ids})


def possible(graph: FactGraph) -> Iterator[ConditionJson]:
    """Yield what can be brought about in any world: things held, creatures killed, blocks placed."""
    yield from [edge(YOU, "HOLDS", name) for name in WORTH]
    yield from [state(name, "PLACED") for name in _PLACED]
    yield from [state(name, "KILLED") for name in CREATURES]


def say(condition: ConditionJson, graph: FactGraph) -> str:
    """Return a condition in words: `"have a stick"`, `"kill a cow"`."""
    if "from" in condition:
        return f"have {condition['to']['class']}"
    verb = {"PLACED": "place", "KILLED": "kill"}[condition["state"]]
    return f"{verb} {condition['node']['class']}"


def goal_space() -> GraphGoals:
    """Return the goals of the Minecraft world."""
    return GraphGoals(
        possible,
        say,
        YOU,
        grows=True,
        rows=SAID,
        noun=lambda kind: kind.replace("_", " "),
        work=lambda env: env.work,
    )

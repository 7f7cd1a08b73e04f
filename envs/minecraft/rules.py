"""The rules of the world as tables: recipes, smelting, tools, and what gives what. Names only.

They come from the node process, which has them from minecraft-data and its own `rules.json`. Not here: using them
(`actions`, `plans`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, Final, NamedTuple

TIERS: Final = ("wooden", "golden", "stone", "iron", "diamond", "netherite")
"""What tools are made of, worst first; gold breaks no more than wood does."""
_STRENGTH: Final = {"wooden": 0, "golden": 0, "stone": 1, "iron": 2, "diamond": 3, "netherite": 4}
GROUPS: Final[Mapping[str, str]] = {
    "log": "_log", "planks": "_planks", "wool": "_wool", "bed": "_bed", "sapling": "_sapling", "leaves": "_leaves",
    "dye": "_dye", "banner": "_banner",
}  # fmt: skip
"""Names that stand for any of a kind, and how the names of those end. `a|b` stands for either."""
TOOLS: Final = ("_pickaxe", "_axe", "_sword", "_shovel", "_hoe")
"""How the names of tools end; they are not burned."""
_KEPT: Final = frozenset({"crafting_table", "chest"})


class Recipe(NamedTuple):
    """One way of crafting something."""

    name: str
    makes: int
    """How many it makes."""
    parts: Mapping[str, int]
    table: bool
    """Whether it needs a crafting table."""


class GameRules:
    """The tables."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        """Read what `server/bot/tables.js` wrote."""
        self.recipes: Mapping[str, Sequence[Recipe]] = {}
        """Ways of crafting, by what they make."""
        made: dict[str, list[Recipe]] = {}
        for one in tables["recipes"]:
            made.setdefault(one["name"], []).append(Recipe(one["name"], one["count"], one["parts"], one["table"]))
        self.recipes = made
        self.smelting: Mapping[str, str] = tables["smelting"]
        """What each thing becomes in a furnace."""
        self.fuel: Mapping[str, int] = tables["fuel"]
        """How many ticks each fuel burns; smelting one thing takes 200."""
        self.foods: Mapping[str, int] = tables["foods"]
        self.giving: Mapping[str, Sequence[str]] = tables["giving"]
        """The blocks that leave each thing when they are broken."""
        self.given: dict[str, list[str]] = {}
        """What each block leaves."""
        for item, blocks in self.giving.items():
            for block in blocks:
                self.given.setdefault(block, []).append(item)
        self.tools: Mapping[str, str] = tables["tools"]
        """The least tool for blocks that leave nothing without one."""
        self.creatures: Mapping[str, Mapping[str, Any]] = tables["creatures"]
        self.armor: Mapping[str, int] = tables["armor"]
        """The points of each piece."""
        self.givers: dict[str, tuple[str, str]] = {
            made: (tool, creature) for creature, one in self.creatures.items() for tool, made in one["gives"].items()
        }
        """What is got by using a tool on a creature: the tool and the creature, `milk_bucket` by `bucket` and `cow`."""
        self.block_names: tuple[str, ...] = tuple(tables["blockNames"])
        """The kinds of blocks, by number."""
        self.item_names: tuple[str, ...] = tuple(tables["itemNames"])
        """The kinds of things, by number."""
        self.smelted: dict[str, list[str]] = {}
        """What becomes each thing in a furnace."""
        for source, result in self.smelting.items():
            self.smelted.setdefault(result, []).append(source)

    @property
    def things(self) -> Set[str]:
        """The names of everything that can be held."""
        return self.giving.keys() | self.recipes.keys() | self.smelted.keys() | self.fuel.keys() | self.foods.keys()

    def breaks(self, block: str, held: Mapping[str, int]) -> bool:
        """Return whether one who holds these things gets something out of a block."""
        least = self.tools.get(block)
        return least is None or any(self.as_good(name, least) for name in held)

    def as_good(self, tool: str, least: str) -> bool:
        """Return whether a tool does what the least one does."""
        if tool == least:
            return True
        tier, _, kind = tool.partition("_")
        other, _, wanted = least.partition("_")
        return kind == wanted and tier in _STRENGTH and other in _STRENGTH and _STRENGTH[tier] >= _STRENGTH[other]

    def wears(self, name: str, worn: Iterable[str | None]) -> bool:
        """Return whether one who wears these pieces is safer with another one."""
        piece = name.rpartition("_")[2]
        same = [one for one in worn if one is not None and one.endswith(piece)]
        return name in self.armor and all(self.armor[name] > self.armor.get(one, 0) for one in same)

    def fuels(self, held: Mapping[str, int], smelted: str) -> list[str]:
        """Return what of these things may be burned to smelt one of them."""
        return [
            name for name in held
            if name in self.fuel and name != smelted and name not in _KEPT and not name.endswith(TOOLS)
        ]  # fmt: skip

    def drops(self, creature: str) -> Sequence[str]:
        """Return what a creature leaves."""
        drops: Sequence[str] = self.creatures[creature]["drops"]
        return drops


def is_several(name: str) -> bool:
    """Return whether a name stands for any of several kinds: a group, or `a|b`."""
    return name in GROUPS or "|" in name


def stands_for(name: str, kind: str) -> bool:
    """Return whether a name stands for a kind of thing."""
    return any(kind.endswith(GROUPS[one]) if one in GROUPS else kind == one for one in name.split("|"))


def matching(name: str, among: Mapping[str, int]) -> int:
    """Return how many things there are of a name, or of the kinds that it stands for."""
    if not is_several(name):
        return among.get(name, 0)
    return sum(count for kind, count in among.items() if stands_for(name, kind))

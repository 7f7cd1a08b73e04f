"""MineDojo's programmatic tasks (Fan et al. 2022) in this world: harvest, combat, tech tree and survival, by their ids.

An id says all that a task is: what is to be got, killed or used, how many, and what one begins with. The rules of
success are MineDojo's: things count by how many more one holds than at the beginning, creatures by how many one
killed, a tool by having been used, and survival by the time since one last died. What the tasks call things is
Minecraft 1.11.2's; this world has 1.18.2's names. Tasks that this world cannot hold are left out (`why_not`).
Not here: MineDojo's own list, which is data of its package; the environment `pathei/MineDojo-v0` plays that.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ....errors import GoalError
from ....experience import Goal, Task
from ..env import BIOMES
from ..goals import MinecraftGoal, write_goal
from ..plans import Planner
from .generate import ENV, WORLDS

KINDS: Final = ("harvest", "combat", "techtree", "survival")
_NIGHT: Final = 18_000
_BY_NIGHT: Final = frozenset({"bat", "zombie", "spider", "skeleton", "creeper", "witch", "enderman", "slime", "husk"})
_LANDS: Final = {"end": "the_end", "swamp": "swampland"}
_BIOMES: Final = {"extreme_hills": "windswept_hills"}
"""Biomes that are called otherwise since 1.18."""
_MATERIALS: Final = {"wood": "wooden", "gold": "golden"}
TOOLS: Final = ("pickaxe", "axe", "hoe", "sword", "shovel")
PIECES: Final = ("boots", "leggings", "chestplate", "helmet")
_WOODS: Final = ("oak", "spruce", "birch", "jungle")
_ALL_WOODS: Final = (*_WOODS, "acacia", "dark_oak")


def _any(*names: str) -> str:
    return "|".join(names)


_RENAMED: Final[Mapping[str, str]] = {
    "log": _any(*(f"{wood}_log" for wood in _WOODS)), "leaves": _any(*(f"{wood}_leaves" for wood in _WOODS)),
    "trapdoor": _any(*(f"{wood}_trapdoor" for wood in _ALL_WOODS)),
    "wooden_button": _any(*(f"{wood}_button" for wood in _ALL_WOODS)),
    "sign": _any(*(f"{wood}_sign" for wood in _ALL_WOODS)),
    "fence": "oak_fence", "fence_gate": "oak_fence_gate", "wooden_door": "oak_door", "boat": "oak_boat",
    "coal": _any("coal", "charcoal"), "stone": _any("stone", "granite", "diorite", "andesite"),
    "stone_slab": _any("smooth_stone_slab", "stone_slab", "cobblestone_slab", "sandstone_slab", "stone_brick_slab"),
    "iron_ore": _any("raw_iron", "iron_ore"), "gold_ore": _any("raw_gold", "gold_ore"), "grass": "grass_block",
    "reeds": "sugar_cane", "web": "cobweb", "fish": "cod", "cooked_fish": "cooked_cod", "stonebrick": "stone_bricks",
    "nether_brick": "nether_bricks", "netherbrick": "nether_brick", "red_nether_brick": "red_nether_bricks",
    "end_bricks": "end_stone_bricks", "speckled_melon": "glistering_melon_slice", "skull": "skeleton_skull",
    "dye": _any("dye", "bone_meal", "lapis_lazuli", "ink_sac", "cocoa_beans"),
    "spawn_egg": "cow_spawn_egg", "monster_egg": "infested_stone",
}  # fmt: skip
"""What things of 1.11.2 are called in 1.18.2, where one had several forms each of them."""
_GIVEN: Final[Mapping[str, Mapping[str, int]]] = {
    "furnace_and_fuel": {"furnace": 1, "coal": 20},
    "empty_bucket": {"bucket": 1}, "an_empty_bucket": {"bucket": 1},
}  # fmt: skip
_FUEL_IN_BIOMES: Final = 50
_ANIMALS: Final = ("sheep", "cow")
_COMBAT = re.compile(
    r"combat_(.+?)_(forest|plains|extreme_hills|end|nether|swamp|desert|ocean|mushroom_island|taiga)"
    r"_(?:(leather|iron|diamond)_armors_(wooden|iron|diamond)_sword_shield|barehand)"
)
_HARVEST = re.compile(
    r"harvest_(?:(\d+)_)?(.+?)(?:_(plains|jungle|taiga|forest|swampland|extreme_hills))?(?:_with_(.+))?"
)
_TECH = re.compile(r"techtree_from_(barehand|wood|stone|iron|gold|diamond)_to_(?:redstone_)?(.+)")
_TECHS: Final = {"archery": "bow", "explosives": "tnt"}


class DojoTask(NamedTuple):
    """One of MineDojo's tasks, in its names."""

    id: str
    kind: str
    """One of `KINDS`."""
    target: str
    """The thing, the creature, the tool; `""` for survival."""
    number: int
    """How many; the days of survival."""
    biome: str | None = None
    held: Mapping[str, int] = {}
    """What one holds at the beginning, armour and a shield aside."""
    worn: tuple[str, ...] = ()
    """Armour that one wears, and a shield."""
    creatures: tuple[str, ...] = ()
    """What stands near at the beginning."""
    night: bool = False
    """Whether it is night all the time."""


def read_task(name: str) -> DojoTask:
    """Return the task that an id of MineDojo's stands for.

    Raises:
        GoalError: it is none of a programmatic task.
    """
    if found := _COMBAT.fullmatch(name):
        return _combat(name, *found.groups())
    if found := _TECH.fullmatch(name):
        start, target = found.groups()
        material = _MATERIALS.get(start, start)
        held = {} if start == "barehand" else {f"{material}_{tool}": 1 for tool in TOOLS}
        return DojoTask(name, "techtree", _TECHS.get(target, target), 1, held=held)
    if found := _HARVEST.fullmatch(name):
        return _harvest(name, *found.groups())
    if name in ("survival", "survival_sword_food"):
        return DojoTask(name, "survival", "", 100, held={"iron_sword": 1, "cooked_beef": 8} if "_" in name else {})
    raise GoalError(
        f"{name!r} is no programmatic task of MineDojo's, such as harvest_1_log or combat_cow_plains_barehand."
    )


def why_not(task: DojoTask, planner: Planner) -> str | None:
    """Return why this world cannot hold a task; None where it can.

    Args:
        task: The task.
        planner: Knows the rules of this world.
    """
    rules = planner.rules
    if task.biome is not None and _BIOMES.get(task.biome, task.biome) not in BIOMES:
        return f"there is no biome {task.biome}"
    for creature in (*task.creatures, *((task.target,) if task.kind == "combat" else ())):
        if creature not in rules.creatures:
            return f"there is no creature {creature}"
    goal = goal_of(task)
    if goal.kind == "used" and not (
        goal.thing in rules.armor or goal.thing.endswith(tuple(f"_{one}" for one in TOOLS))
    ):
        return f"nothing can be done with a {task.target}"
    if goal.kind == "placed" or goal.kind in ("inventory", "used"):
        try:
            planner.steps(goal, task.held, (), goal.number - task.held.get(goal.thing, 0))
        except GoalError:
            return f"no way is known to get {task.target}"
    return None


def goal_of(task: DojoTask) -> MinecraftGoal:
    """Return the condition that a task's rule of success is in this world."""
    thing = _RENAMED.get(task.target, task.target)
    if task.kind == "harvest":
        return MinecraftGoal("inventory", thing, task.number + task.held.get(task.target, 0))
    if task.kind == "combat":
        return MinecraftGoal("killed", thing, task.number)
    if task.kind == "survival":
        return MinecraftGoal("survived", "day", task.number)
    return MinecraftGoal("used" if thing.endswith((*TOOLS, *PIECES, "bow", "clock", "compass")) else "placed", thing, 1)


def to_task(task: DojoTask, world: int | None = None) -> Task:
    """Return a task of this world.

    Args:
        task: MineDojo's.
        world: The world's number; None for one that follows from the id.
    """
    goal = goal_of(task)
    options: dict[str, Any] = {"world": zlib.crc32(task.id.encode()) % WORLDS if world is None else world}
    if task.biome is not None:
        options["biome"] = _BIOMES.get(task.biome, task.biome)
    if task.held:
        options["inventory"] = dict(task.held)
    if task.worn:
        options["worn"] = list(task.worn)
    if task.creatures:
        options["creatures"] = list(task.creatures)
    if task.kind == "combat":
        options["spawn_mobs"] = False
    if task.night:
        options |= {"time": _NIGHT, "daylight": False}
    number = "" if world is None else f"/{world}"
    return Task(f"minedojo:{task.id}{number}", ENV, 0, Goal(say(task), (write_goal(goal),)), options)


def say(task: DojoTask) -> str:
    """Return a task in words: `"Kill a zombie, in plains at night, with iron armour, a wooden sword and a shield."`."""
    target = _said(task.target)
    one = f"{'an' if target[:1] in 'aeiou' else 'a'} {target}"
    where = f", in {task.biome.replace('_', ' ')}" if task.biome else ""
    when = " at night" if task.night else ""
    near = "".join(f", with a {animal} nearby" for animal in task.creatures if task.kind == "harvest")
    things = [f"{count} {name.replace('_', ' ')}" for name, count in task.held.items()]
    things += [f"{task.worn[0].partition('_')[0]} armour", "a shield"] if task.worn else []
    given = f", given {' and '.join(things)}" if things else ""
    what = {
        "harvest": f"Obtain {task.number} {target}", "combat": f"Kill {one}",
        "techtree": f"Craft and use {one}", "survival": f"Survive {task.number} days",
    }[task.kind]  # fmt: skip
    return f"{what}{where}{when}{near}{given}."


def _said(target: str) -> str:
    """Return what a thing is called now, in words; its old name where it is one of several now."""
    now = _RENAMED.get(target, target)
    return (target if "|" in now else now).replace("_", " ")


def _combat(name: str, mob: str, land: str, armour: str | None, weapon: str | None) -> DojoTask:
    held, worn = dict[str, int](), tuple[str, ...]()
    if armour is not None:
        held = {f"{weapon}_sword": 1}
        worn = (*(f"{armour}_{piece}" for piece in PIECES), "shield")
    if land == "ocean":
        held["sea_lantern"] = 4
    return DojoTask(name, "combat", mob, 1, _LANDS.get(land, land), held, worn, (mob,), mob in _BY_NIGHT)


def _harvest(name: str, number: str | None, target: str, biome: str | None, given: str | None) -> DojoTask:
    held, creatures = dict[str, int](), tuple[str, ...]()
    if given is not None and given in _GIVEN:
        held = dict(_GIVEN[given])
        if biome is not None and "coal" in held:
            held["coal"] = _FUEL_IN_BIOMES
    elif given is not None:
        for one in given.split("_and_"):
            if one in _ANIMALS:
                creatures = (one,)
            else:
                held |= _GIVEN.get(one, {one: 1})
    target = "milk_bucket" if target == "milk" else target
    return DojoTask(name, "harvest", target, int(number or 1), biome, held, (), creatures)

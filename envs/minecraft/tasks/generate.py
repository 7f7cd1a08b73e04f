"""Generated tasks of the Minecraft world, and what solves any of its tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import orjson

from ....errors import ConfigError, GoalError
from ....experience import Goal, Task
from ....stable_random import StableRandom
from ...facts.actions import read_actor
from ..env import MinecraftEnv
from ..explorer import Explorer
from ..goals import MinecraftGoal, read_goals, say_goals, write_goal

ENV: Final = "pathei/Minecraft-v0"
LONGEST: Final = 100
"""The most actions that a demonstration takes."""
WORLDS: Final = 10_000
"""The numbers of the worlds that tasks are in are below this."""
_HUNGRY: Final[Mapping[str, Any]] = {"food": 10}
_STARTERS: Final = (
    ("inventory", "log", 3), ("crafted", "planks", 8), ("crafted", "crafting_table", 1), ("crafted", "stick", 4),
    ("placed", "crafting_table", 1), ("crafted", "wooden_pickaxe", 1), ("crafted", "wooden_sword", 1),
    ("inventory", "dirt", 8), ("reached", "distance", 60),
)  # fmt: skip
_STONE: Final = (
    ("inventory", "cobblestone", 8), ("crafted", "stone_pickaxe", 1), ("crafted", "stone_sword", 1),
    ("crafted", "furnace", 1), ("inventory", "coal", 3), ("crafted", "torch", 4), ("reached", "depth", 40),
    ("killed", "any", 1),
)  # fmt: skip
_IRON: Final = (
    ("inventory", "raw_iron", 3), ("smelted", "iron_ingot", 1), ("crafted", "iron_pickaxe", 1),
    ("crafted", "bucket", 1), ("smelted", "stone", 4), ("eaten", "meat", 1),
)  # fmt: skip
_ANIMALS: Final = (("cow", "beef"), ("pig", "porkchop"), ("sheep", "mutton"))
TIERS: Final = (_STARTERS, _STARTERS, _STONE, _IRON)
"""The goals of generated tasks; the easy ones are drawn twice as often."""


def generate_tasks(n: int, seed: int, *, characters: int | None = None) -> list[Task]:
    """Return `n` tasks in generated worlds, each with one goal: wood, stone, or iron and food.

    Args:
        n: How many.
        seed: What they follow from.
        characters: How many bots act in turn; None for one.
    """
    draws = StableRandom.seeded(seed, 13)
    several = {} if characters is None else {"characters": characters}
    tasks = []
    for number in range(n):
        kind, thing, count = draws.pick(draws.pick(TIERS))
        animal, meat = draws.pick(_ANIMALS)
        world, options = draws.below(WORLDS), dict[str, Any]()
        if kind == "eaten":
            thing, options = meat, dict(_HUNGRY)
        elif kind == "killed":
            thing = animal
        depth = kind == "reached" and thing == "depth"
        goal = MinecraftGoal(thing, "", count) if depth or kind == "reached" else MinecraftGoal(kind, thing, count)
        tasks.append(task_of(f"{seed}-{number}", world, (goal,), {**options, **several}))
    return tasks


def life_tasks(world: int = 0, attempts: int = 160) -> list[Task]:
    """Return the tasks of one life, for a curriculum: no goals, and each begins where the one before ended.

    As with Voyager (Wang et al. 2023) there are 160 attempts, and a death loses nothing that was carried.

    Args:
        world: The world's number.
        attempts: How many goals may be tried.
    """
    options = {"world": world, "stay": True, "keep_inventory": True}
    return [Task(f"minecraft:life/{world}/{number}", ENV, world, Goal(""), options) for number in range(attempts)]


def task_of(name: str, world: int, goals: Sequence[MinecraftGoal], options: Mapping[str, Any] | None = None) -> Task:
    """Return a task in a world.

    Args:
        name: What the task's id ends with.
        world: The world's number.
        goals: What is to be reached, all of it.
        options: Other options of the environment.
    """
    slug = "+".join("-".join(str(part) for part in goal if part != "") for goal in goals)
    goal = Goal(say_goals(goals), tuple(map(write_goal, goals)))
    return Task(f"minecraft:{slug}/{name}", ENV, world, goal, {"world": world, **(options or {})})


def demonstration(task: Task) -> Sequence[str]:
    """Return actions that reach the goal of a task, as the oracle (`explorer`) finds them by playing it.

    Raises:
        ConfigError: the task has no conditions, is on a server, or the oracle does not find a way.
        InstallError: the world is not installed.
    """
    if task.options.get("server") is not None:
        raise ConfigError(f"There is no demonstration of {task.id!r}: nobody knows a server's world beforehand.")
    conditions = orjson.dumps([dict(one) for one in task.goal.conditions], option=orjson.OPT_SORT_KEYS)
    options = orjson.dumps(dict(task.options), option=orjson.OPT_SORT_KEYS)
    found = _demonstration(conditions.decode(), options.decode(), task.seed)
    if isinstance(found, str):
        raise ConfigError(f"There is no demonstration of {task.id!r}: {found}")
    return found


@lru_cache(maxsize=256)
def _demonstration(conditions: str, options: str, seed: int) -> tuple[str, ...] | str:
    """Return the actions, or why there are none."""
    wanted = orjson.loads(conditions)
    if not wanted:
        return "its goal has no conditions."
    env = MinecraftEnv()
    try:
        for first_way in (0, 2):
            env.reset(seed=seed, options={**orjson.loads(options), "goal": {"text": "", "conditions": wanted}})
            found = play(env, Explorer(env.game.rules, read_goals(wanted), first_way), LONGEST)
            if env.over:
                return found
        return f"the oracle did not reach it in {LONGEST} actions."
    except GoalError as error:
        return str(error)
    finally:
        env.close()


def play(env: MinecraftEnv, explorer: Explorer, most: int) -> tuple[str, ...]:
    """Let the oracle act in an environment that was reset, until the goal is reached; return what it did.

    Args:
        env: The environment.
        explorer: The oracle.
        most: The most actions it takes.

    Raises:
        GoalError: it knows no way.
    """
    return tuple(islice(playing(env, explorer), most))


def playing(env: MinecraftEnv, explorer: Explorer) -> Iterator[str]:
    """Let the oracle act as `play` does, and yield each action after it was done.

    Raises:
        GoalError: it knows no way.
    """
    vain: str | None = None
    while not env.over:
        moment = env.moment
        possible = [read_actor(one)[1] for one in env.actions()]
        chosen = explorer.next(moment.seen, moment.begun[moment.turn], possible, vain)
        action = f"<char{moment.turn}> {chosen}" if len(moment.team) > 1 else chosen
        env.step(action)
        yield action
        vain = chosen if env.moment.failed or env.moment.refused else None

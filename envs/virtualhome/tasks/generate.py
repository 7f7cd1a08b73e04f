"""Goals that can be reached: household activities grounded in a concrete house, each with a demonstration.

An activity carries itself out in a world and says in words and conditions what was wanted: most are rows of a table
(`chores`), some are functions (`chores_special`). So every goal comes with a script that reaches it, and no goal is
given that holds at the beginning. An id fixes its task: task sets that share an id share the task. Not here: goals for
which several characters have to work together.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from ....errors import ConfigError, unknown
from ....experience import Goal, Task
from ....stable_random import StableRandom
from ...verbalizer import TEST_EVERY, is_kept_out
from ..engine.rules_clean import clean
from ..engine.scene import Scene
from ..engine.world import World
from ..goals.check import GoalCheck
from ..houses.generate import Size, check_house, generate_house
from .chores_house import HOUSE
from .chores_kitchen import KITCHEN
from .chores_leisure import LEISURE
from .demonstrator import Demonstrator, Impossible, ObjectRequest

Split = Literal["train", "test"]

ENV: Final = "pathei/VirtualHome-v0"

_TASKS_PER_HOUSE: Final = 4
_SEEDS: Final = 2**31
_ID: Final = re.compile(r"house-\d+-(?:\w+-)*?(?P<name>[a-z]+(?:-[a-z]+)*)-(?P<k>\d+)")


class Grounded(NamedTuple):
    """An activity in a concrete house."""

    goal: Goal
    script: tuple[str, ...]
    """Script lines with which the first character reaches the goal from the beginning, under the rules of the world;
    it holds after the last of them, and not before."""
    texts: tuple[str, ...] = ()
    """All ways to say the goal; the goal's own is one of them."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that people do at home."""

    name: str
    """`"put-groceries-in-the-fridge"`."""
    carry_out: Callable[[Demonstrator], ObjectRequest]
    """Carries it out and returns what was wanted."""

    def ground(self, world: World, generator: np.random.Generator) -> Grounded | None:
        """Ground the activity in a house.

        Args:
            world: The house under its rules (`clean`, unless you want others); it is left at its beginning.
            generator: Picks things and words; it is consumed.

        Returns:
            A goal that does not hold at the beginning, with a script that reaches it; None where the house lacks what
            is needed, or where nothing is left to do.

        Raises:
            GoalError: the conditions are malformed (an activity of your own may have such an error).
        """
        found = attempt(self, world, StableRandom(generator))
        return found if isinstance(found, Grounded) else None


def attempt(activity: Activity, world: World, choices: StableRandom) -> Grounded | Impossible:
    """Ground an activity as `Activity.ground` does, or return why it is not possible."""
    performer = Demonstrator(world, choices)
    try:
        request = activity.carry_out(performer)
        world.restore(world.start)
        check = GoalCheck(request.conditions, world)
        if check.satisfied():
            return Impossible("nothing is left to do")
        for count, action in enumerate(performer.actions, 1):
            world.act(action)
            check.note(action)
            if check.satisfied():  # an episode ends here, so what was only put in order afterwards is left out
                text, script = choices.pick(request.texts), performer.script[:count]
                return Grounded(Goal(text, request.conditions), script, request.texts)
        return Impossible("what was done does not reach the goal", refused=True)
    except Impossible as impossible:
        return impossible
    finally:
        world.restore(world.start)


ACTIVITIES: Final = MappingProxyType(
    {name: Activity(name, carry_out) for name, carry_out in {**KITCHEN, **HOUSE, **LEISURE}.items()}
)
"""All activities, by name."""


def generate_tasks(
    n: int,
    seed: int,
    *,
    activities: Sequence[str] | None = None,
    size: Size = "medium",
    characters: int = 1,
    split: Split | None = None,
) -> list[Task]:
    """Return generated tasks; see `iter_tasks`."""
    return list(iter_tasks(n, seed, activities=activities, size=size, characters=characters, split=split))


def iter_tasks(
    n: int,
    seed: int,
    *,
    activities: Sequence[str] | None = None,
    size: Size = "medium",
    characters: int = 1,
    split: Split | None = None,
) -> Iterator[Task]:
    """Generate tasks in generated houses, spread evenly over activities, four in each house, as they are asked for.

    The same arguments give the same tasks on any machine, and a longer list begins with the shorter one.

    Args:
        n: How many.
        seed: A whole number, 0 or above.
        activities: Names out of `ACTIVITIES`; all if None.
        size: The size of the houses.
        characters: How many characters live in each. The demonstration is the first one's.
        split: `"test"`: only houses whose seed is a multiple of 5; `"train"`: only others; None: any.

    Raises:
        ConfigError: an argument has no possible value.
        UnknownNameError: there is no such activity.

    The iterator raises a `ConfigError` where no house allows any of the activities.
    """
    names = _names(activities)
    if type(n) is not int or n < 0 or type(seed) is not int or seed < 0:
        raise ConfigError(f"The number of tasks and the seed are whole numbers, 0 or above, not {n!r} and {seed!r}.")
    check_house(0, size=size, characters=characters)
    if split not in (None, "train", "test"):
        raise ConfigError(f"A split is 'train' or 'test', not {split!r}.")
    return islice(_endless(StableRandom.seeded(seed), names, size, characters, split), n)


def _endless(
    choices: StableRandom, names: Sequence[str], size: Size, characters: int, split: Split | None
) -> Iterator[Task]:
    queue: list[str] = []
    seen: set[int] = set()
    barren = 0
    while True:
        house = _house_seed(choices, split)
        if house in seen:
            continue
        seen.add(house)
        world = _world(house, size, characters)
        found = _tasks_in(house, world, names, queue, choices, size, characters)
        barren = 0 if found else barren + 1
        if barren > 100:
            raise ConfigError(f"A hundred {size} houses in a row allow none of {', '.join(names)}: ask for others.")
        yield from found


def generate_split(
    n: int, seed: int, *, activities: Literal["seen", "unseen"] = "seen", scenes: Split = "train"
) -> list[Task]:
    """Generate tasks of activities that are trained on, or of those kept out, in houses for training or for testing."""
    unseen = unseen_activities()
    names = unseen if activities == "unseen" else [name for name in ACTIVITIES if name not in unseen]
    return generate_tasks(n, seed, activities=names, split=scenes)


def unseen_activities() -> tuple[str, ...]:
    """Return the activities out of `ACTIVITIES` that are kept out of training."""
    return tuple(filter(is_kept_out, ACTIVITIES))


def activity_of(task: Task) -> str | None:
    """Return the name of the activity that a generated task is of; None for any other task."""
    match = _ID.fullmatch(task.id)
    return None if match is None else _slug(match["name"])


def demonstration(task: Task) -> tuple[str, ...]:
    """Return script lines that reach the goal of a generated task from its beginning, acted by the first character.

    Raises:
        ConfigError: the task is not one that `generate_tasks` of this version makes.
    """
    return _grounded(task).script


def wordings(task: Task) -> tuple[str, ...]:
    """Return all ways to say the goal of a generated task, in the order of its activity.

    Raises:
        ConfigError: the task is not one that `generate_tasks` of this version makes.
    """
    return _grounded(task).texts


def _grounded(task: Task) -> Grounded:
    match = _ID.fullmatch(task.id)
    scene = str(task.options.get("scene", ""))
    seed = scene.removeprefix("house:")
    name = _slug(match["name"]) if match else None
    if match is None or name is None or seed == scene or not seed.isdecimal():
        raise ConfigError(f"The task {task.id!r} was not generated by generate_tasks, so it has no demonstration.")
    size, characters = task.options.get("size", "medium"), task.options.get("characters", 1)
    grounded = _ground(name, int(seed), int(match["k"]), _world(int(seed), size, characters))
    if grounded is None or grounded.goal.conditions != tuple(task.goal.conditions):
        raise ConfigError(f"The task {task.id!r} was generated by another version of pathei: generate it again.")
    return grounded


def _names(activities: Sequence[str] | None) -> list[str]:
    names = list(ACTIVITIES if activities is None else dict.fromkeys(activities))
    for name in names:
        if name not in ACTIVITIES:
            raise unknown("activity", name, ACTIVITIES)
    if not names:
        raise ConfigError("Tasks need at least one activity; leave the argument out to use all.")
    return names


@lru_cache(maxsize=1 << 12)
def _slug(text: str) -> str | None:
    """The activity that a text ends with."""
    parts = text.split("-")
    tails = ("-".join(parts[start:]) for start in range(len(parts)))
    return next((tail for tail in tails if tail in ACTIVITIES), None)


def _house_seed(choices: StableRandom, split: Split | None) -> int:
    if split is None:
        return choices.below(_SEEDS)
    group = choices.below(_SEEDS // TEST_EVERY) * TEST_EVERY
    return group if split == "test" else group + choices.between(1, TEST_EVERY - 1)


def _world(house: int, size: Any, characters: Any) -> World:
    graph = generate_house(house, size=size, characters=characters)
    return World(Scene.from_graph(graph, where=f"house:{house}"), clean())


def _ground(name: str, house: int, k: int, world: World) -> Grounded | None:
    seed = np.random.SeedSequence((house, k, zlib.crc32(name.encode())))
    return ACTIVITIES[name].ground(world, np.random.Generator(np.random.PCG64(seed)))


def _tasks_in(
    house: int, world: World, names: Sequence[str], queue: list[str], choices: StableRandom, size: str, characters: int
) -> list[Task]:
    """Take activities off the queue, which is filled again and again in random order, and ground them in one house."""
    tasks: list[Task] = []
    times: dict[str, int] = {}
    for _ in range(_TASKS_PER_HOUSE):
        if not queue:
            queue += choices.shuffled(names)
        place = next((p for p, name in enumerate(queue) if name not in times), 0)
        name = queue.pop(place)
        k = times[name] = times.get(name, -1) + 1
        grounded = _ground(name, house, k, world)
        if grounded is None:
            queue.append(name)  # its turn comes in another house
        else:
            tasks.append(_task(house, name, k, grounded.goal, size, characters))
    return tasks


def _task(house: int, name: str, k: int, goal: Goal, size: str, characters: int) -> Task:
    options: dict[str, Any] = {"scene": f"house:{house}"}
    marks = ""
    if size != "medium":
        options["size"] = size
        marks += f"-{size}"
    if characters != 1:
        options["characters"] = characters
        marks += f"-{characters}p"
    task_id = f"house-{house}{marks}-{name}-{k}"
    return Task(task_id, ENV, zlib.crc32(task_id.encode()), goal, options)

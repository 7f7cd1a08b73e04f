"""The tasks of a loop, by its seed: new ones for its rounds, held-out ones by group, and scenes for proposed goals.

Held-out tasks play in scenes that no round has; some are of activities that no round has either. An environment may
generate such tasks itself (`EnvSpec.split_tasks`); the tasks of any other one are assigned to the splits by its
verbalizer. Not here: which tasks belong to which round (`workspace`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import cycle
from typing import Final

from ..envs.registry import get_env, get_verbalizer
from ..envs.verbalizer import is_unseen_activity
from ..experience import Goal, Task

SEEN: Final = "seen activities"
UNSEEN: Final = "unseen activities"
TASKS: Final = "unseen tasks"
_APART: Final = 10_000
"""The seed of held-out tasks is the loop's plus this."""
_SCENES: Final = 20
"""The number of tasks whose scenes the curriculum visits in turn, where the environment names no scenes."""
_MOST: Final = 40
"""The number of tasks that are generated for each one that is wanted, at most, in search of those of a split."""


@lru_cache(maxsize=16)
def training_tasks(env: str, count: int, seed: int, *, split: bool) -> tuple[Task, ...]:
    """Return tasks to learn from: of seen activities in training scenes.

    Args:
        env: The environment.
        count: How many.
        seed: What they follow from.
        split: Whether scenes and activities are kept out of training even where the environment does not generate such
            tasks itself; there a memory alone needs no split, as it is measured on other tasks.
    """
    spec = get_env(env)
    if spec.split_tasks is not None:
        return tuple(spec.generate_split(count, seed, activities="seen", scenes="train"))
    if not split:
        return tuple(spec.generate_tasks(count, seed))
    return tuple(_chosen(env, count, seed, lambda task: not _unseen_scene(task) and not _unseen_activity(task)))


@lru_cache(maxsize=16)
def held_out_tasks(env: str, count: int, seed: int, *, split: bool, known: frozenset[str]) -> Mapping[str, list[Task]]:
    """Return tasks to measure on, by group.

    Args:
        env: The environment.
        count: How many of each group, at most; a group that would be empty is left out.
        seed: The loop's seed.
        split: See `training_tasks`.
        known: The ids of training tasks.
    """
    spec, seed = get_env(env), seed + _APART
    if spec.split_tasks is not None:
        return {
            SEEN: spec.generate_split(count, seed, activities="seen", scenes="test"),
            UNSEEN: spec.generate_split(count, seed, activities="unseen", scenes="test"),
        }
    groups = _split_groups(env, count, seed, known) if split else {}
    if not groups:  # a memory alone, or one scene for all tasks, such as one shop
        some = spec.generate_tasks(2 * count, seed)
        groups = {TASKS: [task for task in some if task.id not in known][:count]}
    return groups


def _split_groups(env: str, count: int, seed: int, known: frozenset[str]) -> Mapping[str, list[Task]]:
    """Return tasks in unseen scenes, by their activity; no group is empty."""
    there = {_activity(task) is None for task in _generated(env, 2 * count, seed)}
    rules: dict[str, Callable[[Task], bool]] = {TASKS: lambda task: _activity(task) is None} if True in there else {}
    if False in there:
        rules[SEEN] = lambda task: _activity(task) is not None and not _unseen_activity(task)
        rules[UNSEEN] = _unseen_activity

    def held_out(rule: Callable[[Task], bool]) -> list[Task]:
        return _chosen(env, count, seed, lambda task: task.id not in known and _unseen_scene(task) and rule(task))

    return {name: kept for name, rule in rules.items() if (kept := held_out(rule))}


def scenes(env: str, seed: int) -> Iterator[Task]:
    """Yield tasks without a goal, in training scenes, in turn and without end, for goals that a curriculum proposes."""
    spec = get_env(env)
    if spec.training_scenes is not None:
        tasks: Sequence[Task] = spec.generate_scenes(seed)
    else:
        tasks = [
            dataclasses.replace(task, id=f"scene-{task.id}", goal=Goal(""))
            for task in training_tasks(env, _SCENES, seed, split=True)
        ]
    yield from cycle(tasks)


def _chosen(env: str, count: int, seed: int, rule: Callable[[Task], bool]) -> list[Task]:
    """Return the first tasks that a rule keeps; fewer where the environment generates too few of them."""
    wanted = 2 * count
    while True:
        kept = {task.id: task for task in _generated(env, wanted, seed) if rule(task)}
        if len(kept) >= count or wanted >= _MOST * count:
            return list(kept.values())[:count]
        wanted *= 2


@lru_cache(maxsize=16)
def _generated(env: str, count: int, seed: int) -> tuple[Task, ...]:
    """Return the tasks of an environment; some take a second each to generate."""
    return tuple(get_env(env).generate_tasks(count, seed))


def _activity(task: Task) -> str | None:
    return get_verbalizer(task.env).activity(task)


def _unseen_activity(task: Task) -> bool:
    activity = _activity(task)
    return activity is not None and is_unseen_activity(activity)


def _unseen_scene(task: Task) -> bool:
    return get_verbalizer(task.env).is_unseen_scene(task)

"""MineDojo's tasks as pathei's: harvest, combat, tech tree and survival. Not here: their rules of success."""

from __future__ import annotations

from ...experience import Goal, Task
from ...stable_random import StableRandom
from .runtime import task_names

ENV = "pathei/MineDojo-v0"
_OPEN = ("creative:", "playthrough")
"""What the package cannot tell to be done."""


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return `n` of the package's programmatic tasks, drawn by the seed.

    Raises:
        InstallError: MineDojo is not installed.
    """
    draws, listed = StableRandom.seeded(seed, 17), task_names()
    names = sorted(name for name in listed if not name.startswith(_OPEN))
    chosen = [draws.pick(names) for _ in range(n)]
    return [task_of(name, f"{seed}-{number}", listed[name][0]) for number, name in enumerate(chosen)]


def task_of(name: str, number: str, prompt: str) -> Task:
    """Return a task of the package; the package itself says whether it is done.

    Args:
        name: Its id.
        number: What the task's id ends with.
        prompt: What is to be done, as the package says it.
    """
    return Task(f"minedojo:{name}/{number}", ENV, 0, Goal(prompt or name), {"task": name})

"""Tasks of the terminal: fifty chores in generated file systems, for any seed."""

from __future__ import annotations

from typing import Final

import numpy as np

from ....errors import ConfigError
from ....experience import Goal, Task
from .filesystems import FILESYSTEMS, generate

ENV_ID: Final = "pathei/Terminal-v0"


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return `n` tasks that follow from the seed; the first fifty are fifty different chores.

    The same arguments give the same tasks on any machine, and a longer list begins with the shorter one.

    Raises:
        ConfigError: an argument is negative or no whole number.
    """
    if type(n) is not int or n < 0 or type(seed) is not int or seed < 0:
        raise ConfigError(f"The number of tasks and the seed are whole numbers, 0 or above, not {n!r} and {seed!r}.")
    rng = np.random.default_rng(seed)
    tasks: list[Task] = []
    while len(tasks) < n:
        number = int(rng.integers(2**31))
        systems = [generate(f"{kind}:{number}") for kind in FILESYSTEMS]
        for chores in zip(*(system.chores for system in systems), strict=True):
            tasks += [task_of(system.name, name) for system, name in zip(systems, chores, strict=True)]
    return tasks[:n]


def task_of(files: str, name: str) -> Task:
    """Return a chore in a file system as a task.

    Raises:
        UnknownNameError, ConfigError: see `generate`.
        ConfigError: the file system has no such chore.
    """
    chores = generate(files).chores
    if name not in chores:
        raise ConfigError(f"The file system {files!r} has no chore {name!r}; it has {', '.join(chores)}.")
    chore = chores[name]
    goal = Goal(chore.text, tuple(dict(condition) for condition in chore.conditions))
    seed = int(files.partition(":")[2]) % 2**31
    return Task(f"terminal/{files}/{name}", ENV_ID, seed, goal, {"files": files, "verbs": list(chore.verbs)})


def demonstration(task: Task) -> tuple[str, ...]:
    """Return commands that reach the goal of a task: of a generated one, or of one that has the option `solution`.

    Raises:
        ConfigError: the task has none.
    """
    if solution := task.options.get("solution"):
        return tuple(map(str, solution))
    head, _, name = task.id.rpartition("/")
    files = str(task.options.get("files", ""))
    for condition in task.goal.conditions:
        if "intercode" in condition:
            return (str(condition["intercode"]), "submit")
    if head != f"terminal/{files}":
        raise ConfigError(f"The task {task.id!r} is not one that the terminal made, so no solution of it is known.")
    chores = generate(files).chores
    if name not in chores:
        raise ConfigError(f"The file system {files!r} has no chore {name!r}; it has {', '.join(chores)}.")
    return chores[name].solution

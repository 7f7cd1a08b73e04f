"""One collection over several machines: each plays its own part of the tasks into a store of its own.

Which part a task is in follows from its id and the number of parts alone, so the processes need no leader and no
message: the parts are disjoint, together they are all tasks, and a longer list of tasks moves none of them. Not here:
joining the stores (`pathei.store.merge`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import ConfigError
from ..experience import Task
from ..stable_random import HashRandom
from ..store.merge import part_folder

_GIVEN: Final = re.compile(r"(auto|\d+)(?:/(\d+))?")
_KUBERNETES: Final = "JOB_COMPLETION_INDEX"
_SLURM: Final = "SLURM_ARRAY_TASK_ID"


@dataclass(frozen=True, slots=True)
class TaskShard:
    """One part of a set of tasks."""

    index: int
    """Which part, from 0 to `count - 1`."""
    count: int
    """How many parts there are."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigError: there is no such part.
        """
        if not 0 <= self.index < self.count:
            last = f"the last of {self.count} is {self.count - 1}/{self.count}" if self.count > 0 else "there is none"
            raise ConfigError(f"There is no shard {self.index}/{self.count}: they are counted from 0, and {last}.")

    def of(self, tasks: Iterable[Task]) -> list[Task]:
        """Return the tasks of this part, in their order. A part of few tasks may be empty."""
        return list(filter(self.has, tasks))

    def has(self, task: Task) -> bool:
        """Whether a task is in this part."""
        return HashRandom("shard", task.id).below(self.count) == self.index

    def folder(self, out: Path) -> Path:
        """Return the directory of this part's store."""
        return part_folder(out, self.index, self.count)


def read_shard(text: str, environ: Mapping[str, str]) -> TaskShard:
    """Return the part that a text such as `2/8` names.

    Args:
        text: `i/n`, counted from 0; `auto/n` for the index that a Kubernetes Job (completionMode Indexed) or a Slurm
            array gave this process; `auto` for a whole Slurm array, counted from 0 or 1.
        environ: The process's environment.

    Raises:
        ConfigError: it names no part, or the environment does not say which.
    """
    found = _GIVEN.fullmatch(text.strip())
    if found is None or (found[1] != "auto" and found[2] is None):
        raise ConfigError(f"The shard {text!r} is neither i/n, such as 0/4 to 3/4, nor auto/n, nor auto.")
    if found[1] != "auto":
        return TaskShard(int(found[1]), int(found[2]))
    if found[2] is None:
        return _whole_array(environ)
    name = _KUBERNETES if _KUBERNETES in environ else _SLURM
    if name not in environ:
        raise ConfigError(
            f"The shard {text!r} is for a Kubernetes Job of completionMode Indexed or a Slurm array, and neither"
            f" {_KUBERNETES} nor {_SLURM} is set: give its number, such as 0/{found[2]}."
        )
    return TaskShard(_number(environ, name), int(found[2]))


def _whole_array(environ: Mapping[str, str]) -> TaskShard:
    """Return the part of a Slurm array that has one task for every part."""
    if _SLURM not in environ or "SLURM_ARRAY_TASK_COUNT" not in environ:
        raise ConfigError(
            "The shard 'auto' is for a Slurm array, whose tasks know how many they are (SLURM_ARRAY_TASK_ID and"
            " SLURM_ARRAY_TASK_COUNT); elsewhere say how many, as in auto/8, or give the number as well, as in 0/8."
        )
    index, count = _number(environ, _SLURM), _number(environ, "SLURM_ARRAY_TASK_COUNT")
    first = _number(environ, "SLURM_ARRAY_TASK_MIN") if "SLURM_ARRAY_TASK_MIN" in environ else 0
    if first > 1 or not first <= index < first + count:
        raise ConfigError(
            f"Task {index} of this Slurm array of {count} does not say which part of the whole it is: submit"
            " --array=0-N without gaps, or say how many parts there are, as in auto/8, and number them from 0."
        )
    return TaskShard(index - first, count)


def _number(environ: Mapping[str, str], name: str) -> int:
    if not environ[name].isdecimal():
        raise ConfigError(f"{name} is {environ[name]!r}, and should be a number from 0 on.")
    return int(environ[name])

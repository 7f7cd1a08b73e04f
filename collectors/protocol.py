"""The `Collector` protocol: plays tasks and yields the records of each.

There is no base class. A collector writes nothing: the caller appends its records to a store (`collect` does).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np

from ..experience import Record, Task


class Collector(Protocol):
    """Plays tasks. `check_collector` tests this contract.

    A collector may have a method `close()`, which frees its environments; the code that made the collector calls it
    (`close_collector`). One that is fastest when it sees all tasks at once has an attribute `batch` above 1. One that
    learns from one task to the next has a method `resume(store)`, which learns from the records of an earlier run and
    returns the number of its tasks; `collect` is then given the same tasks again, and skips that many.
    """

    def collect(self, tasks: Iterable[Task]) -> Iterator[Record]:
        """Play tasks and yield each record as soon as it is there.

        A task yields exactly one root trajectory, then its branches if there are any, parents first; or one failure if
        it could not be played to its end. The same task gives the same records, whatever was played before it, unless
        the collector documents otherwise.

        Args:
            tasks: The tasks, in the order in which to play them; may be endless.
        """


def close_collector(collector: Collector) -> None:
    """Free a collector's environments, if it has any."""
    close = getattr(collector, "close", None)
    if close is not None:
        close()


def episode_seed(seed: int, task: Task) -> int:
    """Return the seed of one episode, in [0, 2**63): a function of the collector's seed and of the task alone.

    So an episode is the same in whichever worker it is played, and whatever was played before.
    """
    words = [seed % 2**64, task.seed % 2**64, zlib.crc32(task.id.encode())]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)


def trajectory_id(task: Task, collector: str, seed: int) -> str:
    """Return the id of a task's root trajectory: the same in every run with this collector and seed."""
    return f"{task.id}/{collector}-{seed}"

"""From tasks to a store: plays what is not done yet, in this process or in several, and appends it at once.

Whatever is appended is kept, so a gathering that was stopped, by Ctrl-C or `kill -9`, is resumed by calling it again:
it plays exactly the tasks that are not done. A task that failed is tried again then. Left out: which tasks, and how
progress is shown.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from ...errors import ConfigError
from ...experience import Failure, Record, Task, decode
from ...store import ExperienceStore
from ...store.durable import uncollected
from ..coverage import Coverage
from ..protocol import Collector
from .pool import play_batches, records_of


@dataclass(frozen=True, slots=True)
class CollectReport:
    """What one gathering has brought."""

    tasks: int
    """Tasks that were asked for."""
    before: int
    """Of these, how many were done already."""
    seconds: float
    """How long it took, in seconds of wall time."""
    coverage: Coverage
    """What the new episodes have touched, with how many episodes, failures and steps there were."""
    errors: Counter[str] = field(default_factory=Counter)
    """How often each failure happened: stage and error."""

    @property
    def rate(self) -> float:
        """Tasks played per second, failures included."""
        return (self.coverage.episodes + self.coverage.failures) / self.seconds if self.seconds else 0.0


def gather(
    store: ExperienceStore,
    tasks: Sequence[Task],
    make: Callable[[], Collector],
    *,
    workers: int = 0,
    timeout: float = 300.0,
    collector: str | None = None,
    watch: Callable[[Sequence[Record]], None] | None = None,
) -> CollectReport:
    """Play the tasks that are not done, and append what comes of them to a store.

    Args:
        store: Open for appending.
        tasks: The tasks, each with an id of its own.
        make: Makes the collector; with workers it is pickled (see `collect_parallel`).
        workers: How many processes play; 0 for this one alone.
        timeout: How long a task may take with workers, in seconds.
        collector: The name under which the collector records; tasks that others have played are then played as well.
        watch: Called with records once they are stored: all those of one task, or of several.

    Raises:
        ConfigError: two tasks have the same id.
        StoreError: the store takes no more.
        WorkerError: workers cannot be started.
    """
    twice = [id_ for id_, count in Counter(task.id for task in tasks).items() if count > 1]
    if twice:
        raise ConfigError(f"The task id {twice[0]!r} occurs more than once: give every task an id of its own.")
    remaining = store.remaining(tasks, collector)
    coverage, errors = Coverage(), Counter[str]()
    begun = time.monotonic()
    played = _in_workers(make, remaining, workers, timeout) if workers else _here(make, remaining)
    try:
        for records in played:
            store.append(*records)
            for record in records:
                coverage.add(record)
                if isinstance(record, Failure):
                    errors[f"{record.stage}: {record.error}"] += 1
            if watch is not None:
                watch(records)
    finally:
        played.close()
    return CollectReport(len(tasks), len(tasks) - len(remaining), time.monotonic() - begun, coverage, errors)


def _in_workers(
    make: Callable[[], Collector], tasks: Sequence[Task], workers: int, timeout: float
) -> Generator[list[Record], None, None]:
    batches = play_batches(make, tasks, workers=workers, timeout=timeout)
    try:
        for lines in batches:
            with uncollected():
                records = [decode(line) for line in lines]
            yield records
    finally:
        batches.close()


def _here(make: Callable[[], Collector], tasks: Sequence[Task]) -> Generator[list[Record], None, None]:
    collector = make()
    try:
        for task in tasks:
            yield records_of(collector, task)
    finally:
        close = getattr(collector, "close", None)
        if close is not None:
            close()


__all__ = ["CollectReport", "gather"]

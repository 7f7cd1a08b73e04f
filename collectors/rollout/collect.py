"""From tasks to a store: `collect` plays what is not done yet, in this process or in several, and appends it at once.

Whatever is appended is kept, so a collection that was stopped, by Ctrl-C or `kill -9`, is resumed by calling `collect`
again. Not here: which tasks, and how progress is shown.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field

from ...errors import ConfigError
from ...experience import Failure, Record, Task, decode
from ...store import ExperienceStore
from ...store.durable import uncollected
from ..coverage import Coverage
from ..protocol import Collector, ResumableCollector, close_collector
from .pool import play_batches, records_of


@dataclass(frozen=True, slots=True)
class CollectReport:
    """What one collection has added to a store."""

    tasks: int
    """Tasks that were asked for."""
    before: int
    """How many of them were done already."""
    seconds: float
    """Wall time, in seconds."""
    coverage: Coverage
    """What the new episodes have touched, with the number of episodes, failures and steps."""
    errors: Counter[str] = field(default_factory=Counter)
    """How often each failure happened: stage and error."""

    @property
    def rate(self) -> float:
        """Tasks played per second, failures included."""
        return (self.coverage.episodes + self.coverage.failures) / self.seconds if self.seconds else 0.0


def collect(
    store: ExperienceStore,
    tasks: Sequence[Task],
    collector: Collector | Callable[[], Collector],
    *,
    name: str | None = None,
    workers: int = 0,
    timeout: float = 300.0,
    watch: Callable[[Sequence[Record]], None] | None = None,
) -> CollectReport:
    """Play the tasks that are not done, and append their records to a store.

    A task that failed is played again when `collect` is called again. A collector that learns from one task to the next
    (`ResumableCollector`, such as `Curriculum`) is resumed from the store first; for it a failure counts as done.

    Args:
        store: Open for appending.
        tasks: The tasks, each with an id of its own. For a resumable collector, the same ones in every call.
        collector: A new collector, which plays in this process; or a function that makes one, in each worker, to which
            it is pickled (see `collect_parallel`). It is closed at the end.
        name: The name under which the collector records; tasks that other collectors have played are then played as
            well.
        workers: How many processes play; 0 for this one alone.
        timeout: How long a task may take with workers, in seconds.
        watch: Called with records once they are stored: all those of one task, or of several.

    Raises:
        ConfigError: two tasks have the same id, workers are asked for without a function that makes the collector, or
            the store's run does not fit a resumable collector.
        StoreError: the store takes no more.
        WorkerError: workers cannot be started.
    """
    begun = time.monotonic()
    if isinstance(collector, ResumableCollector):
        before = min(collector.resume(store), len(tasks))
        played = _streamed(collector, tasks)
    else:
        _require_distinct(tasks)
        remaining = store.remaining(tasks, name)
        before = len(tasks) - len(remaining)
        played = _played(collector, remaining, workers, timeout)
    coverage, errors = Coverage(), Counter[str]()
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
    return CollectReport(len(tasks), before, time.monotonic() - begun, coverage, errors)


def _require_distinct(tasks: Iterable[Task]) -> None:
    twice = [id_ for id_, count in Counter(task.id for task in tasks).items() if count > 1]
    if twice:
        raise ConfigError(f"The task id {twice[0]!r} occurs more than once: give every task an id of its own.")


def _played(
    collector: Collector | Callable[[], Collector], tasks: Sequence[Task], workers: int, timeout: float
) -> Generator[list[Record], None, None]:
    if callable(collector):
        return _in_workers(collector, tasks, workers, timeout) if workers else _here(collector, tasks)
    if workers:
        raise ConfigError("A collector plays in one process: to use workers, give a function that makes it.")
    return _here(lambda: collector, tasks)


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
    if getattr(collector, "batch", 1) > 1:
        yield from _streamed(collector, tasks)
        return
    try:
        for task in tasks:
            yield records_of(collector, task)
    finally:
        close_collector(collector)


def _streamed(collector: Collector, tasks: Sequence[Task]) -> Generator[list[Record], None, None]:
    """Let a collector see all tasks at once: it plays several together, or learns from one to the next."""
    try:
        for record in collector.collect(tasks):
            yield [record]
    finally:
        close_collector(collector)


__all__ = ["CollectReport", "collect"]

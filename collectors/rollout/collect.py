"""From tasks to a store: `collect` plays what is not done yet, in this process or in several, and appends it at once.

Whatever is appended is kept, so a collection that was stopped, by Ctrl-C or `kill -9`, is resumed by calling `collect`
again. Not here: which tasks, and how progress is shown.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

from ...errors import ConfigError, check
from ...experience import Failure, Record, Task, decode
from ...store import ExperienceStore
from ...store.durable import uncollected
from ..coverage import Coverage
from ..options import PlaySettings
from ..protocol import Collector, close_collector
from .frames import FrameWriter
from .pool import play_batches, records_of
from .ray_pool import play_on_ray

Pool: TypeAlias = Literal["process", "ray"]
"""What workers are: processes of this machine, or actors of Ray."""


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
    tasks: Iterable[Task],
    collector: Collector | Callable[[], Collector],
    *,
    name: str | None = None,
    workers: int = 0,
    timeout: float = 300.0,
    pool: Pool = "process",
    watch: Callable[[Sequence[Record]], None] | None = None,
) -> CollectReport:
    """Play the tasks that are not done, and append their records to a store.

    A task that failed is played again when `collect` is called again. A collector that learns from one task to the next
    (it has `resume`, as `Curriculum` does) is resumed from the store first; for it a failure counts as done.

    Args:
        store: Open for appending.
        tasks: The tasks, each with an id of its own; what is no sequence is taken task by task, as they are played. For
            a collector that resumes, the same ones in every call.
        collector: A new collector, which plays in this process; or a function that makes one, in each worker, to which
            it is pickled (see `collect_parallel`). It is closed at the end.
        name: The name under which the collector records; tasks that other collectors have played are then played as
            well.
        workers: How many processes play; 0 for this one alone.
        timeout: How long a task may take with workers, in seconds.
        pool: What the workers are: processes of this machine, or actors of Ray.
        watch: Called with records once they are stored: all those of one task, or of several.

    Raises:
        ConfigError: a task is none, two have the same id, the collector is none, workers are asked for without a
            function that makes the collector, or the store's run does not fit a collector that resumes.
        StoreError: the store takes no more.
        WorkerError: workers cannot be started.
    """
    begun = time.monotonic()
    left, played = _begin(store, tasks, collector, name, workers, timeout, pool)
    coverage, errors = Coverage(), Counter[str]()
    try:
        for records, encoded in played:
            store.append(*records, encoded=encoded)
            for record in records:
                coverage.add(record)
                if isinstance(record, Failure):
                    errors[f"{record.stage}: {record.error}"] += 1
            if watch is not None:
                watch(records)
    finally:
        played.close()
    asked = len(tasks) if isinstance(tasks, Sequence) else left.taken
    return CollectReport(asked, left.before, time.monotonic() - begun, coverage, errors)


class _Played(NamedTuple):
    """Records that go into one `append`."""

    records: list[Record]
    encoded: list[bytes] | None = None
    """As a worker has sent them."""


class _Left:
    """The tasks that are not done, each with an id of its own, taken one by one."""

    def __init__(self, tasks: Iterable[Task], done: Set[str]) -> None:
        self._tasks, self._done = tasks, done
        self.taken = 0
        """How many tasks were taken so far, those that are done included."""
        self.before = 0
        """How many of them were done already."""

    def __iter__(self) -> Iterator[Task]:
        ids = set[str]()
        for task in map(_checked, self._tasks):
            if task.id in ids:
                raise ConfigError(f"The task id {task.id!r} occurs more than once: give every task an id of its own.")
            ids.add(task.id)
            self.taken += 1
            if task.id in self._done:
                self.before += 1
            else:
                yield task


def _begin(
    store: ExperienceStore,
    tasks: Iterable[Task],
    collector: Collector | Callable[[], Collector],
    name: str | None,
    workers: int,
    timeout: float,
    pool: Pool,
) -> tuple[_Left, Generator[_Played, None, None]]:
    """Return the tasks that are left, and what plays them."""
    check({"timeout must be a finite number of seconds above 0": 0 < timeout < math.inf}, "collect options")
    if callable(collector) and not workers:
        collector = collector()
    if not callable(collector) and not hasattr(collector, "collect"):
        raise ConfigError(f"{collector!r:.80} is no collector: it has no collect(tasks).")
    resume = getattr(collector, "resume", None)
    if resume is not None and not callable(collector):
        tasks = list(map(_checked, tasks))
        left = _Left((), frozenset())
        left.before = min(int(resume(store)), len(tasks))
        return left, _here(collector, tasks, together=True)
    if isinstance(tasks, Sequence):
        for _ in _Left(tasks, frozenset()):
            pass  # a task that occurs twice is refused before any is played
    left = _Left(tasks, store.done(name))
    if callable(collector):
        return left, _in_workers(collector, left, workers, timeout, pool)
    if workers:
        raise ConfigError("A collector plays in one process: to use workers, give a function that makes it.")
    return left, _here(collector, left, together=getattr(collector, "batch", 1) > 1)


def _checked(task: Task) -> Task:
    if not isinstance(task, Task):
        raise ConfigError(f"What is played is a Task, not {task!r:.80}.")
    return task


def _in_workers(
    make: Callable[[], Collector], tasks: Iterable[Task], workers: int, timeout: float, pool: Pool
) -> Generator[_Played, None, None]:
    play = play_batches if pool == "process" else play_on_ray
    batches = play(make, tasks, workers=workers, timeout=timeout)
    try:
        for lines in batches:
            with uncollected():
                records = [decode(line) for line in lines]
            yield _Played(records, lines)
    finally:
        batches.close()


def _here(collector: Collector, tasks: Iterable[Task], *, together: bool) -> Generator[_Played, None, None]:
    """Play in this process; `together` lets the collector see all tasks at once, and every record comes alone."""
    try:
        if together:
            yield from (_Played([record]) for record in collector.collect(tasks))
        else:
            yield from (_Played(records_of(collector, task)) for task in tasks)
    finally:
        close_collector(collector)


def collect_with(
    options: Any,
    play: PlaySettings,
    store: ExperienceStore,
    tasks: Iterable[Task],
    *,
    timeout: float = 300.0,
    pool: Pool = "process",
    watch: Callable[[Sequence[Record]], None] | None = None,
) -> CollectReport:
    """Play tasks with the collector that some options name (see `options`), and append their records to a store.

    Args:
        options: The collector's options.
        play: What holds for every collector, the number of workers among it.
        store: Open for appending.
        tasks: See `collect`; for a collector that chooses its own goals, what its `practice` returned.
        timeout: How long a task may take with workers, in seconds.
        pool: See `collect`.
        watch: See `collect`.

    Raises:
        ConfigError: the collector plays in one process, and workers are asked for.
        PatheiError: see `collect` and the options' `make`.
    """
    if options.in_process and play.workers:
        raise ConfigError("This collector plays in one process: use no workers.")
    make = partial(_made, options, play)
    return collect(store, tasks, make, name=options.name, workers=play.workers, timeout=timeout, pool=pool, watch=watch)


def _made(options: Any, play: PlaySettings) -> Collector:
    """Make the collector, in the process that plays."""
    collector: Collector = options.make(play)
    if play.frames is not None:
        if not hasattr(collector, "record_frames"):
            raise ConfigError(f"The collector {options.name!r} records no frames: leave out --frames.")
        collector.record_frames(FrameWriter(play.frames))
    return collector

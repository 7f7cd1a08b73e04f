"""Playing tasks in worker processes: a worker that dies or hangs costs the one task that it was playing.

Each worker is a fresh process (spawned, so it shares nothing) with a pipe. It makes one collector, keeps its
environments, and answers every task with the encoded records, which are handed on in the order in which they come.
A short task is over sooner than a round trip, so a few are sent ahead; those are given to others if their worker dies.
Not here: other hosts (`ray_pool`), and images: a collector that records frames writes them itself (`frames`).
"""

from __future__ import annotations

import contextlib
import gc
import logging
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing import connection, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Final, NamedTuple

import orjson

from ...errors import RecordError, WorkerError
from ...experience import Failure, Record, Task, decode, encode, task_from_json
from ...logs import show_logs, shown_level
from ...registry import one_line
from ..protocol import Collector, close_collector

_LOG: Final = logging.getLogger(__name__)
_READY: Final = b"ready"
_BROKEN: Final = b"!"
_AHEAD: Final = 5
"""How many tasks a worker has at most, the one it plays included. It gets more when it has one left, several in a row:
neighbours in a task set often share a scene, which a worker keeps."""
_AHEAD_BYTES: Final = 16_384
"""A longer task is not sent ahead: the pipe might fill up while the worker fills it from the other end."""
_BRISK_S: Final = 0.1
"""Tasks that take longer are not sent ahead: the worker would keep others from playing them."""
_START_S: Final = 120.0
"""How long a worker may take until it is ready, in seconds."""
_GARBAGE: Final = 100_000
"""The number of new objects after which a worker collects garbage."""
_STARTS: Final = 3
"""The number of workers in a row that may die before they are ready."""


def collect_parallel(
    make: Callable[[], Collector], tasks: Iterable[Task], *, workers: int = 2, timeout: float = 300.0
) -> Iterator[Record]:
    """Play tasks in worker processes and yield the records as they come.

    Each episode is the same as if one process had played all of them, as long as the collector keeps to `Collector`;
    only the order differs. Stop early by closing the iterator: the workers end at once.

    Args:
        make: Makes the collector, in the worker. It is pickled, so it is a class, a function at the top of a module, or
            a `functools.partial` of one.
        tasks: The tasks; taken as they are needed.
        workers: How many processes, at least 1.
        timeout: How long one task may take, in seconds; then its worker is killed and replaced.

    Raises:
        WorkerError: the collector cannot be made, or workers die before they are ready.
    """
    for lines in play_batches(make, tasks, workers=workers, timeout=timeout):
        yield from map(decode, lines)


def play_batches(
    make: Callable[[], Collector], tasks: Iterable[Task], *, workers: int = 2, timeout: float = 300.0
) -> Generator[list[bytes], None, None]:
    """Do as `collect_parallel`, and yield together all records that are there, encoded (see `experience.encode`).

    They are the whole records of one task or of several, and belong into one `append`: a search tree is then stored
    whole or not at all, and while the disk is slow, it is waited for once for several tasks.
    """
    pool = _Pool(make, iter(tasks), timeout)
    try:
        yield from pool.run(max(1, workers))
    finally:
        pool.close()


class _Worker(NamedTuple):
    """One process, and what it has been given."""

    process: BaseProcess
    pipe: connection.Connection[bytes, bytes]
    tasks: deque[Task]
    """Sent and not answered; the first is being played."""


class _Clock:
    """When a worker began what it is doing, and what is known of its pace."""

    __slots__ = ("pace", "ready", "since")

    def __init__(self) -> None:
        self.ready = False
        self.since = time.monotonic()
        self.pace = _BRISK_S
        """Running mean of the time that a task takes, in seconds."""

    def tick(self) -> None:
        """A task was answered, and the next begins now."""
        now = time.monotonic()
        self.pace += 0.3 * (now - self.since - self.pace)
        self.since = now


class _Pool:
    """The parent's side: hands out tasks, takes answers, replaces workers."""

    def __init__(self, make: Callable[[], Collector], source: Iterator[Task], timeout: float) -> None:
        self._make = make
        self._source = source
        self._timeout = timeout
        self._returned: deque[Task] = deque()
        """Tasks whose worker died before it came to them."""
        self._workers: dict[int, tuple[_Worker, _Clock]] = {}
        self._context = multiprocessing.get_context("spawn")
        self._false_starts = 0

    def run(self, workers: int) -> Iterator[list[bytes]]:
        """Yield every task's records until no task is left."""
        waiting = self._next()
        if waiting is None:
            return
        self._returned.append(waiting)
        while True:
            self._hand_out(workers)
            busy = [entry for entry in self._workers.values() if entry[0].tasks or not entry[1].ready]
            if not any(worker.tasks for worker, _ in busy) and not self._returned:
                return
            ready = self._wait(busy)
            lines: list[bytes] = []
            for worker, clock in busy:
                if ready.intersection((worker.pipe, worker.process.sentinel)):
                    lines += self._take(worker, clock)
                elif time.monotonic() - clock.since > (self._timeout if clock.ready else _START_S):
                    lines += self._kill(worker, clock)
            if lines:
                yield lines

    def close(self) -> None:
        """End all workers: those that are idle by themselves, so that they close their environments."""
        idle = [worker for worker, clock in self._workers.values() if clock.ready and not worker.tasks]
        for worker, _ in self._workers.values():
            worker.pipe.close()
            if worker not in idle:
                worker.process.kill()
        deadline = time.monotonic() + 2.0
        for worker in idle:
            worker.process.join(max(0.0, deadline - time.monotonic()))
        for worker, _ in self._workers.values():
            worker.process.kill()
            worker.process.join()
        self._workers.clear()

    def _next(self) -> Task | None:
        return self._returned.popleft() if self._returned else next(self._source, None)

    def _hand_out(self, workers: int) -> None:
        """Give every worker something to do, and start workers while there is more to do than they can take."""
        for worker, clock in list(self._workers.values()):
            if not worker.tasks and not worker.process.is_alive():
                # It died idle: no task is to blame.
                _LOG.warning("Worker %s died while it was idle (%s).", worker.process.pid, _cause(worker.process))
                self._workers.pop(worker.process.sentinel)
                worker.pipe.close()
            else:
                self._fill(worker, clock)
        while len(self._workers) < workers:
            task = self._next()
            if task is None:
                return
            self._returned.appendleft(task)
            worker = self._start()
            clock = _Clock()
            self._workers[worker.process.sentinel] = (worker, clock)
            self._fill(worker, clock)

    def _fill(self, worker: _Worker, clock: _Clock) -> None:
        room = _AHEAD if clock.ready and clock.pace < _BRISK_S else 1
        if len(worker.tasks) > 1:
            return
        while len(worker.tasks) < room:
            task = self._next()
            if task is None:
                return
            line = orjson.dumps(task, option=orjson.OPT_SERIALIZE_NUMPY)
            if len(line) > _AHEAD_BYTES and (worker.tasks or not clock.ready):
                self._returned.appendleft(task)
                return
            if clock.ready and not worker.tasks:
                clock.since = time.monotonic()
            worker.tasks.append(task)
            # A worker that is dead already is noticed by its sentinel.
            with contextlib.suppress(OSError):
                worker.pipe.send_bytes(line)

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(self._make, theirs, shown_level()), daemon=True)
        # Ctrl-C must not meet a worker before it can ignore it. What multiprocessing starts on the side comes first,
        # because it lifts the block.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        except (AttributeError, TypeError, pickle.PicklingError) as error:
            ours.close()
            raise WorkerError(
                f"The collector cannot be sent to a worker ({error}): give a class, a function at the top of a module, "
                "or a functools.partial of one."
            ) from error
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        theirs.close()
        _LOG.info("Worker %s started.", process.pid)
        return _Worker(process, ours, deque())

    def _wait(self, busy: list[tuple[_Worker, _Clock]]) -> set[object]:
        now = time.monotonic()
        ends = (clock.since + (self._timeout if clock.ready else _START_S) for _, clock in busy)
        channels = [channel for worker, _ in busy for channel in (worker.pipe, worker.process.sentinel)]
        return set(connection.wait(channels, max(0.0, min(ends) - now) + 0.01))

    def _take(self, worker: _Worker, clock: _Clock, stuck: Task | None = None) -> list[bytes]:
        """Return the records that a worker has answered; if it is dead, what that means as well.

        Args:
            worker: The worker; it has something to say, or is dead.
            clock: Its clock.
            stuck: The task for which it was killed, if it was: by now it may be done, and another one begun.
        """
        lines: list[bytes] = []
        try:
            while worker.pipe.poll():
                answer = worker.pipe.recv_bytes()
                if answer == _READY:
                    clock.ready, self._false_starts = True, 0
                    clock.since = time.monotonic()
                    _LOG.debug("Worker %s is ready.", worker.process.pid)
                elif answer.startswith(_BROKEN):
                    raise WorkerError(f"The collector cannot be made: {answer[1:].decode()}")
                else:
                    worker.tasks.popleft()
                    clock.tick()
                    lines += answer.split(b"\n")
        except (EOFError, OSError):
            worker.process.join(1.0)
        return lines if worker.process.is_alive() else lines + self._bury(worker, clock, stuck)

    def _kill(self, worker: _Worker, clock: _Clock) -> list[bytes]:
        """End a worker that takes too long."""
        stuck = worker.tasks[0] if worker.tasks else None
        limit = self._timeout if clock.ready else _START_S
        _LOG.warning("Worker %s did not answer within %g s and is killed.", worker.process.pid, limit)
        worker.process.kill()
        worker.process.join()
        return self._take(worker, clock, stuck)

    def _bury(self, worker: _Worker, clock: _Clock, stuck: Task | None) -> list[bytes]:
        """Blame a dead worker's death on the task that it was playing, and give back its other tasks."""
        del self._workers[worker.process.sentinel]
        worker.pipe.close()
        lines: list[bytes] = []
        cause = _cause(worker.process)
        if not clock.ready:
            self._false_starts += 1
            _LOG.warning("Worker %s died before it was ready (%s).", worker.process.pid, cause)
            if self._false_starts >= _STARTS:
                raise WorkerError(
                    f"{self._false_starts} workers in a row died before they were ready ({cause}): "
                    "look at what they wrote to stderr, or play with one process."
                )
        elif worker.tasks and (stuck is None or worker.tasks[0] is stuck):
            error = cause if stuck is None else f"no answer within {self._timeout:g} s"
            task = worker.tasks.popleft()
            _LOG.warning("Worker %s ended at task %r (%s): recorded as a failure.", worker.process.pid, task.id, error)
            lines.append(encode(Failure(task, "worker", error)))
        if worker.tasks:
            _LOG.info("%d tasks of worker %s go to other workers.", len(worker.tasks), worker.process.pid)
        self._returned.extendleft(reversed(worker.tasks))
        return lines


def _cause(process: BaseProcess) -> str:
    code = process.exitcode
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"the worker was killed by {signal.Signals(-code).name}"
    return f"the worker died with exit code {code}"


def _work(make: Callable[[], Collector], pipe: connection.Connection[bytes, bytes], log_level: int | None) -> None:
    """The worker's side: answer each task with its records, until the parent closes the pipe."""
    if log_level is not None:
        show_logs(log_level)
    # Ctrl-C reaches the whole group; it is for the parent to say what becomes of the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        collector = make()
    except Exception as error:  # noqa: BLE001  # whatever it is, the parent reports it
        pipe.send_bytes(_BROKEN + one_line(error).encode())
        return
    # Records hold no cycles, and a worker makes many: looking for garbage would cost a tenth of its time.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    try:
        pipe.send_bytes(_READY)
        while True:
            task = task_from_json(orjson.loads(pipe.recv_bytes()))
            pipe.send_bytes(encoded_records(records_of(collector, task), task))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    finally:
        close_collector(collector)


def records_of(collector: Collector, task: Task) -> list[Record]:
    """Let a collector play one task and return its records; if it raises or yields nothing, one failure."""
    try:
        records = list(collector.collect([task]))
    except Exception as error:  # noqa: BLE001  # a collector may raise anything, and it is kept as a Failure
        return [Failure(task, "collect", one_line(error))]
    return records or [Failure(task, "collect", f"{type(collector).__name__} yielded no record")]


def encoded_records(records: list[Record], task: Task) -> bytes:
    """Return a task's records encoded, one a line; if one of them cannot be, a failure instead."""
    try:
        return b"\n".join(map(encode, records))
    except RecordError as error:
        return encode(Failure(task, "collect", one_line(error)))


def _end_with_parent() -> None:
    """Wait until the parent is gone and end at once, whatever is being played: nobody would take the answer."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)

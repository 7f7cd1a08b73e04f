"""Playing tasks in actors of Ray, on one machine or on a cluster: the same records as the worker processes of `pool`.

An actor makes one collector, keeps its environments, and answers every task with the encoded records. Two tasks are
under way for each, so that none waits for a message. An actor that dies or hangs costs the one task that it was
playing; its other task, and one whose answer was lost with a machine, is played by another. Which machine plays what is
Ray's to say: `RAY_ADDRESS` names a cluster; without it Ray is started here, without its dashboard, its usage statistics
and its token file. A call takes about a millisecond, thirty times what a pipe takes. Not here: copying images, which
are written into the store's folder, from a cluster on a shared disk.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, Final

import orjson

from ...errors import WorkerError
from ...experience import Failure, Task, encode, task_from_json
from ...extras import needed_by
from ...registry import one_line
from ..protocol import Collector, close_collector
from .pool import encoded_records, records_of

_LOG: Final = logging.getLogger(__name__)
_AHEAD: Final = 2
"""How many tasks an actor has at most, the one it plays included."""
_START_S: Final = 120.0
"""How long the first actor may take until it is ready, in seconds."""
_STARTS: Final = 3
"""The number of actors in a row that may die before they are ready."""
LOCAL: Final = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"}
"""What is set where Ray is started here, unless it is set already. Ray's own niceness, 15, starves its workers on a
machine that does other work too."""


def play_on_ray(
    make: Callable[[], Collector], tasks: Iterable[Task], *, workers: int = 2, timeout: float = 300.0
) -> Generator[list[bytes], None, None]:
    """Do as `pool.play_batches`, in actors of Ray.

    Args:
        make: Makes the collector, in the actor, to which it is pickled.
        tasks: The tasks; taken as they are needed.
        workers: How many actors, at least 1; each takes one processor of the cluster.
        timeout: How long one task may take, in seconds; then its actor is killed and replaced.

    Raises:
        MissingDependencyError: Ray is not installed.
        WorkerError: Ray cannot be started, the collector cannot be made, or actors die before they are ready.
    """
    workers = max(1, workers)
    source = iter(tasks)
    first = next(source, None)
    if first is None:
        return
    ray, ours = _connected(workers)
    pool = _RayPool(ray, make, source, timeout)
    pool.returned.append(first)
    try:
        yield from pool.run(workers)
    finally:
        pool.close()
        if ours:
            ray.shutdown()


def _connected(workers: int) -> tuple[Any, bool]:
    """Return Ray, connected to a cluster, and whether it was connected here."""
    if "RAY_ADDRESS" not in os.environ:
        for name, value in LOCAL.items():
            os.environ.setdefault(name, value)
    with needed_by("The pool 'ray'", "ray"):
        import ray
    if ray.is_initialized():
        return ray, False
    here: dict[str, Any] = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers, "include_dashboard": False}
    try:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, **here)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise WorkerError(
            f"Ray cannot be used ({one_line(error)}): look at RAY_ADDRESS, or use --pool process."
        ) from error
    return ray, True


class _Player:
    """What runs in an actor."""

    def __init__(self) -> None:
        self._collector: Any = None

    def begin(self, make: Callable[[], Collector]) -> str:
        """Make the collector; returns why it cannot be made, or nothing."""
        try:
            self._collector = make()
        except Exception as error:  # noqa: BLE001  # whatever it is, the driver reports it
            return one_line(error)
        return ""

    def play(self, line: bytes) -> bytes:
        """Play a task and return its encoded records."""
        task = task_from_json(orjson.loads(line))
        return encoded_records(records_of(self._collector, task), task)

    def close(self) -> None:
        """Close the collector's environments."""
        close_collector(self._collector)


class _Actor:
    """One actor, as the driver sees it."""

    def __init__(self, handle: Any, begun: Any) -> None:
        self.handle = handle
        self.begun: Any = begun
        """The answer to `begin`; None once it is ready."""
        self.given: deque[tuple[Any, Task]] = deque()
        """Answers to come with their tasks, in order; the first is being played."""
        self.since = time.monotonic()
        """When it began with that task."""

    @property
    def next_answer(self) -> Any:
        """What it answers next; None if it has nothing to do."""
        return self.begun if self.begun is not None else self.given[0][0] if self.given else None


class _RayPool:
    """The driver's side: hands out tasks, takes answers, replaces actors."""

    def __init__(self, ray: Any, make: Callable[[], Collector], source: Iterator[Task], timeout: float) -> None:
        self._ray, self._source, self._timeout = ray, source, timeout
        try:
            self._make = ray.put(make)
        except (TypeError, AttributeError) as error:
            raise WorkerError(
                f"The collector cannot be sent to a worker ({one_line(error)}): give a class, a function at the top of "
                "a module, or a functools.partial of one."
            ) from error
        # No restarts or second tries of Ray's own: they would play a task twice.
        self._player = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Player)
        self.returned: deque[Task] = deque()
        """Tasks that were given to an actor that died before it came to them."""
        self._actors: list[_Actor] = []
        self._false_starts = 0

    def run(self, workers: int) -> Iterator[list[bytes]]:
        """Yield every task's records until no task is left."""
        while True:
            self._hand_out(workers)
            busy = {actor.next_answer: actor for actor in self._actors if actor.next_answer is not None}
            if not self.returned and not any(actor.given for actor in self._actors):
                return
            ready, _ = self._ray.wait(list(busy), num_returns=1, timeout=self._patience())
            lines = [line for answer in ready for line in self._take(busy[answer])]
            for actor in list(self._actors):
                lines += self._check(actor)
            if lines:
                yield lines

    def close(self) -> None:
        """End all actors: those that are idle close their environments first."""
        idle = [actor.handle.close.remote() for actor in self._actors if actor.next_answer is None]
        if idle:
            self._ray.wait(idle, num_returns=len(idle), timeout=2.0)
        for actor in self._actors:
            self._ray.kill(actor.handle)
        self._actors.clear()

    def _next(self) -> Task | None:
        return self.returned.popleft() if self.returned else next(self._source, None)

    def _hand_out(self, workers: int) -> None:
        for actor in self._actors:
            while actor.begun is None and len(actor.given) < _AHEAD:
                task = self._next()
                if task is None:
                    return
                if not actor.given:
                    actor.since = time.monotonic()
                line = orjson.dumps(task, option=orjson.OPT_SERIALIZE_NUMPY)
                actor.given.append((actor.handle.play.remote(line), task))
        while len(self._actors) < workers:
            task = self._next()
            if task is None:
                return
            self.returned.appendleft(task)
            handle = self._player.remote()
            self._actors.append(_Actor(handle, handle.begin.remote(self._make)))

    def _patience(self) -> float:
        """Return how long to wait until an actor may have taken too long, in seconds."""
        now = time.monotonic()
        ends = [actor.since + (_START_S if actor.begun is not None else self._timeout) for actor in self._actors]
        return max(0.0, min(ends, default=now) - now) + 0.05

    def _take(self, actor: _Actor) -> list[bytes]:
        """Return what an actor has answered; if it is dead, what that means."""
        from ray.exceptions import ObjectLostError, RayActorError

        try:
            answer = self._ray.get(actor.next_answer)
        except RayActorError as error:
            return self._bury(actor, f"the actor died ({_first_line(error)})")
        except ObjectLostError:
            # The task was played, and its records are gone with the machine that held them: it is played again.
            self.returned.append(actor.given.popleft()[1])
            actor.since = time.monotonic()
            return []
        actor.since = time.monotonic()
        if actor.begun is not None:
            if answer:
                raise WorkerError(f"The collector cannot be made: {answer}")
            actor.begun, self._false_starts = None, 0
            return []
        actor.given.popleft()
        lines: list[bytes] = answer.split(b"\n")
        return lines

    def _check(self, actor: _Actor) -> list[bytes]:
        """End an actor that takes too long."""
        late = time.monotonic() - actor.since
        if actor.begun is not None:
            if late > _START_S and all(other.begun is not None for other in self._actors):
                raise WorkerError(
                    f"No actor was ready within {_START_S:g} s: has the cluster a processor free? "
                    "`--pool process` needs none."
                )
            return []
        if not actor.given or late <= self._timeout:
            return []
        return self._bury(actor, f"no answer within {self._timeout:g} s")

    def _bury(self, actor: _Actor, cause: str) -> list[bytes]:
        """Blame a dead actor's death on the task that it was playing, and give back its other tasks."""
        self._actors.remove(actor)
        # It may only be out of reach: what it still plays is not waited for, and must not hold a processor.
        self._ray.kill(actor.handle)
        _LOG.warning("An actor ended: %s.", cause)
        lines: list[bytes] = []
        if actor.begun is not None:
            self._false_starts += 1
            if self._false_starts >= _STARTS:
                raise WorkerError(
                    f"{self._false_starts} workers in a row died before they were ready ({cause}): look at Ray's logs, "
                    "or play with one process."
                )
        elif actor.given:
            lines.append(encode(Failure(actor.given.popleft()[1], "worker", cause)))
        self.returned.extendleft(task for _, task in reversed(actor.given))
        return lines


def _first_line(error: BaseException) -> str:
    """Return what matters of a message of Ray's, which names machines and processes on its further lines."""
    return str(error).strip().partition("\n")[0].rstrip(".")[:200]

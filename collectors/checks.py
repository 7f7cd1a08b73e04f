"""The contract of collectors as something to run: `check_collector`.

Call it from the tests of a collector, as one calls gymnasium's `check_env`. Left out: whether what it finds is good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import ContractError, RecordError
from ..experience import Failure, Record, Task, Trajectory, decode, encode
from .protocol import Collector


def check_collector(make: Callable[[], Collector], tasks: Sequence[Task], *, repeatable: bool = True) -> None:
    """Check that a collector keeps the contract of `Collector`.

    What is tested: every task yields exactly one root or one failure; ids are unique, and parents come first; records
    are plain JSON; an episode does not go on after its end; and, in a new collector with the tasks in reverse order,
    the same task gives the same records.

    Args:
        make: Makes a new collector.
        tasks: What it is to play, at least two tasks with different ids.
        repeatable: Whether to test the last point; False for a collector that learns from one task to the next.

    Raises:
        ContractError: the first fault found.
    """
    name, first = _collected(make, tasks)
    by_task = _grouped(name, first, tasks)
    _check_ids(name, first)
    for record in first:
        _check_record(name, record)
    if not repeatable:
        return
    _, second = _collected(make, list(reversed(tasks)))
    again = _grouped(name, second, tasks)
    for task in tasks:
        if by_task[task.id] != again[task.id]:
            raise ContractError(
                f"{name} played the task {task.id!r} otherwise when the tasks came in reverse order: let everything "
                "random follow from `episode_seed(seed, task)`, and carry nothing over from one task to the next."
            )


def _collected(make: Callable[[], Collector], tasks: Sequence[Task]) -> tuple[str, list[Record]]:
    collector = make()
    try:
        return type(collector).__name__, list(collector.collect(iter(tasks)))
    finally:
        close = getattr(collector, "close", None)
        if close is not None:
            close()


def _grouped(name: str, records: Sequence[Record], tasks: Sequence[Task]) -> dict[str, list[Record]]:
    by_task: dict[str, list[Record]] = {task.id: [] for task in tasks}
    if len(by_task) < max(2, len(tasks)):
        raise ContractError("check_collector needs at least two tasks, each with an id of its own.")
    known = {task.id: task for task in tasks}
    for record in records:
        if not isinstance(record, Trajectory | Failure):
            raise ContractError(f"{name} yielded a {type(record).__name__}, not a Trajectory or a Failure.")
        if record.task != known.get(record.task.id):
            raise ContractError(f"{name} yielded a record of the task {record.task.id!r}, which it was not given.")
        by_task[record.task.id].append(record)
    for id_, found in by_task.items():
        roots = sum(isinstance(record, Trajectory) and record.parent is None for record in found)
        failures = sum(isinstance(record, Failure) for record in found)
        if roots + failures != 1 or (failures and len(found) > 1):
            raise ContractError(
                f"{name} yielded {roots} roots and {failures} failures for the task {id_!r}: a task gives one root "
                "trajectory and its branches, or one failure and nothing else."
            )
    return by_task


def _check_ids(name: str, records: Sequence[Record]) -> None:
    lengths: dict[str, int] = {}
    for record in records:
        if isinstance(record, Trajectory):
            if record.id in lengths:
                raise ContractError(f"{name} gave two trajectories the id {record.id!r}: make it of the task's id.")
            parent = record.parent
            if parent is not None and not 0 <= parent.step <= lengths.get(parent.trajectory, -1):
                raise ContractError(
                    f"{name} yielded the branch {record.id!r} of {parent.trajectory!r} at step {parent.step}, and no "
                    "trajectory of that id and length came before: yield parents first."
                )
            lengths[record.id] = len(record.steps) + (0 if parent is None else parent.step)


def _check_record(name: str, record: Record) -> None:
    try:
        same = decode(encode(record)) == record
    except RecordError as error:
        raise ContractError(f"{name} yielded a record that cannot be stored: {error}") from error
    if not same:
        raise ContractError(
            f"{name} yielded a record of {record.task.id!r} that is another one once it is stored and read: hold plain "
            "JSON values and tuples, no NumPy numbers and no lists where the record says tuple."
        )
    if isinstance(record, Failure):
        if not record.stage or not record.error:
            raise ContractError(f"{name} yielded a failure of {record.task.id!r} that does not say what happened.")
        return
    for t, step in enumerate(record.steps[:-1]):
        if step.terminated or step.truncated:
            raise ContractError(f"{name} went on after step {t} had ended the episode {record.id!r}.")
    if not isinstance(record.collector, str) or not record.collector:
        raise ContractError(f"{name} left the field `collector` of {record.id!r} empty.")


__all__ = ["check_collector"]

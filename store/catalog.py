"""What is in a store, by id: where each trajectory lies, which tasks are done, and which records may enter.

All that a store keeps in memory is here: one small entry per trajectory. Not here: files.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, SupportsIndex

from ..errors import RecordError, StoreError
from ..experience import Failure, Observation, Parent, Record, Step, Task, Trajectory
from .manifest import not_finite


class RecordLocation(NamedTuple):
    """Where a trajectory lies."""

    shard: int
    """The number of the shard, or of the open journal."""
    group: int
    """In a shard the row group; in the journal the offset of the frame, in bytes."""
    row: int
    """In a shard the row of the group; in the journal the line of the frame."""
    length: int
    """How many steps the episode has from its reset, those shared with its parent included."""


class ShardEntry(NamedTuple):
    """What the catalogue needs to know of a trajectory in a shard."""

    id: str
    """The trajectory's id."""
    task_id: str
    """The id of its task."""
    collector: str
    """Who played it."""
    parent: Parent | None
    """Where it leaves its parent."""
    n_steps: int
    """How many steps of its own it has."""
    group: int
    """The row group that it is in."""
    row: int
    """Its row in that group of `episodes`."""


class Catalog:
    """The trajectories of a store by id, and the tasks that have been played."""

    def __init__(self) -> None:
        self.places: dict[str, RecordLocation] = {}
        """By trajectory id, in append order."""
        self.done: dict[str, tuple[str, ...]] = {}
        """The ids of the tasks with a root trajectory, and which collectors played each."""

    def add(
        self, id_: str, task_id: str, collector: str, parent: Parent | None, n_steps: int, at: tuple[int, int, int]
    ) -> None:
        """Enter a trajectory, or say where one that was entered before lies now.

        Args:
            id_: Its id.
            task_id: The id of its task.
            collector: Who played it.
            parent: Where it leaves its parent, if it is a branch.
            n_steps: How many steps of its own it has.
            at: Shard, group and row of its `RecordLocation`.
        """
        if parent is None:
            before = self.done.get(task_id, ())
            if collector not in before:
                self.done[task_id] = (*before, sys.intern(collector))
        self.places[id_] = RecordLocation(*at, n_steps if parent is None else parent.step + n_steps)

    def check(self, records: Sequence[Record]) -> None:
        """Refuse records that could not be read back, all of them or none.

        Raises:
            RecordError: a field does not have its type, or a number is not finite.
            StoreError: an id is already taken, or a branch does not fit its parent.
        """
        lengths: dict[str, int] = {}
        for record in records:
            if not isinstance(record, Trajectory | Failure):
                raise RecordError(
                    f"A store takes trajectories and failures, one by one, not a {type(record).__name__}."
                )
            _check_task(record.task)
            if isinstance(record, Failure):
                if problem := _texts(record.stage, record.error):
                    raise RecordError(f"The failure of task {record.task.id!r} cannot be stored: {problem}.")
                if record.played is not None:
                    _check_trajectory(record.played)
                continue
            if record.id in self.places or record.id in lengths:
                raise StoreError(
                    f"The store already holds a trajectory {record.id!r}: give every trajectory an id of its own."
                )
            lengths[record.id] = self._length(record, lengths)
            _check_trajectory(record)

    def _length(self, trajectory: Trajectory, fresh: Mapping[str, int]) -> int:
        parent = trajectory.parent
        if parent is None:
            return len(trajectory.steps)
        name = f"The trajectory {trajectory.id!r} branches from {parent.trajectory!r}"
        place = self.places.get(parent.trajectory)
        length = fresh.get(parent.trajectory) if place is None else place.length
        if length is None:
            raise StoreError(f"{name}, which the store does not hold: append the parent first, or in the same call.")
        if not isinstance(parent.step, int) or not 0 <= parent.step <= length:
            raise StoreError(f"{name} after step {parent.step!r}, and that one has {length} steps.")
        return parent.step + len(trajectory.steps)


def check_finite(record: Record, encoded: bytes) -> None:
    """Refuse NaN and infinity anywhere in the free-form parts of a record: JSON would turn them into null.

    Args:
        record: The record.
        encoded: What `encode` made of it. The parts are only searched where it has a null at all.

    Raises:
        RecordError: a number is not finite.
    """
    if b"null" not in encoded:
        return
    parts: dict[str, Any] = {"options": record.task.options, "conditions of its goal": record.task.goal.conditions}
    if isinstance(record, Failure):
        parts["notes"] = record.notes
    played = record.played if isinstance(record, Failure) else record
    if played is not None:
        parts["provenance"] = played.provenance
        parts["facts"] = [one.facts for one in (*(step.observation for step in played.steps), played.final)]
        parts["info"] = [step.info for step in played.steps]
        parts["rewards"] = [step.reward for step in played.steps]
    for name, part in parts.items():
        if (number := not_finite(part)) is not None:
            kind = "trajectory" if isinstance(record, Trajectory) else "failure of task"
            id_ = record.id if isinstance(record, Trajectory) else record.task.id
            raise RecordError(
                f"The {kind} {id_!r} cannot be stored: its {name} hold{'s' * (name == 'provenance')} {number}, and JSON"
                " has finite numbers only: give None, or leave the number out."
            )


def _check_task(task: Task) -> None:
    problem = _texts(task.id, task.env, task.goal.text)
    if not problem and not task.id:
        problem = "its id is empty, and a resumed run compares the ids of tasks"
    if not isinstance(task.options, Mapping) or not isinstance(task.goal.conditions, tuple | list):
        problem = "the options must be a mapping and the goal's conditions a tuple"
    if not isinstance(task.seed, SupportsIndex):
        problem = f"the seed must be an int, not {task.seed!r}"
    if problem:
        raise RecordError(f"The task {task.id!r} cannot be stored: {problem}.")


def _check_trajectory(trajectory: Trajectory) -> None:
    place, problem = "its frame", _texts(trajectory.id, trajectory.collector)
    if not problem and not trajectory.id:
        problem = "the id is empty, and a trajectory is found by its id"
    if not isinstance(trajectory.provenance, Mapping):
        problem = "the provenance must be a mapping"
    if not problem:
        place, problem = "its final observation", _in_observation(trajectory.final)
    for t, step in enumerate(trajectory.steps):
        if problem:
            break
        place, problem = f"its step {t}", _in_step(step)
    if problem:
        raise RecordError(f"The trajectory {trajectory.id!r} cannot be stored: in {place}, {problem}.")


def _in_step(step: Step) -> str | None:
    problem = _in_observation(step.observation, step.action)
    if type(step.reward) is not float or not math.isfinite(step.reward):  # of its own type, as nearly all are
        problem = problem or _numbers("the reward", "d", (step.reward,))
    if step.terminated not in (True, False) or step.truncated not in (True, False):
        problem = "`terminated` and `truncated` must be true or false"
    if not _is_mapping(step.info):
        problem = "the info must be a mapping"
    if step.tokens is not None and not problem:
        logprobs = () if step.tokens.logprobs is None else step.tokens.logprobs
        problem = (
            _numbers("the prompt's token ids", "q", step.tokens.prompt_ids)
            or _numbers("the completion's token ids", "q", step.tokens.completion_ids)
            or _numbers("the log-probabilities", "d", logprobs)
        )
    return problem


def _in_observation(observation: Observation, action: str = "") -> str | None:
    if observation.facts is not None and not _is_mapping(observation.facts):
        return "the facts must be a mapping or None"
    actions = () if observation.actions is None else observation.actions
    return _texts(observation.text, action, *observation.images, *actions)


def _is_mapping(value: object) -> bool:
    return type(value) is dict or isinstance(value, Mapping)  # asking an abstract class takes ten times as long


def _texts(*values: str) -> str | None:
    # join refuses whatever is not a string, at the speed of C: an observation may list hundreds of actions.
    try:
        "".join(values)
    except TypeError as error:
        return f"a text is not a string ({error})"
    return None


def _numbers(name: str, kind: str, values: Iterable[float]) -> str | None:
    try:
        numbers = array(kind, values)
    except (TypeError, OverflowError) as error:
        return f"{name} must be numbers ({error})"
    if kind == "d" and not all(map(math.isfinite, numbers)):
        # JSON has neither of them: they would silently come back as None.
        return f"{name} must be finite, neither infinite nor NaN"
    return None

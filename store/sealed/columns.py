"""Records as the columns of Parquet tables: the schemas, a record's values in their order, and Arrow arrays of values.

Arrays are made of buffers: `pyarrow.array` would import pandas first, where it is installed, to see that a list is none
of its objects, and that takes longer than sealing a hundred episodes. Not here: files (`shards`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson
import pyarrow as pa  # type: ignore[import-untyped]

from ...errors import RecordError
from ...experience import Failure, Json, Observation, Trajectory

_TEXT, _TEXTS, _LONGS = pa.string(), pa.list_(pa.string()), pa.list_(pa.int64())


def _schema(**columns: Any) -> Any:
    return pa.schema([pa.field(name, type_) for name, type_ in columns.items()])


SCHEMAS = {
    "episodes": _schema(
        id=_TEXT, task_id=_TEXT, env=_TEXT, seed=pa.int64(), goal=_TEXT, collector=_TEXT, success=pa.bool_(),
        total_reward=pa.float64(), n_steps=pa.int64(), parent_trajectory=_TEXT, parent_step=pa.int64(),
        final_observation=_TEXT, final_images=_TEXTS, final_actions=_TEXTS, final_facts=_TEXT, task=_TEXT,
        provenance=_TEXT,
    ),
    "steps": _schema(
        episode_id=_TEXT, t=pa.int64(), observation=_TEXT, images=_TEXTS, actions=_TEXTS, facts=_TEXT, action=_TEXT,
        reward=pa.float64(), terminated=pa.bool_(), truncated=pa.bool_(), info=_TEXT, prompt_ids=_LONGS,
        completion_ids=_LONGS, logprobs=pa.list_(pa.float64()),
    ),
    "failures": _schema(
        task_id=_TEXT, env=_TEXT, seed=pa.int64(), goal=_TEXT, stage=_TEXT, error=_TEXT, task=_TEXT, rest=_TEXT
    ),
}  # fmt: skip
"""The Arrow schema of each table. `seed` is null where it does not fit 64 signed bits; `task` always has it."""


def _dump(value: Json) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        raise RecordError(f"A record holds a value that is not plain JSON: {error}.") from error


def _seed(seed: int) -> int | None:
    return int(seed) if -(2**63) <= seed < 2**63 else None


def _observation_row(observation: Observation) -> tuple[object, ...]:
    facts = None if observation.facts is None else _dump(observation.facts)
    return observation.text, observation.images, observation.actions, facts


def episode_row(trajectory: Trajectory) -> tuple[object, ...]:
    """Return a trajectory's values in the order of the schema `episodes`."""
    task, parent = trajectory.task, trajectory.parent
    return (
        trajectory.id, task.id, task.env, _seed(task.seed), task.goal.text, trajectory.collector, trajectory.success,
        trajectory.total_reward, len(trajectory.steps), None if parent is None else parent.trajectory,
        None if parent is None else parent.step, *_observation_row(trajectory.final), _dump(task),
        _dump(trajectory.provenance),
    )  # fmt: skip


def step_columns(trajectory: Trajectory) -> list[Sequence[object]]:
    """Return the values of a trajectory's steps, column by column, in the order of the schema `steps`."""
    steps = trajectory.steps
    seen = [step.observation for step in steps]
    tokens = [step.tokens for step in steps]
    logprobs = [None if one is None else one.logprobs for one in tokens]
    return [
        [trajectory.id] * len(steps),
        range(len(steps)),
        [one.text for one in seen],
        [one.images for one in seen],
        [one.actions for one in seen],
        [None if one.facts is None else _dump(one.facts) for one in seen],
        [step.action for step in steps],
        [float(step.reward) for step in steps],
        [bool(step.terminated) for step in steps],
        [bool(step.truncated) for step in steps],
        [_dump(step.info) for step in steps],
        [None if one is None else one.prompt_ids for one in tokens],
        [None if one is None else one.completion_ids for one in tokens],
        [None if one is None else [float(value) for value in one] for one in logprobs],
    ]


def failure_row(failure: Failure) -> tuple[object, ...]:
    """Return a failure's values in the order of the schema `failures`."""
    task = failure.task
    rest = _dump({"notes": failure.notes, "played": failure.played}) if failure.notes or failure.played else None
    return task.id, task.env, _seed(task.seed), task.goal.text, failure.stage, failure.error, _dump(task), rest


def array_of(values: Sequence[Any], type_: Any) -> Any:
    """Make an Arrow array of values.

    Args:
        values: Python values of the type, or None; a text may be its UTF-8.
        type_: Text, bytes, 64-bit number, truth value, or lists and structures (mappings by field) of them.
    """
    count = len(values)
    if pa.types.is_string(type_) and (plain := _ascii(values)) is not None:
        return pa.Array.from_buffers(type_, count, [None, _ends(map(len, values), count), pa.py_buffer(plain)], 0)
    missing = np.fromiter((value is None for value in values), dtype=bool, count=count)
    nulls = int(missing.sum())
    validity = pa.py_buffer(np.packbits(~missing, bitorder="little")) if nulls else None
    if pa.types.is_list(type_):
        ends = _ends((0 if value is None else len(value) for value in values), count)
        flat = array_of(list(chain.from_iterable(filter(None, values))), type_.value_type)
        return pa.Array.from_buffers(type_, count, [validity, ends], nulls, children=[flat])
    if pa.types.is_struct(type_):
        rows = [{} if value is None else value for value in values]
        parts = [array_of([row.get(field.name) for row in rows], field.type) for field in type_]
        return pa.Array.from_buffers(type_, count, [validity], nulls, children=parts)
    if pa.types.is_string(type_) or pa.types.is_binary(type_):
        texts = [b"" if value is None else value.encode() if isinstance(value, str) else value for value in values]
        data = pa.py_buffer(b"".join(texts))
        return pa.Array.from_buffers(type_, count, [validity, _ends(map(len, texts), count), data], nulls)
    present = [0 if value is None else value for value in values] if nulls else values
    if pa.types.is_boolean(type_):
        numbers = np.packbits(np.asarray(present, dtype=bool), bitorder="little")
    else:
        numbers = np.asarray(present, dtype=np.int64 if pa.types.is_integer(type_) else np.float64)
    return pa.Array.from_buffers(type_, count, [validity, pa.py_buffer(numbers)], nulls)


def _ascii(values: Sequence[Any]) -> bytes | None:
    """Return texts as one, if all of them are ASCII, as most lists of actions are: nothing is looked at one by one."""
    try:
        text = "".join(values)
    except TypeError:  # some are missing, or UTF-8 already
        return None
    return text.encode() if text.isascii() else None


def _ends(lengths: Iterable[int], count: int) -> Any:
    """Return where each value ends in what follows all of them, after a 0."""
    ends = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.fromiter(lengths, dtype=np.int64, count=count), out=ends[1:])
    if ends[-1] > np.iinfo(np.int32).max:
        raise RecordError("A row group holds more than 2 GiB of text: store shorter episodes.")
    return pa.py_buffer(ends.astype(np.int32))

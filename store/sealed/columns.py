"""Records as the columns of Parquet tables: the schemas, a record's values in their order, and Arrow arrays of values.

The actions that steps list stay what they are in an encoded record, places in a list of all different ones, which is
how Parquet writes them. Arrays are made of buffers: `pyarrow.array` would import pandas first, where it is installed,
to see that a list is none of its objects, and that takes longer than sealing a hundred episodes. Not here: files
(`shards`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
import orjson
import pyarrow as pa  # type: ignore[import-untyped]

from ...errors import RecordError
from ...experience import Json
from ..rows import EpisodeRow

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


def _dump(value: Json) -> bytes | None:
    return None if value is None else orjson.dumps(value)


def _seed(seed: int) -> int | None:
    return seed if -(2**63) <= seed < 2**63 else None


def episode_row(row: EpisodeRow, fields: Mapping[str, Json]) -> tuple[object, ...]:
    """Return a trajectory's values in the order of the schema `episodes`.

    Args:
        row: Its line.
        fields: See `experience.fields_of`.
    """
    task, seen, parent = fields["task"], fields["seen"], row.parent
    images, listed, facts = (seen[name][-1] if name in seen else None for name in ("images", "actions", "facts"))
    actions = None if listed is None else [fields["actions"][place] for place in fields["lists"][listed]]
    return (
        row.id, row.task_id, row.env, _seed(task["seed"]), row.goal, row.collector, row.success, row.total_reward,
        row.steps, None if parent is None else parent.trajectory, None if parent is None else parent.step,
        seen["text"][-1], images or (), actions, _dump(facts), _dump(task), _dump(fields["provenance"]),
    )  # fmt: skip


def step_columns(fields: Mapping[str, Json], places: dict[str, int]) -> list[Iterable[object]]:
    """Return the values of a trajectory's steps, column by column, in the order of the schema `steps`.

    Args:
        fields: See `experience.fields_of`.
        places: All actions that were listed so far to their places in the dictionary of `lists_of`; added to.
    """
    seen, steps = fields["seen"], fields["steps"]
    count = len(seen["text"]) - 1
    images, listed, facts = (seen.get(name, (None,) * (count + 1))[:count] for name in ("images", "actions", "facts"))
    lists = _lists(fields, places)
    tokens = [one or {} for one in steps.get("tokens", (None,) * count)]
    return [
        (fields["id"],) * count,
        range(count),
        seen["text"][:count],
        [one or () for one in images],
        [None if place is None else lists[place] for place in listed],
        map(_dump, facts),
        *(steps.get(name, ()) for name in ("action", "reward", "terminated", "truncated")),
        map(_dump, steps.get("info", ())),
        *([one.get(name) for one in tokens] for name in ("prompt_ids", "completion_ids", "logprobs")),
    ]


def _lists(fields: Mapping[str, Json], places: dict[str, int]) -> list[np.ndarray[Any, Any]]:
    """Return the lists of actions of a trajectory, each as places of `places`."""
    actions = fields["actions"]
    new = [action for action in actions if action not in places]
    places.update(zip(new, range(len(places), len(places) + len(new)), strict=True))
    own = np.fromiter(map(places.__getitem__, actions), dtype=np.int32, count=len(actions))
    ends = [0, *accumulate(map(len, fields["lists"]))]
    flat = own[np.fromiter(chain.from_iterable(fields["lists"]), dtype=np.intp, count=ends[-1])]
    return [flat[begin:end] for begin, end in pairwise(ends)]


def lists_of(values: Sequence[np.ndarray[Any, Any] | None], words: Sequence[str]) -> Any:
    """Make an Arrow array of lists of texts, of which many are the same.

    Args:
        values: For each list the places of its texts in `words`, as 32-bit integers of shape `[length]`, or None.
        words: The texts.
    """
    flat = np.concatenate([np.zeros(0, np.int32), *(value for value in values if value is not None)])
    indices = pa.Array.from_buffers(pa.int32(), len(flat), [None, pa.py_buffer(flat)], 0)
    texts = pa.DictionaryArray.from_arrays(indices, array_of(words, pa.string()))
    buffers, nulls = _list_buffers(values)
    return pa.Array.from_buffers(pa.list_(texts.type), len(values), buffers, nulls, children=[texts])


def failure_row(fields: Mapping[str, Json]) -> tuple[object, ...]:
    """Return a failure's values in the order of the schema `failures`; for its fields see `experience.fields_of`."""
    task = fields["task"]
    rest = {name: fields[name] for name in ("notes", "played") if fields.get(name)}
    return (
        task["id"], task["env"], _seed(task["seed"]), task["goal"]["text"], fields["stage"], fields["error"],
        _dump(task), _dump(rest or None),
    )  # fmt: skip


def array_of(values: Sequence[Any], type_: Any) -> Any:
    """Make an Arrow array of values.

    Args:
        values: Python values of the type, or None; a text may be its UTF-8.
        type_: Text, bytes, 64-bit number, truth value, or lists and structures (mappings by field) of them.
    """
    count = len(values)
    if values.count(None) == count:
        return pa.nulls(count, type_)
    if pa.types.is_string(type_) and (plain := _ascii(values)) is not None:
        return pa.Array.from_buffers(type_, count, [None, _ends(map(len, values), count), pa.py_buffer(plain)], 0)
    if pa.types.is_list(type_):
        flat = array_of(list(chain.from_iterable(filter(None, values))), type_.value_type)
        buffers, nulls = _list_buffers(values)
        return pa.Array.from_buffers(type_, count, buffers, nulls, children=[flat])
    validity, nulls = _validity(values)
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


def _validity(values: Sequence[Any]) -> tuple[Any, int]:
    """Return which values are there, as bits, and how many are not; no bits where all are."""
    there = [value is not None for value in values]
    nulls = there.count(False)
    return (pa.py_buffer(np.packbits(there, bitorder="little")) if nulls else None), nulls


def _list_buffers(values: Sequence[Any]) -> tuple[list[Any], int]:
    """Return the buffers of an array of lists, and how many of them are missing."""
    validity, nulls = _validity(values)
    lengths = map(len, values) if not nulls else (0 if value is None else len(value) for value in values)
    return [validity, _ends(lengths, len(values))], nulls


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

"""Parquet export: one file with one row per step, for `datasets.load_dataset("parquet", data_files=...)` and pandas.

The columns are those of the store's tables `episodes` and `steps` together. After an episode's last step comes one row
more, with the final observation and a null action. Images are embedded as `{bytes, path}`, the form that
`datasets.Image` decodes. `info`, `facts`, `task` and `provenance` are JSON strings. Not here: failures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ..experience import Step, Trajectory, encode, fields_of
from ..store import EpisodeRow, ExperienceStore
from ..store.sealed.columns import SCHEMAS, array_of, episode_row, step_columns
from .common import ExportCounts, Selection, image_kind

_GROUP_ROWS = 1024
_GROUP_BYTES = 32 << 20
_EPISODE = [name for name in SCHEMAS["episodes"].names if name != "id" and not name.startswith("final_")]
_IMAGES = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
SCHEMA = pa.schema(
    [field if field.name != "images" else pa.field("images", _IMAGES) for field in SCHEMAS["steps"]]
    + [SCHEMAS["episodes"].field(name) for name in _EPISODE]
)
"""The columns of the file: those of a step, then those of its episode."""


class _Row(NamedTuple):
    values: dict[str, object]
    image_bytes: int


def write_parquet(
    selection: Selection, temporary: Path, target: Path, *, facts: bool = True, expand: bool = False
) -> ExportCounts:
    """Write one row per step.

    Args:
        selection: The episodes.
        temporary: The file to write.
        target: The file that it will be.
        facts: Whether to keep the privileged facts; without them the column is null.
        expand: Whether a branch repeats the steps that it shares with its parent. By default it has its own only;
            `parent_trajectory` and `parent_step` tell where it begins, and `t` counts its own steps from 0.

    Raises:
        ExportError: an image is of no known kind.
    """
    episodes = rows = images = size = 0
    pending: list[_Row] = []
    with pq.ParquetWriter(temporary, SCHEMA, compression="zstd", compression_level=3) as writer:
        for trajectory in (episode.whole for episode in selection.episodes()) if expand else selection.stored():
            episodes += 1
            for row in _rows(selection.store, trajectory, facts):
                pending.append(row)
                size += row.image_bytes
                images += row.image_bytes > 0
            if len(pending) >= _GROUP_ROWS or size >= _GROUP_BYTES:
                rows += _flush(writer, pending)
                size = 0
        rows += _flush(writer, pending)
    return ExportCounts(episodes, rows, 0, images)


def _rows(store: ExperienceStore, trajectory: Trajectory, facts: bool) -> Iterator[_Row]:
    ended = replace(trajectory, steps=(*trajectory.steps, Step(trajectory.final, "", 0.0)))
    _, fields = fields_of(encode(ended))
    shared = dict(zip(SCHEMAS["episodes"].names, episode_row(EpisodeRow.of(trajectory), fields), strict=True))
    places: dict[str, int] = {}
    columns = step_columns(fields, places)
    actions = list(places)
    for t, row in enumerate(zip(*columns, strict=True)):
        values: dict[str, Any] = dict(zip(SCHEMAS["steps"].names, row, strict=True))
        if values["actions"] is not None:
            values["actions"] = [actions[place] for place in values["actions"]]
        data = [(store.image(name), name) for name in ended.steps[t].observation.images]
        values["images"] = [{"bytes": content, "path": f"{name}.{image_kind(name, content)}"} for content, name in data]
        if not facts:
            values["facts"] = None
        if t == len(trajectory.steps):
            values |= dict.fromkeys(("action", "reward", "terminated", "truncated", "info"))
        values |= {name: shared[name] for name in _EPISODE}
        yield _Row(values, sum(len(content) for content, _ in data))


def _flush(writer: Any, pending: list[_Row]) -> int:
    columns = [array_of([row.values[field.name] for row in pending], field.type) for field in SCHEMA]
    if pending:
        writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), row_group_size=len(pending))
    count = len(pending)
    pending.clear()
    return count

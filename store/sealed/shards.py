"""Sealed shards: the same records as Parquet tables, compressed, and readable by any Parquet reader.

Three tables. `episodes` has one row per trajectory, `steps` one per step, `failures` one per failure. Row group g of
`episodes` belongs to row group g of `steps`, and a group is small, so that one trajectory is read in milliseconds and a
reader never holds more than a group. What has no fixed form (`facts`, `info`, `task`, `provenance`) is a JSON string.
Admissible actions are plain string lists; the column's dictionary makes a list that repeats from step to step nearly
free. Not here: which shards exist (see `manifest`), and writing them safely (see `store`).

pyarrow is needed from here on; `store` imports this module when it seals or reads a shard, not before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import orjson
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ...experience import (
    Failure,
    Observation,
    Parent,
    Step,
    Tokens,
    Trajectory,
    failure_from_json,
    fields_of,
    task_from_json,
)
from ..catalog import ShardEntry
from ..damage import DamagedFileError, Losses
from ..durable import sha256_of, uncollected
from ..manifest import Counts, Shard, ShardFile
from ..rows import EpisodeRow
from .columns import SCHEMAS, array_of, episode_row, failure_row, lists_of, step_columns

GROUP_STEPS = 512
"""A row group is closed at this many steps, never inside a trajectory."""
GROUP_BYTES = 1 << 20
"""Or at this many bytes of encoded records."""
_LEVEL = 3
_REST = "rest"  # a column that shards of version 0.1.0 do not have
# Whatever a reader of Parquet or JSON may raise on content that is not what was written; Arrow's errors are among them.
_BROKEN = (OSError, pa.ArrowException, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, MemoryError)

_STATISTICS = {
    "episodes": ["id", "task_id", "env", "seed", "collector", "success", "total_reward", "n_steps"],
    "steps": ["episode_id", "t", "reward"],
    "failures": ["task_id", "env", "stage"],
}

# Long texts that hardly repeat are not worth a dictionary: zstd finds what they share.
_DICTIONARY = {
    "episodes": ["env", "goal", "collector", "parent_trajectory", "final_actions.list.element"],
    "steps": ["episode_id", "action", "actions.list.element", "images.list.element"],
    "failures": ["env", "stage", "error"],
}
# Read as dictionaries, so that a string that repeats is made into a Python object once.
_REPEATING = {
    "episodes": ["final_actions.list.element"],
    "steps": ["actions.list.element", "episode_id"],
    "failures": [],
}


class ShardWriter:
    """Writes the tables of one shard to temporary files, a row group at a time; use it in a `with` statement.

    Compressing one row group runs while the next is prepared, in a thread that ends with the block.
    """

    def __init__(self, number: int, directory: Path) -> None:
        """Begin a shard.

        Args:
            number: The shard's number.
            directory: Where the temporary files go.
        """
        self._number = number
        self._directory = directory
        self._writers: dict[str, Any] = {}
        self._columns: dict[str, dict[str, list[Any]]] = {
            table: {name: [] for name in schema.names} for table, schema in SCHEMAS.items()
        }
        self._actions: dict[str, int] = {}
        """The actions that the steps of the row group list, by their places in its dictionary."""
        self._rows = dict.fromkeys(SCHEMAS, 0)
        self._bytes = 0
        self._counts = Counts()
        self._pool = ThreadPoolExecutor(1)
        self._pending: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def add(self, line: bytes) -> None:
        """Add an encoded record.

        Raises:
            RecordError: see `experience.fields_of`.
        """
        self._bytes += len(line)
        kind, fields = fields_of(line)
        if kind == "failure":
            self._put("failures", [(value,) for value in failure_row(fields)])
            self._counts += Counts(failures=1)
        else:
            row = EpisodeRow.read(fields)
            self._put("episodes", [(value,) for value in episode_row(row, fields)])
            self._put("steps", step_columns(fields, self._actions))
            self._counts += Counts.of(row)
        if len(self._columns["steps"]["t"]) >= GROUP_STEPS or self._bytes >= GROUP_BYTES:
            self._flush()

    def finish(self) -> tuple[Shard, dict[str, Path]]:
        """Close the files.

        Returns:
            The shard as the manifest lists it, and the temporary file of each of its tables.
        """
        self._flush()
        self._wait()
        files, paths = {}, {}
        for table, writer in self._writers.items():
            writer.close()
            path = self._path(table)
            name = f"{self._number:06d}.{table}.parquet"
            files[table] = ShardFile(name, self._rows[table], path.stat().st_size, sha256_of(path))
            paths[table] = path
        return Shard(self._number, self._counts, files), paths

    def _path(self, table: str) -> Path:
        return self._directory / f"{self._number:06d}.{table}.parquet.tmp"

    def _put(self, table: str, columns: Iterable[Iterable[object]]) -> None:
        for column, values in zip(self._columns[table].values(), columns, strict=True):
            column.extend(values)

    def _flush(self) -> None:
        # Both tables get a group, an empty one if need be: that keeps their groups aligned.
        if self._columns["episodes"]["id"]:
            self._write("episodes")
            self._write("steps")
        if self._columns["failures"]["task"]:
            self._write("failures")
        self._actions.clear()
        self._bytes = 0

    def _write(self, table: str) -> None:
        schema, columns = SCHEMAS[table], self._columns[table]
        arrays = [
            lists_of(values, list(self._actions)) if name == "actions" else array_of(values, schema.field(name).type)
            for name, values in columns.items()
        ]
        data = pa.Table.from_arrays(arrays, names=schema.names)
        if table not in self._writers:
            self._writers[table] = pq.ParquetWriter(
                self._path(table),
                data.schema,
                compression="zstd",
                compression_level=_LEVEL,
                use_dictionary=_DICTIONARY[table],
                write_statistics=_STATISTICS[table],
                write_page_checksum=True,
                store_schema=False,  # a reader finds plain texts, and not that they were written from a dictionary
            )
        self._wait()
        self._pending = self._pool.submit(self._writers[table].write_table, data, row_group_size=max(1, data.num_rows))
        self._rows[table] += data.num_rows
        for values in columns.values():
            values.clear()

    def _wait(self) -> None:
        # One group at most is under way, so that memory stays bounded; its error, a full disk, appears here.
        if self._pending is not None:
            self._pending.result()


class ShardReader:
    """Reads one sealed shard; its files are opened when first needed and kept open.

    What is missing or damaged is noted and left out by the methods that yield; a row group is the smallest part.
    """

    def __init__(self, shard: Shard, directory: Path, losses: Losses) -> None:
        """Name the shard to be read.

        Args:
            shard: Its entry in the manifest.
            directory: The folder that its files are in.
            losses: Where what cannot be read is noted.
        """
        self._shard = shard
        self._directory = directory
        self._losses = losses
        self._open: dict[str, Any] = {}
        self._group: tuple[int, Any, Any] | None = None

    def entries(self) -> Iterator[ShardEntry]:
        """Yield what the catalogue needs to know of each trajectory, in order."""
        names = ["id", "task_id", "collector", "parent_trajectory", "parent_step", "n_steps"]
        for group in self._groups("episodes"):
            with self._noted(group):
                rows = self._rows("episodes", group, names)
                for row, (id_, task_id, collector, parent, step, n_steps) in enumerate(rows):
                    origin = None if parent is None else Parent(parent, step)
                    yield ShardEntry(id_, task_id, collector, origin, n_steps, group, row)

    def lines(self) -> Iterator[EpisodeRow]:
        """Yield one line for each trajectory, in order, without reading steps."""
        names = "id task_id env goal collector success total_reward n_steps parent_trajectory parent_step".split()
        for group in self._groups("episodes"):
            with self._noted(group):
                for *values, parent, step in self._rows("episodes", group, names):
                    yield EpisodeRow._make((*values, None if parent is None else Parent(parent, step)))

    def trajectories(self, keep: Callable[[str, bool | None, bool], bool]) -> Iterator[Trajectory]:
        """Yield trajectories in order, holding one row group at a time.

        Args:
            keep: Called with (collector, success, is a root); steps are only read in groups where it is true of some.
        """
        for group in self._groups("episodes"):
            with self._noted(group):
                rows = self._rows("episodes", group, ["collector", "success", "parent_trajectory"])
                kept = [row for row, (name, won, parent) in enumerate(rows) if keep(name, won, parent is None)]
                if kept:
                    episodes, steps = self._read("episodes", group), self._read("steps", group)
                    with uncollected(), self._sound("steps"):
                        all_ = _trajectories(episodes, steps)
                    yield from all_ if len(kept) == len(all_) else (all_[row] for row in kept)

    def trajectory(self, group: int, row: int) -> Trajectory:
        """Return one trajectory.

        Args:
            group: The row group that it is in.
            row: Its row in that group.

        Raises:
            StoreError: a file is missing or damaged.
        """
        if self._group is None or self._group[0] != group:
            self._group = (group, self._read("episodes", group), self._read("steps", group))
        _, episodes, steps = self._group
        with self._sound("steps"):
            lengths = episodes["n_steps"].to_pylist()
            first = sum(lengths[:row])
            return _trajectories(episodes.slice(row, 1), steps.slice(first, lengths[row]))[0]

    def failures(self) -> Iterator[Failure]:
        """Yield failures in order."""
        for group in self._groups("failures"):
            with self._noted(group):
                table = self._read("failures", group)
                with self._sound("failures"):
                    found = list(map(_failure, table.to_pylist()))
                yield from found

    def _groups(self, table: str) -> range:
        """The row groups of a table; none, and a note, where its file cannot be read at all."""
        groups = 0
        if table in self._shard.files:
            with self._noted(None):
                groups = int(self._file(table).num_row_groups)
        return range(groups)

    @contextlib.contextmanager
    def _noted(self, group: int | None) -> Iterator[None]:
        """Note what is damaged in the block, with the ids of the trajectories that are missing for it."""
        try:
            yield
        except DamagedFileError as error:
            ids: list[str] = []
            table = next((name for name, file in self._shard.files.items() if file.name == error.path.name), "")
            if group is not None and table == "steps":
                with contextlib.suppress(DamagedFileError):
                    ids = [id_ for (id_,) in self._rows("episodes", group, ["id"])]
            elif group is None and table in self._shard.files:
                counts = self._shard.counts
                lost = counts.failures if table == "failures" else counts.trajectories
                self._losses.add(error.path, None, error.reason, lost)
                return
            count = len(ids) or None
            if count is None and table in self._open:
                count = int(self._open[table].metadata.row_group(group).num_rows)
            self._losses.add(error.path, group, error.reason, count, ids)

    @contextlib.contextmanager
    def _sound(self, table: str) -> Iterator[None]:
        """Say which file is damaged where its content is not what was written."""
        try:
            yield
        except DamagedFileError:
            raise
        except FileNotFoundError as error:
            raise DamagedFileError(self._path(table), "it is missing, and manifest.json lists it") from error
        except _BROKEN as error:
            raise DamagedFileError(self._path(table), str(error) or type(error).__name__) from error

    def _path(self, table: str) -> Path:
        file = self._shard.files.get(table)
        return self._directory / (f"{self._shard.number:06d}.{table}.parquet" if file is None else file.name)

    def _file(self, table: str) -> Any:
        if table not in self._open:
            with self._sound(table):
                entry, path = self._shard.files[table], self._path(table)
                if (size := path.stat().st_size) != entry.bytes:
                    raise DamagedFileError(path, f"it has {size} bytes and manifest.json says {entry.bytes}")
                file = pq.ParquetFile(path, read_dictionary=_REPEATING[table], page_checksum_verification=True)
                if not set(SCHEMAS[table].names) - {_REST} <= set(file.schema_arrow.names):
                    raise DamagedFileError(path, "it lacks columns")
                if file.metadata.num_rows != entry.rows:
                    reason = f"it has {file.metadata.num_rows} rows and manifest.json says {entry.rows}"
                    raise DamagedFileError(path, reason)
                self._open[table] = file
        return self._open[table]

    def _read(self, table: str, group: int, columns: list[str] | None = None) -> Any:
        file = self._file(table)
        with self._sound(table):
            # The pool of threads costs more than it gains on groups this small.
            data = file.read_row_group(group, columns=columns, use_threads=False)
            return data if columns is None else data.select(columns)

    def _rows(self, table: str, group: int, columns: list[str]) -> list[tuple[Any, ...]]:
        data = self._read(table, group, columns)
        with self._sound(table):
            return list(zip(*(column.to_pylist() for column in data.columns), strict=True))


def _failure(row: dict[str, Any]) -> Failure:
    rest = orjson.loads(row.get(_REST) or "{}")
    return failure_from_json({**rest, **row, "task": orjson.loads(row["task"])})


def _loads(texts: list[str | None]) -> list[Any]:
    """Parse many JSON texts at once, None as null: one call is much cheaper than one for each."""
    return cast("list[Any]", orjson.loads(f"[{','.join('null' if text is None else text for text in texts)}]"))


def _values(column: Any) -> list[Any]:
    """The values of a column as Python objects; a value of a dictionary is made once and shared."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        words = column.dictionary.to_pylist()
        return [words[index] for index in column.indices.to_pylist()]
    if not pa.types.is_list(column.type):
        return cast("list[Any]", column.to_pylist())
    # A slice keeps the whole child array, and a null list has an empty range: both are right only through offsets.
    offsets = column.offsets.to_pylist()
    start = offsets[0]
    items = tuple(_values(column.values.slice(start, offsets[-1] - start)))
    valid = column.is_valid().to_pylist()
    return [items[a - start : b - start] if ok else None for a, b, ok in zip(offsets, offsets[1:], valid, strict=False)]


def _observations(table: Any, prefix: str, text: str) -> list[Observation]:
    texts, images, actions, facts = (
        _values(table[name]) for name in (text, f"{prefix}images", f"{prefix}actions", f"{prefix}facts")
    )
    return [Observation(*row) for row in zip(texts, images, actions, _loads(facts), strict=True)]


def _tokens(table: Any) -> list[Tokens | None]:
    if table["prompt_ids"].null_count == len(table):
        return [None] * len(table)
    columns = (_values(table[name]) for name in ("prompt_ids", "completion_ids", "logprobs"))
    return [None if row[0] is None else Tokens(*row) for row in zip(*columns, strict=True)]


def _steps(table: Any) -> list[Step]:
    plain = (_values(table[name]) for name in ("action", "reward", "terminated", "truncated"))
    seen, info = _observations(table, "", "observation"), _loads(table["info"].to_pylist())
    return [Step(*row) for row in zip(seen, *plain, info, _tokens(table), strict=True)]


def _trajectories(episodes: Any, steps: Any) -> list[Trajectory]:
    own_steps = _steps(steps)
    if sum(_values(episodes["n_steps"])) != len(own_steps):
        raise ValueError(f"its {len(own_steps)} steps are not those of the episodes")
    names = ("id", "task", "n_steps", "collector", "parent_trajectory", "parent_step", "provenance")
    result, first = [], 0
    for final, id_, task, n_steps, collector, parent, parent_step, provenance in zip(
        _observations(episodes, "final_", "final_observation"),
        *(_values(episodes[name]) for name in names),
        strict=True,
    ):
        result.append(
            Trajectory(
                id_,
                task_from_json(orjson.loads(task)),
                tuple(own_steps[first : first + n_steps]),
                final,
                collector,
                None if parent is None else Parent(parent, parent_step),
                orjson.loads(provenance),
            )
        )
        first += n_steps
    return result

"""The table of a memory, its source of truth: SQLite in WAL mode, with a full-text index.

Every change of an item sets its `seq` to the next value of one counter, in the same transaction; a cache reads the rows
with a higher `seq` than it has seen. Rows are never deleted (an item
that is erased leaves an empty one), so their numbers run from 1 without gaps. The columns
`world` (a draft's environment) and the table `lived` (episodes that were added) keep the names of schema 1. Not here:
the meaning of a change (`admission`, `upkeep`) and search (`retrieval`).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np
import orjson

from ...errors import MemoryStoreError
from ...experience import Json
from ...store.manifest import not_finite
from ..items import Draft, Filter, Item, Kind, Source, Status
from . import schema
from .private import restrict

FIELDS: Final = (
    "num", "id", "kind", "status", "world", "key", "task", "success", "text", "data", "time", "last_seen", "importance",
    "confidence", "trajectory", "step", "version", "seen", "helpful", "harmful", "replaced_by", "user", "agent",
    "session", "expires",
)  # fmt: skip
COLUMNS: Final = ", ".join(FIELDS)
"""The columns that `item_of` reads, in order."""

Row = tuple[Any, ...]
Halves = np.ndarray[Any, np.dtype[np.float16]]


class Embedding(NamedTuple):
    """The vectors of a text."""

    whole: Halves
    """That of the whole text, as far as the embedder reads it; shape `[dimensions]`."""
    passages: Halves
    """Those of the passages of a long text, shape `[passages, dimensions]`; none for a short one."""


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """A change of an item after it was added."""

    item: str
    """The id of the item."""
    time: float
    """In seconds since 1970."""
    what: str
    """`reinforced`, `updated`, `superseded`, `merged`, `retired`, `forgotten`, `helpful`, `harmful`."""
    detail: Mapping[str, Json]
    """The old content, or the source of the change; plain JSON."""


class MemoryDatabase:
    """One connection to the table."""

    def __init__(self, path: Path, *, write: bool) -> None:
        """Open the file; a writer creates or migrates it.

        Raises:
            MemoryStoreError: it is missing, damaged, not a memory, of a newer schema, or cannot be opened.
        """
        self.path = path
        self._write = write
        if not write and not path.is_file():
            raise MemoryStoreError(f"There is no memory at {path.parent}: open it for writing to create it.")
        with self.explained_errors():
            self._connection = _connected(path, write)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    @contextlib.contextmanager
    def explained_errors(self) -> Iterator[None]:
        """Turn SQLite's errors into one sentence.

        Raises:
            MemoryStoreError: any `sqlite3.Error` of the block.
        """
        try:
            yield
        except sqlite3.DatabaseError as error:
            damaged = "malformed" in str(error) or "not a database" in str(error)
            advice = "restore it from a copy" if damaged else "check the disk, and that the memory is still open"
            raise MemoryStoreError(f"The memory's table {self.path} cannot be used ({error}): {advice}.") from error
        except UnicodeEncodeError as error:
            raise MemoryStoreError(f"A text cannot be stored, because it is not valid Unicode ({error}).") from error

    def run(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Cursor:
        """Run one statement; use it within `explained_errors`."""
        return self._connection.execute(sql, values)

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a query."""
        with self.explained_errors():
            return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        """Return the first row of a query, or None."""
        with self.explained_errors():
            return cast("Row | None", self._connection.execute(sql, values).fetchone())

    @contextlib.contextmanager
    def transaction(self) -> Iterator[int]:
        """Begin a transaction, yield the `seq` of its changes, and commit; an exception rolls it back."""
        with self.explained_errors():
            self.run("BEGIN IMMEDIATE")
            try:
                number = self.seq() + 1
                yield number
                self.run("UPDATE meta SET value = ? WHERE key = 'seq'", (number,))
                self.run("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self.run("ROLLBACK")
                raise

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[int]:
        """Read from one state of the table, and yield the `seq` of its last change."""
        with self.explained_errors():
            self.run("BEGIN")
            try:
                yield self.seq()
            finally:
                self.run("COMMIT")

    def seq(self) -> int:
        """Return the `seq` of the last change."""
        row = self.one("SELECT value FROM meta WHERE key = 'seq'")
        return 0 if row is None else int(row[0])

    def meta(self, key: str) -> Any:
        """Return a value recorded about the memory, or None."""
        row = self.one("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else row[0]

    def record(self, key: str, value: str | int) -> None:
        """Record a value about the memory, within a transaction."""
        self.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def items(self, ids: Sequence[str]) -> dict[str, Row]:
        """Return the rows of ids.

        Raises:
            MemoryStoreError: one of them is unknown.
        """
        found = {}
        for id_ in ids:
            row = self.one(f"SELECT {COLUMNS} FROM item WHERE id = ? AND status <> 'purged'", (id_,))
            if row is None:
                raise MemoryStoreError(f"There is no item {id_!r} in the memory {self.path.parent}.")
            found[id_] = row
        return found

    def numbered(self, numbers: Sequence[int]) -> list[Row]:
        """Return the rows of numbers, in no order."""
        marks = ",".join("?" * len(numbers))
        return self.all(f"SELECT {COLUMNS} FROM item WHERE num IN ({marks})", numbers)

    def fitting(self, numbers: Sequence[int], where: Filter) -> list[Row]:
        """Return the rows of numbers that pass a filter, in no order."""
        condition, values = clause(where)
        marks = ",".join("?" * len(numbers))
        return self.all(f"SELECT {COLUMNS} FROM item WHERE num IN ({marks}) AND {condition}", [*numbers, *values])

    def matching(self, where: Filter) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the numbers of all items that pass a filter, ascending."""
        condition, values = clause(where)
        return np.array(self.all(f"SELECT num FROM item WHERE {condition} ORDER BY num", values), np.int64).reshape(-1)

    def items_at(self, rows: Iterable[Row], as_of: float | None) -> list[Item]:
        """Return the items of rows; if a time is given, with the texts that they had then."""
        found = []
        for item in map(item_of, rows):
            later = "SELECT detail FROM event WHERE item = ? AND what = 'updated' AND time > ? ORDER BY num LIMIT 1"
            old = None if as_of is None else self.one(later, (item.id, as_of))
            before = {} if old is None else orjson.loads(old[0])
            fields = {name: before[name] for name in ("text", "data") if name in before}
            found.append(replace(item, draft=replace(item.draft, **fields)) if fields else item)
        return found

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many values; use it within `explained_errors`."""
        self._connection.executemany(sql, values)

    def halves(self, numbers: np.ndarray[Any, np.dtype[np.int64]], dimensions: int) -> Halves:
        """Return the vectors of numbers, in ascending order of them, shape `[numbers, dimensions]`."""
        marks = ",".join("?" * len(numbers))
        rows = self.all(f"SELECT emb FROM vector WHERE num IN ({marks}) ORDER BY num", numbers.tolist())
        return np.frombuffer(b"".join(row[0] for row in rows), np.float16).reshape(len(rows), dimensions)

    def texts(self, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> list[str]:
        """Return the texts of numbers, in ascending order of them."""
        marks = ",".join("?" * len(numbers))
        return [
            str(row[0])
            for row in self.all(f"SELECT text FROM item WHERE num IN ({marks}) ORDER BY num", numbers.tolist())
        ]

    def add_vectors(self, num: int, embedding: Embedding) -> None:
        """Store the vectors of a new item, within a transaction."""
        self.run("INSERT INTO vector VALUES (?,?)", (num, embedding.whole.tobytes()))
        for part, emb in enumerate(embedding.passages):
            self.run("INSERT INTO passage VALUES (?,?,?)", (num, part, emb.tobytes()))

    def put_vectors(self, num: int, embedding: Embedding) -> None:
        """Store the vectors of an item in place of its earlier ones, within a transaction."""
        self.run("DELETE FROM vector WHERE num = ?", (num,))
        self.run("DELETE FROM passage WHERE num = ?", (num,))
        self.add_vectors(num, embedding)

    def traits(self, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the fields that ranking may use, in ascending order of the numbers.

        The shape is `[4, numbers]`: time last seen, importance, count helpful, count harmful.
        """
        marks = ",".join("?" * len(numbers))
        sql = f"SELECT last_seen, importance, helpful, harmful FROM item WHERE num IN ({marks}) ORDER BY num"
        return np.array(self.all(sql, numbers.tolist()), np.float64).reshape(-1, 4).T

    def log(self, item: str, when: float, what: str, detail: Mapping[str, Json]) -> None:
        """Record an event of an item, within a transaction."""
        self.run("INSERT INTO event(item, time, what, detail) VALUES (?,?,?,?)", (item, when, what, plain(detail)))

    def problems(self) -> list[str]:
        """Check the whole table, and return the problems found, one sentence each."""
        found = [str(row[0]) for row in self.all("PRAGMA integrity_check") if row[0] != "ok"]
        try:
            if self._write:
                self.run("INSERT INTO lexicon(lexicon, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            found.append(f"the full-text index does not match the table ({error})")
        strays = self.one(
            "SELECT (SELECT count(*) FROM item), (SELECT count(*) FROM vector),"
            " (SELECT coalesce(max(num), 0) FROM item), (SELECT count(*) FROM item JOIN vector USING (num))"
        )
        if strays is None or len(set(strays)) != 1:
            found.append(f"items, vectors, numbers and pairs are {strays}, and should be equal")
        return found

    def tidy(self) -> bool:
        """Return unused space to the disk; return whether the log is empty too, which another reader may prevent."""
        with self.explained_errors():
            self.run("INSERT INTO lexicon(lexicon) VALUES ('rebuild')")
            self.run("INSERT INTO lexicon(lexicon) VALUES ('optimize')")
            self.run("VACUUM")
            return not self.run("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    def close(self) -> None:
        """Close the file; closing it twice is harmless."""
        self._connection.close()

    def _prepare(self) -> None:
        application = self._pragma("application_id")
        version = self._pragma("user_version")
        tables = {row[0] for row in self.run("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if version > schema.VERSION and application == schema.APPLICATION:
            raise MemoryStoreError(
                f"The memory {self.path.parent} has schema {version} and this pathei reads up to {schema.VERSION}: "
                "upgrade pathei."
            )
        if tables and application != schema.APPLICATION:
            raise MemoryStoreError(f"The file {self.path} is another program's database: choose another folder.")
        if version == schema.VERSION:
            return
        if not self._write:
            if version == 1:
                schema.read_as_current(self._connection)
                return
            raise MemoryStoreError(
                f"The memory {self.path.parent} has the old schema {version}: open it once for writing to migrate it."
            )
        self.run("BEGIN IMMEDIATE")
        try:
            if tables:
                schema.migrate(self._connection, version)
            else:
                schema.create(self._connection)
            self.run(f"PRAGMA application_id = {schema.APPLICATION}")
            self.run(f"PRAGMA user_version = {schema.VERSION}")
            self.run("COMMIT")
            restrict(self.path.parent)
        except BaseException:
            self.run("ROLLBACK")
            raise

    def _pragma(self, name: str) -> int:
        return int(self.run(f"PRAGMA {name}").fetchone()[0])


def item_of(row: Row) -> Item:
    """Return the item of a row of `COLUMNS`."""
    (
        _, id_, kind, status, world, key, task, success, text, data, when, last_seen, importance, confidence,
        trajectory, step, version, seen, helpful, harmful, replaced_by, user, agent, session, expires,
    ) = row  # fmt: skip
    draft = Draft(
        cast("Kind", kind), text, world, key, task, None if success is None else bool(success), orjson.loads(data),
        when, importance, confidence, Source(trajectory, step), user, agent, session, expires,
    )  # fmt: skip
    return Item(id_, draft, cast("Status", status), version, seen, helpful, harmful, last_seen, replaced_by)


def total(sizes: bytes) -> int:
    """Return the number of words of a row of the lexicon: FTS5 stores one varint per column, high bits first."""
    found = number = 0
    for byte in sizes:
        number = number << 7 | byte & 127
        if byte < 128:
            found, number = found + number, 0
    return found


def clause(where: Filter) -> tuple[str, list[Any]]:
    """Return a filter as an SQL condition on `item`, and its values."""
    if where.as_of is not None:
        parts = ["status NOT IN ('forgotten', 'purged') AND time <= ? AND (ended IS NULL OR ended > ?)"]
        values: list[Any] = [where.as_of] * 2
    else:
        parts, values = [f"status IN ({','.join('?' * len(where.statuses))})"], list(where.statuses)
    if where.as_of is not None or where.statuses == ("active",):
        parts.append("(expires IS NULL OR expires > ?)")
        values.append(time.time() if where.as_of is None else where.as_of)
    if where.kinds is not None:
        parts.append(f"kind IN ({','.join('?' * len(where.kinds))})")
        values += where.kinds
    rest: dict[str, Any] = {
        "world IN (?, '')": where.env,
        "user IN (?, '')": where.user,
        "agent IN (?, '')": where.agent,
        "session IN (?, '')": where.session,
        "success = ?": where.success,
        "task = ?": where.task,
        "last_seen >= ?": where.after,
        "last_seen < ?": where.before,
    }
    for condition, value in rest.items():
        if value is not None:
            parts.append(condition)
            values.append(value)
    for name, value in dict(where.data).items():
        parts.append("json_extract(data, ?) IS ?")
        values += ["$." + ".".join(f'"{part}"' for part in name.replace('"', "").split(".")), value]
    return " AND ".join(parts), values


def plain(value: Mapping[str, Json]) -> str:
    """Return plain JSON as text.

    Raises:
        MemoryStoreError: it is not plain JSON, or a number in it is not finite.
    """
    try:
        encoded = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    except TypeError as error:
        raise MemoryStoreError(f"The data of an item is not plain JSON: {error}.") from error
    if "null" in encoded and (number := not_finite(value)) is not None:
        raise MemoryStoreError(f"The data of an item holds {number}, and JSON has finite numbers only: leave it out.")
    return encoded


def _connected(path: Path, write: bool) -> sqlite3.Connection:
    # The memory holds a lock around every method, so SQLite's own check of the thread is not needed.
    if write:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite's other files take over the mode of this one
        found = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        found.execute("PRAGMA journal_mode = WAL")
        found.execute("PRAGMA synchronous = FULL")
    else:
        # On a read-only disk a WAL database can be opened only as immutable, which is safe as nobody writes to it.
        alone = not path.with_name(path.name + "-wal").exists() and not _writable(path.parent)
        uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
        found = sqlite3.connect(uri, timeout=30, isolation_level=None, check_same_thread=False, uri=True)
    found.execute("PRAGMA cache_size = -32000")
    return found


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)

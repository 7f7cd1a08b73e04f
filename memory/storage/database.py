"""The table of a memory, its source of truth: SQLite in WAL mode, with a full-text index.

Every change of an item sets its `seq` to the next value of one counter, in the same transaction; a cache reads the rows
with a higher `seq` than it has seen. Rows are never deleted, so their numbers run from 1 without gaps. The columns
`world` (a draft's environment) and the table `lived` (episodes that were added) keep the names of schema 1. Not here:
the meaning of a change (`admission`, `upkeep`) and search (`retrieval`).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import orjson

from ...errors import MemoryStoreError
from ...experience import Json
from ..items import Draft, Filter, Item, Kind, Source, Status

VERSION: Final = 1
"""The version of the schema below. Older ones are migrated when a writer opens them, newer ones are refused."""
_APPLICATION: Final = 0x70617468
TOKENS: Final = "porter unicode61"
"""The tokenizer, here and in `lexical`."""
_SCHEMA: Final = f"""
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('seq', 0);
CREATE TABLE item(
    num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, status TEXT NOT NULL, world TEXT NOT NULL,
    key TEXT NOT NULL, task TEXT NOT NULL, success INTEGER, text TEXT NOT NULL, data TEXT NOT NULL, time REAL NOT NULL,
    last_seen REAL NOT NULL, importance REAL NOT NULL, confidence REAL NOT NULL, trajectory TEXT NOT NULL, step INTEGER,
    version INTEGER NOT NULL, seen INTEGER NOT NULL, helpful INTEGER NOT NULL, harmful INTEGER NOT NULL,
    replaced_by TEXT, seq INTEGER NOT NULL, embedded INTEGER NOT NULL);
CREATE INDEX item_key ON item(kind, world, key) WHERE key <> '';
CREATE INDEX item_seq ON item(seq);
CREATE INDEX item_replaced ON item(replaced_by) WHERE replaced_by IS NOT NULL;
CREATE TABLE vector(num INTEGER PRIMARY KEY, emb BLOB NOT NULL);
CREATE TABLE lived(trajectory TEXT PRIMARY KEY, ids TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE event(num INTEGER PRIMARY KEY, item TEXT NOT NULL, time REAL NOT NULL, what TEXT NOT NULL,
    detail TEXT NOT NULL);
CREATE INDEX event_item ON event(item);
CREATE VIRTUAL TABLE lexicon USING fts5(text, task, content='item', content_rowid='num', tokenize='{TOKENS}');
CREATE VIRTUAL TABLE term USING fts5vocab('lexicon', 'row');
CREATE TRIGGER item_insert AFTER INSERT ON item BEGIN
    INSERT INTO lexicon(rowid, text, task) VALUES (new.num, new.text, new.task);
END;
CREATE TRIGGER item_reword AFTER UPDATE OF text, task ON item BEGIN
    INSERT INTO lexicon(lexicon, rowid, text, task) VALUES ('delete', old.num, old.text, old.task);
    INSERT INTO lexicon(rowid, text, task) VALUES (new.num, new.text, new.task);
END;
"""
FIELDS: Final = (
    "num", "id", "kind", "status", "world", "key", "task", "success", "text", "data", "time", "last_seen", "importance",
    "confidence", "trajectory", "step", "version", "seen", "helpful", "harmful", "replaced_by",
)  # fmt: skip
COLUMNS: Final = ", ".join(FIELDS)
"""The columns that `item_of` reads, in order."""

Row = tuple[Any, ...]
Halves = np.ndarray[Any, np.dtype[np.float16]]


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
            row = self.one(f"SELECT {COLUMNS} FROM item WHERE id = ?", (id_,))
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

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many values; use it within `explained_errors`."""
        self._connection.executemany(sql, values)

    def vectors(self, numbers: Sequence[int], dimensions: int) -> dict[int, Halves]:
        """Return the vectors of numbers, each of shape `[dimensions]`."""
        marks = ",".join("?" * len(numbers))
        rows = self.all(f"SELECT num, emb FROM vector WHERE num IN ({marks})", numbers)
        return {num: np.frombuffer(emb, np.float16, dimensions) for num, emb in rows}

    def halves(self, numbers: np.ndarray[Any, np.dtype[np.int64]], dimensions: int) -> Halves:
        """Return the vectors of numbers, in ascending order of them, shape `[numbers, dimensions]`."""
        marks = ",".join("?" * len(numbers))
        rows = self.all(f"SELECT emb FROM vector WHERE num IN ({marks}) ORDER BY num", numbers.tolist())
        return np.frombuffer(b"".join(row[0] for row in rows), np.float16).reshape(len(rows), dimensions)

    def traits(self, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the fields that ranking may use, in ascending order of the numbers.

        The shape is `[4, numbers]`: time last seen, importance, count helpful, count harmful.
        """
        marks = ",".join("?" * len(numbers))
        sql = f"SELECT last_seen, importance, helpful, harmful FROM item WHERE num IN ({marks}) ORDER BY num"
        return np.array(self.all(sql, numbers.tolist()), np.float64).reshape(-1, 4).T

    def log(self, item: str, time: float, what: str, detail: Mapping[str, Json]) -> None:
        """Record an event of an item, within a transaction."""
        self.run("INSERT INTO event(item, time, what, detail) VALUES (?,?,?,?)", (item, time, what, plain(detail)))

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

    def tidy(self) -> None:
        """Return unused space to the disk."""
        with self.explained_errors():
            self.run("INSERT INTO lexicon(lexicon) VALUES ('rebuild')")
            self.run("INSERT INTO lexicon(lexicon) VALUES ('optimize')")
            self.run("VACUUM")
            self.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; closing it twice is harmless."""
        self._connection.close()

    def _prepare(self) -> None:
        application = self._pragma("application_id")
        version = self._pragma("user_version")
        tables = {row[0] for row in self.run("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if version > VERSION and application == _APPLICATION:
            raise MemoryStoreError(
                f"The memory {self.path.parent} has schema {version} and this pathei reads up to {VERSION}: "
                "upgrade pathei."
            )
        if tables and application != _APPLICATION:
            raise MemoryStoreError(f"The file {self.path} is another program's database: choose another folder.")
        if version == VERSION:
            return
        if not self._write:
            raise MemoryStoreError(
                f"The memory {self.path.parent} has the old schema {version}: open it once for writing to migrate it."
            )
        self.run("BEGIN IMMEDIATE")
        try:
            if tables:
                self.run("ALTER TABLE item RENAME TO old")
            for statement in _statements(_SCHEMA):
                self.run(statement)
            if tables:
                _from_version_0(self)
            self.run(f"PRAGMA application_id = {_APPLICATION}")
            self.run(f"PRAGMA user_version = {VERSION}")
            self.run("COMMIT")
        except BaseException:
            self.run("ROLLBACK")
            raise

    def _pragma(self, name: str) -> int:
        return int(self.run(f"PRAGMA {name}").fetchone()[0])


def item_of(row: Row) -> Item:
    """Return the item of a row of `COLUMNS`."""
    (
        _, id_, kind, status, world, key, task, success, text, data, time, last_seen, importance, confidence,
        trajectory, step, version, seen, helpful, harmful, replaced_by,
    ) = row  # fmt: skip
    draft = Draft(
        cast("Kind", kind), text, world, key, task, None if success is None else bool(success), orjson.loads(data),
        time, importance, confidence, Source(trajectory, step),
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
    parts, values = [f"status IN ({','.join('?' * len(where.statuses))})"], list[Any](where.statuses)
    if where.kinds is not None:
        parts.append(f"kind IN ({','.join('?' * len(where.kinds))})")
        values += where.kinds
    if where.env is not None:
        parts.append("world IN (?, '')")
        values.append(where.env)
    if where.success is not None:
        parts.append("success = ?")
        values.append(int(where.success))
    rest = {"task = ?": where.task, "last_seen >= ?": where.after, "last_seen < ?": where.before}
    for condition, value in rest.items():
        if value is not None:
            parts.append(condition)
            values.append(value)
    return " AND ".join(parts), values


def plain(value: Mapping[str, Json]) -> str:
    """Return plain JSON as text.

    Raises:
        MemoryStoreError: it is not plain JSON.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    except TypeError as error:
        raise MemoryStoreError(f"The data of an item is not plain JSON: {error}.") from error


def _connected(path: Path, write: bool) -> sqlite3.Connection:
    # The memory holds a lock around every method, so SQLite's own check of the thread is not needed.
    if write:
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


def _statements(script: str) -> Iterable[str]:
    """Split a script into statements: `executescript` would commit the transaction."""
    lines: list[str] = []
    for line in script.strip().splitlines():
        lines.append(line)
        if sqlite3.complete_statement("\n".join(lines)):
            yield "\n".join(lines)
            lines = []


def _from_version_0(database: MemoryDatabase) -> None:
    """Migrate the single table of the prototype.

    It was `item(id, kind, env, task, success, ts, text, extra, emb, seq, deleted)`, with the vector in the row.
    """
    database.run(
        "INSERT INTO item SELECT row_number() OVER (ORDER BY rowid), id, kind,"
        " CASE deleted WHEN 0 THEN 'active' ELSE 'forgotten' END, env, '', task, success, text, extra, ts, ts, 0.5,"
        " 1.0, '', NULL, 1, 1, 0, 0, NULL, 1, 1 FROM old ORDER BY rowid"
    )
    database.run("INSERT INTO vector SELECT row_number() OVER (ORDER BY rowid), emb FROM old ORDER BY rowid")
    database.run("INSERT OR IGNORE INTO meta SELECT key, value FROM about")
    database.run("UPDATE meta SET value = 1 WHERE key = 'seq'")
    database.run("DROP TABLE about")
    database.run("DROP TABLE old")

"""The schema of a memory's table, and how tables of earlier versions are migrated to it.

A reader cannot migrate: it reads a table of schema 1 through a view that adds the missing columns. Not here: the
meaning of columns (`database`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from ..sameness import said

VERSION: Final = 2
"""Older tables are migrated when a writer opens them, newer ones are refused."""
APPLICATION: Final = 0x70617468
TOKENS: Final = "porter unicode61"
"""The tokenizer, here and in `lexical`."""
_ADDED: Final = {
    "user": "TEXT NOT NULL DEFAULT ''",
    "agent": "TEXT NOT NULL DEFAULT ''",
    "session": "TEXT NOT NULL DEFAULT ''",
    "expires": "REAL",
    "ended": "REAL",
    "said": "INTEGER NOT NULL DEFAULT 0",
}
"""The columns of schema 2; `ended` is when an item stopped being active, `said` the hash by which texts are equal."""
_PASSAGES: Final = """
CREATE TABLE passage(num INTEGER NOT NULL, part INTEGER NOT NULL, emb BLOB NOT NULL, PRIMARY KEY(num, part));
CREATE INDEX item_said ON item(said) WHERE key = '';
"""
_SCHEMA: Final = f"""
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('seq', 0);
CREATE TABLE item(
    num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, status TEXT NOT NULL, world TEXT NOT NULL,
    key TEXT NOT NULL, task TEXT NOT NULL, success INTEGER, text TEXT NOT NULL, data TEXT NOT NULL, time REAL NOT NULL,
    last_seen REAL NOT NULL, importance REAL NOT NULL, confidence REAL NOT NULL, trajectory TEXT NOT NULL, step INTEGER,
    version INTEGER NOT NULL, seen INTEGER NOT NULL, helpful INTEGER NOT NULL, harmful INTEGER NOT NULL,
    replaced_by TEXT, seq INTEGER NOT NULL, embedded INTEGER NOT NULL,
    {", ".join(f"{name} {kind}" for name, kind in _ADDED.items())});
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
{_PASSAGES}"""


def create(connection: sqlite3.Connection) -> None:
    """Create the tables, within a transaction."""
    _run(connection, _SCHEMA)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables of an earlier version to this one, within a transaction."""
    if version == 0:
        _from_version_0(connection)
    else:
        for name, kind in _ADDED.items():
            connection.execute(f"ALTER TABLE item ADD COLUMN {name} {kind}")
        _run(connection, _PASSAGES)
        connection.execute(
            "UPDATE item SET ended = (SELECT max(time) FROM event WHERE event.item = item.id"
            " AND what IN ('superseded', 'merged', 'retired', 'forgotten')) WHERE status <> 'active'"
        )
        connection.execute("UPDATE item SET ended = last_seen WHERE status <> 'active' AND ended IS NULL")
    rows = connection.execute("SELECT num, text FROM item WHERE key = ''").fetchall()
    connection.executemany("UPDATE item SET said = ? WHERE num = ?", ((said(text), num) for num, text in rows))


def read_as_current(connection: sqlite3.Connection) -> None:
    """Let a reader see the tables of schema 1 as current ones: temporary names hide those of the file."""
    values = ", ".join(
        f"{'NULL' if kind == 'REAL' else repr('') if 'TEXT' in kind else 0} AS {name}" for name, kind in _ADDED.items()
    )
    connection.execute(f"CREATE TEMP VIEW item AS SELECT *, {values} FROM main.item")
    connection.execute("CREATE TEMP TABLE passage(num INTEGER, part INTEGER, emb BLOB)")


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Run the statements of a script: `executescript` would commit the transaction."""
    for statement in _statements(script):
        connection.execute(statement)


def _statements(script: str) -> Iterator[str]:
    lines: list[str] = []
    for line in script.strip().splitlines():
        lines.append(line)
        if sqlite3.complete_statement("\n".join(lines)):
            yield "\n".join(lines)
            lines = []


def _from_version_0(connection: sqlite3.Connection) -> None:
    """Migrate the single table of the prototype.

    It was `item(id, kind, env, task, success, ts, text, extra, emb, seq, deleted)`, with the vector in the row.
    """
    connection.execute("ALTER TABLE item RENAME TO old")
    create(connection)
    connection.execute(
        "INSERT INTO item SELECT row_number() OVER (ORDER BY rowid), id, kind,"
        " CASE deleted WHEN 0 THEN 'active' ELSE 'forgotten' END, env, '', task, success, text, extra, ts, ts, 0.5,"
        " 1.0, '', NULL, 1, 1, 0, 0, NULL, 1, 1, '', '', '', NULL, CASE deleted WHEN 0 THEN NULL ELSE ts END, 0"
        " FROM old ORDER BY rowid"
    )
    connection.execute("INSERT INTO vector SELECT row_number() OVER (ORDER BY rowid), emb FROM old ORDER BY rowid")
    connection.execute("INSERT OR IGNORE INTO meta SELECT key, value FROM about")
    connection.execute("UPDATE meta SET value = 1 WHERE key = 'seq'")
    connection.execute("DROP TABLE about")
    connection.execute("DROP TABLE old")

"""What one process holds in memory of a table: columns and vectors, brought up to date by the numbers of changes.

A published index is the beginning; whatever changed after it is read from the table. Writers and readers do the same.
Left out: what is in the table, and how an index file looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from . import index_files
from .columns import STATUSES, Columns, hashed, outcome, signs_of
from .database import Database
from .items import KINDS
from .vectors import GRAPH_FROM, Floats, Vectors, build

_CHUNK: Final = 20_000
_KIND: Final = {name: number for number, name in enumerate(KINDS)}
_STATUS: Final = {name: number for number, name in enumerate(STATUSES)}
_CHANGED: Final = (
    "SELECT num, kind, status, success, key <> '', world, task, last_seen, CASE WHEN embedded > ? THEN emb END"
    " FROM item JOIN vector USING (num) WHERE item.seq > ?"
)
_UNPUBLISHED: Final = 10_000
"""So many vectors may be without an index."""
_CHANGED_PART: Final = 0.2
"""So great a part of an index may be out of date."""


class View:
    """The arrays, and up to which change they hold."""

    def __init__(self, folder: Path, database: Database, embedder: str, dimensions: int) -> None:
        """Begin with the published index, if it can be used."""
        self._folder, self._database = folder, database
        self._embedder, self._dimensions = embedder, dimensions
        self._uuid = str(database.meta("uuid"))
        self.trouble = ""
        """Why the published index was not used, in words; empty if it was, or if there is none."""
        self.vectors, self.columns, self.seq = Vectors(dimensions), Columns(), 0
        self._load()

    def sync(self) -> None:
        """Read what changed since the last time."""
        with self._database.snapshot() as seq:
            if seq == self.seq:
                return
            cursor = self._database.run(_CHANGED, (self.seq, self.seq))
            while rows := cursor.fetchmany(_CHUNK):
                self._apply(rows)
            self.seq = seq

    @property
    def is_due(self) -> bool:
        """Whether a new index is worth its while: too much is out of date, or has none."""
        changed = self.vectors.delta_rows + self.vectors.stale_rows
        return changed > max(_UNPUBLISHED, _CHANGED_PART * self.vectors.base_rows)

    @property
    def next_is_graph(self) -> bool:
        """Whether the next index takes long to make."""
        return self.columns.rows >= GRAPH_FROM

    def publish(self) -> None:
        """Make a new index of everything, publish it, and use it."""
        self.sync()
        if self.columns.rows == 0:
            index_files.remove(self._folder)
            return
        base = build(self._dimensions, self.columns.rows, self._chunks())
        index_files.save(self._folder, self._uuid, self._embedder, self.seq, base, self.columns)
        del base
        self._load()
        self.sync()

    def _load(self) -> None:
        found = index_files.load(self._folder, self._uuid, self._embedder, self._dimensions, self._database.seq())
        if isinstance(found, str):
            self.trouble = found
            self.vectors, self.columns, self.seq = Vectors(self._dimensions), Columns(), 0
        else:
            self.trouble = ""
            header, self.vectors, self.columns = found
            self.seq = header.seq

    def _apply(self, rows: Sequence[Any]) -> None:
        num, kind, status, success, keyed, world, task, seen, blobs = zip(*rows, strict=True)
        places = np.array(num, np.int64) - 1
        codes = {text: hashed(text) for text in {*world, *task}}
        values: dict[str, Any] = {
            "kind": [_KIND[one] for one in kind],
            "status": [_STATUS[one] for one in status],
            "success": [outcome(one) for one in success],
            "keyed": keyed,
            "world": [codes[one] for one in world],
            "task": [codes[one] for one in task],
            "seen": seen,
        }
        self.columns.put(places, values)
        new = [row for row, blob in enumerate(blobs) if blob is not None]
        if new:
            vectors = np.frombuffer(b"".join(blobs[row] for row in new), np.float16).reshape(len(new), -1)
            signs = signs_of(vectors)
            self.columns.put(places[new], {"signs": signs[:, 0], "signs_2": signs[:, 1]})
            self.vectors.put(places[new], vectors)

    def _chunks(self) -> Iterator[Floats]:
        cursor = self._database.run("SELECT emb FROM vector ORDER BY num")
        while rows := cursor.fetchmany(_CHUNK):
            halves = np.frombuffer(b"".join(row[0] for row in rows), np.float16)
            yield halves.reshape(len(rows), self._dimensions).astype(np.float32)


__all__ = ["View"]

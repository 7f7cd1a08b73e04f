"""The columns and vectors of a memory in one process, kept up to date by the numbers of changes.

They start from the published index; later changes are read from the table, by writers and readers alike. Not here: the
table and the format of index files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..items import KINDS, STATUSES
from . import index_files
from .columns import ItemColumns, hashed, outcome
from .database import MemoryDatabase, total
from .passages import Passages
from .vectors import GRAPH_FROM, Floats, Vectors, build

_CHUNK: Final = 20_000
_KIND: Final = {name: number for number, name in enumerate(KINDS)}
_STATUS: Final = {name: number for number, name in enumerate((*STATUSES, "purged"))}
_CHANGED: Final = (
    "SELECT num, kind, status, success, world, task, last_seen, user, agent, session, expires,"
    " CASE WHEN embedded > ? THEN emb END, sz"
    " FROM item JOIN vector USING (num) JOIN lexicon_docsize ON lexicon_docsize.id = num WHERE item.seq > ?"
)
_LONGEST: Final = 65_535
_UNPUBLISHED: Final = 4_000
"""The number of vectors that may be missing from an exact index: scanning them takes a quarter of a millisecond."""
_GROWS_BY: Final = 10_000
"""The number of vectors that may be missing from a graph, which is rewritten completely when it grows."""
_CHANGED_PART: Final = 0.2
"""The part of an exact index that may be out of date."""
_STALE_PART: Final = 0.05
"""The part of a graph that may hold replaced vectors, which cannot be removed from it."""


class IndexView:
    """The arrays, and the last change that they include."""

    def __init__(
        self, folder: Path, database: MemoryDatabase, embedder: str, dimensions: int, graph_from: int = GRAPH_FROM
    ) -> None:
        """Load the published index if it can be used; `publish` builds a graph from `graph_from` items on."""
        self._folder, self._database, self._graph_from = folder, database, graph_from
        self._embedder, self._dimensions = embedder, dimensions
        self._uuid = str(database.meta("uuid"))
        self._looked_at = 0
        self.trouble = ""
        """Why the published index was not used; empty if it was, or if there is none."""
        self.vectors, self.columns, self.passages, self.seq = (
            Vectors(dimensions),
            ItemColumns(),
            Passages(dimensions),
            0,
        )
        self._passages_at = 0
        self._load()

    def sync(self) -> None:
        """Read the changes since the last call; if there are many, from an index that was published meanwhile."""
        self._catch_up()
        if self.is_due and self._published() > self._looked_at:
            self._load()
            self._catch_up()

    def _catch_up(self) -> None:
        if self._database.seq() == self.seq == self._passages_at:
            return
        with self._database.snapshot() as seq:
            self._read_passages(seq)
            cursor = self._database.run(_CHANGED, (self.seq, self.seq))
            while rows := cursor.fetchmany(_CHUNK):
                self._apply(rows)
            self.seq = seq

    @property
    def is_due(self) -> bool:
        """Whether to build a new index: too many vectors are out of date, or missing from it."""
        vectors = self.vectors
        if vectors.is_graph:
            return vectors.delta_rows - vectors.stale_rows > _GROWS_BY or vectors.stale_rows > self._bearable
        changed = vectors.delta_rows + vectors.stale_rows
        return changed > max(_UNPUBLISHED, _CHANGED_PART * vectors.base_rows)

    @property
    def _bearable(self) -> float:
        """The number of vectors of a graph that may be replaced before it is rebuilt."""
        return max(_GROWS_BY, _STALE_PART * self.vectors.base_rows)

    def publish(self, *, neat: bool) -> None:
        """Build a new index of everything, publish it, and use it.

        Args:
            neat: Whether to spend minutes where that helps: to build the first graph, or to rebuild one that holds
                replaced vectors. Otherwise a graph grows by the new vectors while it holds few replaced ones, and an
                exact index stays exact.
        """
        self.sync()
        rows, vectors = self.columns.rows, self.vectors
        if rows == 0:
            index_files.remove(self._folder)
            return
        graph = vectors.is_graph or (neat and rows >= self._graph_from)
        grows = vectors.is_graph and vectors.stale_rows <= (0 if neat else self._bearable)
        if grows and rows <= 2 * vectors.base_rows:
            chunks, known, stale = self._chunks(vectors.base_rows), index_files.reread(self._folder), vectors.stale
        else:
            chunks, known, stale = self._chunks(0), None, np.zeros(0, np.int64)
        base = build(self._dimensions, rows, chunks, graph=graph, base=known)
        header = index_files.new_header(self._uuid, self._embedder, self._dimensions, self.seq)
        index_files.save(self._folder, header, base, self.columns, stale)
        del base, known
        self._load()
        self.sync()

    def _published(self) -> int:
        """Return the last change in the published index; 0 if there is none."""
        header = index_files.header_of(self._folder)
        return 0 if header is None else header.seq

    def _load(self) -> None:
        self._looked_at = self._published()
        found = index_files.load(self._folder, self._uuid, self._embedder, self._dimensions, self._database.seq)
        if isinstance(found, str):
            self.trouble = found
            self.vectors, self.columns, self.seq = Vectors(self._dimensions), ItemColumns(), 0
        else:
            self.trouble = ""
            self.vectors, self.columns = Vectors(self._dimensions, found.base), found.columns
            self.seq = self._looked_at = found.header.seq
            for start in range(0, len(found.stale), _CHUNK):
                places = found.stale[start : start + _CHUNK]
                self.vectors.put(places, self._database.halves(places + 1, self._dimensions))

    def _apply(self, rows: Sequence[Any]) -> None:
        num, kind, status, success, world, task, seen, user, agent, session, expires, blobs, sizes = zip(
            *rows, strict=True
        )
        places = np.array(num, np.int64) - 1
        codes = {text: hashed(text) for text in {*world, *task, *user, *agent, *session}}
        values: dict[str, Any] = {
            "kind": [_KIND[one] for one in kind],
            "status": [_STATUS[one] for one in status],
            "success": [outcome(one) for one in success],
            "user": [codes[one] for one in user],
            "agent": [codes[one] for one in agent],
            "session": [codes[one] for one in session],
            "expires": [np.inf if one is None else one for one in expires],
            "world": [codes[one] for one in world],
            "task": [codes[one] for one in task],
            "seen": seen,
            "length": [min(_LONGEST, total(one)) for one in sizes],
        }
        self.columns.put(places, values)
        new = [row for row, blob in enumerate(blobs) if blob is not None]
        if new:
            vectors = np.frombuffer(b"".join(blobs[row] for row in new), np.float16).reshape(len(new), -1)
            self.vectors.put(places[new], vectors)

    def _read_passages(self, seq: int) -> None:
        """Read the passages of texts that are new; a published index holds none, so at first all are read."""
        since, self._passages_at = self._passages_at, seq
        if self.passages.are_none and self._database.one("SELECT 1 FROM passage LIMIT 1") is None:
            return
        found = defaultdict[int, list[bytes]](list)
        if since:
            rows = self._database.all("SELECT num FROM item WHERE seq > ? AND embedded > ?", (since, since))
            sql = "SELECT emb FROM passage WHERE num = ? ORDER BY part"
            parts = ((num, emb) for (num,) in rows for (emb,) in self._database.run(sql, (num,)))
        else:
            rows = []
            parts = ((num, emb) for num, emb in self._database.run("SELECT num, emb FROM passage ORDER BY num, part"))
        for num, emb in parts:
            found[num - 1].append(emb)
        self.passages.put({*found, *(num - 1 for (num,) in rows)}, found)

    def _chunks(self, known: int) -> Iterator[Floats]:
        cursor = self._database.run("SELECT emb FROM vector WHERE num > ? ORDER BY num", (known,))
        while rows := cursor.fetchmany(_CHUNK):
            halves = np.frombuffer(b"".join(row[0] for row in rows), np.float16)
            yield halves.reshape(len(rows), self._dimensions).astype(np.float32)

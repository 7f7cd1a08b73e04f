"""Finding items by their words: BM25 (Robertson and Zaragoza 2009) over the postings of SQLite's FTS5.

FTS5 stores the postings, in the same transaction as the items, but its own `bm25()` looks up each row's length in the
table, which takes two microseconds per row. Here the postings of a word are read as one string and the lengths are in
memory, which takes a tenth of that. Common words are slow and carry little information, so words are used from the
rarest on, up to a limit on the number of rows. Not here: phrases and operators.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Final

import numpy as np

from ..storage.columns import ItemColumns, Mask, Places
from ..storage.database import MemoryDatabase
from ..storage.schema import TOKENS

Scores = np.ndarray[Any, np.dtype[np.float64]]

_MOST_WORDS: Final = 32
_MOST_ROWS: Final = 10_000
"""The number of rows that are scored for one query; twice as many if its rarest word alone occurs in more."""
_EVERYWHERE: Final = 0.2
"""A word in more than this part of the items is skipped, unless its rows are few."""
_FEW: Final = 200
_KNOWN: Final = 50_000
_K1: Final = 1.2
_B: Final = 0.75
_RARITY: Final = 1e-6
"""The idf of a word in more than half of the items. This and the two above are FTS5's, so the scores are equal."""


class LexicalIndex:
    """Answers queries by words."""

    def __init__(self, database: MemoryDatabase) -> None:
        """Use the full-text index of a table."""
        self._database = database
        with database.explained_errors():
            database.run("CREATE VIRTUAL TABLE temp.posting USING fts5vocab(main, lexicon, instance)")
        self._cutter = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._cutter.execute(f"CREATE VIRTUAL TABLE cut USING fts5(text, tokenize='{TOKENS}')")
        self._cutter.execute("CREATE VIRTUAL TABLE part USING fts5vocab('cut', 'instance')")
        self._counts: dict[str, int] = {}
        self._counted_at = 0

    def search(self, text: str, k: int, columns: ItemColumns, mask: Mask | None) -> tuple[Places, Scores]:
        """Return at most `k` of the best places and their scores; higher is better.

        Args:
            text: The query.
            k: The maximum number of places.
            columns: The columns of the items.
            mask: Which places may be found, shape `[items]`; None for all.
        """
        postings = [self._postings(stem) for stem in self._chosen(text, columns.rows)]
        if not postings:
            return np.zeros(0, np.int64), np.zeros(0)
        every = np.concatenate(postings)
        stems = np.repeat(np.arange(len(postings)), [len(one) for one in postings])
        # The table may be newer than the arrays.
        known = every < columns.rows if mask is None else _within(every, mask)
        first = np.flatnonzero(np.diff(every, prepend=-1) | np.diff(stems, prepend=-1))
        times = np.diff(first, append=len(every))
        holding = np.bincount(stems[first])
        others = np.maximum(columns.rows - holding, 0)
        rarity = np.log((others + 0.5) / (holding + 0.5)).clip(min=_RARITY)
        first, times = first[known[first]], times[known[first]]
        places = every[first]
        longer = columns.lengths[places] / columns.mean_length
        parts = rarity[stems[first]] * times * (_K1 + 1) / (times + _K1 * (1 - _B + _B * longer))
        places, row = np.unique(places, return_inverse=True)
        scores: Scores = np.asarray(np.bincount(row, parts, len(places)), np.float64)
        if len(places) > k:
            best = np.argpartition(-scores, k - 1)[:k]
            places, scores = places[best], scores[best]
        return places, scores

    def _postings(self, stem: str) -> Places:
        """Return the places where a stem occurs, each repeated as often as it occurs there."""
        row = self._database.one("SELECT group_concat(doc) FROM posting WHERE term = ?", (stem,))
        return np.fromstring("" if row is None or row[0] is None else row[0], np.int64, sep=",") - 1

    def _chosen(self, text: str, rows: int) -> list[str]:
        """Return the stems to search for, rarest first."""
        if not 0.5 * self._counted_at <= rows <= 1.5 * self._counted_at:
            self._counts, self._counted_at = {}, rows
        counted = sorted((count, stem) for stem in self._cut(text) if (count := self._count(stem)))
        chosen: list[str] = []
        total = 0
        for count, stem in counted:
            total += count
            if total > (_MOST_ROWS if chosen else 2 * _MOST_ROWS):
                break
            if count > _FEW and count > _EVERYWHERE * rows and chosen:
                break
            chosen.append(stem)
        return chosen

    def _cut(self, text: str) -> list[str]:
        """Return the stems of the first words, as FTS5 tokenizes them."""
        self._cutter.execute("BEGIN")
        try:
            # A lone surrogate cannot be bound to a parameter, and is not part of a word.
            self._cutter.execute("INSERT INTO cut VALUES (?)", (text.encode(errors="replace").decode(),))
            sql = "SELECT term FROM part GROUP BY term ORDER BY min(offset) LIMIT ?"
            return [str(row[0]) for row in self._cutter.execute(sql, (_MOST_WORDS,))]
        finally:
            self._cutter.execute("ROLLBACK")

    def _count(self, stem: str) -> int:
        """Return the number of items with a stem, which may be slightly out of date."""
        known = self._counts.get(stem)
        if known is None:
            row = self._database.one("SELECT doc FROM term WHERE term = ?", (stem,))
            known = 0 if row is None else int(row[0])
            if known and len(self._counts) < _KNOWN:
                self._counts[stem] = known
        return known

    def close(self) -> None:
        """Free resources; closing it twice is harmless."""
        self._cutter.close()


def _within(places: Places, mask: Mask) -> Mask:
    found = places < len(mask)
    found[found] = mask[places[found]]
    return found

"""Finding items by their words: BM25 over SQLite's FTS5, without the words that are almost everywhere.

FTS5 scores every row that holds any of the words, so a common one makes a question slow and tells little: words are
taken from the rarest on, as long as the rows they stand in are few enough. Left out: phrases, operators, other indexes.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any, Final

import numpy as np

from .columns import Mask, Places
from .database import Database

_WORD: Final = re.compile(r"\w+")
_MOST_WORDS: Final = 32
_MOST_ROWS: Final = 6_000
"""So many rows are scored for one question; twice as many if its rarest word alone stands in so many."""
_EVERYWHERE: Final = 0.2
"""A word in more than this part of the items is left out, unless the rows are few."""
_FEW: Final = 200
_KNOWN: Final = 50_000


class Words:
    """Answers questions by words."""

    def __init__(self, database: Database) -> None:
        """Use the words of a table."""
        self._database = database
        self._cutter = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._cutter.execute("CREATE VIRTUAL TABLE cut USING fts5(text, tokenize='porter unicode61')")
        self._cutter.execute("CREATE VIRTUAL TABLE part USING fts5vocab('cut', 'instance')")
        self._stems: dict[str, tuple[str, ...]] = {}
        self._counts: dict[str, int] = {}
        self._counted_at = 0

    def search(self, text: str, k: int, rows: int, mask: Mask | None) -> tuple[Places, np.ndarray[Any, Any]]:
        """Return the at most `k` best places and their scores, higher for better.

        Args:
            text: The question.
            k: How many are wanted.
            rows: How many items there are.
            mask: Which places may be found, shape `[items]`; None for all.
        """
        words = self._chosen(text, rows)
        none = np.zeros(0, np.int64), np.zeros(0)
        if not words:
            return none
        asked = " OR ".join(f'"{word}"' for word in words)
        found = self._database.all("SELECT rowid, bm25(lexicon) FROM lexicon WHERE lexicon MATCH ?", (asked,))
        if not found:
            return none
        places = np.array([row[0] for row in found], np.int64) - 1
        scores = -np.array([row[1] for row in found])
        known = places < rows
        if mask is not None:
            known[known] = mask[places[known]]
        places, scores = places[known], scores[known]
        if len(places) > k:
            best = np.argpartition(-scores, k - 1)[:k]
            places, scores = places[best], scores[best]
        return places, scores

    def _chosen(self, text: str, rows: int) -> list[str]:
        """Return the words to ask for, the rarest first."""
        if not 0.5 * self._counted_at <= rows <= 1.5 * self._counted_at:
            self._counts, self._counted_at = {}, rows
        words = list(dict.fromkeys(_WORD.findall(text.lower())))[:_MOST_WORDS]
        counted = sorted((count, word) for word in words if (count := self._count(word)))
        chosen: list[str] = []
        total = 0
        for count, word in counted:
            total += count
            if total > (_MOST_ROWS if chosen else 2 * _MOST_ROWS):
                break
            if count > _FEW and count > _EVERYWHERE * rows and chosen:
                break
            chosen.append(word)
        return chosen

    def _count(self, word: str) -> int:
        """Return in how many items a word's stems stand, which may be a little out of date."""
        if word not in self._stems:
            if len(self._stems) >= _KNOWN:
                self._stems.clear()
            self._cutter.execute("DELETE FROM cut")
            self._cutter.execute("INSERT INTO cut VALUES (?)", (word,))
            self._stems[word] = tuple(row[0] for row in self._cutter.execute("SELECT DISTINCT term FROM part"))
        return min((self._stem_count(stem) for stem in self._stems[word]), default=0)

    def _stem_count(self, stem: str) -> int:
        known = self._counts.get(stem)
        if known is None:
            row = self._database.one("SELECT doc FROM term WHERE term = ?", (stem,))
            known = 0 if row is None else int(row[0])
            if known and len(self._counts) < _KNOWN:
                self._counts[stem] = known
        return known

    def close(self) -> None:
        """Free what it holds; harmless when that is done."""
        self._cutter.close()


__all__ = ["Words"]

"""How a question is answered: candidates by meaning and by words, weighed, and only the best of them read as items.

Candidates are weighed by what is in memory; the table has the last word, because an array may be a moment behind it and
knows worlds and tasks by their hashes only. Left out: how the two searches work (`vectors`, `lexical`), and what counts
(`retrieval`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..items import Filter, Hit
from ..storage.columns import Places
from ..storage.database import MemoryDatabase, item_of
from ..storage.vectors import Floats
from ..storage.view import IndexView
from .lexical import LexicalIndex
from .ranking import Candidates, Numbers, RankingConfig, Traits, weigh


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """What is asked."""

    text: str
    vector: Floats | None
    """Of the text, shape `[dimensions]`; None if its meaning does not count, or is nothing to the embedder."""
    k: int
    """How many items are wanted."""
    where: Filter
    ranking: RankingConfig
    embedder: str
    """The name of the one that made the vector."""


def answer(question: RetrievalQuery, database: MemoryDatabase, view: IndexView, words: LexicalIndex) -> list[Hit]:
    """Return the at most `k` items that answer best, the best first.

    Args:
        question: What is asked.
        database: The table.
        view: Its arrays, brought up to date.
        words: Its words.
    """
    candidates = _candidates(question, database, view, words)
    while True:
        best = weigh(candidates, question.ranking, question.k, question.embedder)
        rows = {row[0]: row for row in database.fitting([one.number for one in best], question.where)}
        if len(rows) == len(best):
            return [Hit(item_of(rows[one.number]), one.score, one.why) for one in best]
        # What does not fit must not count in the scores of the others.
        gone = [one.number for one in best if one.number not in rows]
        candidates = candidates.only(~np.isin(candidates.numbers, gone))


def _candidates(question: RetrievalQuery, database: MemoryDatabase, view: IndexView, words: LexicalIndex) -> Candidates:
    columns, ranking, vector = view.columns, question.ranking, question.vector
    mask = columns.mask(question.where)
    wanted = max(ranking.candidates, 2 * question.k)
    places, scores = np.zeros(0, np.int64), np.zeros(0, np.float32)
    if vector is not None:
        places, scores = view.vectors.search(vector, wanted, mask)
    worded, spoken = np.zeros(0, np.int64), np.zeros(0)
    if ranking.settled(question.embedder)[1]:
        worded, spoken = words.search(question.text, wanted, columns, mask)
    every: Places = np.union1d(places, worded) if len(worded) else np.sort(places)
    if not len(every):
        # Neither meaning nor words: what the filter lets through, in the order of the rest.
        every = (np.arange(columns.rows) if mask is None else np.flatnonzero(mask))[-wanted:]
    shared = np.full(len(every), np.nan)
    shared[np.searchsorted(every, worded)] = spoken
    cosines: Numbers | None = None
    if vector is not None:
        cosines = np.full(len(every), np.nan)
        cosines[np.searchsorted(every, places)] = scores
        missing = np.isnan(cosines)
        if missing.any():
            cosines[missing] = view.vectors.scores(vector, every[missing])
    traits = None
    if ranking.recency or ranking.importance or ranking.utility:
        traits = Traits(*database.traits(every + 1))
    if vector is not None and cosines is not None and view.vectors.is_graph:
        # A graph's scores come from single bytes, off by a thousandth. The table knows better, and is asked about all
        # that may be among the best; where nothing but meaning counts, that is twice as many as are wanted.
        count = len(every) if len(worded) or traits is not None else 2 * question.k
        near = np.sort(np.argsort(-cosines)[:count])
        cosines[near] = database.halves(every[near] + 1, len(vector)).astype(np.float32) @ vector
    return Candidates(every + 1, cosines, shared, traits)


__all__ = ["RetrievalQuery", "answer"]

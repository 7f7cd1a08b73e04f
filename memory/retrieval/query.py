"""Answering a query: candidates by meaning and by words are ranked, and only the best are read as items.

Candidates are ranked with the arrays in memory. The rows of the best are then checked against the filter, because the
arrays may be slightly out of date and hold hashes of environments and tasks only. Not here: the two searches
(`storage.vectors`, `lexical`) and the ranking formula (`ranking`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..items import Filter, Hit
from ..storage.columns import Mask, Places
from ..storage.database import MemoryDatabase
from ..storage.vectors import Floats, VectorHits
from ..storage.view import IndexView
from .lexical import LexicalIndex
from .names import asked_names, share_named
from .ranking import Candidates, Numbers, RankingConfig, Traits, rank


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """A query with its settings."""

    text: str
    vector: Floats | None
    """The vector of the text, shape `[dimensions]`; None if meaning has no weight, or the vector is zero."""
    k: int
    """The maximum number of hits."""
    where: Filter
    ranking: RankingConfig
    embedder: str
    """The name of the embedder."""


def answer(question: RetrievalQuery, database: MemoryDatabase, view: IndexView, words: LexicalIndex) -> list[Hit]:
    """Return at most `k` items, best first, by a table, its arrays (up to date) and its full-text index."""
    candidates = _candidates(question, database, view, words)
    while True:
        best = rank(candidates, question.ranking, question.k, question.embedder)
        rows = {row[0]: row for row in database.fitting([one.number for one in best], question.where)}
        if len(rows) == len(best):
            items = database.items_at([rows[one.number] for one in best], question.where.as_of)
            return [Hit(item, one.score, one.scores) for item, one in zip(items, best, strict=True)]
        # Items that do not pass the filter must not influence the scores of the others.
        gone = [one.number for one in best if one.number not in rows]
        candidates = candidates.only(~np.isin(candidates.numbers, gone))


def _candidates(question: RetrievalQuery, database: MemoryDatabase, view: IndexView, words: LexicalIndex) -> Candidates:
    columns, ranking, vector = view.columns, question.ranking, question.vector
    mask: Mask | None
    if question.where.data or question.where.as_of is not None:  # the arrays do not hold these
        numbers = database.matching(question.where)
        mask = np.isin(np.arange(1, columns.rows + 1), numbers)
    else:
        mask = columns.mask(question.where)
    wanted = max(ranking.candidates, 2 * question.k)
    places, scores = passages = VectorHits(np.zeros(0, np.int64), np.zeros(0, np.float32))
    if vector is not None:
        places, scores = view.vectors.search(vector, wanted, mask)
        passages = view.passages.search(vector, wanted, mask)
    lexical, lexical_scores = np.zeros(0, np.int64), np.zeros(0)
    if ranking.weights_for(question.embedder)[1]:
        lexical, lexical_scores = words.search(question.text, wanted, columns, mask)
    every: Places = np.union1d(places, lexical) if len(lexical) else np.sort(places)
    if len(passages.places):
        every = np.union1d(every, passages.places)
    if not len(every):
        # Neither search found anything: rank the items that pass the filter by the other weights.
        every = (np.arange(columns.rows) if mask is None else np.flatnonzero(mask))[-wanted:]
    shared = np.full(len(every), np.nan)
    shared[np.searchsorted(every, lexical)] = lexical_scores
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
        # The scores of a graph come from single bytes and are off by a thousandth. The exact vectors of all candidates
        # that may be among the best are read from the table; if only meaning counts, 2 k of them are enough.
        count = len(every) if len(lexical) or traits is not None else 2 * question.k
        near = np.sort(np.argsort(-cosines)[:count])
        cosines[near] = database.halves(every[near] + 1, len(vector)).astype(np.float32) @ vector
    if cosines is not None and len(passages.places):
        at = np.searchsorted(every, passages.places)
        cosines[at] = np.maximum(cosines[at], passages.scores)
    named = None
    if ranking.names and ranking.weights_for(question.embedder)[1] and (asked := asked_names(question.text)):
        named = np.array([share_named(asked, text) for text in database.texts(every + 1)])
    return Candidates(every + 1, cosines, shared, traits, named if named is not None and named.any() else None)

"""Ranking: similarity in meaning and in words, combined with weights, with the parts of each score.

Both parts are scaled to [0, 1] over the candidates (min-max) and added with weights. This convex combination was better
than reciprocal-rank fusion on real text (Bruch et al. 2023 find the same; `benchmarks/memory/retrieval.py` measures it,
and the weights). Recency, importance and utility may be added (Park et al. 2023). Not here: finding candidates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from ...errors import at_least, check
from ..items import Hit
from ..storage.columns import Places

Numbers = np.ndarray[Any, np.dtype[np.float64]]

_RRF: Final = 60
"""The constant of Cormack et al. 2009."""
_SPELLING: Final = "ngrams-"
"""The prefix of the names of embedders that compare spelling only."""
_HOUR: Final = 3_600.0
_DECAY: Final = 0.995
"""The decay of recency per hour (Park et al. 2023)."""
_CHARACTERS: Final = 4
"""The average number of characters per token of English."""


@dataclass(frozen=True, slots=True)
class RankingConfig:
    """The weights of the parts of a score. They are relative to each other."""

    dense: float | None = None
    """Similarity in meaning, by the embedder. If None, the best measured: 0.75, or 0.3 for `ngrams`."""
    lexical: float | None = None
    """Similarity in words, by BM25. If None, the best measured: 0.25, or 0.7 for `ngrams`."""
    names: float = 1.25
    """The numbers and codes of the question ("4711", "house:7") that the text names too, where it has any; not
    where words do not count."""
    recency: float = 0.0
    """How recently the item was seen."""
    importance: float = 0.0
    """The importance of the item."""
    utility: float = 0.0
    """How often the item helped: (helpful + 1) / (helpful + harmful + 2)."""
    fusion: Literal["convex", "rrf"] = "convex"
    """How meaning and words are combined: by their scores, or by reciprocal ranks."""
    candidates: int = 50
    """The number of candidates from either search."""
    now: float | None = None
    """The time from which recency is measured, in seconds since 1970; that of the latest item if None."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is out of range; lists all of them.
        """
        weights = (*self.weights_for(""), self.recency, self.importance, self.utility)
        valid = all(math.isfinite(one) and one >= 0 for one in (*weights, self.names))
        rules = {
            "weights must be at least 0, and not all of them 0": valid and sum(weights) > 0,
            f"fusion must be 'convex' or 'rrf', not {self.fusion!r}": self.fusion in ("convex", "rrf"),
            **at_least(self, candidates=1),
        }
        check(rules, "ranking")

    def weights_for(self, embedder: str) -> tuple[float, float]:
        """Return the weights of meaning and words for an embedder, by its name."""
        dense, lexical = (0.3, 0.7) if embedder.startswith(_SPELLING) else (0.75, 0.25)
        return dense if self.dense is None else self.dense, lexical if self.lexical is None else self.lexical


class Traits(NamedTuple):
    """Further fields of the items of `Candidates`, in the same order."""

    last_seen: Numbers
    importance: Numbers
    helpful: Numbers
    harmful: Numbers


class Candidates(NamedTuple):
    """Items that may answer, in arrays of one length."""

    numbers: Places
    """The numbers of the items, ascending."""
    cosines: Numbers | None
    """The cosines with the query; None if the query has no vector."""
    words: Numbers
    """The BM25 scores; NaN if no word is shared."""
    traits: Traits | None
    """Needed if the ranking uses recency, importance or utility."""
    named: Numbers | None = None
    """How much of what the question names with digits each item names; None if it names nothing so."""

    def only(self, kept: np.ndarray[Any, np.dtype[np.bool_]]) -> Candidates:
        """Return those that a mask selects."""
        cosines = None if self.cosines is None else self.cosines[kept]
        traits = None if self.traits is None else Traits(*(one[kept] for one in self.traits))
        named = None if self.named is None else self.named[kept]
        return Candidates(self.numbers[kept], cosines, self.words[kept], traits, named)


class RankedItem(NamedTuple):
    """An item with its score."""

    number: int
    score: float
    """In [0, 1]."""
    scores: dict[str, float]
    """The parts of the score, each in [0, 1], and the cosine."""


def rank(candidates: Candidates, ranking: RankingConfig, k: int, embedder: str = "") -> list[RankedItem]:
    """Return at most `k` of the best candidates, best first; equal scores keep the order of the numbers.

    Args:
        candidates: The candidates.
        ranking: The weights.
        k: The maximum number of items.
        embedder: The name of the embedder of the cosines.
    """
    cosines, words, traits = candidates.cosines, candidates.words, candidates.traits
    join = _by_score if ranking.fusion == "convex" else _by_rank
    dense, shared, sharing = np.zeros(len(words)), np.zeros(len(words)), ~np.isnan(words)
    used = {"dense": 0.0, "lexical": 0.0}
    meaning, wording = ranking.weights_for(embedder)
    if cosines is not None and len(cosines):
        dense, used["dense"] = join(cosines, None), meaning
    if sharing.any():
        shared[sharing], used["lexical"] = join(words[sharing], 0.0), wording
    parts = {"dense": (used["dense"], dense), "lexical": (used["lexical"], shared)}
    if candidates.named is not None:
        parts["names"] = (ranking.names, candidates.named)
    if traits is not None and len(words):
        now = float(traits.last_seen.max()) if ranking.now is None else ranking.now
        hours = np.maximum(0.0, now - traits.last_seen) / _HOUR
        useful = (traits.helpful + 1) / (traits.helpful + traits.harmful + 2)
        parts["recency"] = (ranking.recency, _DECAY**hours)
        parts["importance"] = (ranking.importance, traits.importance)
        parts["utility"] = (ranking.utility, useful)
    total = sum(weight for weight, _ in parts.values()) or 1.0
    scores = sum((weight * values for weight, values in parts.values()), np.zeros(len(words))) / total
    best = np.argsort(-scores, kind="stable")[:k]
    shown = {name: values[best] for name, (weight, values) in parts.items() if weight or name in ("dense", "lexical")}
    if cosines is not None:
        shown["cosine"] = cosines[best].clip(0.0, 1.0)
    rows = zip(*(values.tolist() for values in shown.values()), strict=True)
    found = zip(candidates.numbers[best].tolist(), scores[best].tolist(), rows, strict=True)
    return [RankedItem(number, score, dict(zip(shown, values, strict=True))) for number, score, values in found]


def within_budget(hits: Iterable[Hit], tokens: int, count: Callable[[str], int] | None = None) -> list[Hit]:
    """Return the hits, in order, whose texts fit into a prompt together; one that is too long is skipped.

    Args:
        hits: Best first.
        tokens: The number of tokens available.
        count: Counts the tokens of a text; a quarter of its characters if None.
    """
    kept = []
    for hit in hits:
        size = _tokens(hit.item.draft.text) if count is None else count(hit.item.draft.text)
        if size <= tokens:
            kept.append(hit)
            tokens -= size
    return kept


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS)


def _by_score(values: Numbers, zero: float | None) -> Numbers:
    """Scale scores to [0, 1]: from the lowest, or from `zero`, to the highest."""
    low, high = float(values.min()) if zero is None else zero, float(values.max())
    return ((values - low) / (high - low)).clip(0.0, 1.0) if high > low else np.ones(len(values))


def _by_rank(values: Numbers, zero: float | None) -> Numbers:
    del zero
    ranks = np.empty(len(values))
    ranks[np.argsort(-values, kind="stable")] = np.arange(len(values))
    found: Numbers = (_RRF + 1) / (_RRF + 1 + ranks)
    return found

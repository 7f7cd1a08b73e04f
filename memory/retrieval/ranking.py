"""How items answer a question: alike in meaning and in words, weighed together, with the reasons.

Both parts are brought to [0, 1] over the candidates (min-max) and added with weights: a convex combination, which was
better than reciprocal-rank fusion on real text (Bruch et al. 2023 find the same; `benchmarks/memory/retrieval.py`
measures it, and the weights).
Recency, importance and utility may weigh in (Park et al. 2023). Left out: how candidates are found.
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
"""Of Cormack et al. 2009."""
_SPELLING: Final = "ngrams-"
"""How the names of embedders begin that know no meaning."""
_HOUR: Final = 3_600.0
_FADING: Final = 0.995
"""How much of recency is left after an hour (Park et al. 2023)."""
_CHARACTERS: Final = 4
"""About so many make a token of English."""


@dataclass(frozen=True, slots=True)
class RankingConfig:
    """What counts in the order of hits. The weights are relative to each other."""

    dense: float | None = None
    """Alike in meaning, by the embedder. If None, what was best for it: 0.75, and 0.3 where it knows spelling only."""
    lexical: float | None = None
    """Alike in words, by BM25. If None, what was best for the embedder: 0.25, and 0.7 where it knows spelling only."""
    recency: float = 0.0
    """Lived lately."""
    importance: float = 0.0
    """As the item says."""
    utility: float = 0.0
    """Helped when it was used: (helpful + 1) / (helpful + harmful + 2)."""
    fusion: Literal["convex", "rrf"] = "convex"
    """How meaning and words are joined: by their scores, or by their ranks only."""
    candidates: int = 50
    """So many are taken from either side before they are weighed."""
    now: float | None = None
    """What recency is measured from, in seconds since 1970; the latest item's time if None."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one makes no sense; all are listed.
        """
        weights = (*self.settled(""), self.recency, self.importance, self.utility)
        valid = all(math.isfinite(one) and one >= 0 for one in weights)
        rules = {
            "weights must be at least 0, and not all of them 0": valid and sum(weights) > 0,
            f"fusion must be 'convex' or 'rrf', not {self.fusion!r}": self.fusion in ("convex", "rrf"),
            **at_least(self, candidates=1),
        }
        check(rules, "ranking")

    def settled(self, embedder: str) -> tuple[float, float]:
        """Return the weights of meaning and words, for vectors of an embedder, by its name."""
        dense, lexical = (0.3, 0.7) if embedder.startswith(_SPELLING) else (0.75, 0.25)
        return dense if self.dense is None else self.dense, lexical if self.lexical is None else self.lexical


class Traits(NamedTuple):
    """What else may count, of the same items in the same order as `Candidates`."""

    last_seen: Numbers
    importance: Numbers
    helpful: Numbers
    harmful: Numbers


class Candidates(NamedTuple):
    """Items that may answer, in arrays of one length."""

    numbers: Places
    """Which items, ascending."""
    cosines: Numbers | None
    """With the question; None if the question has no meaning to the embedder."""
    words: Numbers
    """The BM25 scores; NaN where no word is shared."""
    traits: Traits | None
    """Needed if the ranking asks for more than meaning and words."""

    def only(self, kept: np.ndarray[Any, np.dtype[np.bool_]]) -> Candidates:
        """Return some of them, chosen by a mask."""
        cosines = None if self.cosines is None else self.cosines[kept]
        traits = None if self.traits is None else Traits(*(one[kept] for one in self.traits))
        return Candidates(self.numbers[kept], cosines, self.words[kept], traits)


class RankedItem(NamedTuple):
    """An item's place in the order."""

    number: int
    score: float
    """In [0, 1]."""
    why: dict[str, float]
    """The parts of the score, each in [0, 1], and the cosine."""


def weigh(candidates: Candidates, ranking: RankingConfig, k: int, embedder: str = "") -> list[RankedItem]:
    """Return the at most `k` best candidates, best first; equal scores keep the order of the numbers.

    Args:
        candidates: What is weighed.
        ranking: What counts.
        k: How many are wanted.
        embedder: The name of the one whose cosines they are.
    """
    cosines, words, traits = candidates.cosines, candidates.words, candidates.traits
    join = _by_score if ranking.fusion == "convex" else _by_rank
    dense, shared, spoken = np.zeros(len(words)), np.zeros(len(words)), ~np.isnan(words)
    asked = {"dense": 0.0, "lexical": 0.0}
    meaning, wording = ranking.settled(embedder)
    if cosines is not None and len(cosines):
        dense, asked["dense"] = join(cosines, None), meaning
    if spoken.any():
        shared[spoken], asked["lexical"] = join(words[spoken], 0.0), wording
    parts = {"dense": (asked["dense"], dense), "lexical": (asked["lexical"], shared)}
    if traits is not None and len(words):
        now = float(traits.last_seen.max()) if ranking.now is None else ranking.now
        hours = np.maximum(0.0, now - traits.last_seen) / _HOUR
        useful = (traits.helpful + 1) / (traits.helpful + traits.harmful + 2)
        parts["recency"] = (ranking.recency, _FADING**hours)
        parts["importance"] = (ranking.importance, traits.importance)
        parts["utility"] = (ranking.utility, useful)
    total = sum(weight for weight, _ in parts.values()) or 1.0
    scores = sum((weight * values for weight, values in parts.values()), np.zeros(len(words))) / total
    best = np.argsort(-scores, kind="stable")[:k]
    told = {name: values[best] for name, (weight, values) in parts.items() if weight or name in ("dense", "lexical")}
    if cosines is not None:
        told["cosine"] = cosines[best].clip(0.0, 1.0)
    reasons = zip(*(values.tolist() for values in told.values()), strict=True)
    found = zip(candidates.numbers[best].tolist(), scores[best].tolist(), reasons, strict=True)
    return [RankedItem(number, score, dict(zip(told, values, strict=True))) for number, score, values in found]


def within(hits: Iterable[Hit], tokens: int, count: Callable[[str], int] | None = None) -> list[Hit]:
    """Return the hits, in their order, whose texts fit a prompt together; one that is too long is passed over.

    Args:
        hits: Best first.
        tokens: How many there is room for.
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
    """Bring scores to [0, 1]: from the lowest, or from `zero`, to the highest."""
    low, high = float(values.min()) if zero is None else zero, float(values.max())
    return ((values - low) / (high - low)).clip(0.0, 1.0) if high > low else np.ones(len(values))


def _by_rank(values: Numbers, zero: float | None) -> Numbers:
    del zero
    ranks = np.empty(len(values))
    ranks[np.argsort(-values, kind="stable")] = np.arange(len(values))
    found: Numbers = (_RRF + 1) / (_RRF + 1 + ranks)
    return found


__all__ = ["Candidates", "RankedItem", "RankingConfig", "Traits", "weigh", "within"]

"""How items answer a question: alike in meaning and in words, weighed together, with the reasons.

Both parts are brought to [0, 1] over the candidates (min-max) and added with weights: a convex combination, which was
better than reciprocal-rank fusion on real text (Bruch et al. 2023 find the same; `benchmarks/memory.py` measures it).
Recency, importance and utility may weigh in (Park et al. 2023). Left out: how candidates are found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from ..errors import ConfigError
from .items import Hit

_RRF: Final = 60
"""Of Cormack et al. 2009."""
_HOUR: Final = 3_600.0
_FADING: Final = 0.995
"""How much of recency is left after an hour (Park et al. 2023)."""
_CHARACTERS: Final = 4
"""About so many make a token of English."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What counts in the order of hits. The weights are relative to each other."""

    dense: float = 0.75
    """Alike in meaning, by the embedder."""
    lexical: float = 0.25
    """Alike in words, by BM25."""
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
        weights = (self.dense, self.lexical, self.recency, self.importance, self.utility)
        faults = []
        if not all(math.isfinite(one) and one >= 0 for one in weights) or not sum(weights) > 0:
            faults.append("weights are at least 0, and not all of them 0")
        if self.fusion not in ("convex", "rrf"):
            faults.append(f"fusion is 'convex' or 'rrf', not {self.fusion!r}")
        if self.candidates < 1:
            faults.append("candidates are at least 1")
        if faults:
            raise ConfigError(f"This ranking cannot be used: {'; '.join(faults)}.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may answer."""

    cosine: float | None
    """With the question; None if the question has no meaning to the embedder."""
    words: float | None
    """The BM25 score; None if no word is shared."""
    last_seen: float
    importance: float
    helpful: int
    harmful: int


def weigh(candidates: Mapping[int, Candidate], ranking: Ranking) -> list[tuple[int, float, dict[str, float]]]:
    """Return the candidates, best first, each with its score in [0, 1] and the parts of it.

    Args:
        candidates: By number. Equal scores keep the order of the numbers.
        ranking: What counts.
    """
    numbers = sorted(candidates)
    dense = {num: one.cosine for num in numbers if (one := candidates[num]).cosine is not None}
    words = {num: one.words for num in numbers if (one := candidates[num]).words is not None}
    join = _by_score if ranking.fusion == "convex" else _by_rank
    dense_part, word_part = join(dense, zero=None), join(words, zero=0.0)
    latest = max((one.last_seen for one in candidates.values()), default=0.0)
    now = latest if ranking.now is None else ranking.now
    weights = {
        "dense": ranking.dense if dense else 0.0,
        "lexical": ranking.lexical if words else 0.0,
        "recency": ranking.recency,
        "importance": ranking.importance,
        "utility": ranking.utility,
    }
    total = sum(weights.values()) or 1.0
    found = []
    for num in numbers:
        one = candidates[num]
        parts = {
            "dense": dense_part.get(num, 0.0),
            "lexical": word_part.get(num, 0.0),
            "recency": _FADING ** (max(0.0, now - one.last_seen) / _HOUR),
            "importance": one.importance,
            "utility": (one.helpful + 1) / (one.helpful + one.harmful + 2),
        }
        score = sum(weights[name] * value for name, value in parts.items()) / total
        why = {name: value for name, value in parts.items() if weights[name] or name in ("dense", "lexical")}
        if one.cosine is not None:
            why["cosine"] = min(1.0, max(0.0, one.cosine))
        found.append((num, score, why))
    return sorted(found, key=lambda entry: (-entry[1], entry[0]))


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


def _by_score(scores: Mapping[int, float | None], *, zero: float | None) -> dict[int, float]:
    """Bring scores to [0, 1]: from the lowest, or from `zero`, to the highest."""
    values = np.array([value for value in scores.values() if value is not None])
    if not len(values):
        return {}
    low, high = float(values.min()) if zero is None else zero, float(values.max())
    scaled = (values - low) / (high - low) if high > low else np.ones(len(values))
    return dict(zip(scores, scaled.clip(0, 1).tolist(), strict=True))


def _by_rank(scores: Mapping[int, float | None], *, zero: float | None) -> dict[int, float]:
    del zero
    order = sorted(scores, key=lambda num: (-(scores[num] or 0.0), num))
    return {num: (_RRF + 1) / (_RRF + 1 + rank) for rank, num in enumerate(order)}


__all__ = ["Candidate", "Ranking", "weigh", "within"]

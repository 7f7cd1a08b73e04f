"""Sentence vectors without a model: hashed character n-grams, for machines without weights.

Words with a mark at each end are cut into 3- to 5-grams. The hash of a gram chooses a dimension and a sign (Weinberger
et al. 2009), and its weight grows with the logarithm of its count. The vectors compare spelling, not meaning. Not here:
idf, which would make a vector depend on the other stored texts.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]
_WORD: Final = re.compile(r"[^\W_]+")
_SIZES: Final = (3, 4, 5)
_WORDS_KEPT: Final = 100_000


class NGramEmbedder:
    """The embedder."""

    def __init__(self, dimensions: int = 1024) -> None:
        """Set the number of dimensions; with more of them, fewer grams collide."""
        self.dimensions = dimensions
        """The length of a vector."""
        self._words: dict[str, tuple[tuple[int, float], ...]] = {}

    @property
    def name(self) -> str:
        """The method and its parameters."""
        return f"ngrams-{_SIZES[0]}-{_SIZES[-1]}-{self.dimensions}"

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return unit vectors, shape `[texts, dimensions]`; zeros for a text without words."""
        found = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            for word, count in Counter(_WORD.findall(text.lower())).items():
                weight = 1 + np.log(count)
                for place, sign in self._grams(word):
                    found[row, place] += sign * weight
        length = np.linalg.norm(found, axis=1, keepdims=True)
        np.divide(found, length, out=found, where=length > 0)
        return found

    def _grams(self, word: str) -> tuple[tuple[int, float], ...]:
        """Return the dimension and signed weight of each gram of a word; every word has the same total weight."""
        known = self._words.get(word)
        if known is None:
            marked = f"<{word}>"
            grams = [marked[start : start + size] for size in _SIZES for start in range(len(marked) - size + 1)]
            hashes = [zlib.crc32(gram.encode()) for gram in [marked, *grams]]
            weight = len(hashes) ** -0.5
            known = tuple((code % self.dimensions, weight if code >> 31 else -weight) for code in hashes)
            if len(self._words) < _WORDS_KEPT:
                self._words[word] = known
        return known

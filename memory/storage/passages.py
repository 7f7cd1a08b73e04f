"""The vectors of the passages of long texts, all in memory: an embedder reads the beginning of a text only.

A long text is an item of one vector like any other, and is also found by the best of its passages. Not here: cutting
texts (`cut`), and the files of vectors (long texts are few).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from .columns import Mask, Places
from .vectors import Floats, VectorHits

PASSAGE: Final = 800
"""The number of characters of a passage: English of this length has fewer than the 256 tokens that MiniLM reads."""
_ENDS: Final = tuple(map(re.compile, (r"\n\s*\n", r"[.!?]\s", r"\s")))
"""Where a passage may end, in order of preference."""


def cut(text: str) -> list[str]:
    """Cut a long text into passages that end with a paragraph, a sentence or a word; none for a short text."""
    if len(text) <= PASSAGE:
        return []
    passages, start = [], 0
    while start < len(text):
        end = start + PASSAGE
        if end < len(text):
            window = text[start:end]
            ends = ([match.end() for match in pattern.finditer(window, PASSAGE // 2)] for pattern in _ENDS)
            end = start + next((found[-1] for found in ends if found), PASSAGE)
        if passage := text[start:end].strip():
            passages.append(passage)
        start = end
    return passages


class Passages:
    """The vectors, by the place of their item."""

    def __init__(self, dimensions: int) -> None:
        """Start with none."""
        self._dimensions = dimensions
        self._by_place: dict[int, np.ndarray[Any, Any]] = {}
        self._whole: tuple[Places, Floats] | None = None

    @property
    def are_none(self) -> bool:
        """Whether there are none."""
        return not self._by_place

    def put(self, places: Iterable[int], found: Mapping[int, Sequence[bytes]]) -> None:
        """Set the vectors of items whose text is new; those that `found` does not name have none."""
        for place in places:
            changed = self._by_place.pop(place, None) is not None
            if place in found:
                self._by_place[place] = np.frombuffer(b"".join(found[place]), np.float16).reshape(-1, self._dimensions)
            if changed or place in found:
                self._whole = None

    def search(self, query: Floats, k: int, mask: Mask | None) -> VectorHits:
        """Return the `k` best items by their best passages, each once, in ascending order of place.

        Args:
            query: Shape `[dimensions]`.
            k: The number of items.
            mask: Which places may be found, shape `[items]`; None for all.
        """
        if not self._by_place:
            return VectorHits(np.zeros(0, np.int64), np.zeros(0, np.float32))
        if self._whole is None:
            counts = [len(one) for one in self._by_place.values()]
            owners = np.repeat(np.fromiter(self._by_place, np.int64), counts)
            order = np.argsort(owners, kind="stable")
            vectors = np.concatenate(list(self._by_place.values())).astype(np.float32)
            self._whole = owners[order], vectors[order]
        owners, vectors = self._whole
        first = np.flatnonzero(np.diff(owners, prepend=-1))
        places, scores = owners[first], np.maximum.reduceat(vectors @ query, first)
        if mask is not None:
            places, scores = places[mask[places]], scores[mask[places]]
        best = np.sort(np.argpartition(-scores, k - 1)[:k]) if len(places) > k else slice(None)
        return VectorHits(places[best], scores[best])

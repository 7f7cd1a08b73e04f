"""Ranking of texts for a search box: BM25 in numpy, with the words and constants of Anserini's Lucene index.

Robertson and Zaragoza 2009, in Lucene's form: a word of the query that is in n of N texts, and f times in a text of
length l (the mean being L), adds `ln(1 + (N - n + 0.5) / (n + 0.5)) * f / (f + k1 (1 - b + b l / L))`. Not here:
Lucene's rounding of lengths to one byte, so that near ties may be ordered otherwise, and phrases.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from ...extras import needed_by

STOPWORDS: Final = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with".split()
)
"""Lucene's 33 English stop words."""

_WORD: Final = re.compile(r"\w+(?:['\u2019.]\w+)*")
_POSSESSIVE: Final = re.compile(r"['\u2019]s$")
_KEPT_QUERIES: Final = 4096


class Bm25:
    """An index of texts; its answers depend on the texts and their order alone."""

    def __init__(self, texts: Sequence[str], *, k1: float = 0.9, b: float = 0.4) -> None:
        """Read the texts.

        Args:
            texts: What is searched; a text is known by its place.
            k1: How soon more of the same word stops to matter.
            b: How much long texts are held back.

        Raises:
            MissingDependencyError: the stemmer is not installed.
        """
        self.size = len(texts)
        self._stem = porter()
        self._stems: dict[str, str] = {}
        self._answers: OrderedDict[str, tuple[tuple[int, ...], int]] = OrderedDict()
        counts = [Counter(self.terms(text)) for text in texts]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float64)
        norms = k1 * (1 - b + b * lengths / max(float(lengths.mean()) if self.size else 0.0, 1.0))
        found: dict[str, tuple[list[int], list[int]]] = {}
        for place, count in enumerate(counts):
            for term, times in count.items():
                places, frequencies = found.setdefault(term, ([], []))
                places.append(place)
                frequencies.append(times)
        self._postings = {
            term: _posting(self.size, np.array(places), np.array(frequencies, dtype=np.float64), norms)
            for term, (places, frequencies) in found.items()
        }

    def terms(self, text: str) -> list[str]:
        """Return the stems of a text's words, without stop words, in order."""
        stems: list[str] = []
        for word in _WORD.findall(text.lower()):
            plain = _POSSESSIVE.sub("", word)
            if plain in STOPWORDS:
                continue
            stem = self._stems.get(plain)
            if stem is None:
                stem = self._stems[plain] = self._stem(plain)
            stems.append(stem)
        return stems

    def search(self, query: str, k: int) -> tuple[int, ...]:
        """Return the places of the best `k` texts, best first, ties in the order of the texts.

        Texts without any word of the query are not among them.
        """
        kept = self._answers.get(query)
        if kept is not None and kept[1] == k:
            return kept[0]
        scores = np.zeros(self.size)
        for term, times in Counter(self.terms(query)).items():
            posting = self._postings.get(term)
            if posting is not None:
                # Places of a posting are distinct, so that plain indexing adds to each once.
                scores[posting[0]] += times * posting[1]
        places = _best(scores, k)
        self._answers[query] = (places, k)
        if len(self._answers) > _KEPT_QUERIES:
            self._answers.popitem(last=False)
        return places


def porter() -> Callable[[str], str]:
    """Return Porter's stemmer.

    Raises:
        MissingDependencyError: it is not installed.
    """
    with needed_by("Searching documents"):
        import snowballstemmer  # type: ignore[import-untyped]
    stem: Callable[[str], str] = snowballstemmer.stemmer("porter").stemWord
    return stem


_Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
_Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def _posting(size: int, places: _Ints, frequencies: _Floats, norms: _Floats) -> tuple[_Ints, _Floats]:
    """Return where a term is, and what it adds to the score there."""
    rarity = np.log(1 + (size - len(places) + 0.5) / (len(places) + 0.5))
    return places, rarity * frequencies / (frequencies + norms[places])


def _best(scores: _Floats, k: int) -> tuple[int, ...]:
    hits = np.flatnonzero(scores > 0)
    if len(hits) > k:
        # Everything at least as good as the k-th, so that ties at the edge fall by order and not by chance.
        edge = np.partition(scores[hits], len(hits) - k)[len(hits) - k]
        hits = hits[scores[hits] >= edge]
    order = np.argsort(-scores[hits], kind="stable")[:k]
    return tuple(hits[order].tolist())

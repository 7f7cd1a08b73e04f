"""Vectors and the search among them: a published base on disk, which faiss maps into memory, and what came since.

The base is exact (half floats) below 200,000 items and a graph (`HNSW32_SQ8`) above; what came since is scanned. Under
a filter the way is chosen by how many items pass, so that recall does not fall: few are gathered and compared, some are
scanned under a bitmap, and only where many pass does the graph answer. Places are counted from 0. Left out: files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from ..errors import MissingDependencyError
from .columns import Mask, Places

Floats = np.ndarray[Any, np.dtype[np.float32]]

GRAPH_FROM: Final = 200_000
"""From so many items on the base is a graph."""
_FACTORY: Final = {False: "SQfp16", True: "HNSW32_SQ8"}
_EF_BUILD: Final = 60
_EF: Final = 96
"""How far the graph is searched; scaled up under a filter."""
_EF_MOST: Final = 1_024
_TRAINING: Final = 100_000
_GATHER: Final = 0.005
"""Below this part of the base, vectors are gathered and compared."""
_GRAPH_PASSES: Final = 0.05
"""From this part of the base on, a graph is asked under a filter."""
_MOST_PASS: Final = 0.25
"""From this part on, an exact base is scanned whole, which is faster than with a bitmap, and filtered afterwards."""


class Found(NamedTuple):
    """The best places for a question, in no order."""

    places: Places
    scores: Floats
    """Inner products; a graph's are approximate."""


class Vectors:
    """The base, and what came since."""

    def __init__(self, dimensions: int, base: Any = None) -> None:
        """Begin with a base that was loaded, or with none."""
        self._dimensions = dimensions
        self.base = base
        self.base_rows = 0 if base is None else int(base.ntotal)
        self._fresh: Mask | None = None
        """Which rows of the base still hold; None if all do."""
        self._delta = np.zeros((0, dimensions), np.float32)
        self._places = np.zeros(0, np.int64)
        self._row: dict[int, int] = {}

    @property
    def delta_rows(self) -> int:
        """How many vectors came since the base."""
        return len(self._row)

    @property
    def stale_rows(self) -> int:
        """How many rows of the base no longer hold."""
        return 0 if self._fresh is None else int((~self._fresh).sum())

    @property
    def is_graph(self) -> bool:
        """Whether the base is approximate."""
        return self.base is not None and hasattr(self.base, "hnsw")

    def put(self, places: Places, vectors: np.ndarray[Any, Any]) -> None:
        """Take vectors, shape `[places, dimensions]`, in the stead of what was at those places."""
        for place in places[places < self.base_rows]:
            if self._fresh is None:
                self._fresh = np.ones(self.base_rows, np.bool_)
            self._fresh[place] = False
        rows = [self._row.setdefault(int(place), len(self._row)) for place in places]
        if len(self._row) > len(self._delta):
            room = max(1024, len(self._row) + len(self._row) // 2)
            delta, known = np.zeros((room, self._dimensions), np.float32), np.zeros(room, np.int64)
            delta[: len(self._delta)], known[: len(self._places)] = self._delta, self._places
            self._delta, self._places = delta, known
        self._delta[rows] = vectors
        self._places[rows] = places

    def search(self, query: Floats, k: int, mask: Mask | None) -> Found:
        """Return at least the `k` best places, or all that pass.

        Args:
            query: Shape `[dimensions]`.
            k: How many are wanted.
            mask: Which places may be found, shape `[items]`; None for all.
        """
        parts = []
        if self._row:
            parts.append(self._search_delta(query, k, mask))
        if self.base is not None:
            fits = self._fresh
            if mask is not None:
                fits = mask[: self.base_rows] if fits is None else mask[: self.base_rows] & fits
            parts.append(_best(self._search_base(query, k, fits), k))
        if not parts:
            return Found(np.zeros(0, np.int64), np.zeros(0, np.float32))
        return Found(np.concatenate([one.places for one in parts]), np.concatenate([one.scores for one in parts]))

    def _search_delta(self, query: Floats, k: int, mask: Mask | None) -> Found:
        size = len(self._row)
        places = self._places[:size]
        if mask is None:
            return _best(Found(places, self._delta[:size] @ query), k)
        rows = np.flatnonzero(mask[places])
        scores = self._delta[rows] @ query if 4 * len(rows) < size else (self._delta[:size] @ query)[rows]
        return _best(Found(places[rows], scores), k)

    def _search_base(self, query: Floats, k: int, fits: Mask | None) -> Found:
        if fits is None:
            return self._ask(self.base, query, k, None, _EF)
        count = int(np.count_nonzero(fits))
        part = count / self.base_rows
        if count == 0 or part < _GATHER or count <= k:
            places = np.flatnonzero(fits)
            return Found(places, self._stored.reconstruct_batch(places) @ query if count else np.zeros(0, np.float32))
        if self.is_graph and part >= _GRAPH_PASSES:
            found = self._ask(self.base, query, k, fits, min(_EF_MOST, int(_EF / part)))
            if len(found.places) >= k:
                return found
        elif not self.is_graph and part >= _MOST_PASS:
            found = self._ask(self.base, query, min(self.base_rows, int(2 * k / part) + 8), None, _EF)
            keep = fits[found.places]
            if keep.sum() >= k:
                return Found(found.places[keep], found.scores[keep])
        return self._ask(self._stored, query, k, fits, None)

    @property
    def _stored(self) -> Any:
        return faiss().downcast_index(self.base.storage) if self.is_graph else self.base

    def _ask(self, index: Any, query: Floats, k: int, fits: Mask | None, ef: int | None) -> Found:
        library = faiss()
        selector = None if fits is None else library.IDSelectorBitmap(np.packbits(fits, bitorder="little"))
        chosen = {} if selector is None else {"sel": selector}
        if hasattr(index, "hnsw"):
            parameters = library.SearchParametersHNSW(efSearch=max(ef or _EF, k), **chosen)
        else:
            parameters = library.SearchParameters(**chosen)
        scores, places = index.search(query[None], min(k, int(index.ntotal)), params=parameters)
        real = places[0] >= 0
        return Found(places[0][real], scores[0][real])


def build(dimensions: int, rows: int, chunks: Iterator[Floats]) -> Any:
    """Return a new base of `rows` vectors, which come in chunks of shape `[some, dimensions]`, in order of place.

    A graph takes about 0.35 ms of one core for each vector.
    """
    library = faiss()
    base = library.index_factory(dimensions, _FACTORY[rows >= GRAPH_FROM], library.METRIC_INNER_PRODUCT)
    waiting: list[Floats] = []
    if hasattr(base, "hnsw"):
        base.hnsw.efConstruction = _EF_BUILD
    for chunk in chunks:
        waiting.append(chunk)
        if not base.is_trained and sum(map(len, waiting)) < min(_TRAINING, rows):
            continue
        if not base.is_trained:
            base.train(np.concatenate(waiting))
        for one in waiting:
            base.add(one)
        waiting = []
    return base


def faiss() -> Any:
    """Return the faiss library.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import faiss as library
    except ImportError as error:
        raise MissingDependencyError("A large memory needs faiss: pip install 'pathei[memory]'.") from error
    return library


def _best(found: Found, k: int) -> Found:
    if len(found.places) <= k:
        return found
    kept = np.argpartition(-found.scores, k - 1)[:k]
    return Found(found.places[kept], found.scores[kept])


__all__ = ["GRAPH_FROM", "Floats", "Found", "Vectors", "build", "faiss"]

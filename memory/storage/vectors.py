"""Vectors and their search: a published base on disk, which faiss maps into memory, and the vectors added since.

The base is exact (half floats) below 50,000 items and a graph (`HNSW16_SQ8`) above; newer vectors are scanned. Under a
filter the method depends on the number of items that pass, so that recall does not fall: few are gathered and
compared, an exact base is scanned under a bitmap, and a graph is searched only if many pass. Places count from 0. Not
here: files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from ...extras import needed_by
from .columns import Mask, Places

Floats = np.ndarray[Any, np.dtype[np.float32]]

GRAPH_FROM: Final = 50_000
"""The number of items from which the base is a graph, by default: scanning takes 2 to 4 ms then."""
_FACTORY: Final = {False: "SQfp16", True: "HNSW16_SQ8"}
_EF_BUILD: Final = 100
_EF: Final = 96
"""The breadth of a graph search (`efSearch`), and at least the number of wanted neighbours."""
_AMONG: Final = 1.2
"""Under a filter, the factor on the number of neighbours that would do if the passing items were spread evenly."""
_FARTHEST: Final = 1_500
"""The maximum number of neighbours of a graph search."""
_SCANNED: Final = 200_000
"""Scanning this number of passing items takes as long as a search for `_FARTHEST` neighbours."""
_TRAINING: Final = 100_000
_FEW: Final = 0.0025
"""Below this part of an exact base, vectors are gathered and compared, because a bitmap is always walked whole."""
_GRAPH_PASSES: Final = 0.05
"""From this part of the base on, a graph is searched under a filter; below, its bytes are gathered and compared."""
_CHUNK: Final = 512
"""The number of gathered vectors that fit the processor's cache."""


class VectorHits(NamedTuple):
    """The best places for a query, in no order."""

    places: Places
    scores: Floats
    """Inner products; approximate for a graph."""


class Vectors:
    """The base, and the vectors added since."""

    def __init__(self, dimensions: int, base: Any = None) -> None:
        """Start with a base that was loaded, or with none."""
        self._dimensions = dimensions
        self.base = base
        self.base_rows = 0 if base is None else int(base.ntotal)
        self._fresh: Mask | None = None
        """Which rows of the base are valid; None if all are."""
        self._delta = np.zeros((0, dimensions), np.float32)
        self._places = np.zeros(0, np.int64)
        self._row: dict[int, int] = {}
        if self.is_graph:
            self._stored = faiss().downcast_index(base.storage)
            self._levels = faiss().vector_to_array(self._stored.sq.trained).reshape(2, dimensions)
            self._bytes = faiss().rev_swig_ptr(self._stored.codes.data(), self.base_rows * dimensions)
            self._bytes = self._bytes.reshape(self.base_rows, dimensions)

    @property
    def delta_rows(self) -> int:
        """The number of vectors added since the base."""
        return len(self._row)

    @property
    def stale(self) -> Places:
        """The rows of the base that are out of date."""
        return np.zeros(0, np.int64) if self._fresh is None else np.flatnonzero(~self._fresh)

    @property
    def stale_rows(self) -> int:
        """The number of rows of the base that are out of date."""
        return 0 if self._fresh is None else self.base_rows - int(np.count_nonzero(self._fresh))

    @property
    def is_graph(self) -> bool:
        """Whether the base is approximate."""
        return self.base is not None and hasattr(self.base, "hnsw")

    def put(self, places: Places, vectors: np.ndarray[Any, Any]) -> None:
        """Set the vectors at some places, shape `[places, dimensions]`."""
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

    def search(self, query: Floats, k: int, mask: Mask | None) -> VectorHits:
        """Return at least the `k` best places, or all that pass; for a graph under a filter, at least 3/4 of `k`.

        Args:
            query: Shape `[dimensions]`.
            k: The number of places wanted.
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
            return VectorHits(np.zeros(0, np.int64), np.zeros(0, np.float32))
        return VectorHits(np.concatenate([one.places for one in parts]), np.concatenate([one.scores for one in parts]))

    def _search_delta(self, query: Floats, k: int, mask: Mask | None) -> VectorHits:
        size = len(self._row)
        places = self._places[:size]
        if mask is None:
            return _best(VectorHits(places, self._delta[:size] @ query), k)
        rows = np.flatnonzero(mask[places])
        scores = self._delta[rows] @ query if 4 * len(rows) < size else (self._delta[:size] @ query)[rows]
        return _best(VectorHits(places[rows], scores), k)

    def scores(self, query: Floats, places: Places) -> Floats:
        """Return the inner products of a query with the vectors at some places, as `search` computes them.

        Args:
            query: Shape `[dimensions]`.
            places: In any order.
        """
        found = np.zeros(len(places), np.float32)
        rows = np.array([self._row.get(place, -1) for place in places.tolist()], np.int64)
        since = rows >= 0
        if since.any():
            found[since] = self._delta[rows[since]] @ query
        if not since.all():
            found[~since] = self._gathered(query, places[~since])
        return found

    def _search_base(self, query: Floats, k: int, fits: Mask | None) -> VectorHits:
        if fits is None:
            return self._ask(self.base, query, k, None)
        count = int(np.count_nonzero(fits))
        part = count / self.base_rows
        if count <= k or part < (_GRAPH_PASSES if self.is_graph else _FEW):
            places = np.flatnonzero(fits)
            return VectorHits(places, self._gathered(query, places))
        if not self.is_graph:
            return self._ask(self.base, query, k, fits)
        # A filtered graph search stops too early if the passing items are far away. So the nearest of all items are
        # searched, and the result is used if enough of them pass.
        among = int(_AMONG * k / part)
        for nearest, ef in ((among, _EF), (_FARTHEST, 2 * _FARTHEST)):
            if nearest <= _FARTHEST and (nearest == among or count > _SCANNED):
                found = self._ask(self.base, query, nearest, None, ef)
                passing = fits[found.places]
                if 4 * np.count_nonzero(passing) >= 3 * k:
                    return VectorHits(found.places[passing], found.scores[passing])
        return self._ask(self._stored, query, k, fits)

    def _gathered(self, query: Floats, places: Places) -> Floats:
        """Return the inner products of a query with some vectors of the base."""
        found = np.zeros(len(places), np.float32)
        if not self.is_graph:
            if len(places):
                found[:] = self.base.reconstruct_batch(places) @ query
            return found
        # faiss decodes one number at a time, which is slow. A byte encodes low + (byte + 0.5) / 255 * width.
        low, width = self._levels
        weights = query * width / 255
        for start in range(0, len(places), _CHUNK):
            chunk = places[start : start + _CHUNK]
            found[start : start + _CHUNK] = self._bytes[chunk].astype(np.float32) @ weights
        return found + np.float32(query @ low + 0.5 * weights.sum())

    def _ask(self, index: Any, query: Floats, k: int, fits: Mask | None, ef: int = _EF) -> VectorHits:
        library = faiss()
        selector = None if fits is None else library.IDSelectorBitmap(np.packbits(fits, bitorder="little"))
        chosen = {} if selector is None else {"sel": selector}
        if hasattr(index, "hnsw"):
            parameters = library.SearchParametersHNSW(efSearch=max(ef, k), **chosen)
        else:
            parameters = library.SearchParameters(**chosen)
        # For one query faiss would wake a thread per core, and wait for all of them on a busy machine.
        threads = library.omp_get_max_threads()
        library.omp_set_num_threads(1)
        try:
            scores, places = index.search(query[None], min(k, int(index.ntotal)), params=parameters)
        finally:
            library.omp_set_num_threads(threads)
        real = places[0] >= 0
        return VectorHits(places[0][real], scores[0][real])


def build(dimensions: int, rows: int, chunks: Iterator[Floats], *, graph: bool, base: Any = None) -> Any:
    """Build a base of `rows` vectors. A graph takes about 0.35 ms of one core per new vector.

    Args:
        dimensions: The length of a vector.
        rows: The number of vectors.
        chunks: The new vectors, each chunk of shape `[n, dimensions]`, in order of place.
        graph: Whether to build a graph or an exact index.
        base: A graph to extend, in memory of its own; None to start from nothing.
    """
    library = faiss()
    if base is None:
        base = library.index_factory(dimensions, _FACTORY[graph], library.METRIC_INNER_PRODUCT)
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
    with needed_by("A large memory"):
        import faiss as library
    return library


def _best(found: VectorHits, k: int) -> VectorHits:
    if len(found.places) <= k:
        return found
    kept = np.argpartition(-found.scores, k - 1)[:k]
    return VectorHits(found.places[kept], found.scores[kept])

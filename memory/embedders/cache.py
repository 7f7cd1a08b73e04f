"""A cache in front of an embedder: many texts come again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..protocol import Embedder


class CachedEmbedder:
    """An embedder that keeps the vectors of recent texts."""

    def __init__(self, embedder: Embedder, size: int = 20_000) -> None:
        """Cache the vectors of an embedder.

        Args:
            embedder: The embedder for texts that are not cached.
            size: The maximum number of cached texts; the oldest are dropped first.
        """
        self._embedder, self._size = embedder, size
        self._known: dict[str, np.ndarray[Any, np.dtype[np.float32]]] = {}

    @property
    def name(self) -> str:
        """The name of the cached embedder."""
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        return self._embedder.dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return unit vectors, shape `[texts, dimensions]`."""
        found = {text: self._known[text] for text in texts if text in self._known}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            found |= dict(zip(new, self._embedder.embed(new), strict=True))
            self._known |= {text: found[text].copy() for text in new}
        while len(self._known) > self._size:
            del self._known[next(iter(self._known))]
        return np.array([found[text] for text in texts], np.float32).reshape(len(texts), self.dimensions)

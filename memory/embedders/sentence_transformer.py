"""Sentence vectors of any sentence-transformers model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import MissingDependencyError, ModelError


class SentenceTransformer:
    """Any model of sentence-transformers."""

    def __init__(self, path: str) -> None:
        """Load a model.

        Raises:
            MissingDependencyError: sentence-transformers is not installed.
            ModelError: there is no such model.
        """
        try:
            import sentence_transformers  # type: ignore[import-not-found]
        except ImportError as error:
            raise MissingDependencyError(
                "This embedder needs sentence-transformers: pip install sentence-transformers torch==2.13.0."
            ) from error
        try:
            self._model: Any = sentence_transformers.SentenceTransformer(path)
        except (OSError, ValueError) as error:
            raise ModelError(f"The model {path!r} cannot be loaded ({' '.join(str(error).split())[:300]}).") from error
        self._path = path

    @property
    def name(self) -> str:
        """The path or id."""
        return f"st:{self._path}"

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        return int(self._model.get_sentence_embedding_dimension())

    def embed(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return unit vectors, shape `[texts, dimensions]`."""
        found = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, np.float32).reshape(len(texts), self.dimensions)

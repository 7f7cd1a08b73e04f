"""Embedders by name.

| name | what |
|---|---|
| `auto` | `minilm` where it was fetched, else `ngrams` |
| `minilm`, `minilm:PATH` | all-MiniLM-L6-v2, in numpy (`pathei data get minilm`) |
| `ngrams` | hashed character n-grams; no weights |
| `endpoint:MODEL` | any OpenAI-compatible endpoint (OPENAI_BASE_URL, OPENAI_API_KEY) |
| `st:PATH` | any model of sentence-transformers, by path or id |

The name that an embedder has itself, which memories record, gives the same embedder again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...errors import ConfigError, MissingDependencyError, ModelError, unknown
from ..protocol import Embedder
from .endpoint import EmbeddingEndpoint
from .minilm import MiniLM, fetched
from .ngrams import NGramEmbedder

NAMES = ("auto", "minilm", "ngrams", "endpoint:MODEL", "st:PATH")
_MINILM: Final = "all-MiniLM-L6-v2@"
_NGRAMS: Final = re.compile(r"ngrams-\d+-\d+-([1-9]\d{0,5})")


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
                "Models of sentence-transformers need it: pip install sentence-transformers torch==2.13.0."
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


class CachedEmbedder:
    """An embedder that remembers what it was asked lately: much of what is lived says the same as before."""

    def __init__(self, embedder: Embedder, most: int = 20_000) -> None:
        """Ask an embedder for what is not remembered.

        Args:
            embedder: Whom.
            most: So many texts are remembered, the first ones being forgotten first.
        """
        self._embedder, self._most = embedder, most
        self._known: dict[str, np.ndarray[Any, np.dtype[np.float32]]] = {}

    @property
    def name(self) -> str:
        """That of the embedder."""
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
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return np.array([found[text] for text in texts], np.float32).reshape(len(texts), self.dimensions)


def embedder_named(name: str = "auto") -> Embedder:
    """Return an embedder; see the head of this file.

    Raises:
        UnknownNameError: there is none of this name.
        ConfigError: the name lacks what stands after the colon.
        DataError, ModelError, MissingDependencyError: it cannot be loaded.
    """
    found = _of_own_name(name)
    if found is not None:
        return found
    kind, _, rest = name.partition(":")
    if kind == "auto":
        return MiniLM() if fetched() else NGramEmbedder()
    if kind == "minilm":
        return MiniLM(Path(rest) if rest else None)
    if kind == "ngrams":
        return NGramEmbedder()
    if kind not in ("endpoint", "st"):
        raise unknown("embedder", name, NAMES)
    if not rest:
        raise ConfigError(f"The embedder {kind!r} needs a model after a colon, as in '{kind}:NAME'.")
    return EmbeddingEndpoint(rest) if kind == "endpoint" else SentenceTransformer(rest)


def _of_own_name(name: str) -> Embedder | None:
    """Return the embedder whose own name this is, where that is not one of `NAMES` anyway."""
    if match := _NGRAMS.fullmatch(name):
        found: Embedder = NGramEmbedder(int(match[1]))
    elif name.startswith(_MINILM):
        found = MiniLM()
    else:
        return None
    if found.name != name:
        raise ModelError(f"The embedder {name!r} cannot be had: the one here is {found.name!r}.")
    return found


__all__ = ["NAMES", "CachedEmbedder", "SentenceTransformer", "embedder_named"]

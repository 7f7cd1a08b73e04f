"""Embedders by name.

| name | what |
|---|---|
| `auto` | `minilm` if it was fetched and what it needs is installed, else `ngrams` |
| `minilm`, `minilm:PATH` | all-MiniLM-L6-v2, in numpy (`pathei data get minilm`) |
| `ngrams` | hashed character n-grams; needs no weights |
| `endpoint:MODEL` | any OpenAI-compatible endpoint (OPENAI_BASE_URL, OPENAI_API_KEY) |
| `st:PATH` | any sentence-transformers model, by path or id |

Another package adds an embedder with an entry point in the group `pathei.embedders`: a function that takes the part of
the name after the colon, or nothing, and returns an `Embedder`. The name that an embedder reports, which memories
record, is accepted as well; one of your own reports `module:Name`, by which it is found again.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ...errors import ConfigError, MissingDependencyError, ModelError
from ...registry import Registry
from ..protocol import Embedder
from .endpoint import EmbeddingEndpoint
from .minilm import MiniLM, fetched
from .ngrams import NGramEmbedder
from .sentence_transformer import SentenceTransformer

_MINILM: Final = "all-MiniLM-L6-v2@"
_NGRAMS: Final = re.compile(r"ngrams-\d+-\d+-([1-9]\d{0,5})")


def make_embedder(name: str = "auto") -> Embedder:
    """Make an embedder by its name; see the table above.

    Raises:
        UnknownNameError: there is none of this name.
        ConfigError: the name needs a part after a colon, or makes no embedder.
        DataError, ModelError, MissingDependencyError: it cannot be loaded.
    """
    found = _by_recorded_name(name)
    if found is not None:
        return found
    kind, _, rest = name.partition(":")
    kind, rest = (kind, rest) if kind in EMBEDDERS.names() else (name, "")
    made: Embedder = EMBEDDERS.make(kind, rest, offers=["name", "dimensions", "embed"])
    return made


def _auto(rest: str) -> Embedder:
    """MiniLM if it was fetched and what it needs is installed, else character n-grams."""
    del rest
    if fetched():
        with contextlib.suppress(MissingDependencyError):
            return MiniLM()
    return NGramEmbedder()


def _minilm(path: str) -> Embedder:
    """all-MiniLM-L6-v2 in numpy; `minilm:PATH` for files elsewhere."""
    return MiniLM(Path(path) if path else None)


def _ngrams(rest: str) -> Embedder:
    """Hashed character n-grams; needs no weights."""
    del rest
    return NGramEmbedder()


def _endpoint(model: str) -> Embedder:
    """Any OpenAI-compatible endpoint: `endpoint:MODEL`."""
    return EmbeddingEndpoint(_given("endpoint", model))


def _st(path: str) -> Embedder:
    """Any sentence-transformers model: `st:PATH`."""
    return SentenceTransformer(_given("st", path))


def _given(kind: str, rest: str) -> str:
    if not rest:
        raise ConfigError(f"The embedder {kind!r} needs a model after a colon, as in '{kind}:NAME'.")
    return rest


def _by_recorded_name(name: str) -> Embedder | None:
    """Return the embedder that reports this name, if that is not a name of the table."""
    if match := _NGRAMS.fullmatch(name):
        found: Embedder = NGramEmbedder(int(match[1]))
    elif name.startswith(_MINILM):
        found = MiniLM()
    else:
        return None
    if found.name != name:
        raise ModelError(f"The embedder {name!r} is not available: this version has {found.name!r}.")
    return found


EMBEDDERS: Final = Registry[Callable[[str], Embedder]](
    "embedder", {"auto": _auto, "minilm": _minilm, "ngrams": _ngrams, "endpoint": _endpoint, "st": _st}
)
"""Functions that make an embedder from the part of its name after the colon."""

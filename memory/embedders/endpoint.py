"""Sentence vectors from any OpenAI-compatible endpoint, such as OpenAI, vLLM, TEI, llama.cpp or Ollama."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from ...endpoint_client import make_client

_BATCH: Final = 64


class EmbeddingEndpoint:
    """The embedder; the client retries after overload, time-outs and broken connections (see `endpoint_client`)."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        dimensions: int | None = None,
        timeout: float = 60.0,
        retries: int = 4,
    ) -> None:
        """Create a client; nothing is sent yet.

        Args:
            model: The name of the model at the endpoint.
            base_url: The endpoint, up to `/v1`; OPENAI_BASE_URL if None, and OpenAI's own if that is not set.
            api_key: The key; OPENAI_API_KEY if None. Your own endpoint may need none.
            dimensions: The requested length of a vector, for models that support it; the model's own if None.
            timeout: The time limit of one request in seconds.
            retries: The number of times that a request is repeated.

        Raises:
            MissingDependencyError: the client is not installed.
            ModelError: there is no key, and the endpoint is OpenAI's.
        """
        self._endpoint = make_client(
            base_url, api_key, timeout=timeout, retries=retries, needed_by="An embedder behind an endpoint"
        )
        self._model = model
        self._asked: dict[str, Any] = {} if dimensions is None else {"dimensions": dimensions}
        self._dimensions = dimensions

    @property
    def name(self) -> str:
        """The model; its weights are known to the owner of the endpoint only."""
        return f"endpoint:{self._model}"

    @property
    def dimensions(self) -> int:
        """The length of a vector; the endpoint is queried once."""
        if self._dimensions is None:
            self._dimensions = int(self.embed(["dimensions"]).shape[1])
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return unit vectors, shape `[texts, dimensions]`.

        Raises:
            ModelError: the endpoint cannot be reached, refuses, or does not return vectors.
        """
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        rows: list[np.ndarray[Any, Any]] = []
        for start in range(0, len(texts), _BATCH):
            # Some servers refuse an empty text, so a space is sent instead.
            batch = [text or " " for text in texts[start : start + _BATCH]]
            try:
                answer = self._endpoint.client.embeddings.create(
                    model=self._model, input=batch, encoding_format="float", **self._asked
                )
                found = np.array([one.embedding for one in sorted(answer.data, key=lambda one: one.index)], np.float32)
                if found.ndim != 2 or len(found) != len(batch):
                    raise ValueError(f"{len(batch)} texts were sent and vectors of shape {found.shape} came back")
            except (self._endpoint.error, AttributeError, IndexError, TypeError, ValueError) as error:
                raise self._endpoint.failure(f"The embedder {self._model!r}", error) from error
            rows.append(found)
        both = np.concatenate(rows)
        length = np.linalg.norm(both, axis=1, keepdims=True)
        np.divide(both, length, out=both, where=length > 0)
        return both

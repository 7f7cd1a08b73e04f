"""Language models as one function from prompt to text: what the curriculum asks for goals.

`Complete` is all that such a caller knows of them, so a function of your own will do. The two classes put the back ends
of `backends` behind it. Nothing is imported, loaded or connected to before it is asked for.
"""

from __future__ import annotations

from typing import Protocol

from .backends import Conversation, Message, ModelRequest
from .endpoint import ChatEndpoint
from .local_model import LocalModel


class Complete(Protocol):
    """Answers a prompt."""

    def __call__(self, prompt: str, /) -> str:
        """Return the answer as text; it may be empty.

        Raises:
            ModelError: the model cannot be reached or does not answer.
        """
        ...


class OpenAIChat:
    """A chat model behind an OpenAI-compatible endpoint; see `ChatEndpoint`."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        temperature: float = 0.7,
        max_tokens: int = 1024,
        timeout: float = 60.0,
        retries: int = 4,
    ) -> None:
        """Prepare a client; nothing is sent yet. Arguments and errors: see `ChatEndpoint` and `ModelRequest`."""
        self._endpoint = ChatEndpoint(model, base_url=base_url, api_key=api_key, timeout=timeout, retries=retries)
        # The model samples as it likes, but OpenAI's own takes a seed, and every answer should differ from the last.
        self._temperature, self._max_tokens, self._seed = temperature, max_tokens, 0

    def __call__(self, prompt: str, /) -> str:
        """Return the answer.

        Raises:
            ModelError: the endpoint cannot be reached, refuses, or sends what is no answer.
        """
        ask = ModelRequest(_said(prompt), self._max_tokens, temperature=self._temperature, seed=self._seed)
        self._seed += 1
        return self._endpoint.generate([ask])[0].text


class LocalChat:
    """A causal language model that transformers runs in this process; see `LocalModel`."""

    def __init__(self, path: str, *, temperature: float = 0.7, max_tokens: int = 512, seed: int = 0) -> None:
        """Load a model.

        Args:
            path: A directory with a model and its tokenizer, or a name that transformers finds.
            temperature: The sampling temperature; 0 for the likeliest token each time.
            max_tokens: The maximum number of generated tokens.
            seed: What sampling follows from, together with the number of the answer.

        Raises:
            MissingDependencyError: transformers or torch is not installed.
            ModelError: there is no such model, or it cannot be loaded.
        """
        self._model = LocalModel.load(path)
        self._temperature, self._max_tokens, self._seed = temperature, max_tokens, seed

    def __call__(self, prompt: str, /) -> str:
        """Return the answer; a tokenizer without a chat template is given the prompt as it stands.

        Raises:
            ModelError: the prompt fills the model's context.
        """
        ask = ModelRequest(_said(prompt), self._max_tokens, temperature=self._temperature, seed=self._seed)
        self._seed += 1
        return self._model.generate([ask])[0].text


def complete_named(name: str) -> Complete:
    """Return a model by name: `"local:PATH"` runs in this process, any other is asked for at the endpoint.

    Raises:
        MissingDependencyError: what it needs is not installed.
        ModelError: it cannot be loaded, or there is no key.
    """
    kind, _, rest = name.partition(":")
    return LocalChat(rest) if kind == "local" and rest else OpenAIChat(name)


def _said(prompt: str) -> Conversation:
    return Conversation((Message("user", prompt),))


__all__ = ["Complete", "LocalChat", "OpenAIChat", "complete_named"]

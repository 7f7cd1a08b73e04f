"""Language models as one function from a prompt to a text: what the curriculum and the builders of a memory ask for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from .backends import Backend, Conversation, Message, ModelRequest
from .endpoint import ChatEndpoint
from .local_model import LocalModel


def completion(
    backend: Backend, *, temperature: float = 0.7, max_tokens: int = 1024, seed: int = 0
) -> Callable[[str], str]:
    """Return a function from a prompt to a model's answer, which may be empty; it raises what `Backend.generate` does.

    Args:
        backend: The model.
        temperature: The sampling temperature; 0 for the likeliest token each time.
        max_tokens: The longest answer, in tokens.
        seed: What sampling follows from, together with the number of the answer, so that answers differ.
    """
    seeds = itertools.count(seed)

    def complete(prompt: str) -> str:
        said = Conversation((Message("user", prompt),))
        return backend.generate([ModelRequest(said, max_tokens, temperature=temperature, seed=next(seeds))])[0].text

    return complete


def complete_named(name: str) -> Callable[[str], str]:
    """Return a model by name.

    `"local:MODEL"` or the path of a model runs in this process (see `pretrained`); `"MODEL@URL"` is asked for at an
    OpenAI-compatible endpoint, any other name at that of OPENAI_BASE_URL.

    Raises:
        MissingDependencyError: what it needs is not installed.
        ModelError: it cannot be loaded, or there is no key.
    """
    local = name.removeprefix("local:")
    if local and (local != name or Path(name).exists()):
        return completion(LocalModel.load(local), max_tokens=512)
    model, _, url = name.partition("@")
    return completion(ChatEndpoint(model, base_url=url or None))

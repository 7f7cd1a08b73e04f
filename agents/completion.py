"""Language models as one function from prompt to text, behind any OpenAI-compatible endpoint or in this process.

`Complete` is all that the rest of pathei knows of them, so a function of your own will do. Nothing is imported, loaded
or connected to before it is asked for. Left out: streaming, tools, token ids, and training.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any, Final, Protocol

from ..errors import MissingDependencyError, ModelError

_NO_KEY: Final = "none"
"""What is sent to an endpoint of one's own, which asks for no key; the client refuses to send nothing."""


class Complete(Protocol):
    """Answers a prompt."""

    def __call__(self, prompt: str, /) -> str:
        """Return the answer as text; it may be empty.

        Raises:
            ModelError: the model cannot be reached or does not answer.
        """
        ...


class OpenAIChat:
    """A chat model behind an OpenAI-compatible endpoint: OpenAI's, vLLM's, Ollama's, llama.cpp's.

    Overload, time-outs and broken connections are tried again with a growing pause, which the official client does.
    """

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
        """Prepare a client; nothing is sent yet.

        Args:
            model: The model's name at the endpoint.
            base_url: The endpoint, up to `/v1`; OPENAI_BASE_URL if None, and OpenAI's own without that.
            api_key: The key; OPENAI_API_KEY if None. An endpoint of your own may need none.
            temperature: The sampling temperature, at least 0.
            max_tokens: At most so many tokens are generated.
            timeout: How long one answer may take, in seconds.
            retries: So often a request is sent again.

        Raises:
            MissingDependencyError: the client is not installed.
            ModelError: there is no key, and the endpoint is OpenAI's.
        """
        try:
            import openai
        except ImportError as error:
            raise MissingDependencyError(
                "A model behind an endpoint needs the client: pip install 'pathei[lm]'."
            ) from error
        self._base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
        key = api_key or os.environ.get("OPENAI_API_KEY") or (_NO_KEY if self._base_url else None)
        if key is None:
            raise ModelError("There is no key for OpenAI's endpoint: set OPENAI_API_KEY, or OPENAI_BASE_URL.")
        self._errors = openai.OpenAIError
        self._client = openai.OpenAI(base_url=self._base_url, api_key=key, timeout=timeout, max_retries=retries)
        self._model = model
        self._options: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens}

    def __call__(self, prompt: str, /) -> str:
        """Return the answer.

        Raises:
            ModelError: the endpoint cannot be reached, refuses, or sends what is no answer.
        """
        try:
            answer = self._client.chat.completions.create(
                model=self._model, messages=[{"role": "user", "content": prompt}], **self._options
            )
            return answer.choices[0].message.content or ""
        except (self._errors, AttributeError, IndexError, TypeError, ValueError) as error:
            # The client passes on whatever JSON it is sent, so a broken answer shows as one of the last four.
            where = self._base_url or "OpenAI's endpoint"
            what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise ModelError(f"The model {self._model!r} at {where} did not answer ({what}).") from error


class LocalChat:
    """A causal language model that transformers runs in this process."""

    def __init__(self, path: str, *, temperature: float = 0.7, max_tokens: int = 512, seed: int = 0) -> None:
        """Load a model.

        Args:
            path: A directory with a model and its tokenizer, or a name that transformers finds.
            temperature: The sampling temperature; 0 for the likeliest token each time.
            max_tokens: At most so many tokens are generated.
            seed: What sampling follows from, together with the number of the answer.

        Raises:
            MissingDependencyError: transformers or torch is not installed.
            ModelError: there is no such model, or it cannot be loaded.
        """
        try:
            self._torch = importlib.import_module("torch")
            transformers = importlib.import_module("transformers")
        except ImportError as error:
            raise MissingDependencyError(
                f"A model in this process needs {error.name}: pip install transformers torch==2.13.0."
            ) from error
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(path)
            self._model = transformers.AutoModelForCausalLM.from_pretrained(path).eval()
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"The model {path!r} cannot be loaded ({' '.join(str(error).split())[:300]}).") from error
        self._sampling: Mapping[str, Any] = (
            {"do_sample": True, "temperature": temperature} if temperature > 0 else {"do_sample": False}
        )
        self._max_tokens = max_tokens
        self._seed = seed

    def __call__(self, prompt: str, /) -> str:
        """Return the answer; a tokenizer without a chat template is given the prompt as it stands."""
        tokenizer, torch = self._tokenizer, self._torch
        if getattr(tokenizer, "chat_template", None):
            messages = [{"role": "user", "content": prompt}]
            prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        given = tokenizer(prompt, return_tensors="pt").to(self._model.device)
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(self._seed)
            made = self._model.generate(**given, max_new_tokens=self._max_tokens, **self._sampling)
        self._seed += 1
        return str(tokenizer.decode(made[0, given["input_ids"].shape[1] :], skip_special_tokens=True))


def complete_named(name: str) -> Complete:
    """Return a model by name: `"local:PATH"` runs in this process, any other is asked for at the endpoint.

    Raises:
        MissingDependencyError: what it needs is not installed.
        ModelError: it cannot be loaded, or there is no key.
    """
    kind, _, rest = name.partition(":")
    return LocalChat(rest) if kind == "local" and rest else OpenAIChat(name)


__all__ = ["Complete", "LocalChat", "OpenAIChat", "complete_named"]

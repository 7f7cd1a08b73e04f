"""What a language model is asked and what it answers, whatever runs it: one protocol, `Backend`, and its records.

There are two back ends: `local_model.LocalModel` runs a model in this process, `endpoint.Endpoint` asks an
OpenAI-compatible server. Not here: streaming, training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ...experience import Json, Tokens


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str
    images: tuple[str, ...] = ()
    """SHA-256 (hex) of images that are shown before the text."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a model reads. A model without a chat template reads it as plain text; see `plain`."""

    messages: tuple[Message, ...]
    cue: str = ""
    """What begins an assistant's turn in plain text: `"Action:"`. Chat models are not shown it, unless there are no
    messages: then it is what they are asked."""
    begun: str = ""
    """What the assistant has said of this turn already; the answer goes on behind it."""

    def plain(self) -> str:
        """Return the conversation as text, up to where the assistant goes on.

        Turns are separated by an empty line; the assistant's are its cue, a space, and what it said. With the cue
        `"Action:"` this is the prompt of the prompt-completion export (`export.text`).
        """
        cue = f"{self.cue} " if self.cue else ""
        return "".join(f"{cue if m.role == 'assistant' else ''}{m.text}\n\n" for m in self.messages) + (
            f"{cue}{self.begun}" if self.begun else self.cue
        )

    @property
    def lead(self) -> str:
        """What separates the cue, or what was said, from what follows, in plain text."""
        return " " if self.cue or self.begun else ""

    @property
    def images(self) -> bool:
        """Whether there is an image in it."""
        return any(message.images for message in self.messages)


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A request for an answer in words."""

    conversation: Conversation
    max_tokens: int = 256
    """The maximum number of generated tokens."""
    stop: tuple[str, ...] = ()
    """The answer ends before the first of these."""
    temperature: float = 0.0
    """0 for the likeliest token each time."""
    seed: int = 0
    """Seeds sampling; an endpoint may ignore it."""
    among: tuple[str, ...] = ()
    """The answer is one of these, whole: the likeliest, or one that is drawn by likelihood. An endpoint goes token by
    token instead ("guided choice"). An empty option among others stands for ending the answer; a back end that
    cannot rate that ignores it. Empty for an answer in any words."""
    call: tuple[str, ...] | None = None
    """Ask for the call of a tool whose one argument is an action: one of these, or any if empty. None for an answer in
    words. Only a chat endpoint knows tools; other back ends answer in words."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A request for the likelihood of each of some continuations."""

    conversation: Conversation
    options: tuple[str, ...]
    """The continuations, none empty."""


Request = ModelRequest | Choice


@dataclass(frozen=True, slots=True)
class Usage:
    """What requests took."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    """In the currency of the price that was given; None without one."""
    requests: int = 1

    def __add__(self, other: Usage) -> Usage:
        cost = None if self.cost is None and other.cost is None else (self.cost or 0.0) + (other.cost or 0.0)
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            cost,
            self.requests + other.requests,
        )

    def json(self) -> dict[str, Json]:
        """Return it as notes; the cost only where it is known."""
        notes: dict[str, Json] = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "requests": self.requests,
        }
        return notes if self.cost is None else {**notes, "cost": self.cost}


@dataclass(frozen=True, slots=True)
class ModelReply:
    """An answer in words."""

    text: str
    """Without the stop string that ended it; the call of a tool is JSON, `{"name": ..., "arguments": ...}`."""
    tokens: Tokens | None
    """Token ids, where the back end gives them; the completion includes the tokens of a stop string and of the end."""
    logprobs: tuple[float, ...] | None
    """Natural log-probability of each completion token by the model itself, at temperature 1, shape `[T]`."""
    usage: Usage
    thought: str = ""
    """What the model thought, where the server gives it apart from the answer."""
    cut: bool = False
    """Whether the answer broke off at the maximum number of tokens."""


@dataclass(frozen=True, slots=True)
class RatedChoices:
    """How likely each option is to follow; `[O]` stands for the number of options."""

    option_logprobs: tuple[tuple[float, ...], ...]
    """Natural log-probability of each token of each option, shape `[O][T]`."""
    usage: Usage
    prompt_ids: tuple[int, ...] | None = None
    """Token ids of the conversation; None if the back end gives none."""
    option_ids: tuple[tuple[int, ...], ...] | None = None
    """Token ids of each option."""

    def scores(self, per_token: bool = False) -> list[float]:
        """Return log p(option | conversation) in nats, shape `[O]`, divided by the number of tokens or not."""
        return [sum(logs) / len(logs) if per_token else sum(logs) for logs in self.option_logprobs]

    def tokens(self, option: int) -> Tokens | None:
        """Return what was read and, had the model said this option, written."""
        if self.prompt_ids is None or self.option_ids is None:
            return None
        return Tokens(self.prompt_ids, self.option_ids[option], self.option_logprobs[option])


Answer = ModelReply | RatedChoices


class Backend(Protocol):
    """A language model that can be asked. One that cannot rate says so by an attribute `rates`, which is False."""

    @property
    def name(self) -> str:
        """Which model it is, for the record."""

    @property
    def context(self) -> int | None:
        """The most tokens, prompt and answer together, that the model can read; None if that is not known."""

    def generate(self, asks: Sequence[ModelRequest], /) -> list[ModelReply]:
        """Answer each request; together they cost less than one by one.

        Raises:
            ModelError: the model cannot be reached, does not answer, or cannot read what it is given.
        """

    def rate(self, choices: Sequence[Choice], /) -> list[RatedChoices]:
        """Rate the options of each request.

        Raises:
            ModelError: as for `generate`; or this back end gives no likelihoods.
        """

    def count(self, conversation: Conversation, /) -> int:
        """Return how many tokens a conversation has; an estimate where only the server knows."""

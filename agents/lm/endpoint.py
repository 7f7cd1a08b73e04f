"""Any OpenAI-compatible endpoint: OpenAI's, vLLM's, llama.cpp's, Ollama's, `transformers serve`.

Retries are the client's (`endpoint_client`). Not here: streaming, and counting tokens exactly: a server says how
many there were only afterwards.
"""

from __future__ import annotations

import base64
import dataclasses
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Literal, NamedTuple, TypeVar

import orjson

from ...endpoint_client import make_client
from ...errors import ModelError
from ...experience import Json, Tokens
from ...store.blobs import media_type
from .backends import Choice, Conversation, Message, ModelReply, ModelRequest, RatedChoices, Usage
from .reading import TOOL

_A = TypeVar("_A")
_T = TypeVar("_T")
_CHARACTERS: Final = 3
"""Characters counted as one token: fewer than the four of English, so that estimates err on the safe side."""
_LISTED: Final = 200
"""The longest list of actions that the description of a tool holds."""


class Price(NamedTuple):
    """What a million tokens cost, in any currency."""

    prompt: float
    completion: float


class ChatEndpoint:
    """A model behind an endpoint as a `Backend`."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        api: Literal["chat", "completions"] = "chat",
        timeout: float = 60.0,
        retries: int = 4,
        concurrent: int = 8,
        per_minute: float | None = None,
        price: Price | None = None,
        context: int | None = None,
        logprobs: bool = False,
        read_image: Callable[[str], bytes] | None = None,
        options: Mapping[str, Json] | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            model: The model's name at the endpoint.
            base_url: The endpoint, up to `/v1`; OPENAI_BASE_URL if None, and OpenAI's own without that.
            api_key: The key; OPENAI_API_KEY if None. An endpoint of your own may need none.
            api: `"chat"` sends messages; `"completions"` sends plain text, and can rate options where the server gives
                the log-probabilities of a prompt (`echo`, as vLLM does).
            timeout: How long one answer may take, in seconds.
            retries: The maximum number of times a request is sent again.
            concurrent: The maximum number of simultaneous requests.
            per_minute: The maximum number of requests begun in a minute, evenly spaced; None for no limit. What the
                client sends again is not counted.
            price: What tokens cost; it makes the cost part of the record.
            context: The longest sequence that the model reads, in tokens, if it is known.
            logprobs: Whether to ask for the log-probabilities of answers.
            read_image: Returns an image by its SHA-256, as `ExperienceStore.image` does; needed to show images.
            options: More fields of every request, in place of ours where they have the same name; None leaves a field
                out (`{"max_tokens": None, "max_completion_tokens": 500}`).

        Raises:
            MissingDependencyError: the client is not installed.
            ModelError: there is no key, and the endpoint is OpenAI's.
        """
        self._endpoint = make_client(base_url, api_key, timeout=timeout, retries=retries, needed_by="An endpoint")
        self._client = self._endpoint.client
        self._model = model
        self._api = api
        self._concurrent = max(1, concurrent)
        self._pace = _Pace(per_minute)
        self._price = price
        self._context = context
        self._logprobs = logprobs
        self._read_image = read_image
        self._options = dict(options or {})

    @property
    def name(self) -> str:
        """The model's name at the endpoint."""
        return self._model

    @property
    def context(self) -> int | None:
        """What was given as the model's context."""
        return self._context

    @property
    def rates(self) -> bool:
        """Whether the server may give the log-probabilities of given words: not for chats."""
        return self._api != "chat"

    def count(self, conversation: Conversation, /) -> int:
        """Estimate how many tokens a conversation has: a third of its bytes."""
        return sum(len(message.text.encode()) // _CHARACTERS + 8 for message in conversation.messages)

    def generate(self, asks: Sequence[ModelRequest], /) -> list[ModelReply]:
        """Answer each request, several at once.

        Raises:
            ModelError: the endpoint cannot be reached, refuses, sends what is no answer, or takes no notice of the
                options that an answer was to be among.
        """
        return self._all(self._ask, asks)

    def _ask(self, ask: ModelRequest) -> ModelReply:
        chat = self._api == "chat"
        what = (
            {"messages": list(map(self._message, ask.conversation.messages))} if chat else {"prompt": self._plain(ask)}
        )
        fields = self._final(self._fields(ask, **what))
        create = self._client.chat.completions.create if chat else self._client.completions.create
        reply = self._send(lambda: self._reply(create(**fields)))
        if not ask.among or reply.text in ask.among:
            return reply
        meant = reply.text.strip()
        if meant not in ask.among:
            raise ModelError(
                f"The endpoint of {self._model!r} answered {meant[:80]!r}, which is none of the options it was given: "
                "use a server with structured outputs (vLLM)."
            )
        return dataclasses.replace(reply, text=meant)

    def rate(self, choices: Sequence[Choice], /) -> list[RatedChoices]:
        """Rate options by the log-probabilities that the server gives of a prompt.

        Raises:
            ModelError: the endpoint is asked for chats, or gives no such log-probabilities.
        """
        if self._api == "chat":
            raise ModelError(
                f"The chat endpoint of {self._model!r} cannot rate given words: let the agent write "
                "(--lm.way generate), or use api='completions' at a server that echoes log-probabilities (vLLM)."
            )
        return self._all(self._rate_one, choices)

    # --- one request

    def _rate_one(self, choice: Choice) -> RatedChoices:
        if not choice.options:
            return RatedChoices((), Usage())
        prompt = self._plain(choice)
        texts = [prompt + choice.conversation.lead + option for option in choice.options]
        fields = {"model": self._model, "prompt": texts, "max_tokens": 1, "echo": True, "logprobs": 1, "temperature": 0}

        def read(answer: Any) -> RatedChoices:
            given = {one.index: one.logprobs for one in answer.choices}
            logs = [_within(given[place], len(prompt), len(text)) for place, text in enumerate(texts)]
            if not all(logs):
                raise ValueError("it gives no log-probabilities of the prompt")
            return RatedChoices(tuple(logs), self._usage(answer))

        return self._send(lambda: read(self._client.completions.create(**self._final(fields))))

    def _send(self, request: Callable[[], _T]) -> _T:
        self._pace.wait()
        try:
            return request()
        except (self._endpoint.error, ValueError) as error:
            raise self._endpoint.failure(f"The model {self._model!r}", error) from error
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            # The client passes on any JSON that it gets.
            broken = ValueError("its answer is not of the form that this interface has")
            raise self._endpoint.failure(f"The model {self._model!r}", broken) from error

    def _all(self, function: Callable[[_A], _T], requests: Sequence[_A]) -> list[_T]:
        if len(requests) < 2:
            return [function(one) for one in requests]
        with ThreadPoolExecutor(min(self._concurrent, len(requests))) as threads:
            return list(threads.map(function, requests))

    # --- what is sent, and what comes back

    def _fields(self, ask: ModelRequest, **what: Any) -> dict[str, Any]:
        fields = {"model": self._model, "max_tokens": ask.max_tokens, "temperature": ask.temperature, **what}
        if ask.stop:
            fields["stop"] = list(ask.stop)
        if self._logprobs:
            fields["logprobs"] = True if self._api == "chat" else 1
        if ask.call is not None and self._api == "chat":
            fields |= {"tools": [_tool(ask.call)], "tool_choice": {"type": "function", "function": {"name": TOOL}}}
        if ask.temperature > 0:
            fields["seed"] = ask.seed % 2**31
        if ask.among:
            # As vLLM takes it from 0.12 on; the lead is a part of plain text, and not of a chat's answer.
            lead = ask.conversation.lead if self._api == "completions" else ""
            fields["extra_body"] = {"structured_outputs": {"choice": [lead + one for one in ask.among if one]}}
        return fields

    def _final(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that are sent; those that the client does not know travel in `extra_body`."""
        kept = {key: value for key, value in fields.items() if key not in self._options}
        extra = {key: value for key, value in self._options.items() if value is not None}
        extra = {**kept.pop("extra_body", {}), **extra}
        return {**kept, "extra_body": extra} if extra else kept

    def _message(self, message: Message) -> dict[str, Any]:
        if not message.images:
            return {"role": message.role, "content": message.text}
        if self._read_image is None:
            raise ModelError("An image is to be shown and nothing reads it: give the endpoint `read_image`.")
        parts: list[dict[str, Any]] = []
        for name in message.images:
            data = self._read_image(name)
            url = f"data:image/{media_type(data) or 'png'};base64,{base64.b64encode(data).decode()}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        return {"role": message.role, "content": [*parts, {"type": "text", "text": message.text}]}

    def _plain(self, request: ModelRequest | Choice) -> str:
        if request.conversation.images:
            raise ModelError("A text completion cannot be shown images: use api='chat'.")
        return request.conversation.plain()

    def _reply(self, answer: Any) -> ModelReply:
        """Read an answer; vLLM adds token ids where `options` has `return_token_ids`.

        Raises:
            ValueError: it holds no answer.
        """
        if isinstance(answer, str):
            raise ValueError(f"it sent no JSON, but {answer[:80]!r}")
        if not answer.choices:
            raise ValueError(f"it sent no answer, but {getattr(answer, 'error', None) or 'an empty list'}")
        choice = answer.choices[0]
        given = getattr(choice, "logprobs", None)
        thought = ""
        if self._api == "chat":
            text, thought = _read_message(choice.message)
            found = [one.logprob for one in getattr(given, "content", None) or ()]
        else:
            text, found = str(choice.text), getattr(given, "token_logprobs", None) or []
        logs = tuple(map(float, found)) or None
        prompt = getattr(answer, "prompt_token_ids", None) or getattr(choice, "prompt_token_ids", None)
        ids = getattr(choice, "token_ids", None)
        tokens = None
        if prompt and ids:
            tokens = Tokens(tuple(prompt), tuple(ids), logs if logs and len(logs) == len(ids) else None)
        cut = getattr(choice, "finish_reason", None) == "length"
        return ModelReply(text, tokens, logs, self._usage(answer), thought, cut)

    def _usage(self, answer: Any) -> Usage:
        given = getattr(answer, "usage", None)
        prompt = int(getattr(given, "prompt_tokens", 0) or 0)
        completion = int(getattr(given, "completion_tokens", 0) or 0)
        price = self._price
        cost = None if price is None else (prompt * price.prompt + completion * price.completion) / 1e6
        return Usage(prompt, completion, cost)


def _read_message(message: Any) -> tuple[str, str]:
    """Return what a chat's message answers, and what it thought; a tool call comes before words, which then explain it.

    Servers that take thinking apart call it `reasoning_content` or `reasoning`.
    """
    content = message.content
    if isinstance(content, list):
        content = "".join(str(one.get("text") or "") for one in content if isinstance(one, dict))
    text = str(content or getattr(message, "refusal", None) or "")
    thoughts = (getattr(message, name, None) for name in ("reasoning_content", "reasoning"))
    thought = next((one for one in thoughts if isinstance(one, str)), "")
    calls = [one.function for one in getattr(message, "tool_calls", None) or () if getattr(one, "function", None)]
    called = calls[0] if calls else getattr(message, "function_call", None)
    if called is None:
        return text, thought
    call = orjson.dumps({"name": called.name, "arguments": called.arguments}).decode()
    return call, "\n".join(filter(None, (thought, text)))


def _within(given: Any, begin: int, end: int) -> tuple[float, ...]:
    """Return the log-probabilities of the tokens that begin within a part of the text."""
    if given is None or not given.token_logprobs or not given.text_offset:
        return ()
    pairs = zip(given.text_offset, given.token_logprobs, strict=True)
    return tuple(float(log) for offset, log in pairs if begin <= offset < end)


def _tool(actions: tuple[str, ...]) -> dict[str, Json]:
    """Describe the tool whose call is an action; servers limit the length of a list."""
    listed: dict[str, Json] = {"enum": list(actions)} if 0 < len(actions) <= _LISTED else {}
    action = {"type": "string", "description": "The action, in the words of the environment.", **listed}
    schema = {"type": "object", "properties": {"action": action}, "required": ["action"]}
    return {
        "type": "function",
        "function": {"name": TOOL, "description": "Do one action in the environment.", "parameters": schema},
    }


class _Pace:
    """Lets requests begin at an even pace, whatever thread they come from."""

    def __init__(self, per_minute: float | None) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for one's turn."""
        if not self._gap:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._gap
        time.sleep(turn - now)

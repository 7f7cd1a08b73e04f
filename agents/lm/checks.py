"""The executable contract of `Backend`: call it from the tests of a back end; a message names the likely cause.

Not here: whether the answers are any good, and images.
"""

from __future__ import annotations

from ...errors import ContractError, ModelError
from .backends import Backend, Choice, Conversation, Message, ModelReply, ModelRequest

_PROMPT = Conversation((Message("user", "Goal: light the lamp.\n\nYou are in the hall."),), "Action:")
_LONGER = Conversation((*_PROMPT.messages, Message("assistant", "go home"), Message("user", "It is dark.")), "Action:")
_OPTIONS = ("go home", "press the switch", "wait")


def check_backend(backend: Backend, *, rates: bool = True, chooses: bool = True, repeatable: bool = True) -> None:
    """Check that a back end keeps the contract of `backends.Backend`.

    Args:
        backend: A model that can be asked; a real one, or a server that answers any prompt.
        rates: Whether it can rate options; a back end that cannot must raise `ModelError`.
        chooses: Whether it can answer with one of given options (`ModelRequest.among`).
        repeatable: Whether the same request must be answered alike; False for a model behind a service.

    Raises:
        ContractError: the contract is broken; says how, and what is probably the cause.
    """
    _require(bool(backend.name), "has no name", "return the model's name; it is recorded with each step")
    context = backend.context
    _require(context is None or context > 0, f"has a context of {context}", "return None if it is not known")
    short, longer = backend.count(_PROMPT), backend.count(_LONGER)
    _require(0 < short < longer, f"counts {short} and {longer} tokens", "count all messages; prompts are fitted by it")
    _check_answers(backend, repeatable)
    if chooses:
        _check_choice(backend)
    _check_ratings(backend, rates)


def _check_answers(backend: Backend, repeatable: bool) -> None:
    _require(backend.generate([]) == [], "answers no request with something", "return one answer per request")
    asks = [ModelRequest(_PROMPT, 4), ModelRequest(_LONGER, 2), ModelRequest(_PROMPT, 4)]
    replies = backend.generate(asks)
    _require(len(replies) == len(asks), f"gave {len(replies)} answers to {len(asks)} requests", "one each, in order")
    for ask, reply in zip(asks, replies, strict=True):
        _check_tokens(ask, reply)
    if repeatable:
        alike = replies[0].text == replies[2].text == backend.generate(asks[:1])[0].text
        _require(alike, "answers the same request differently", "at temperature 0 take the likeliest token each time")
        drawn = [backend.generate([ModelRequest(_PROMPT, 4, temperature=1.0, seed=7)])[0].text for _ in range(2)]
        _require(drawn[0] == drawn[1], "samples differently from the same seed", "draw from `ModelRequest.seed` only")
    stop = replies[0].text.strip()[:1]
    if repeatable and stop:
        stopped = backend.generate([ModelRequest(_PROMPT, 4, (stop,))])[0].text
        _require(stop not in stopped, "answers beyond a stop string", "cut the answer before the first stop string")


def _check_tokens(ask: ModelRequest, reply: ModelReply) -> None:
    _require(isinstance(reply.text, str), "gives an answer that is no text", "return an empty string for no answer")
    if reply.tokens is not None:
        length = len(reply.tokens.completion_ids)
        _require(length <= ask.max_tokens, f"wrote {length} of {ask.max_tokens} tokens", "respect `max_tokens`")
    if reply.logprobs is not None:
        valid = all(one <= 1e-6 for one in reply.logprobs)
        _require(valid, "gives log-probabilities above 0", "return natural logarithms of probabilities")
        if reply.tokens is not None:
            same = len(reply.logprobs) == len(reply.tokens.completion_ids)
            _require(same, "gives another number of log-probabilities than of tokens", "one per completion token")
    _require(reply.usage.requests >= 1, "counts no request", "return `Usage` with what the answer took")


def _check_choice(backend: Backend) -> None:
    reply = backend.generate([ModelRequest(_PROMPT, 16, among=_OPTIONS)])[0]
    _require(reply.text in _OPTIONS, f"answered {reply.text!r}, no option of `among`", "return one of them, whole")


def _check_ratings(backend: Backend, rates: bool) -> None:
    requests = [Choice(_PROMPT, _OPTIONS), Choice(_LONGER, _OPTIONS[:1])]
    if not rates:
        try:
            backend.rate(requests)
        except ModelError:
            return
        raise ContractError("The back end rates options without likelihoods: raise ModelError from `rate`.")
    rated = backend.rate(requests)
    counts = [len(one.option_logprobs) for one in rated]
    _require(counts == [3, 1], f"gave {counts} ratings for [3, 1] options", "one per option, requests in order")
    for logs in (logs for one in rated for logs in one.option_logprobs):
        _require(len(logs) > 0, "rates an option by no token", "one log-probability per token of the option")
        _require(sum(logs) <= 1e-6, f"gives the total {sum(logs)}", "return natural logarithms of probabilities")


def _require(holds: bool, what: str, cause: str) -> None:
    if not holds:
        raise ContractError(f"The back end {what}: {cause}.")

"""The executable contract of back ends: both keep it, and ways to break it are named."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("openai")

from pathei.agents.lm.backends import Choice, Conversation, ModelReply, ModelRequest, RatedChoices
from pathei.agents.lm.checks import check_backend
from pathei.agents.lm.local_model import LocalModel
from pathei.errors import ContractError
from pathei.tests.support.endpoint_server import Server
from pathei.tests.support.tiny_language import tiny_model, tiny_tokenizer


def local(family: str = "gpt2") -> LocalModel:
    size = {"n_positions": 512} if family == "gpt2" else {"max_position_embeddings": 512}
    return LocalModel(tiny_model(family, **size).eval(), tiny_tokenizer(), name=family)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_local_model_keeps_the_contract(family: str) -> None:
    check_backend(local(family))


def test_endpoints_keep_the_contract() -> None:
    chat, echoing = Server("press the switch"), Server("press the switch", model=local())
    try:
        check_backend(chat.endpoint(), rates=False, repeatable=False)
        check_backend(echoing.endpoint(api="completions"), repeatable=False)
    finally:
        chat.close()
        echoing.close()


class Wrong:
    """A local model that breaks the contract in one way."""

    def __init__(self, way: str) -> None:
        self._model, self._way = local(), way
        self.name = "" if way == "name" else "wrong"
        self.context = 0 if way == "context" else self._model.context

    def count(self, conversation: Conversation, /) -> int:
        """Count tokens."""
        return 7 if self._way == "count" else self._model.count(conversation)

    def generate(self, asks: Sequence[ModelRequest], /) -> list[ModelReply]:
        """Answer."""
        if self._way == "long":
            asks = [dataclasses.replace(ask, max_tokens=ask.max_tokens + 3) for ask in asks]
        if self._way == "stop":
            asks = [dataclasses.replace(ask, stop=()) for ask in asks]
        replies = self._model.generate(asks)
        if self._way == "logs":
            return [dataclasses.replace(one, logprobs=(0.5,)) for one in replies]
        return replies[:1] if self._way == "fewer" else replies

    def rate(self, choices: Sequence[Choice], /) -> list[RatedChoices]:
        """Rate options."""
        rated = self._model.rate(choices)
        if self._way == "total":
            return [dataclasses.replace(one, option_logprobs=((0.5,),) * len(one.option_logprobs)) for one in rated]
        return rated


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("name", "has no name"),
        ("context", "context of 0"),
        ("count", "counts 7 and 7"),
        ("fewer", "1 answers to 3"),
        ("long", "respect `max_tokens`"),
        ("stop", "stop string"),
        ("logs", "natural logarithms"),
        ("total", "natural logarithms"),
    ],
)
def test_each_way_to_break_it_is_named(way: str, message: str) -> None:
    wrong: Any = Wrong(way)
    with pytest.raises(ContractError, match=message):
        check_backend(wrong)


def test_a_back_end_that_rates_although_it_cannot_is_named() -> None:
    with pytest.raises(ContractError, match="raise ModelError"):
        check_backend(local(), rates=False)

"""The executable contract of regularizers: every method keeps it, and each way to break it is named."""

from collections.abc import Callable

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

import torch

from pathei.errors import ContractError
from pathei.learners.checks import check_regularizer
from pathei.learners.methods.ewc import EWC
from pathei.learners.methods.parameters import anchor_of
from pathei.learners.methods.protocol import MethodContext, Regularizer
from pathei.learners.methods.registry import METHODS, make_regularizers, parse_methods
from pathei.learners.training.batches import sequences_of
from pathei.learners.training.config import LoraConfig
from pathei.learners.training.lora import with_lora
from pathei.tests.support.tiny_language import OLD, tiny_model, tiny_tokenizer


@pytest.mark.parametrize("adapted", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("name", [name for name in METHODS.names() if METHODS.get(name).make is not None])
def test_every_method_keeps_the_contract(name: str, adapted: bool) -> None:
    sequences = sequences_of(OLD, tiny_tokenizer(), 12)
    base = tiny_model("llama")
    fisher = {one: torch.ones(value.shape) for one, value in base.named_parameters()}

    def make_model() -> torch.nn.Module:
        model = tiny_model("llama")
        return with_lora(model, LoraConfig(rank=3), seed=0) if adapted else model

    def make(model: torch.nn.Module) -> Regularizer:
        (found,) = make_regularizers(parse_methods(name), MethodContext(model, 0, "fp32", sequences, sequences, fisher))
        return found

    check_regularizer(make, make_model)


class Wrong(EWC):
    """EWC that breaks the contract in one way."""

    def __init__(self, model: torch.nn.Module, way: str) -> None:
        anchor = anchor_of(model)
        super().__init__({name: torch.ones(()) for name in anchor}, anchor, 1.0)
        self.way, self.calls = way, 0

    def add_gradient(self, model: torch.nn.Module, step: int = 0) -> float:
        """Add the gradient, and do something wrong."""
        self.calls += 1
        first = next(model.parameters())
        if self.way == "weights":
            first.data.add_(1.0)
        if self.way == "random":
            torch.rand(1)
        if self.way == "mode":
            model.train(not model.training)
        if self.way == "overwrites":
            for one in model.parameters():
                one.grad = torch.zeros_like(one) if one.requires_grad else None
        value = super().add_gradient(model, step)
        if self.way == "drifts":
            value += self.calls
        return {"value": value / 2, "nan": float("nan")}.get(self.way, value)


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("weights", "only `finish`"),
        ("random", "random state"),
        ("mode", "another mode"),
        ("overwrites", "add to `parameter.grad`"),
        ("drifts", "same step"),
        ("value", "factor of 2"),
        ("nan", "returned nan"),
    ],
)
def test_each_way_to_break_it_is_named(way: str, message: str) -> None:
    make: Callable[[torch.nn.Module], EWC] = lambda model: Wrong(model, way)  # noqa: E731
    with pytest.raises(ContractError, match=message):
        check_regularizer(make, tiny_model)


def test_a_gradient_for_a_frozen_parameter_is_named() -> None:
    class Frozen(EWC):
        def add_gradient(self, model: torch.nn.Module, step: int = 0) -> float:
            value = super().add_gradient(model, step)
            for one in model.parameters():
                if not one.requires_grad:
                    one.grad = torch.ones_like(one)
            return value

    def make(model: torch.nn.Module) -> EWC:
        anchor = anchor_of(model)
        return Frozen({name: torch.ones(()) for name in anchor}, anchor, 1.0)

    with pytest.raises(ContractError, match="frozen"):
        check_regularizer(make, tiny_model)

"""Memory Aware Synapses: the importance is the paper's, and the method holds the weights by it."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

import torch

from pathei.errors import ConfigError
from pathei.learners.checks import check_regularizer
from pathei.learners.methods.mas import MasConfig, estimate_importance, make_mas
from pathei.learners.methods.protocol import MethodContext
from pathei.learners.training.batches import sequences_of
from pathei.learners.training.config import LoraConfig
from pathei.learners.training.lora import merged, with_lora
from pathei.tests.support.tiny_language import OLD, tiny_model, tiny_tokenizer

SEQUENCES = sequences_of(OLD, tiny_tokenizer(), 12)[:5]


def by_hand(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Equations 2 and 3: the mean over inputs of the absolute gradient of the squared norm of the output."""
    total: dict[str, torch.Tensor] = {}
    for row in torch.from_numpy(SEQUENCES):
        names, values = zip(*model.named_parameters(), strict=True)
        output = model(input_ids=row[None]).logits
        found = torch.autograd.grad((output * output).sum(), values, allow_unused=True)
        for name, value, slope in zip(names, values, found, strict=True):
            total[name] = total.get(name, 0) + (torch.zeros_like(value) if slope is None else slope.abs())
    return {name: value / SEQUENCES.size for name, value in total.items()}


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_the_importance_is_that_of_the_paper(family: str) -> None:
    model = tiny_model(family).train()
    found, expected = estimate_importance(model, SEQUENCES), by_hand(tiny_model(family).eval())
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)
    assert max(float(value.max()) for value in found.values()) > 0
    assert model.training
    assert all(one.grad is None and one.requires_grad for one in model.parameters())


@pytest.mark.parametrize("adapted", [False, True], ids=["full", "lora"])
def test_the_penalty_is_the_importance_times_the_squared_distance(adapted: bool) -> None:
    base, model = tiny_model("llama"), tiny_model("llama")
    importance = by_hand(base)
    if adapted:
        model = with_lora(model, LoraConfig(rank=3), seed=0)
    method = make_mas(MethodContext(model, 0, "fp32", SEQUENCES), MasConfig(strength=0.3))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    value = method.add_gradient(model, 0)
    now = dict((merged(model) if adapted else model).named_parameters())
    distance = {name: (now[name] - one).square() for name, one in base.named_parameters()}
    expected = 0.3 * sum(float((importance[name] * one).sum()) for name, one in distance.items())
    assert method.name == "mas"
    assert value == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("adapted", [False, True], ids=["full", "lora"])
def test_it_keeps_the_contract(adapted: bool) -> None:
    def make_model() -> torch.nn.Module:
        return with_lora(tiny_model("llama"), LoraConfig(rank=3), seed=0) if adapted else tiny_model()

    check_regularizer(lambda model: make_mas(MethodContext(model, 0, "fp32", SEQUENCES), MasConfig()), make_model)


def test_all_problems_of_the_configuration_are_reported() -> None:
    with pytest.raises(ConfigError, match=r"strength must be at least 0; sequences must be at least 1"):
        MasConfig(strength=-1.0, sequences=0)

"""The rivals of Elastic Weight Consolidation: each adds the gradient of the loss that it states; names are known."""

import copy
import math
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

import torch

from pathei.errors import ConfigError, LearningError, UnknownNameError
from pathei.learners.methods.kl import BaseKL
from pathei.learners.methods.l2sp import L2spConfig, make_l2sp
from pathei.learners.methods.protocol import MethodContext, Regularizer
from pathei.learners.methods.registry import METHODS, MethodConfigs, make_regularizers, parse_methods
from pathei.learners.methods.replay import Replay, ReplayConfig, self_generated
from pathei.learners.methods.wise_ft import WeightAveraging, WiseFtConfig
from pathei.learners.training.batches import draw, sequences_of
from pathei.learners.training.config import LoraConfig
from pathei.learners.training.lora import is_adapted, merged, with_lora
from pathei.tests.support.tiny_language import OLD, tiny_model, tiny_tokenizer

LORA = LoraConfig(rank=3, alpha=6.0)


@pytest.fixture(scope="module")
def old() -> np.ndarray:
    return sequences_of(OLD, tiny_tokenizer(), 12)


def moved(model: torch.nn.Module, seed: int = 1) -> torch.nn.Module:
    """Move what is trained a little, as training would."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=random))
    return model


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: one.grad for name, one in model.named_parameters() if one.grad is not None}


def agrees(
    model: torch.nn.Module, method: Regularizer, loss: Callable[[torch.nn.Module], torch.Tensor], step: int
) -> None:
    """Check that a regularizer adds autograd's gradient of `loss` to an existing one, and returns its value."""
    twin = copy.deepcopy(model)
    value = loss(twin)
    value.backward()
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.ones_like(parameter)
    assert method.add_gradient(model, step) == pytest.approx(value.item(), rel=1e-4)
    expected = gradients(twin)
    for name, found in gradients(model).items():
        torch.testing.assert_close(found, 1 + expected.get(name, torch.zeros_like(found)), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_replay_adds_the_gradient_of_the_loss_on_old_text(family: str, old: np.ndarray) -> None:
    model = moved(tiny_model(family))
    ids = torch.from_numpy(draw(old, 3, seed=5, step=2))
    method = Replay(old, per_step=3, weight=0.7, seed=5)
    agrees(model, method, lambda twin: 0.7 * twin(input_ids=ids, labels=ids).loss, step=2)


def divergence(base: torch.Tensor, guess: torch.Tensor) -> torch.Tensor:
    """Return the mean over tokens of KL(base || guess), of logits."""
    p, q = base.softmax(-1), guess.softmax(-1)
    return (p * (p / q).log()).sum(-1).mean()


@pytest.mark.parametrize("adapted", [False, True], ids=["full", "lora"])
def test_kl_adds_the_gradient_of_the_divergence_from_the_base(adapted: bool, old: np.ndarray) -> None:
    base = tiny_model("llama")
    model = with_lora(copy.deepcopy(base), LORA, seed=0) if adapted else copy.deepcopy(base)
    method = BaseKL(old, model, per_step=3, weight=0.5, seed=4)
    assert method.add_gradient(model, 0) == pytest.approx(0.0, abs=1e-6)  # nothing is learned yet
    assert max(float(one.abs().max()) for one in gradients(model).values()) < 1e-6
    ids = torch.from_numpy(draw(old, 3, seed=4, step=7))
    with torch.no_grad():
        target = base(input_ids=ids).logits
    moved(model)
    agrees(model, method, lambda twin: 0.5 * divergence(target, twin(input_ids=ids).logits), step=7)
    assert model.training == base.training


def test_kl_needs_no_second_model_under_lora(old: np.ndarray) -> None:
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    model = moved(with_lora(tiny_model(), LORA, seed=0))
    method = BaseKL(old, model)
    model.get_submodule("base_model.model.lm_head").register_forward_hook(count)
    method.add_gradient(model, 0)
    assert calls == 2  # with the adapter and without it, through the same layers
    assert not any(isinstance(value, torch.nn.Module) for value in vars(method).values())


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_wise_ft_interpolates_weights(alpha: float) -> None:
    base = tiny_model()
    trained = moved(copy.deepcopy(base))
    result = copy.deepcopy(trained)
    method = WeightAveraging(base, alpha=alpha)
    assert method.add_gradient(result, 0) == 0.0
    method.finish(result)
    for first, last, found in zip(base.parameters(), trained.parameters(), result.parameters(), strict=True):
        torch.testing.assert_close(found, (1 - alpha) * first + alpha * last)


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_wise_ft_of_an_adapter_interpolates_the_merged_weights(alpha: float) -> None:
    base = tiny_model("llama")
    model = moved(with_lora(copy.deepcopy(base), LORA, seed=0))
    whole = merged(copy.deepcopy(model))
    WeightAveraging(model, alpha=alpha).finish(model)
    for first, last, found in zip(base.parameters(), whole.parameters(), merged(model).parameters(), strict=True):
        torch.testing.assert_close(found, (1 - alpha) * first + alpha * last, rtol=1e-4, atol=1e-6)


def test_a_fresh_adapter_changes_nothing_and_names_its_layers() -> None:
    base, ids = tiny_model("llama"), torch.arange(8)[None]
    model = with_lora(copy.deepcopy(base), LoraConfig(rank=2, targets=("q_proj", "v_proj")), seed=3)
    assert is_adapted(model)
    assert not is_adapted(base)
    torch.testing.assert_close(model(input_ids=ids).logits, base(input_ids=ids).logits)
    trained = {
        name.split(".lora_")[0].rsplit(".", 1)[-1] for name, one in model.named_parameters() if one.requires_grad
    }
    assert trained == {"q_proj", "v_proj"}
    twin = with_lora(copy.deepcopy(base), LoraConfig(rank=2, targets=("q_proj", "v_proj")), seed=3)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))
    with pytest.raises(LearningError, match="finds nothing to adapt"):
        with_lora(copy.deepcopy(base), LoraConfig(targets=("no_such_layer",)), seed=0)


def test_what_the_base_writes_follows_from_the_seed_and_its_distribution() -> None:
    model, tokenizer = tiny_model(), tiny_tokenizer()
    first, again, other = (self_generated(model, tokenizer, count=6, length=16, seed=seed) for seed in (1, 1, 2))
    assert first.shape == (6, 16)
    assert (first == again).all()
    assert (first != other).any()
    with torch.no_grad():
        for parameter in model.get_submodule("transformer.ln_f").parameters():
            parameter.zero_()  # all logits are 0: every token is as likely as any other
    tokens = self_generated(model, tokenizer, count=200, length=32, seed=0)
    counts = np.bincount(tokens.reshape(-1), minlength=320)
    expected = tokens.size / 320
    assert ((counts - expected) ** 2 / expected).sum() < 320 + 5 * math.sqrt(2 * 320)  # chi-squared, five deviations


# --- names


def test_every_method_is_explained_and_has_its_configuration() -> None:
    for name in METHODS.names():
        method = METHODS.get(name)
        assert method.name == name
        assert method.what
        if method.config is not None:
            assert isinstance(getattr(MethodConfigs(), method.group), method.config)


def test_a_wrong_name_suggests_the_right_one() -> None:
    with pytest.raises(UnknownNameError, match="'replay'"):
        METHODS.get("repaly")
    assert [method.name for method in parse_methods("ewc+replay")] == ["ewc", "replay"]
    with pytest.raises(ConfigError, match="twice"):
        parse_methods("ewc+ewc")


def test_all_problems_of_a_configuration_are_reported_at_once() -> None:
    with pytest.raises(ConfigError, match=r"sequences must be at least 1; weight must be at least 0"):
        ReplayConfig(sequences=0, weight=-1.0)
    with pytest.raises(ConfigError, match=r"alpha must be in \[0, 1\]"):
        WiseFtConfig(alpha=2.0)


def test_what_was_not_prepared_is_missed_by_name() -> None:
    with pytest.raises(LearningError, match="reference text"):
        make_regularizers(parse_methods("kl"), MethodContext(tiny_model(), 0, "fp32"))


@pytest.mark.parametrize("adapted", [False, True], ids=["full", "lora"])
def test_a_combination_adds_the_sum_of_its_gradients(adapted: bool, old: np.ndarray) -> None:
    base = tiny_model("llama")
    fisher = {name: torch.rand(one.shape) for name, one in base.named_parameters()}
    model = with_lora(base, LORA, seed=0) if adapted else base
    context = MethodContext(model, 0, "fp32", old, old, fisher)
    methods = parse_methods("ewc+l2sp+replay+self-replay+kl+wise-ft")
    regularizers = make_regularizers(methods, context, MethodConfigs(l2sp=L2spConfig(0.3)))
    assert [one.name for one in regularizers] == [method.name for method in methods]
    moved(model)
    apart: dict[str, torch.Tensor] = {}
    values = []
    for one in regularizers:
        model.zero_grad()
        values.append(one.add_gradient(model, 3))
        for name, value in gradients(model).items():
            apart[name] = apart.get(name, 0) + value
    model.zero_grad()
    assert [one.add_gradient(model, 3) for one in regularizers] == pytest.approx(values)
    assert all(value > 0 for value in values[:-1])
    for name, value in gradients(model).items():
        torch.testing.assert_close(value, apart[name], rtol=1e-4, atol=1e-6)


def test_l2sp_of_an_adapter_holds_the_merged_update() -> None:
    base = tiny_model("llama")
    model = with_lora(copy.deepcopy(base), LORA, seed=0)
    method = make_l2sp(MethodContext(model, 0, "fp32"), L2spConfig(strength=0.3))
    moved(model)
    whole = merged(copy.deepcopy(model))
    away = sum(((a - b) ** 2).sum().item() for a, b in zip(whole.parameters(), base.parameters(), strict=True))
    assert method.add_gradient(model, 0) == pytest.approx(0.3 * away, rel=1e-4)

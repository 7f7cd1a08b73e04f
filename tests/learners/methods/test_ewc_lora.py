"""The penalty on the merged update of LoRA adapters: closed form and factored against autograd, and what is refused."""

import warnings
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model, inject_adapter_in_model
from torch import Tensor, nn

from pathei.errors import ConfigError, FisherError, LearningError
from pathei.learners.methods.ewc_lora import EwcLora, factored_penalty, full_penalty, updates
from pathei.learners.methods.protocol import Regularizer
from pathei.tests.support.ewc_models import gpt2, gradients, llama, made_up_fisher, move

STRENGTH = 30.0


def adapted(base: nn.Module, **options: Any) -> nn.Module:
    """Return a peft model whose adapter has moved."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = get_peft_model(base, LoraConfig(**{"r": 4, "lora_alpha": 16, "task_type": "CAUSAL_LM"} | options))
    move(model)
    return model


def penalty_of(model: nn.Module, fisher: dict[str, Any], strength: float) -> Tensor:
    """Return the penalty as anybody would write it: peft's own merged update, squared, under autograd."""
    from peft.tuners.lora import LoraLayer

    terms = []
    for path, module in model.named_modules():
        if isinstance(module, LoraLayer):
            delta = sum(
                module.get_delta_weight(adapter) for adapter in module.active_adapters if adapter in module.scaling
            )
            one = fisher[f"{path.removeprefix('base_model.model.')}.weight"]
            full = torch.outer(*one) if isinstance(one, tuple) else one
            terms.append((full.float() * delta**2).sum())
    return strength * torch.stack(terms).sum()


def check(model: nn.Module, fisher: dict[str, Any], chunk: int | None = None) -> None:
    """Compare value and gradients with autograd's."""
    method: Regularizer = EwcLora(fisher, STRENGTH, chunk=chunk)
    value, ours = method.add_gradient(model, 0), gradients(model)
    model.zero_grad()
    expected = penalty_of(model, fisher, STRENGTH)
    expected.backward()
    theirs = gradients(model)
    model.zero_grad()
    assert value == pytest.approx(expected.item(), rel=1e-5)
    assert ours.keys() == theirs.keys()
    for name, one in theirs.items():
        assert torch.allclose(ours[name], one, rtol=1e-4, atol=1e-5 * float(one.abs().max())), name


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "linear": (llama, {"target_modules": ["q_proj", "v_proj"]}),
    "all-linear": (llama, {"target_modules": "all-linear", "use_rslora": True}),
    "transposed": (gpt2, {"target_modules": ["c_attn", "c_proj", "c_fc"], "fan_in_fan_out": True}),
    "embedding": (llama, {"target_modules": ["embed_tokens", "down_proj"]}),
    "patterns": (
        gpt2,
        {"target_modules": ["c_attn", "c_fc"], "rank_pattern": {"c_attn": 2}, "alpha_pattern": {"h.0.mlp.c_fc": 3}},
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("chunk", [None, 1, 100])
def test_the_closed_form_is_autograds_penalty(case: str, chunk: int | None) -> None:
    build, options = CASES[case]
    base = build()
    fisher = made_up_fisher(base)
    check(adapted(base, **options), fisher, chunk)


@pytest.mark.parametrize("case", CASES)
def test_the_factored_penalty_is_that_of_the_outer_product(case: str) -> None:
    build, options = CASES[case]
    base = build()
    fisher = {name: (one.abs()[:, 0], one.abs()[0]) for name, one in made_up_fisher(base).items() if one.ndim == 2}
    check(adapted(base, **options), fisher)


def test_fisher_in_bfloat16() -> None:
    base = llama()
    fisher = {name: one.bfloat16() for name, one in made_up_fisher(base).items()}
    check(adapted(base, target_modules="all-linear"), fisher)


def test_several_active_adapters_make_one_update() -> None:
    base = llama()
    fisher = made_up_fisher(base)
    model = adapted(base, target_modules=["q_proj", "v_proj"])
    model.add_adapter("second", LoraConfig(r=3, lora_alpha=5, target_modules=["v_proj", "o_proj"]))
    peft: Any = model.base_model
    peft.set_adapter(["default", "second"])
    move(model, 7)
    check(model, fisher)
    for name, one in model.named_parameters():
        one.requires_grad_("second" in name)
    EwcLora(fisher, STRENGTH).add_gradient(model)
    assert all("second" in name for name in gradients(model)), "an adapter that is not trained has no gradient"


def test_an_adapter_put_into_a_model_without_a_wrapper() -> None:
    base = llama()
    fisher = made_up_fisher(base)
    model = inject_adapter_in_model(LoraConfig(r=2, target_modules=["q_proj"]), base)
    move(model)
    check(model, fisher)


def test_a_fresh_adapter_costs_nothing_and_is_not_moved() -> None:
    base = llama()
    fisher = made_up_fisher(base)
    model = get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj"]))
    assert EwcLora(fisher, STRENGTH).add_gradient(model) == 0.0
    assert not any(one.any() for one in gradients(model).values())
    model.zero_grad()
    move(model)
    assert EwcLora(fisher, 0.0).add_gradient(model) == 0.0
    assert not gradients(model), "with lambda 0 nothing is touched"


@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    rank=st.integers(1, 4),
    chunk=st.integers(1, 40),
    seed=st.integers(0, 999),
)
def test_both_forms_agree_where_f_is_an_outer_product(
    rows: int, columns: int, rank: int, chunk: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    left, right = torch.randn(rows, rank, generator=generator), torch.randn(rank, columns, generator=generator)
    u, v = torch.rand(rows, generator=generator), torch.rand(columns, generator=generator)
    full, factored = full_penalty(torch.outer(u, v), left, right, chunk), factored_penalty((u, v), left, right)
    for one, other in zip(full, factored, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"use_dora": True}, "DoraLinearVariant"),
        ({"init_lora_weights": "olora"}, "'olora', which takes a part of the base's weight away"),
        ({"init_lora_weights": "pissa"}, "'pissa', which takes a part of the base's weight away"),
        ({"target_modules": ["conv"]}, "adapts a Conv1d"),
        ({"target_modules": [], "target_parameters": ["proj.weight"]}, "adapts a bare parameter of a Linear"),
        ({"target_modules": ["attention"]}, "adapts a MultiheadAttention"),
        ({"lora_bias": True}, "trains a bias"),
    ],
)
def test_adapters_of_other_kinds_are_refused_by_name(options: dict[str, Any], message: str) -> None:
    base = nn.Module()
    base.proj, base.conv = nn.Linear(8, 8), nn.Conv1d(8, 8, 3)
    base.attention = nn.MultiheadAttention(8, 2)
    model = adapted(base, **{"target_modules": ["proj"], "task_type": None, "init_lora_weights": True} | options)
    with pytest.raises(LearningError, match=message):
        list(updates(model))


def test_what_does_not_belong_together_is_refused() -> None:
    base = llama()
    fisher = made_up_fisher(base)
    with pytest.raises(LearningError, match="no active LoRA adapter"):
        EwcLora(fisher, 1.0).add_gradient(base)
    model = adapted(base, target_modules=["q_proj", "v_proj"])
    name = "model.layers.0.self_attn.v_proj.weight"
    with pytest.raises(FisherError, match=f"'{name}' has no Fisher information"):
        EwcLora({one: value for one, value in fisher.items() if one != name}, 1.0).add_gradient(model)
    with pytest.raises(FisherError, match=r"has shape \(2, 3\), the adapted matrix \(16, 16\)"):
        EwcLora(fisher | {name: torch.ones(2, 3)}, 1.0).add_gradient(model)
    with pytest.raises(FisherError, match="at least 0"):
        EwcLora(fisher | {name: -torch.ones(16, 16)}, 1.0).add_gradient(model)
    with pytest.raises(ConfigError, match="strength must be at least 0"):
        EwcLora(fisher, -1.0)

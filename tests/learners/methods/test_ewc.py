"""EWC's direct gradient against autograd's, several tasks as one quadratic, and what is refused."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from pathei.errors import ConfigError, FisherError
from pathei.learners.fisher.record import FisherDiagonal, FisherMeta
from pathei.learners.methods import ewc as ewc_module
from pathei.learners.methods.ewc import EWC, Mode
from pathei.learners.methods.ewc_lora import EwcLora
from pathei.learners.methods.l2sp import l2sp
from pathei.learners.methods.parameters import anchor_of
from pathei.learners.methods.protocol import Regularizer
from pathei.learners.methods.sequential import Quadratic, merged, online
from pathei.learners.models.identity import model_hash
from pathei.tests.support.ewc_models import gpt2, gradients, llama, made_up_fisher, move, penalty

STRENGTH = 30.0


@pytest.mark.parametrize("build", [gpt2, llama])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_gradient_is_that_of_the_penalty_in_the_loss(build: type, dtype: torch.dtype) -> None:
    model = build()
    fisher = {name: one.to(dtype) for name, one in made_up_fisher(model).items()}
    anchor = {name: one.to(dtype) for name, one in anchor_of(model).items()}
    move(model)
    method: Regularizer = EWC(fisher, anchor, STRENGTH)
    value = method.add_gradient(model, 0)
    ours = gradients(model)
    model.zero_grad()
    expected = penalty(model, fisher, anchor, STRENGTH)
    expected.backward()
    theirs = gradients(model)
    assert ours.keys() == theirs.keys()
    assert value == pytest.approx(expected.item(), rel=1e-5)
    for name, one in theirs.items():
        assert torch.allclose(ours[name], one, rtol=1e-6, atol=1e-6), name


def test_it_adds_to_the_gradient_that_is_there_and_leaves_the_rest_alone() -> None:
    model, names = gpt2(), ["transformer.h.0.attn.c_attn.weight", "transformer.wte.weight"]
    fisher = {name: one for name, one in made_up_fisher(model).items() if name in names}
    method = EWC(fisher, anchor_of(model, names), STRENGTH)
    move(model)
    model.transformer.wte.weight.requires_grad_(False)
    for one in model.parameters():
        one.grad = torch.ones_like(one) if one.requires_grad else None
    before = gradients(model)
    method.add_gradient(model)
    after = gradients(model)
    assert before.keys() == after.keys()
    assert [name for name in before if not torch.equal(before[name], after[name])] == names[:1]
    again = method.add_gradient(model)
    assert again == pytest.approx(method.add_gradient(model)), "the value follows from the weights alone"


def test_a_tied_weight_is_pulled_once() -> None:
    model = gpt2()
    anchor = anchor_of(model)
    assert "lm_head.weight" not in anchor
    move(model)
    away = model.transformer.wte.weight - anchor["transformer.wte.weight"]
    l2sp({"transformer.wte.weight": anchor["transformer.wte.weight"]}, 0.5).add_gradient(model)
    assert torch.allclose(model.lm_head.weight.grad, away, atol=1e-7)


def test_lambda_0_and_fisher_0_change_no_bit() -> None:
    model = gpt2()
    anchor, fisher = anchor_of(model), made_up_fisher(model)
    move(model)
    assert EWC(fisher, anchor, 0.0).add_gradient(model) == 0.0
    assert not gradients(model)
    for one in model.parameters():
        one.grad = torch.randn_like(one)
    before = gradients(model)
    assert EWC({name: torch.zeros_like(one) for name, one in fisher.items()}, anchor, 1e6).add_gradient(model) == 0.0
    assert all(torch.equal(one, before[name]) for name, one in gradients(model).items())


@pytest.mark.parametrize("shape", [(), (1,), (7,), (64, 3), (3, 64), (5, 4, 3)])
@pytest.mark.parametrize("transposed", [False, True])
def test_pieces_cover_every_shape_and_layout(shape: tuple[int, ...], transposed: bool) -> None:
    value = torch.randn(shape)
    layer = nn.Module()
    layer.weight = nn.Parameter(value.mT.contiguous().mT if transposed and len(shape) > 1 else value)
    pieces = list(ewc_module._pieces(layer.weight.detach(), torch.ones(()), limit=10))
    assert sum(piece.numel() for piece, _ in pieces) == value.numel()
    assert all(piece.numel() <= 10 or piece.shape[0] == 1 for piece, _ in pieces)
    covered = torch.cat([piece.reshape(-1) for piece, _ in pieces]).sort().values
    assert torch.equal(covered, value.reshape(-1).sort().values)


def test_weights_in_bfloat16_are_compared_in_float32() -> None:
    layer = nn.Linear(64, 64, bias=False, dtype=torch.bfloat16)
    anchor = {"weight": layer.weight.detach().float() - 2**-12}
    value = l2sp(anchor, 1.0).add_gradient(layer)
    assert value == pytest.approx(64 * 64 * 2**-24, rel=1e-3)
    assert gradients(layer)["weight"].dtype == torch.bfloat16


def test_l2sp_is_ewc_with_f_1() -> None:
    model = llama()
    anchor = anchor_of(model)
    move(model)
    value, ours = l2sp(anchor, 3.0).add_gradient(model), gradients(model)
    model.zero_grad()
    ones = {name: torch.ones_like(one) for name, one in anchor.items()}
    assert EWC(ones, anchor, 3.0).add_gradient(model) == value
    assert all(torch.equal(one, ours[name]) for name, one in gradients(model).items())
    assert l2sp(anchor, 3.0).name == "l2sp"


# --- several tasks


def tasks_of(count: int, seed: int, size: int = 6) -> list[tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """Return made-up Fisher information and anchors, with zeros here and there, of very different sizes."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(count):
        fisher = torch.rand(size, generator=generator) ** 4 * 10 ** float(torch.randint(-4, 4, (), generator=generator))
        fisher = fisher * (torch.rand(size, generator=generator) > 0.3)
        found.append(({"w": fisher}, {"w": torch.randn(size, generator=generator)}))
    return found


def value_and_gradient(method: EWC, theta: Tensor) -> tuple[float, Tensor]:
    """Return both at one point."""
    model = nn.Module()
    model.w = nn.Parameter(theta.clone())
    return method.add_gradient(model), model.w.grad


@given(count=st.integers(1, 8), seed=st.integers(0, 10_000))
def test_merged_tasks_are_the_sum_of_separate_ones(count: int, seed: int) -> None:
    tasks = tasks_of(count, seed)
    separate, one = (EWC(*tasks[0], STRENGTH, mode=mode) for mode in ("separate", "merged"))
    for task in tasks[1:]:
        separate.add_task(*task)
        one.add_task(*task)
    assert len(separate.tasks) == count
    assert len(one.tasks) == 1
    for theta in (tasks[0][1]["w"], torch.randn(6, generator=torch.Generator().manual_seed(seed))):
        (value, gradient), (value_one, gradient_one) = (value_and_gradient(each, theta) for each in (separate, one))
        assert value_one == pytest.approx(value, rel=1e-4, abs=1e-6)
        # Both round in float32: by the size of F, however near to its centre theta is.
        assert torch.all((gradient_one - gradient).abs() <= 1e-5 * STRENGTH * one.tasks[0].precision["w"])


@given(seed=st.integers(0, 10_000))
def test_merging_does_not_depend_on_the_order(seed: int) -> None:
    first, second, third = (Quadratic(*task) for task in tasks_of(3, seed))
    one, other = merged(merged(first, second), third), merged(third, merged(second, first))
    assert torch.allclose(one.precision["w"], other.precision["w"])
    here = one.precision["w"] > 0
    assert torch.allclose(one.centre["w"][here], other.centre["w"][here], rtol=1e-4, atol=1e-5)
    assert one.constant == pytest.approx(other.constant, rel=1e-4, abs=1e-6)


@given(seed=st.integers(0, 10_000), decay=st.floats(0, 1))
def test_online_decays_what_is_old_and_takes_the_latest_anchor(seed: int, decay: float) -> None:
    (fisher, anchor), (new_fisher, new_anchor) = tasks_of(2, seed)
    both = online(Quadratic(fisher, anchor), Quadratic(new_fisher, new_anchor), decay)
    assert torch.allclose(both.precision["w"], decay * fisher["w"] + new_fisher["w"])
    assert torch.equal(both.centre["w"], new_anchor["w"])
    method = EWC(fisher, anchor, STRENGTH, mode="online", decay=decay)
    method.add_task(new_fisher, new_anchor)
    assert value_and_gradient(method, new_anchor["w"])[0] == 0.0


@pytest.mark.parametrize("mode", ["separate", "online", "merged"])
def test_tasks_may_know_different_parameters(mode: Mode) -> None:
    model = nn.Linear(3, 2)
    (fisher, anchor), (other, other_anchor) = (
        ({name: torch.ones_like(one)}, {name: one.detach() + 1}) for name, one in model.named_parameters()
    )
    method = EWC(fisher, anchor, 1.0, mode=mode)
    method.add_task(other, other_anchor)
    assert method.add_gradient(model) == pytest.approx(8.0)
    assert set(gradients(model)) == {"weight", "bias"}


# --- what is refused


def test_faults_are_named() -> None:
    model = gpt2()
    fisher, anchor = made_up_fisher(model), anchor_of(model)
    with pytest.raises(ConfigError, match=r"strength .*; mode .*; decay"):
        EWC(fisher, anchor, -1, mode="none", decay=2)
    with pytest.raises(FisherError, match=r"'transformer.wte.weight' has Fisher information and no anchor"):
        EWC(fisher, {}, 1)
    with pytest.raises(FisherError, match=r"has shape \(2,\), its anchor \(3,\)"):
        EWC({"w": torch.ones(2)}, {"w": torch.ones(3)}, 1)
    with pytest.raises(FisherError, match=r"names 'lm_head.weight', and 0 more, which the model does not have"):
        EWC({"lm_head.weight": torch.ones(())}, {"lm_head.weight": model.lm_head.weight}, 1).add_gradient(model)
    with pytest.raises(FisherError, match=r"has shape \(48, 16\) and its anchor \(2,\)"):
        EWC({"transformer.wte.weight": torch.ones(2)}, {"transformer.wte.weight": torch.ones(2)}, 1).add_gradient(model)
    with pytest.raises(FisherError, match=r"no parameter 'w'"):
        anchor_of(model, ["w"])


@pytest.mark.parametrize("bad", [-1.0, float("inf"), float("nan")])
def test_what_is_no_fisher_information_is_refused(bad: float) -> None:
    model = nn.Linear(2, 2)
    fisher = torch.ones(2, 2)
    fisher[1, 0] = bad
    with pytest.raises(FisherError, match="squares are finite and at least 0"):
        EWC({"weight": fisher}, anchor_of(model), 1).add_gradient(model)


def test_made_of_a_record_at_the_weights_that_it_was_estimated_at() -> None:
    model = gpt2()
    record = FisherDiagonal(made_up_fisher(model), FisherMeta(model_hash(model), "data", "loop", 1, 1))
    method, adapter = EWC.of(record, model, STRENGTH), EwcLora.of(record.factored(), model, STRENGTH)
    move(model)
    assert method.add_gradient(model) > 0
    assert adapter.name == "ewc-lora"
    for build in (EWC, EwcLora):
        with pytest.raises(FisherError, match="estimated at the weights"):
            build.of(record, model, STRENGTH)

"""Fisher information: every back end against torch.func, the traps of this computation, and what is refused."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from pathei.errors import FisherError, UnknownNameError
from pathei.learners.fisher import hooks as hooks_module
from pathei.learners.fisher.estimate import estimate, from_adam
from pathei.learners.models.identity import model_hash
from pathei.tests.support.fisher_models import VOCABULARY, by_grad, by_vmap, distance, gpt2, llama, texts

MODELS: dict[str, Callable[[], nn.Module]] = {
    "gpt2": gpt2,
    "llama": llama,
    "llama tied": lambda: llama(tied=True),
}
BAR = 1e-5


def gradients_of(model: nn.Module) -> dict[str, Tensor]:
    """Return the gradients that lie on a model, by parameter name."""
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


@pytest.mark.parametrize("name", MODELS)
def test_loop_and_hooks_equal_vmap_on_every_tensor(name: str) -> None:
    model, sequences = MODELS[name](), texts([13] * 6)
    truth = by_vmap(model, sequences)
    assert distance(estimate(model, sequences), truth) < BAR
    for batch in (1, 4):
        assert distance(estimate(model, sequences, backend="hooks", batch=batch), truth) < BAR


@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from(sorted(MODELS)), part=st.integers(1, 1200), batch=st.integers(1, 4), seed=st.integers(0, 99)
)
def test_a_weight_that_is_squared_in_parts_is_the_same(name: str, part: int, batch: int, seed: int) -> None:
    """From single rows to all at once, tied or not, with words in all parts."""
    model, sequences = MODELS[name](), texts([13, 5, 9], seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hooks_module, "_PART", part)
        found = estimate(model, sequences, backend="hooks", batch=batch)
    assert distance(found, by_grad(model, sequences)) < BAR


@pytest.mark.parametrize("name", MODELS)
def test_lengths_differ_and_padding_counts_for_nothing(name: str) -> None:
    model, sequences = MODELS[name](), texts([2, 24, 7, 13, 7, 19, 3])
    truth = by_grad(model, sequences)
    assert distance(estimate(model, sequences), truth) < BAR
    assert distance(estimate(model, sequences, backend="hooks", batch=3), truth) < BAR


def test_the_unit_is_one_predicted_token() -> None:
    model = gpt2()
    one, two = texts([24], seed=1), texts([5], seed=2)
    a, b, both = (estimate(model, some).tensors for some in (one, two, one + two))
    for name in both:
        torch.testing.assert_close(both[name], (23 * a[name] + 4 * b[name]) / 27)
    repeated = estimate(model, one * 5).tensors
    for name in a:
        torch.testing.assert_close(repeated[name], a[name], rtol=1e-5, atol=0)


def test_the_square_of_a_batch_mean_is_another_number() -> None:
    """The fault of much published code: too small by about the size of the batch, so lambda depends on it."""
    model, sequences = gpt2(), texts([13] * 8)
    model.eval()
    ids = torch.stack(sequences)
    model(ids, labels=ids).loss.backward()
    wrong = sum(float(gradient.square().sum()) for gradient in gradients_of(model).values()) * 12
    right = sum(float(value.sum()) for value in estimate(model, sequences, backend="hooks").tensors.values())
    assert wrong < right / 2


def test_sampled_labels_are_the_same_alone_and_in_batches_and_follow_the_seed() -> None:
    model, sequences = llama(), texts([9, 14, 5, 20])
    alone = estimate(model, sequences, labels="sample", seed=3)
    assert distance(estimate(model, sequences, backend="hooks", labels="sample", seed=3), dict(alone.tensors)) < BAR
    assert distance(estimate(model, sequences, labels="sample", seed=4), dict(alone.tensors)) > 0.01


def test_labels_are_drawn_from_the_model() -> None:
    """A model without a body: its logits are a parameter, whose exact Fisher information is p (1 - p)."""

    class Unigram(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.logits = nn.Parameter(torch.linspace(-1, 1, 5))

        def forward(self, input_ids: Tensor) -> Tensor:
            return self.logits.expand(*input_ids.shape, 5)

    model, sequences = Unigram(), [torch.zeros(65, dtype=torch.int64)] * 500
    p = model.logits.detach().softmax(0)
    for backend in ("loop", "sampled"):
        found = estimate(model, sequences, backend=backend, labels="sample", seed=1).tensors["logits"]
        squares = 500 if backend == "loop" else 500 / 8
        assert float((found / (p * (1 - p)) - 1).abs().max()) < 4 * math.sqrt(2 / squares)


def test_the_batched_estimate_agrees_with_the_loop_in_expectation() -> None:
    model, sequences = gpt2(), texts([13] * 256)
    batched = estimate(model, sequences, backend="sampled", batch=4, seed=1).tensors
    alone = estimate(model, sequences, backend="hooks", batch=16, labels="sample", seed=2).tensors
    ratio = sum(float(v.sum()) for v in batched.values()) / sum(float(v.sum()) for v in alone.values())
    assert abs(ratio - 1) < 0.15
    a, b = (torch.cat([v.flatten() for v in some.values()]) for some in (batched, alone))
    assert float(torch.cosine_similarity(a, b, dim=0)) > 0.95


def test_a_chosen_part_is_the_same_as_in_the_whole() -> None:
    model, sequences = gpt2(), texts([9, 14])
    whole = estimate(model, sequences).tensors
    for backend in ("loop", "hooks"):
        part = estimate(model, sequences, backend=backend, parameters=lambda name: "c_attn" in name).tensors
        assert set(part) == {name for name in whole if "c_attn" in name}
        for name, value in part.items():
            torch.testing.assert_close(value, whole[name])


@pytest.mark.parametrize("backend", ["loop", "hooks", "sampled"])
def test_the_model_is_left_as_it_was(backend: str) -> None:
    model = gpt2()
    model.transformer.h[0].eval()
    model.transformer.wpe.weight.requires_grad_(False)
    model.lm_head.weight.grad = torch.ones_like(model.lm_head.weight)
    before, modes = model_hash(model), [module.training for module in model.modules()]
    random = torch.get_rng_state()
    with torch.no_grad():
        found = estimate(model, texts([9, 14]), backend=backend)
    assert model_hash(model) == before
    assert found.meta.model == before
    assert [module.training for module in model.modules()] == modes
    assert {name for name, value in model.named_parameters() if not value.requires_grad} == {"transformer.wpe.weight"}
    assert bool((model.lm_head.weight.grad == 1).all())
    assert gradients_of(model).keys() == {"transformer.wte.weight"}
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("backend", ["loop", "hooks"])
def test_gradient_checkpointing_changes_nothing(backend: str) -> None:
    model, sequences = gpt2(), texts([9, 14])
    truth = by_grad(model, sequences)
    model.train()
    model.gradient_checkpointing_enable()
    assert distance(estimate(model, sequences, backend=backend), truth) < BAR


def test_hooks_refuse_a_layer_that_runs_again_in_the_backward_pass() -> None:
    class Again(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> Tensor:
            return checkpoint(self.inner, x, use_reentrant=False)

    model, sequences = llama(), texts([9, 14])
    model.model.layers[0].mlp = Again(model.model.layers[0].mlp)
    with pytest.raises(FisherError, match=r"layers\.0\.mlp.*checkpointing"):
        estimate(model, sequences, backend="hooks")
    assert distance(estimate(model, sequences), by_grad(model, sequences)) < BAR


def test_a_weight_that_autograd_cannot_reach_has_fisher_information_by_hooks() -> None:
    """As in a 4-bit base: the parameter is packed, of another shape and type, and frozen."""

    class Packed(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            codes = torch.stack([self.weight & 15, self.weight >> 4], -1).view(self.out_features, self.in_features)
            return nn.functional.linear(x, (codes.to(x.dtype) - 8) / 20, self.bias)

    plain = llama()
    layer = plain.model.layers[0].self_attn.q_proj
    packed = Packed(layer.in_features, layer.out_features)
    codes = torch.randint(0, 256, (layer.weight.numel() // 2, 1), dtype=torch.uint8)
    packed.weight = nn.Parameter(codes, requires_grad=False)
    packed.bias.data.copy_(layer.bias.data)
    whole = torch.stack([codes & 15, codes >> 4], -1).view(layer.weight.shape)
    layer.weight.data.copy_((whole.float() - 8) / 20)
    sequences = texts([9, 14, 5])
    truth = by_grad(plain, sequences)
    plain.model.layers[0].self_attn.q_proj = packed
    found = estimate(plain, sequences, backend="hooks")
    assert distance(found, truth) < BAR
    found.check(plain)
    with pytest.raises(FisherError, match=r"q_proj\.weight.*uint8.*hooks"):
        estimate(plain, sequences)


def test_half_precision_models_are_summed_in_float32() -> None:
    model, sequences = gpt2().to(torch.bfloat16), texts([9, 14, 5])
    loop, hooks = (estimate(model, sequences, backend=name).tensors for name in ("loop", "hooks"))
    for name, value in loop.items():
        assert value.dtype == torch.float32
        assert float((value - hooks[name]).norm() / value.norm()) < 0.05


def test_adams_second_moment_is_freed_of_its_bias_and_put_on_the_same_scale() -> None:
    """With learning rate 0 and a step of all sequences' tokens, v is the square of one gradient."""
    model, ids = gpt2(), torch.stack(texts([13] * 4))
    model.eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, weight_decay=0.0)
    for _ in range(3):
        optimizer.zero_grad()
        model(ids, labels=ids).loss.backward()
        optimizer.step()
    found = from_adam(optimizer, model, tokens_per_step=48)
    for name, gradient in gradients_of(model).items():
        torch.testing.assert_close(found.tensors[name], gradient.square() * 48, rtol=1e-4, atol=1e-12)
    assert (found.meta.labels, found.meta.backend) == ("training", "adam")
    with pytest.raises(FisherError, match="second moment of"):
        from_adam(torch.optim.SGD(model.parameters(), lr=0.1), model, tokens_per_step=48)
    with pytest.raises(FisherError, match="tokens_per_step"):
        from_adam(optimizer, model, tokens_per_step=0)


class Doubled(nn.Embedding):
    """A layer that is not what its class promises."""

    def forward(self, x: Tensor) -> Tensor:
        """Look up, and scale."""
        return 2 * super().forward(x)


class Strange(nn.Module):
    """A layer that nobody knows."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the hyperbolic sine."""
        return torch.sinh(x * self.slope)


def test_hooks_refuse_what_they_would_get_wrong() -> None:
    model, sequences = llama(), texts([9, 14])
    model.model.embed_tokens.__class__ = Doubled
    with pytest.raises(FisherError, match=r"embed_tokens\.weight.*loop"):
        estimate(model, sequences, backend="hooks")
    assert distance(estimate(model, sequences), by_grad(model, sequences)) < BAR
    model = llama()
    model.model.layers[1].mlp.act_fn = Strange(24)
    with pytest.raises(FisherError, match=r"layers\.1\.mlp\.act_fn.*Strange.*loop"):
        estimate(model, sequences, backend="hooks")
    assert distance(estimate(model, sequences), by_grad(model, sequences)) < BAR


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([], "no sequences"),
        ([torch.tensor([1])], "Sequence 0 has 1 token"),
        ([torch.tensor([1, 2]), torch.tensor([], dtype=torch.int64)], "Sequence 1 has 0 token"),
        ([torch.tensor([[1, 2]])], "Sequence 0 is a"),
        ([torch.tensor([1.0, 2.0])], "Sequence 0 is a"),
        ([torch.tensor([1, VOCABULARY])], "tokenizer"),
        ([torch.tensor([-1, 3])], "tokenizer"),
        ([torch.ones(26, dtype=torch.int64)], "reads 24"),
    ],
)
def test_sequences_that_make_no_sense_are_refused(sequences: list[Tensor], message: str) -> None:
    with pytest.raises(FisherError, match=message):
        estimate(gpt2(), sequences)


def test_other_nonsense_is_refused(tmp_path: Path) -> None:
    model, sequences = gpt2(), texts([9, 14])
    with pytest.raises(FisherError, match="square of a batch"):
        estimate(model, sequences, backend="sampled", labels="data")
    with pytest.raises(FisherError, match="loop's batch is 1"):
        estimate(model, sequences, batch=4)
    with pytest.raises(UnknownNameError, match="hooks"):
        estimate(model, sequences, backend="hook")
    with pytest.raises(UnknownNameError, match="labels"):
        estimate(model, sequences, labels="samples")
    with pytest.raises(UnknownNameError, match=r"transformer\.ln_f\.bias"):
        estimate(model, sequences, parameters=["transformer.ln_f.bia"])
    with pytest.raises(FisherError, match="No parameter"):
        estimate(model, sequences, parameters=lambda name: False)
    with torch.no_grad():
        model.transformer.ln_f.weight[3] = np.nan
    with pytest.raises(FisherError, match="loss of sequence 0 is nan"):
        estimate(model, sequences)


def test_a_gradient_that_overflows_is_named() -> None:
    model = gpt2()
    model.transformer.ln_f.weight.register_hook(lambda gradient: gradient * np.inf)
    with pytest.raises(FisherError, match=r"transformer\.ln_f\.weight.*not finite"):
        estimate(model, texts([9, 14]))


def test_an_adapter_is_refused_and_the_base_keeps_its_hash() -> None:
    peft = pytest.importorskip("peft")
    model = llama()
    before, fisher = model_hash(model), estimate(model, texts([9]))
    adapted = peft.get_peft_model(model, peft.LoraConfig(target_modules=["q_proj"], task_type="CAUSAL_LM"))
    assert model_hash(adapted) == before
    fisher.check(adapted)
    with pytest.raises(FisherError, match="adapter"):
        estimate(adapted, texts([9]))

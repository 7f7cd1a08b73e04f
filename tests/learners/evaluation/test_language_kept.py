"""Language preserved: every token predicted once, e^nats and bits per byte, and the divergence from the base."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.errors import LearningError
from pathei.learners.evaluation.intervals import bootstrap, mean_of_means, wilson
from pathei.learners.evaluation.perplexity import (
    LanguageRetention,
    kl_from_base,
    measure_forgetting,
    measure_language,
    windows_of,
)
from pathei.learners.examples import Example
from pathei.tests.support.tiny_language import TEXTS, small_model

torch = pytest.importorskip("torch")

LONG = " ".join(TEXTS)


@given(tokens=st.lists(st.integers(1, 99), max_size=60), length=st.integers(1, 20), data=st.data())
def test_windows_predict_every_token_once(tokens: list[int], length: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, length))
    windows = list(windows_of(tokens, 0, length, stride))
    assert [token for ids, n in windows for token in ids[-n:]] == tokens
    for number, (ids, n) in enumerate(windows):
        assert len(ids) - 1 <= length, "no more than a window is read"
        assert len(ids) > n >= 1
        assert number == 0 or len(ids) - n >= length - stride + 1, "what is read before is long enough"


def test_nats_are_those_of_the_models_own_loss() -> None:
    model, tokenizer = small_model()
    text = TEXTS[0]
    ids = torch.tensor([[tokenizer.eos_token_id, *tokenizer(text)["input_ids"]]])
    with torch.no_grad():
        loss = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=ids).loss.item()
    found = measure_language(model, tokenizer, [text])
    assert found.nats_per_token == pytest.approx(loss, rel=1e-5)
    assert found.perplexity == pytest.approx(math.exp(loss), rel=1e-5), "e^nats, not 2^nats"
    assert found.bits_per_byte == pytest.approx(loss * (ids.shape[1] - 1) / math.log(2) / len(text.encode()), rel=1e-5)


def test_batches_and_their_order_change_nothing() -> None:
    model, tokenizer = small_model()
    texts = [*TEXTS[:5], LONG, "é €", "x"]
    together = measure_language(model, tokenizer, texts, batch=4)
    alone = [measure_language(model, tokenizer, [text], batch=1) for text in texts]
    np.testing.assert_allclose(together.nats, [one.nats[0] for one in alone], rtol=1e-4)
    assert together.bytes == tuple(len(text.encode()) for text in texts)


@pytest.mark.parametrize(("length", "stride"), [(8, 8), (64, 64), (64, 16), (30, 7)])
def test_a_long_text_is_predicted_through_its_windows(length: int, stride: int) -> None:
    model, tokenizer = small_model()
    tokens = tokenizer(LONG, verbose=False)["input_ids"]
    nats = 0.0
    for ids, n in windows_of(tokens, tokenizer.eos_token_id, length, stride):
        with torch.no_grad():
            logs = model(input_ids=torch.tensor([ids[:-1]])).logits[0].log_softmax(-1)
        nats -= sum(float(logs[place - 1, ids[place]]) for place in range(len(ids) - n, len(ids)))
    found = measure_language(model, tokenizer, [LONG], length=length, stride=stride, batch=3)
    assert found.tokens == (len(tokens),)
    assert found.nats[0] == pytest.approx(nats, rel=1e-4)


def test_the_models_mode_is_left_as_it_was() -> None:
    model, tokenizer = small_model()
    model.train()
    measure_language(model, tokenizer, ["a text"])
    assert model.training
    model.eval()


@pytest.mark.parametrize(
    ("texts", "stride", "why"), [([], None, "no text"), (["a"], 0, "stride"), (["a"], 99, "stride")]
)
def test_what_cannot_be_measured_is_told(texts: list[str], stride: int | None, why: str) -> None:
    model, tokenizer = small_model()
    with pytest.raises(LearningError, match=why):
        measure_language(model, tokenizer, texts, stride=stride)


def test_loss_of_language_is_paired_by_text() -> None:
    rng = np.random.default_rng(0)
    before = LanguageRetention(tuple(rng.uniform(10, 1000, 40)), (10,) * 40, (50,) * 40)
    after = LanguageRetention(tuple(nats + 5.0 for nats in before.nats), before.tokens, before.bytes)
    lost = measure_forgetting(before, after, rng)
    # Texts differ a hundredfold, but each lost the same.
    assert lost == pytest.approx((0.5, 0.5, 0.5))
    with pytest.raises(LearningError, match="different texts"):
        measure_forgetting(before, LanguageRetention((1.0,), (1,), (1,)), rng)


def test_divergence_is_that_of_the_definition() -> None:
    (base, tokenizer), (model, _) = small_model(0), small_model(1)
    examples = [
        Example(str(n), "location", f"Q: {text}?\nA:", " the kitchen") for n, text in enumerate(("Where", "Who"))
    ]
    total, tokens = 0.0, 0
    for one in examples:
        prompt = tokenizer(one.prompt)["input_ids"]
        ids = [*tokenizer(one.prompt + one.completion)["input_ids"], tokenizer.eos_token_id]
        with torch.no_grad():
            p, q = (m(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1) for m in (base, model))
        for place in range(len(prompt) - 1, len(ids) - 1):
            total += float((p[place].exp() * (p[place] - q[place])).sum())
            tokens += 1
    assert kl_from_base(base, model, tokenizer, examples) == pytest.approx(total / tokens, rel=1e-4)
    assert kl_from_base(base, base, tokenizer, examples) == pytest.approx(0, abs=1e-6)


@given(n=st.integers(1, 500), data=st.data())
def test_wilson_holds_the_share_and_lies_in_the_unit_interval(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    value, low, high = wilson(successes, n)
    assert value == successes / n
    assert 0 <= low <= value <= high <= 1
    mirrored = wilson(n - successes, n)
    assert mirrored.low == pytest.approx(1 - high)


def test_intervals_are_those_of_the_textbook() -> None:
    # Wilson, 1 of 10: Newcombe 1998, method 3, gives 0.0179 to 0.4042.
    assert wilson(1, 10) == pytest.approx((0.1, 0.0179, 0.4042), abs=1e-4)
    values = np.random.default_rng(1).normal(3, 2, 400)
    value, low, high = bootstrap(values, np.random.default_rng(0))
    half = 1.96 * values.std(ddof=1) / 20
    assert (value, low, high) == pytest.approx((values.mean(), values.mean() - half, values.mean() + half), abs=0.05)
    groups = [np.zeros(10), np.ones(1000)]
    assert mean_of_means(groups, np.random.default_rng(0)) == pytest.approx((0.5, 0.5, 0.5)), "each counts alike"

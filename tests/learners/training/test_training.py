"""Training: what is in the loss, which rows a step takes, and that the plain loop resumes bit for bit."""

import dataclasses
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from pathei.errors import ConfigError, LearningError, RecordError
from pathei.learners.examples import Example
from pathei.learners.training.batches import (
    IGNORED,
    TokenizedExample,
    collate,
    draw,
    order_of,
    read_texts,
    sequences_of,
    tokenise,
)
from pathei.learners.training.checkpoints import CHECKPOINT, METRICS
from pathei.learners.training.config import LoraConfig, TrainingConfig
from pathei.learners.training.loop import accumulate, train
from pathei.tests.support.tiny_language import OLD, tiny_examples, tiny_model, tiny_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

QUICK = TrainingConfig(steps=7, batch_size=4, learning_rate=1e-2, precision="fp32", save_every=3)


@pytest.fixture(scope="module")
def tokenizer() -> "PreTrainedTokenizerFast":
    return tiny_tokenizer()


@pytest.fixture(scope="module")
def rows(tokenizer: "PreTrainedTokenizerFast") -> tuple[TokenizedExample, ...]:
    return tokenise(tiny_examples(), tokenizer, max_length=64).rows


def distance(first: torch.nn.Module, second: torch.nn.Module) -> float:
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return max(float((a - b).detach().abs().max()) for a, b in pairs)


# --- rows


@given(prompt=st.text(min_size=1), completion=st.text(min_size=1))
def test_no_prompt_token_is_in_the_loss_and_all_of_the_answer_is(
    prompt: str, completion: str, tokenizer: "PreTrainedTokenizerFast"
) -> None:
    (row,) = tokenise([Example("a", "plan", prompt, completion)], tokenizer, max_length=10_000).rows
    learned = [label for label in row.labels if label != IGNORED]
    assert tokenizer.decode(row.ids[: row.start]) == prompt
    assert tokenizer.decode(learned) == completion + tokenizer.eos_token
    assert row.labels == [IGNORED] * row.start + learned
    assert row.ids[: row.start] == tuple(tokenizer(prompt)["input_ids"])  # what the model will see when it is asked


@given(lengths=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=6))
def test_padding_is_masked_and_never_a_label(lengths: list[tuple[int, int]]) -> None:
    some = [TokenizedExample(tuple(range(1, start + more + 1)), start, 1.0) for start, more in lengths]
    batch = collate(some, pad=0)
    for place, row in enumerate(some):
        size = len(row.ids)
        assert batch.input_ids[place, :size].tolist() == list(row.ids)
        assert batch.labels[place, :size].tolist() == row.labels
        assert batch.attention_mask[place].tolist() == [1] * size + [0] * (batch.input_ids.shape[1] - size)
        assert (batch.labels[place, size:] == IGNORED).all()
        assert int((batch.labels[place, 1:] != IGNORED).sum()) == row.learned


def test_the_loss_does_not_depend_on_padding_or_on_what_the_prompt_predicts(rows: tuple[TokenizedExample, ...]) -> None:
    model = tiny_model()
    alone = sum(accumulate(model, [row], QUICK) * row.learned for row in rows[:4])
    assert accumulate(model, rows[:4], QUICK) * sum(row.learned for row in rows[:4]) == pytest.approx(alone, rel=1e-5)
    by_hand = 0.0
    with torch.no_grad():
        for row in rows[:4]:
            said = model(input_ids=torch.tensor([row.ids])).logits[0].log_softmax(-1)
            by_hand -= sum(float(said[place - 1, row.ids[place]]) for place in range(row.start, len(row.ids)))
    assert alone == pytest.approx(by_hand, rel=1e-5)


def test_over_long_examples_are_counted(tokenizer: "PreTrainedTokenizerFast") -> None:
    examples = [Example("short", "plan", "Q:", " a"), Example("long", "plan", "word " * 30 + "Q:", " a")]
    dropped = tokenise(examples, tokenizer, max_length=16)
    assert len(dropped.rows) == 1
    assert dropped.dropped == 1
    assert dropped.note is not None
    cut = tokenise(examples, tokenizer, max_length=16, over_long="truncate")
    assert cut.truncated == 1
    assert len(cut.rows[1].ids) == 16
    assert tokenizer.decode(cut.rows[1].ids[cut.rows[1].start :]) == " a" + tokenizer.eos_token
    assert tokenise(examples[:1], tokenizer, max_length=16).note is None
    with pytest.raises(LearningError, match="None of 1 examples"):
        tokenise(examples[1:], tokenizer, max_length=16)


def test_what_cannot_be_tokenised_is_refused(tokenizer: "PreTrainedTokenizerFast") -> None:
    with pytest.raises(LearningError, match="'planning'"):
        tokenise(tiny_examples(), tokenizer, max_length=64, weights={"planning": 0.7})
    endless = tiny_tokenizer()
    endless.eos_token = None
    with pytest.raises(LearningError, match="end-of-sequence"):
        tokenise(tiny_examples(), endless, max_length=64)


# --- order


@given(count=st.integers(1, 40), batch=st.integers(1, 50), seed=st.integers(0, 5))
def test_every_epoch_takes_every_row_once(count: int, batch: int, seed: int) -> None:
    taken = order_of([1] * count, steps=3 * count, batch=batch, seed=seed).ravel()
    assert len(taken) == 3 * count * batch
    for epoch in range(3 * batch):
        assert sorted(taken[epoch * count : (epoch + 1) * count]) == list(range(count))


@given(lengths=st.lists(st.integers(1, 200), min_size=1, max_size=60), batch=st.integers(1, 20), data=st.data())
def test_what_is_of_like_length_stands_together(lengths: list[int], batch: int, data: st.DataObject) -> None:
    steps, seed = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 5))
    plain, alike = (order_of(lengths, steps=steps, batch=batch, seed=seed, alike=one) for one in (False, True))
    for window in range(0, steps, 8):
        assert sorted(plain[window : window + 8].ravel()) == sorted(alike[window : window + 8].ravel())
    padded = [sum(max(lengths[i] for i in row) for row in one) for one in (plain, alike)]
    assert padded[1] <= padded[0]


@pytest.mark.parametrize("alike", [False, True])
def test_the_seed_decides_the_order_and_what_comes_later_does_not(alike: bool) -> None:
    lengths = [1 + n % 7 for n in range(100)]

    def order(seed: int, steps: int) -> list[list[int]]:
        return list(order_of(lengths, steps=steps, batch=30, seed=seed, alike=alike).tolist())

    assert order(1, 20) == order(1, 20) != order(2, 20)
    assert order(1, 20)[:16] == order(1, 24)[:16]


# --- old text


def test_old_text_is_laid_end_to_end(tokenizer: "PreTrainedTokenizerFast") -> None:
    sequences = sequences_of(OLD, tokenizer, 16)
    assert sequences.shape[1] == 16
    whole = tokenizer.decode(sequences.reshape(-1))
    assert (tokenizer.eos_token.join(OLD) + tokenizer.eos_token).startswith(whole)
    with pytest.raises(LearningError, match="less than one sequence"):
        sequences_of(["short"], tokenizer, 1000)


def test_draws_follow_from_seed_and_step() -> None:
    sequences = np.arange(40).reshape(20, 2)
    first = draw(sequences, 5, seed=1, step=3)
    assert first.tolist() == draw(sequences, 5, seed=1, step=3).tolist() != draw(sequences, 5, seed=1, step=4).tolist()
    assert len({tuple(row) for row in first.tolist()}) == 5
    assert len(draw(sequences, 99, seed=0, step=0)) == 20


def test_texts_are_read_from_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one text\n\nof two paragraphs")
    (tmp_path / "b.jsonl").write_bytes(b'"a string"\n{"text": "an object"}\n')
    found = read_texts([tmp_path / "a.txt", tmp_path / "b.jsonl"])
    assert found == ["one text\n\nof two paragraphs", "a string", "an object"]
    (tmp_path / "c.jsonl").write_bytes(b'{"txt": 1}\n')
    with pytest.raises(RecordError, match="Line 1"):
        read_texts([tmp_path / "c.jsonl"])
    with pytest.raises(RecordError, match="no text to read"):
        read_texts([tmp_path / "missing.txt"])
    (tmp_path / "d.jsonl").write_bytes(b"{\n")
    with pytest.raises(RecordError, match="JSON"):
        read_texts([tmp_path / "d.jsonl"])


# --- configuration


def test_all_faults_of_a_configuration_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(
            steps=0,
            batch_size=2,
            gradient_accumulation_steps=3,
            packing=True,
            weights={"plan": -1.0},
            lora=LoraConfig(rank=0, targets=()),
        )
    for name in ("steps", "accumulation", "packing", "weights", "lora.rank", "lora.targets"):
        assert name in str(caught.value)


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_learning_rates_are_those_of_transformers(schedule: str) -> None:
    from transformers import get_scheduler

    training = TrainingConfig(learning_rate=0.5, warmup=3, schedule=schedule)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    name = "constant_with_warmup" if schedule == "constant" else schedule
    theirs = get_scheduler(name, optimizer, num_warmup_steps=3, num_training_steps=11)
    for step in range(11):
        assert training.learning_rate_at(step, 11) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
        optimizer.step()
        theirs.step()


# --- the loop


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_the_gradient_does_not_depend_on_accumulation(parts: int, rows: tuple[TokenizedExample, ...]) -> None:
    whole, cut = tiny_model(), tiny_model()
    first = accumulate(whole, rows[:4], QUICK)
    second = accumulate(cut, rows[:4], dataclasses.replace(QUICK, gradient_accumulation_steps=parts))
    assert first == pytest.approx(second, rel=1e-6)
    for one, other in zip(whole.parameters(), cut.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-7)


def test_kinds_are_weighed(tokenizer: "PreTrainedTokenizerFast") -> None:
    plain = tokenise(tiny_examples(4), tokenizer, max_length=64).rows
    weighed = tokenise(tiny_examples(4), tokenizer, max_length=64, weights={"plan": 0.25}).rows
    model, tokens = tiny_model(), sum(row.learned for row in plain)
    parts = [accumulate(model, [row], QUICK) * row.learned * (0.25 if i % 2 == 0 else 1) for i, row in enumerate(plain)]
    assert accumulate(model, weighed, QUICK) == pytest.approx(sum(parts) / tokens, rel=1e-5)


def test_a_model_learns_and_says_how(rows: tuple[TokenizedExample, ...], tmp_path: Path) -> None:
    told: list[dict] = []
    model = tiny_model()
    result = train(model, rows, dataclasses.replace(QUICK, steps=40), folder=tmp_path, watch=told.append)
    assert told[-1]["loss"] < 0.5 * told[0]["loss"]
    assert [one["step"] for one in told] == list(range(1, 41))
    assert result["steps"] == 40
    assert result["loss"] == told[-1]["loss"]
    assert [orjson.loads(line) for line in (tmp_path / METRICS).read_bytes().splitlines()] == told


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(
    dropout: float, rows: tuple[TokenizedExample, ...], tmp_path: Path
) -> None:
    def stop_at_five(told: dict) -> None:
        if told["step"] == 5:
            raise KeyboardInterrupt

    options = {"resid_pdrop": dropout}
    whole, begun, resumed = (tiny_model(**options) for _ in range(3))
    train(whole, rows, QUICK, folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(begun, rows, QUICK, folder=tmp_path / "cut", watch=stop_at_five)
    result = train(resumed, rows, QUICK, folder=tmp_path / "cut")
    assert result["steps"] == 4  # the checkpoint was after step 3
    assert distance(whole, resumed) == 0.0
    logs = [(tmp_path / name / METRICS).read_bytes().splitlines() for name in ("whole", "cut")]
    losses = [[(orjson.loads(line)["step"], orjson.loads(line)["loss"]) for line in log] for log in logs]
    assert losses[0] == losses[1]


def test_a_checkpoint_of_another_model_is_refused(rows: tuple[TokenizedExample, ...], tmp_path: Path) -> None:
    train(tiny_model(), rows, QUICK, folder=tmp_path)
    assert (tmp_path / CHECKPOINT).exists()
    with pytest.raises(LearningError, match="another model"):
        train(tiny_model(n_embd=16), rows, QUICK, folder=tmp_path)


def test_the_random_state_is_left_as_it_was(rows: tuple[TokenizedExample, ...]) -> None:
    before = torch.get_rng_state()
    train(tiny_model(resid_pdrop=0.2), rows, QUICK)
    assert torch.equal(before, torch.get_rng_state())


def test_a_loss_that_is_no_number_stops_the_run(rows: tuple[TokenizedExample, ...]) -> None:
    model = tiny_model()
    with torch.no_grad():
        next(model.parameters()).fill_(math.nan)
    with pytest.raises(LearningError, match="learning_rate"):
        train(model, rows, QUICK)


def test_bfloat16_stays_near_float32(rows: tuple[TokenizedExample, ...]) -> None:
    full, half = tiny_model(), tiny_model()
    first = accumulate(full, rows[:8], QUICK)
    assert accumulate(half, rows[:8], dataclasses.replace(QUICK, precision="bf16")) == pytest.approx(first, rel=0.02)
    assert all(one.dtype == torch.float32 for one in half.parameters())


def test_only_matrices_decay() -> None:
    from pathei.learners.training.loop import adamw

    groups = adamw(tiny_model(), dataclasses.replace(QUICK, weight_decay=0.1)).param_groups
    assert Counter(group["weight_decay"] for group in groups) == {0.1: 1, 0.0: 1}
    assert all(one.ndim > 1 for one in groups[0]["params"])
    assert all(one.ndim == 1 for one in groups[1]["params"])

"""Training by TRL: the same losses and weights as the plain loop, and resumed runs, torn checkpoints included."""

import dataclasses
import shutil
from pathlib import Path

import orjson
import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")
pytest.importorskip("peft")

import torch

from pathei.errors import ConfigError, LearningError
from pathei.learners.methods.replay import Replay
from pathei.learners.training import loop as plain
from pathei.learners.training import trl as sft
from pathei.learners.training.batches import TokenizedExample, sequences_of, tokenise
from pathei.learners.training.checkpoints import METRICS
from pathei.learners.training.config import LoraConfig, TrainingConfig
from pathei.learners.training.lora import with_lora
from pathei.learners.training.losses import autocast
from pathei.tests.support.tiny_language import OLD, tiny_examples, tiny_model, tiny_tokenizer

STEPS = TrainingConfig(
    steps=9,
    batch_size=4,
    learning_rate=1e-2,
    warmup=2,
    weight_decay=0.1,
    precision="fp32",
    save_every=4,
    max_grad_norm=0.5,
)


def rows(training: TrainingConfig = STEPS) -> tuple[TokenizedExample, ...]:
    return tokenise(tiny_examples(), tiny_tokenizer(), max_length=64, weights=training.weights).rows


def test_trl_computes_in_the_precision_of_the_plain_loop() -> None:
    """A processor without bfloat16 units would imitate them, and be many times as slow."""
    for precision in ("fp32", "bf16"):
        training = dataclasses.replace(STEPS, precision=precision)
        with autocast(tiny_model(), training.precision):
            halved = torch.is_autocast_enabled("cpu")
        if not torch.cuda.is_available():
            assert sft.arguments(training, examples=8)["bf16"] is halved


def distance(first: torch.nn.Module, second: torch.nn.Module) -> float:
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return max(float((a - b).detach().abs().max()) for a, b in pairs)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gradient_accumulation_steps": 2},
        {"weights": {"plan": 0.5}, "gradient_accumulation_steps": 2},
        {"gradient_checkpointing": True},
    ],
    ids=["plain", "accumulation", "weights", "checkpointing"],
)
def test_trl_does_what_the_plain_loop_does(options: dict, tmp_path: Path) -> None:
    training = dataclasses.replace(STEPS, **options)
    ours, theirs = tiny_model("llama"), tiny_model("llama")
    old = sequences_of(OLD, tiny_tokenizer(), 12)
    first: list[dict] = []
    second: list[dict] = []
    plain.train(ours, rows(training), training, [Replay(old)], watch=first.append)
    sft.train(theirs, rows(training), training, [Replay(old)], tmp_path, second.append, tokenizer=tiny_tokenizer())
    assert first[0]["loss"] == pytest.approx(second[0]["loss"], rel=1e-6)
    for name in ("loss", "norm", "replay", "learning_rate"):
        assert [one[name] for one in first] == pytest.approx([one[name] for one in second], rel=1e-3), name
    assert distance(ours, theirs) < 1e-3
    kept = [orjson.loads(line) for line in (tmp_path / METRICS).read_bytes().splitlines()]
    assert [one["step"] for one in kept] == list(range(1, 10))
    assert list((tmp_path / "tensorboard").iterdir())


def test_a_run_resumes_from_the_last_whole_checkpoint(tmp_path: Path) -> None:
    def stop_at(step: int) -> plain.Watch:
        def stop(told: dict) -> None:
            if told["step"] == step:
                raise KeyboardInterrupt

        return stop

    def go(name: str, watch: plain.Watch | None = None) -> tuple[torch.nn.Module, dict[str, float]]:
        model = with_lora(tiny_model(), LoraConfig(rank=2, dropout=0.2), seed=0)
        result = sft.train(model, rows(), STEPS, (), tmp_path / name, watch, tokenizer=tiny_tokenizer())
        return model, result

    whole, _ = go("whole")
    with pytest.raises(KeyboardInterrupt):
        go("cut", stop_at(9))
    checkpoints = tmp_path / "cut" / "checkpoint"
    assert (checkpoints / "checkpoint-8" / "WHOLE").exists()
    (checkpoints / "checkpoint-8" / "WHOLE").unlink()  # as if it had been killed while that one was written
    (checkpoints / "checkpoint-8" / "adapter_model.safetensors").write_bytes(b"torn")
    resumed, result = go("cut")
    assert result["steps"] == 5
    assert distance(whole, resumed) == 0.0
    steps = [orjson.loads(line)["step"] for line in (tmp_path / "cut" / METRICS).read_bytes().splitlines()]
    assert steps == list(range(1, 10))
    again, result = go("cut")  # it is done: nothing happens
    assert result["steps"] == 0
    assert distance(whole, again) == 0.0
    shutil.rmtree(checkpoints)


def test_what_cannot_be_shared_or_is_no_number_is_refused(tmp_path: Path) -> None:
    uneven = dataclasses.replace(STEPS, gradient_accumulation_steps=3)
    with pytest.raises(ConfigError, match="multiple of 3"):
        sft.train(tiny_model(), rows(), uneven, (), tmp_path, tokenizer=tiny_tokenizer())
    model = tiny_model()
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    with pytest.raises(LearningError, match="learning_rate"):
        sft.train(model, rows(), STEPS, (), tmp_path, tokenizer=tiny_tokenizer())


def test_packing_is_left_to_models_that_keep_examples_apart() -> None:
    assert not sft.can_pack(tiny_model())

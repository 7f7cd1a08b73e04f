"""Regularizers in transformers' Trainer and in TRL's: equal to the penalty in the loss, and resumed bit for bit."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, Trainer, TrainerCallback, TrainingArguments

from pathei.errors import ConfigError, LearningError
from pathei.learners.methods.ewc import EWC
from pathei.learners.methods.ewc_lora import EwcLora
from pathei.learners.methods.l2sp import l2sp
from pathei.learners.methods.parameters import anchor_of
from pathei.learners.training.callback import regularizer_callback
from pathei.tests.support.ewc_models import VOCABULARY, gpt2, made_up_fisher, penalty

STRENGTH = 2.0
SGD: dict[str, Any] = {"optim": "sgd", "learning_rate": 0.1}


def examples(count: int = 32, length: int = 12) -> list[dict[str, Tensor]]:
    """Return token sequences of one length, so that micro-batches weigh the same."""
    ids = torch.randint(0, VOCABULARY, (count, length), generator=torch.Generator().manual_seed(3))
    return [{"input_ids": one, "labels": one} for one in ids]


def arguments(folder: Path, **options: Any) -> TrainingArguments:
    """Return a short training on the processor, without clipping."""
    usual = {
        "output_dir": str(folder),
        "max_steps": 6,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-2,
        "max_grad_norm": 0.0,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
    }
    return TrainingArguments(**usual | options)


def fitted(folder: Path, methods: Any = (), trainer_class: type = Trainer, **options: Any) -> tuple[Trainer, nn.Module]:
    """Train a tiny model with methods made of it, and return both."""
    model = gpt2()
    made = methods(model) if callable(methods) else methods
    callbacks = [regularizer_callback(made, metrics=folder / "metrics.jsonl")] if made else []
    trainer = trainer_class(model, arguments(folder, **options), train_dataset=examples(), callbacks=callbacks)
    trainer.train()
    return trainer, model


def ewc(model: nn.Module, strength: float = STRENGTH) -> list[EWC]:
    """Return EWC with made-up Fisher information, around the model as it is."""
    return [EWC(made_up_fisher(model), anchor_of(model), strength)]


def weights(model: nn.Module) -> list[Tensor]:
    """Return copies of all parameters."""
    return [one.detach().clone() for one in model.parameters()]


def gap(one: nn.Module, other: nn.Module) -> float:
    """Return the greatest difference of any two weights."""
    return max(float((a - b).abs().max()) for a, b in zip(weights(one), weights(other), strict=True))


class InTheLoss(Trainer):
    """The way of others: the penalty is a part of the loss."""

    def compute_loss(self, model: nn.Module, *args: Any, **kwargs: Any) -> Any:
        """Add the penalty that autograd differentiates."""
        if not hasattr(self, "start"):
            self.start, self.fisher = anchor_of(model), made_up_fisher(model)
        return super().compute_loss(model, *args, **kwargs) + penalty(model, self.fisher, self.start, STRENGTH)


@pytest.mark.parametrize("zero", ["lambda", "fisher"])
def test_lambda_0_is_plain_fine_tuning_bit_for_bit(tmp_path: Path, zero: str) -> None:
    def nothing(model: nn.Module) -> list[EWC]:
        fisher = {name: torch.zeros(()) for name in anchor_of(model)} if zero == "fisher" else made_up_fisher(model)
        return [EWC(fisher, anchor_of(model), 0.0 if zero == "lambda" else 1e6)]

    _, plain = fitted(tmp_path / "plain", max_grad_norm=1.0, weight_decay=0.1)
    _, held = fitted(tmp_path / "held", nothing, max_grad_norm=1.0, weight_decay=0.1)
    assert gap(plain, held) == 0.0


def test_a_plain_loop_with_lambda_0_is_the_loop_without() -> None:
    finals = []
    for method in ([], ewc(gpt2(), 0.0)):
        model = gpt2()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        for step, example in enumerate(examples(6)):
            model(**{key: one[None] for key, one in example.items()}).loss.backward()
            for one in method:
                one.add_gradient(model, step)
            optimizer.step()
            optimizer.zero_grad()
        finals.append(model)
    assert gap(*finals) == 0.0


def test_the_callback_is_the_penalty_in_the_loss(tmp_path: Path) -> None:
    _, ours = fitted(tmp_path / "ours", ewc, **SGD)
    _, theirs = fitted(tmp_path / "theirs", trainer_class=InTheLoss, **SGD)
    _, plain = fitted(tmp_path / "plain", **SGD)
    assert gap(ours, theirs) < 1e-6
    assert gap(ours, plain) > 1e-3, "the penalty did something"


def test_gradient_accumulation_changes_no_more_than_without(tmp_path: Path) -> None:
    cut = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4}
    _, whole = fitted(tmp_path / "whole", ewc, **SGD)
    _, parts = fitted(tmp_path / "parts", ewc, **SGD, **cut)
    _, plain = fitted(tmp_path / "plain", **SGD)
    _, plain_parts = fitted(tmp_path / "plain_parts", **SGD, **cut)
    assert gap(whole, parts) <= max(1e-6, 4 * gap(plain, plain_parts))
    assert gap(whole, plain) > 1e-3


class Stop(TrainerCallback):
    """Ends training after some steps, as a limit of time would."""

    def __init__(self, after: int) -> None:
        self.after = after

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask the trainer to save and stop."""
        if state.global_step == self.after:
            control.should_save = control.should_training_stop = True


@pytest.mark.parametrize("restore", [False, True])
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path: Path, restore: bool) -> None:
    _, whole = fitted(tmp_path / "whole", ewc)
    model, metrics, source = gpt2(), tmp_path / "metrics.jsonl", tmp_path / "ewc.safetensors"
    (method,) = ewc(model)
    fisher, anchor = method.tasks[0].precision, method.tasks[0].centre
    source.write_bytes(b"the file that F was read from")
    options = {"restore_callback_states_from_checkpoint": restore}

    def callback(strength: float = STRENGTH) -> TrainerCallback:
        return regularizer_callback([EWC(fisher, anchor, strength)], metrics=metrics, sources={"ewc": source})

    first = [callback(), Stop(3)]
    Trainer(model, arguments(tmp_path / "cut"), train_dataset=examples(), callbacks=first).train()
    checkpoint = tmp_path / "cut" / "checkpoint-3"
    kept = json.loads((checkpoint / "trainer_state.json").read_text())["stateful_callbacks"]["PreserverCallback"]
    assert set(kept["args"]["methods"][0]) == {"name", "strength", "path", "sha256"}
    with metrics.open("a") as file:  # a line of a step that no checkpoint holds, and a torn one
        file.write('{"step":4,"ewc":9.0}\n{"step":5,"ew')
    again = gpt2(seed=9)
    trainer = Trainer(again, arguments(tmp_path / "cut", **options), train_dataset=examples(), callbacks=[callback()])
    trainer.train(resume_from_checkpoint=str(checkpoint))
    assert gap(whole, again) == 0.0
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines == [json.loads(line) for line in (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()]
    other = Trainer(gpt2(), arguments(tmp_path / "cut"), train_dataset=examples(), callbacks=[callback(99.0)])
    with pytest.raises(LearningError, match="give the same methods"):
        other.train(resume_from_checkpoint=str(checkpoint))


def test_values_are_logged_and_the_loss_stays_the_tasks(tmp_path: Path) -> None:
    def two(model: nn.Module) -> list[Any]:
        return [*ewc(model), l2sp(anchor_of(model), 0.01)]

    trainer, _ = fitted(tmp_path, two, logging_steps=2)
    logged = [line for line in trainer.state.log_history if "loss" in line]
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 7))
    assert lines[0] == {"step": 1, "ewc": 0.0, "l2sp": 0.0}
    assert lines[-1]["ewc"] > 0
    assert [line["ewc"] for line in logged] == [line["ewc"] for line in lines[1::2]]
    start = gpt2()
    expected = penalty(start, {n: torch.ones(()) for n in anchor_of(start)}, anchor_of(start), 0.01).item()
    assert expected == 0.0
    assert logged[0]["loss"] < 5, "about log 48 = 3.9 nats: the penalty is no part of it"


class Last:
    """A method that only has a last word."""

    name = "last"

    def add_gradient(self, model: nn.Module, step: int) -> float:
        """Return something that a test can see."""
        return float(step)

    def finish(self, model: nn.Module) -> None:
        """Set every weight to 1."""
        with torch.no_grad():
            for one in model.parameters():
                one.fill_(1.0)


@pytest.mark.parametrize("finish", [True, False])
def test_every_method_has_its_last_word_once(tmp_path: Path, finish: bool) -> None:
    model, lines = gpt2(), tmp_path / "metrics.jsonl"
    callback = regularizer_callback([Last()], metrics=lines, finish=finish)
    Trainer(model, arguments(tmp_path, max_steps=2), train_dataset=examples(), callbacks=[callback]).train()
    assert all(bool((one == 1).all()) for one in model.parameters()) == finish
    assert lines.read_text() == '{"step":1,"last":0.0}\n{"step":2,"last":1.0}\n'


class Broken(Last):
    """A method whose value is no number."""

    def add_gradient(self, model: nn.Module, step: int) -> float:
        """Return what a diverged run would."""
        return float("nan")


def test_what_would_be_wrong_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Two methods are called 'last'"):
        regularizer_callback([Last(), Last()])
    with pytest.raises(ConfigError, match="names the method 'ewc', and given are: last"):
        regularizer_callback([Last()], sources={"ewc": tmp_path})
    with pytest.raises(ConfigError, match="The source of 'last' is no file"):
        regularizer_callback([Last()], sources={"last": tmp_path / "none"})
    with pytest.raises(LearningError, match="penalty of 'last' is nan at step 1"):
        fitted(tmp_path, [Broken()])
    callback, trainer = regularizer_callback([Last()]), Trainer(gpt2(), arguments(tmp_path))
    trainer.args.fp16 = True
    with pytest.raises(LearningError, match="use bf16"):
        callback.on_train_begin(trainer.args, trainer.state, trainer.control)
    trainer.args.fp16, trainer.args.deepspeed_plugin = False, object()
    with pytest.raises(LearningError, match="use FSDP2"):
        callback.on_train_begin(trainer.args, trainer.state, trainer.control)


# --- TRL

TEXTS = ["the cup is on the table", "the cat sleeps on the sofa", "walk to the kitchen", "open the fridge and look"]


def tokenizer() -> PreTrainedTokenizerFast:
    """Train a tiny byte-pair tokenizer on a few sentences."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    raw = Tokenizer(models.BPE(unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=["<end>", "<unk>"]))
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<end>", pad_token="<end>", unk_token="<unk>")


SHORT = {
    "max_steps": 3,
    "per_device_train_batch_size": 2,
    "learning_rate": 1e-2,
    "logging_steps": 1,
    "save_strategy": "no",
    "report_to": "none",
    "use_cpu": True,
    "bf16": False,
    "disable_tqdm": True,
}


@pytest.mark.integration
@pytest.mark.parametrize("adapter", [False, True])
def test_in_trls_sft_trainer(tmp_path: Path, adapter: bool) -> None:
    from datasets import Dataset  # type: ignore[import-untyped]
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    model = gpt2()
    fisher, before = made_up_fisher(model), weights(model)
    method = EwcLora(fisher, 5.0) if adapter else EWC(fisher, anchor_of(model), 5.0)
    callback = regularizer_callback([method], metrics=tmp_path / "metrics.jsonl")
    data = Dataset.from_list([{"prompt": one, "completion": " " + one} for one in TEXTS])
    trainer = SFTTrainer(
        model,
        SFTConfig(output_dir=str(tmp_path), max_length=24, gradient_accumulation_steps=2, **SHORT),
        train_dataset=data,
        processing_class=tokenizer(),
        peft_config=LoraConfig(r=2, target_modules=["c_attn"], fan_in_fan_out=True) if adapter else None,
        callbacks=[callback],
    )
    trainer.train()
    values = [json.loads(line)[method.name] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert len(values) == 3
    assert values[0] == 0.0 < min(values[1:])
    assert trainer.state.log_history[-2][method.name] == values[-1]
    assert adapter or any(not torch.equal(a, b) for a, b in zip(before, weights(model), strict=True))


@pytest.mark.integration
def test_in_trls_grpo_trainer(tmp_path: Path) -> None:
    from datasets import Dataset  # type: ignore[import-untyped]
    from trl import GRPOConfig, GRPOTrainer

    model = gpt2()
    method = EWC(made_up_fisher(model), anchor_of(model), 5.0)
    config = GRPOConfig(
        output_dir=str(tmp_path), num_generations=2, max_completion_length=6, **SHORT | {"max_steps": 4}
    )
    trainer = GRPOTrainer(
        model,
        reward_funcs=lambda completions, **_: [float(len(one)) for one in completions],
        args=config,
        train_dataset=Dataset.from_list([{"prompt": one} for one in TEXTS]),
        processing_class=tokenizer(),
        callbacks=[regularizer_callback([method], metrics=tmp_path / "metrics.jsonl")],
    )
    trainer.train()
    values = [json.loads(line)["ewc"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert len(values) == 4
    assert values[0] == 0.0 < values[-1]

"""On a CUDA device: everything that learns, measures or asks a model says what it says on the processor.

Run with `pytest -m gpu tests/learners/test_gpu.py`. Products are in float32 (TF32 off): results differ by
rounding only.
"""

import copy
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

import torch

from pathei.agents.lm.backends import Choice, Conversation, Message, ModelRequest
from pathei.agents.lm.local_model import LocalModel
from pathei.learners.config import LearnConfig, ReferenceConfig
from pathei.learners.evaluation.evaluate import EvaluationConfig, evaluate
from pathei.learners.examples import write_examples
from pathei.learners.finetuning import finetune
from pathei.learners.fisher.estimate import estimate
from pathei.learners.methods.ewc import EWC
from pathei.learners.methods.parameters import anchor_of
from pathei.learners.methods.registry import METHODS
from pathei.learners.models.load import load_model
from pathei.learners.training.batches import tokenise
from pathei.learners.training.config import LoraConfig, TrainingConfig
from pathei.learners.training.loop import train
from pathei.tests.support import fisher_models
from pathei.tests.support.tiny_language import OLD, save_tiny, tiny_examples, tiny_model, tiny_tokenizer

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and there is none"),
]
CLOSE = 1e-4
QUICK = TrainingConfig(steps=6, batch_size=4, learning_rate=1e-2, precision="fp32", save_every=2)


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32 = before


def furthest(first: torch.nn.Module, second: torch.nn.Module) -> float:
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return max(float((a.cpu() - b.cpu()).detach().abs().max()) for a, b in pairs)


@pytest.mark.parametrize("backend", ["loop", "hooks"])
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_fisher_information_is_that_of_the_processor(family: str, backend: str) -> None:
    model, some = getattr(fisher_models, family)(), fisher_models.texts([2, 24, 7, 13])
    here = estimate(model, some, backend=backend)
    there = estimate(copy.deepcopy(model).cuda(), [one.cuda() for one in some], backend=backend)
    for name, value in here.tensors.items():
        torch.testing.assert_close(there.tensors[name].cpu(), value, rtol=1e-3, atol=1e-6 * float(value.max() + 1e-12))


def test_the_penalty_is_that_of_the_processor() -> None:
    model, some = fisher_models.gpt2(), fisher_models.texts([13] * 4)
    fisher, anchor = estimate(model, some).tensors, anchor_of(model)
    values, found = [], []
    for device in ("cpu", "cuda"):
        moved = copy.deepcopy(model).to(device)
        with torch.no_grad():
            for parameter in moved.parameters():
                parameter.add_(0.05)
                parameter.grad = torch.zeros_like(parameter)
        penalty = EWC(
            {name: one.to(device) for name, one in fisher.items()},
            {name: one.to(device) for name, one in anchor.items()},
            30.0,
        )
        values.append(penalty.add_gradient(moved, 0))
        found.append([parameter.grad.cpu() for parameter in moved.parameters()])
    assert values[1] == pytest.approx(values[0], rel=CLOSE)
    for here, there in zip(*found, strict=True):
        torch.testing.assert_close(there, here, rtol=1e-3, atol=1e-5)


def test_training_ends_where_it_ends_on_the_processor() -> None:
    rows = tokenise(tiny_examples(), tiny_tokenizer(), max_length=64).rows
    here, there = tiny_model(), tiny_model().to(torch.device("cuda"))
    told = [train(model, rows, QUICK) for model in (here, there)]
    assert told[1]["loss"] == pytest.approx(told[0]["loss"], abs=1e-2)
    assert furthest(here, there) < 1e-2  # Adam divides by the gradient's size, so the first steps magnify rounding


@pytest.mark.parametrize("lora", [None, LoraConfig(rank=2)], ids=["full", "lora"])
@pytest.mark.parametrize("method", METHODS.names())
def test_every_method_learns_in_bfloat16(method: str, lora: LoraConfig | None, tmp_path: Path) -> None:
    save_tiny(tmp_path / "base")
    write_examples(tmp_path / "examples.jsonl", tiny_examples())
    (tmp_path / "old.txt").write_text("\n".join(OLD))
    training = dataclasses.replace(QUICK, precision="bf16", lora=lora)
    small = ReferenceConfig(sequence_length=12, samples=6, fisher_sequences=6)
    out = tmp_path / "run"
    config = LearnConfig(
        out,
        tmp_path / "examples.jsonl",
        str(tmp_path / "base"),
        method,
        training=training,
        reference=small,
        texts=(tmp_path / "old.txt",),
    )
    report = finetune(config)
    assert report.steps == QUICK.steps
    model, _ = load_model(report.model, "cuda")
    assert all(bool(parameter.isfinite().all()) for parameter in model.parameters())
    assert finetune(config).done_before


def test_measuring_says_the_same() -> None:
    tokenizer, examples = tiny_tokenizer(), [dataclasses.replace(one, split="seen") for one in tiny_examples(8)]
    base, model = tiny_model(seed=1), tiny_model(seed=0)
    here, there = (
        evaluate(
            copy.deepcopy(model).to(device),
            tokenizer,
            examples,
            language_texts=OLD,
            base=copy.deepcopy(base).to(device),
            asking=EvaluationConfig(execute=False),
        )
        for device in ("cpu", "cuda")
    )
    assert there.forgetting is not None
    assert here.forgetting is not None
    assert there.forgetting.value == pytest.approx(here.forgetting.value, abs=CLOSE)
    assert there.kl == pytest.approx(here.kl, abs=CLOSE)
    for one, other in zip(here.scores, there.scores, strict=True):
        assert other.values == pytest.approx(one.values)
    assert here.language is not None
    assert there.language is not None
    assert there.language.nats == pytest.approx(here.language.nats, rel=CLOSE)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_back_end_rates_and_writes_the_same(family: str) -> None:
    options = ("walk to lamp", "walk to cup 7", "grab the cup")
    asked = [Choice(Conversation((Message("user", text),), "Action:"), options) for text in ("a room", "another room")]
    ask = ModelRequest(Conversation((Message("user", "a room"),), "Action:"), max_tokens=8)
    model = tiny_model(family).eval()
    here = LocalModel(copy.deepcopy(model), tiny_tokenizer())
    there = LocalModel(model.cuda(), tiny_tokenizer())
    for one, other in zip(here.rate(asked), there.rate(asked), strict=True):
        assert other.scores() == pytest.approx(one.scores(), abs=1e-3)
    assert there.shares_prefix
    assert there.generate([ask])[0].text == here.generate([ask])[0].text

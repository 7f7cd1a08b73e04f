"""DPO and KTO on pairs: the better answer gains on the worse, methods against forgetting act, runs resume."""

import dataclasses
from pathlib import Path

import orjson
import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")
pytest.importorskip("peft")

import torch

from pathei.errors import ConfigError, LearningError
from pathei.learners.config import LearnConfig, ReferenceConfig
from pathei.learners.examples import Example, read_examples
from pathei.learners.finetuning import FineTuner
from pathei.learners.preferences.training import worse
from pathei.learners.training.batches import tokenise
from pathei.learners.training.checkpoints import METRICS
from pathei.learners.training.config import LoraConfig, TrainingConfig
from pathei.pretrained import load_pretrained
from pathei.tests.support.tiny_language import OLD, save_tiny, tiny_examples

ANSWERS = [one.completion for one in tiny_examples()]


def pairs() -> list[Example]:
    """Questions with their own answer and another question's."""
    found = []
    for one in tiny_examples(12):
        other = next(answer for answer in ANSWERS if answer != one.completion)
        found.append(dataclasses.replace(one, choices=(one.completion, other)))
    return found


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("preferences")
    save_tiny(folder / "base")
    (folder / "old.txt").write_text("\n".join(OLD))
    return folder


def config_for(base: Path, out: Path, loss: str, method: str = "ewc", **options: object) -> LearnConfig:
    training = TrainingConfig(
        steps=8, batch_size=4, learning_rate=1e-2, precision="fp32", save_every=3, trainer="trl", loss=loss, **options
    )
    reference = ReferenceConfig(sequence_length=12, samples=6, fisher_sequences=6)
    return LearnConfig(
        out, model=str(base / "base"), method=method, training=training, reference=reference, texts=(base / "old.txt",)
    )


def margin(model_folder: Path) -> float:
    """By how many nats the better answers are likelier than the worse, on average."""
    model, tokenizer = load_pretrained(model_folder, "float32", "cpu")
    total = 0.0
    with torch.inference_mode():
        for one in pairs():
            for sign, answer in ((1, one.completion), (-1, worse(one))):
                [row] = tokenise([dataclasses.replace(one, completion=answer)], tokenizer, max_length=64).rows
                ids = torch.tensor([row.ids])
                logs = torch.log_softmax(model(ids).logits[0, :-1].float(), -1).gather(1, ids[0, 1:, None])[:, 0]
                total += sign * float(logs[row.start - 1 :].sum())
    return total / len(pairs())


@pytest.mark.parametrize(("loss", "lora"), [("dpo", None), ("kto", None), ("dpo", LoraConfig(rank=2))])
def test_the_better_answer_gains_and_the_method_acts(
    loss: str, lora: LoraConfig | None, base: Path, tmp_path: Path
) -> None:
    method = "ewc" if lora is None else "replay"
    report = FineTuner(config_for(base, tmp_path, loss, method, lora=lora)).run(pairs())
    assert margin(report.model) > margin(base / "base") + 0.1
    told = [orjson.loads(line) for line in (tmp_path / METRICS).read_bytes().splitlines()]
    assert [one["step"] for one in told] == list(range(1, 9))
    assert all(one[method] >= 0 for one in told)
    assert any(one[method] > 0 for one in told)


def test_a_run_that_was_stopped_ends_as_one_that_was_not(base: Path, tmp_path: Path) -> None:
    def stop(told: dict) -> None:
        if told["step"] == 5:
            raise KeyboardInterrupt

    whole = FineTuner(config_for(base, tmp_path / "whole", "dpo")).run(pairs())
    with pytest.raises(KeyboardInterrupt):
        FineTuner(config_for(base, tmp_path / "cut", "dpo"), watch=stop).run(pairs())
    resumed = FineTuner(config_for(base, tmp_path / "cut", "dpo")).run(pairs())
    assert margin(resumed.model) == pytest.approx(margin(whole.model), abs=1e-4)


def test_what_is_no_pair_or_too_long_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is none: write them"):
        FineTuner(config_for(base, tmp_path / "a", "dpo")).run(tiny_examples(4))
    with pytest.raises(LearningError, match="fits into"):
        FineTuner(config_for(base, tmp_path / "b", "dpo", max_length=2)).run(pairs())
    one_row = config_for(base, tmp_path / "c", "kto", gradient_accumulation_steps=4)
    with pytest.raises(ConfigError, match="at least 2 rows"):
        FineTuner(one_row).run(pairs())
    with pytest.raises(ConfigError, match="need trainer 'trl'"):
        TrainingConfig(loss="dpo")


def test_a_file_in_the_form_of_trl_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    row = {"prompt": "Goal: light\n\nAction: ", "chosen": "grab", "rejected": " wait", "id": "a", "t": 3}
    path.write_bytes(orjson.dumps(row) + b"\n")
    [found] = read_examples(path)
    assert (found.id, found.kind, found.completion, worse(found)) == ("a-3", "preference", " grab", " wait")
    assert found.prompt == "Goal: light\n\nAction:"

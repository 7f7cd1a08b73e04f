"""A run of learning: every method, refused where it does not hold together, and `kill -9` at any moment."""

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")
pytest.importorskip("safetensors")

from pathei.errors import ConfigError, LearningError, RecordError
from pathei.learners.config import LearnConfig, ReferenceConfig
from pathei.learners.examples import write_examples
from pathei.learners.finetuning import FineTuner, finetune
from pathei.learners.methods.registry import METHODS
from pathei.learners.models.load import load_model
from pathei.learners.training.checkpoints import METRICS
from pathei.learners.training.config import LoraConfig, TrainingConfig, learning_rate_for
from pathei.tests.support.tiny_language import OLD, save_tiny, tiny_examples

KILLS = 3
SMALL = ReferenceConfig(sequence_length=12, samples=6, fisher_sequences=6)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, examples and reference text."""
    folder = tmp_path_factory.mktemp("learning")
    save_tiny(folder / "base")
    write_examples(folder / "examples.jsonl", tiny_examples())
    (folder / "old.txt").write_text("\n".join(OLD))
    return folder


def config_for(place: Path, out: Path, method: str = "finetune", *, steps: int = 5, **options: Any) -> LearnConfig:
    training = TrainingConfig(steps=steps, batch_size=4, learning_rate=1e-2, precision="fp32", save_every=2, **options)
    texts = (place / "old.txt",)
    base = str(place / "base")
    return LearnConfig(out, place / "examples.jsonl", base, method, training=training, reference=SMALL, texts=texts)


def weights(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


@pytest.mark.parametrize("lora", [None, LoraConfig(rank=2)], ids=["full", "lora"])
@pytest.mark.parametrize("method", [*METHODS.names(), "ewc+replay+wise-ft"])
def test_every_method_learns_into_a_model_that_opens(
    method: str, lora: LoraConfig | None, place: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    report = finetune(config_for(place, tmp_path, method, lora=lora))
    assert AutoTokenizer.from_pretrained(report.model).eos_token == "<|end|>"
    model = AutoModelForCausalLM.from_pretrained(report.model)
    assert not hasattr(model, "peft_config")
    assert weights(tmp_path) != (place / "base" / "model.safetensors").read_bytes()
    adapted = lora is not None or method == "lora"
    assert (tmp_path / "adapter").exists() == adapted
    assert (tmp_path / "fisher.safetensors").exists() == ("ewc" in method)
    assert not (tmp_path / "checkpoint").exists()
    last = orjson.loads((tmp_path / METRICS).read_bytes().splitlines()[-1])
    assert last["step"] == report.steps == 5
    assert last["loss"] == report.loss
    values = [part for part in method.split("+") if METHODS.get(part).make is not None]
    assert set(values) <= set(last)


def test_a_finished_run_says_so_and_does_nothing(place: Path, tmp_path: Path) -> None:
    config = config_for(place, tmp_path)
    first = finetune(config)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.name != "lock"}
    assert finetune(config) == dataclasses.replace(first, done_before=True)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.name != "lock"} == before


def test_another_configuration_in_the_same_directory_is_refused(place: Path, tmp_path: Path) -> None:
    config = config_for(place, tmp_path)
    finetune(config)
    other = dataclasses.replace(config, training=dataclasses.replace(config.training, learning_rate=0.5))
    with pytest.raises(ConfigError, match=r"training\.learning_rate = 0\.01, and now it is 0\.5"):
        finetune(other)


def test_the_learning_rate_follows_the_model_and_a_run_that_has_begun_keeps_its_own(
    place: Path, tmp_path: Path
) -> None:
    first = config_for(place, tmp_path / "run")
    default = dataclasses.replace(first, training=dataclasses.replace(first.training, learning_rate=None))
    finetune(first)
    assert finetune(default).done_before
    finetune(dataclasses.replace(default, out=tmp_path / "other"))
    finetune(dataclasses.replace(default, out=tmp_path / "adapter", method="lora"))
    stored = {
        name: orjson.loads((tmp_path / name / "config.json").read_bytes())["training"]["learning_rate"]
        for name in ("run", "other", "adapter")
    }
    assert stored == {"run": 1e-2, "other": 1e-4, "adapter": 2e-4}
    assert learning_rate_for(False, "tiny") > learning_rate_for(False, "smollm2") > stored["other"]


def test_a_learner_learns_from_examples_that_are_handed_over(place: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(config_for(place, tmp_path), data=None)
    numbers = FineTuner(config).run(tiny_examples(12)).numbers()
    assert numbers["examples"] == 12
    assert numbers["steps"] == 5
    (tmp_path / "model").rename(tmp_path / "elsewhere")  # as if it had not been finished
    with pytest.raises(ConfigError, match="examples differ"):
        FineTuner(config).run(tiny_examples(11))


def test_what_is_held_out_is_not_learned(place: Path, tmp_path: Path) -> None:
    examples = [dataclasses.replace(one, split="seen" if n < 8 else "train") for n, one in enumerate(tiny_examples())]
    config = dataclasses.replace(config_for(place, tmp_path), data=None)
    assert FineTuner(config).run(examples).examples == 12


def test_notes_reach_the_user(place: Path, tmp_path: Path) -> None:
    told: list[str] = []
    report = finetune(config_for(place, tmp_path, max_length=20), notify=told.append)
    assert "left out" in report.notes[0]
    assert report.notes[0] in told


@pytest.mark.parametrize("lora", [None, LoraConfig(rank=2)], ids=["full", "lora"])
def test_what_is_trained_is_kept_at_the_steps_that_are_asked_for(
    lora: LoraConfig | None, place: Path, tmp_path: Path
) -> None:
    import torch

    finetune(config_for(place, tmp_path / "plain", lora=lora))
    finetune(config_for(place, tmp_path / "kept", lora=lora, keep=(3, 5)))
    assert weights(tmp_path / "kept") == weights(tmp_path / "plain")
    assert sorted(path.name for path in (tmp_path / "kept").glob("step-*")) == ["step-3", "step-5"]
    third, last, whole = (load_model(tmp_path / "kept" / name)[0] for name in ("step-3", "step-5", "model"))
    with torch.no_grad():
        ids = torch.arange(1, 9)[None]
        said = [model(ids).logits for model in (third, last, whole)]
    assert torch.allclose(said[1], said[2], atol=1e-5)
    assert not torch.allclose(said[0], said[2], atol=1e-3)


def test_a_step_is_kept_once_though_its_run_is_killed_before_a_checkpoint(place: Path, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def stop(told: Any) -> None:
        if told["step"] == 3:
            raise Killed

    config = config_for(place, tmp_path, keep=(3,))
    with pytest.raises(Killed):
        finetune(config, watch=stop)
    before = (tmp_path / "step-3" / "model.safetensors").stat().st_mtime_ns
    finetune(config)  # from the checkpoint of step 2
    assert (tmp_path / "step-3" / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(ConfigError, match="the 5 of this run"):
        finetune(config_for(place, tmp_path / "other", keep=(6,)))
    with pytest.raises(ConfigError, match="from 1 on"):
        TrainingConfig(keep=(0,))


def test_what_does_not_hold_together_is_refused(place: Path, tmp_path: Path) -> None:
    config = config_for(place, tmp_path, "kl")
    with pytest.raises(ConfigError, match="needs reference text"):
        finetune(dataclasses.replace(config, texts=()))
    with pytest.raises(ConfigError, match="nothing to learn from"):
        finetune(dataclasses.replace(config, data=None, out=tmp_path / "a"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordError, match="neither a store nor"):
        finetune(dataclasses.replace(config, data=tmp_path / "empty", out=tmp_path / "b"))


def test_fisher_information_that_is_given_is_used(place: Path, tmp_path: Path) -> None:
    first = config_for(place, tmp_path / "first", "ewc")
    finetune(first)
    given = dataclasses.replace(first, out=tmp_path / "second", fisher=tmp_path / "first" / "fisher.safetensors")
    finetune(given)
    assert weights(tmp_path / "first") == weights(tmp_path / "second")
    assert not (tmp_path / "second" / "fisher.safetensors").exists()


def test_a_store_is_learned_from(place: Path, tmp_path: Path) -> None:
    from pathei.cli import main

    store = tmp_path / "store"
    main(["collect", str(store), "--tasks", "12", "--workers", "0", "--steps", "20"])
    config = dataclasses.replace(config_for(place, tmp_path / "run", max_length=64), data=store)
    config = dataclasses.replace(config, training=dataclasses.replace(config.training, over_long="truncate"))
    assert finetune(config).examples > 0
    assert (tmp_path / "run" / "examples.jsonl").stat().st_size > 0


def test_files_of_e2wm_are_known_by_their_names(place: Path, tmp_path: Path) -> None:
    data = tmp_path / "e2wm"
    data.mkdir()
    lines = [orjson.dumps({"input": one.prompt, "ref": one.completion.strip()}) for one in tiny_examples(6)]
    (data / "train_plan_gen.json").write_bytes(b"\n".join(lines))
    (data / "train_count.json").write_bytes(b"\n".join(lines[:2]))
    (data / "plan_gen.json").write_bytes(b"\n".join(lines[:3]))
    (data / "something_else.jsonl").write_bytes(b"{}")
    config = config_for(place, tmp_path / "run", weights=MappingProxyType({"plan": 1.0, "counting": 0.7}))
    assert finetune(dataclasses.replace(config, data=data)).examples == 8


# --- kill -9

SCRIPT = """
import sys, time
from pathlib import Path
from pathei.tests.learners.test_learn_run import config_for
from pathei.learners.finetuning import finetune
place, out, pause = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
finetune(config_for(place, out, "ewc+self-replay+wise-ft", steps=40), watch=lambda told: time.sleep(pause))
"""


def start(place: Path, out: Path, pause: float) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, str(place), str(out), str(pause)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def steps_in(out: Path) -> int:
    try:
        return len((out / METRICS).read_bytes().splitlines())
    except FileNotFoundError:
        return 0


@pytest.mark.integration
def test_kill_9_at_any_moment_ends_bit_identical(place: Path, tmp_path: Path) -> None:
    rng, out = random.Random(0), tmp_path / "killed"
    reached = []
    for number in range(KILLS):
        process = start(place, out, pause=0.05)
        before, deadline = steps_in(out), time.monotonic() + 120
        # The first dies while it prepares, the others some steps on.
        while process.poll() is None and time.monotonic() < deadline:
            if (out / "config.json").exists() if number == 0 else steps_in(out) > before + 2:
                break
            time.sleep(0.01)
        time.sleep(rng.random() * 0.3)
        assert process.poll() is None, process.communicate()[1].decode()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        reached.append(steps_in(out))
    assert max(reached) < 40
    for folder in (out, tmp_path / "whole"):
        process = start(place, folder, pause=0.0)
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()
    assert weights(out) == weights(tmp_path / "whole")
    logs = [
        [orjson.loads(line) for line in (folder / METRICS).read_bytes().splitlines()]
        for folder in (out, tmp_path / "whole")
    ]
    for killed, whole in zip(*logs, strict=True):
        assert {**killed, "tokens_per_second": 0} == {**whole, "tokens_per_second": 0}


@pytest.mark.integration
def test_two_processes_do_not_learn_in_one_directory(place: Path, tmp_path: Path) -> None:
    process = start(place, tmp_path, pause=0.5)
    deadline = time.monotonic() + 120
    while not steps_in(tmp_path) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        with pytest.raises(LearningError, match="Another process"):
            finetune(config_for(place, tmp_path, "ewc+self-replay+wise-ft", steps=40))
    finally:
        process.kill()
        process.communicate()


PROCESSES = """
import dataclasses, sys
from pathlib import Path
from pathei.tests.learners.test_learn_run import config_for
from pathei.learners.finetuning import finetune
place, out, fsdp = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "fsdp"
finetune(config_for(place, out, "ewc+replay+wise-ft", trainer="trl", fsdp=fsdp))
"""


@pytest.mark.integration
@pytest.mark.parametrize("how", ["copies", "fsdp"])
def test_two_processes_learn_what_one_does(how: str, place: Path, tmp_path: Path) -> None:
    """Without GPUs accelerate shards nothing; what `fsdp` shows here is that the gathered model becomes the run's."""
    pytest.importorskip("trl")
    from safetensors.torch import load_file

    script = tmp_path / "learning.py"
    script.write_text(PROCESSES)
    save_tiny(tmp_path / "place" / "base", family="llama")
    for name in ("examples.jsonl", "old.txt"):
        (tmp_path / "place" / name).write_bytes((place / name).read_bytes())
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "CUDA_VISIBLE_DEVICES": ""}
    # As documented; without GPUs accelerate's processes meet over gloo. Port 0: any that is free.
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"]
    launcher = [sys.executable, *launch]
    for name, start_with in (("one", [sys.executable]), ("two", launcher)):
        command = [
            *start_with,
            str(script),
            str(tmp_path / "place"),
            str(tmp_path / name),
            how if name == "two" else "",
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
    one, two = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-4


def test_a_second_run_goes_on_from_the_first_and_keeps_what_the_base_knew(place: Path, tmp_path: Path) -> None:
    first = finetune(config_for(place, tmp_path / "first", "ewc"))
    config = dataclasses.replace(config_for(place, tmp_path / "second", "ewc"), init_from=str(first.model))
    config = dataclasses.replace(config, fisher=tmp_path / "first" / "fisher.safetensors")
    finetune(config)  # the Fisher information is of the base, and is refused for any other model
    lines = [orjson.loads(line) for line in (tmp_path / "second" / METRICS).read_bytes().splitlines()]
    assert lines[0]["ewc"] > 0  # from the first step on it is away from what is kept
    assert orjson.loads((tmp_path / "first" / METRICS).read_bytes().splitlines()[0])["ewc"] == 0
    with pytest.raises(ConfigError, match="leave `init_from` out"):
        finetune(dataclasses.replace(config, training=dataclasses.replace(config.training, lora=LoraConfig(rank=2))))

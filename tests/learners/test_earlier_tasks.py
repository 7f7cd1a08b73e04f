"""Tasks in sequence: a run that begins at another holds what that one learned, by EWC."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from pathei.errors import ConfigError
from pathei.learners.config import LearnConfig, ReferenceConfig
from pathei.learners.earlier import earlier_runs
from pathei.learners.examples import Example
from pathei.learners.finetuning import FineTuner
from pathei.learners.methods.ewc import EwcConfig
from pathei.learners.methods.registry import MethodConfigs
from pathei.learners.models.load import load_model
from pathei.learners.training.config import TrainingConfig
from pathei.tests.support.tiny_language import OLD, save_tiny, tiny_examples


def task(word: str) -> list[Example]:
    return [dataclasses.replace(one, completion=f" {word}{one.completion}") for one in tiny_examples(12)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs in sequence, and what a third is made from."""
    folder = tmp_path_factory.mktemp("tasks")
    save_tiny(folder / "base")
    (folder / "old.txt").write_text("\n".join(OLD))
    FineTuner(config_for(folder, "first")).run(task("red"))
    FineTuner(config_for(folder, "second", init_from=str(folder / "first"))).run(task("green"))
    return folder


def config_for(folder: Path, name: str, *, earlier: Any = "off", strength: float = 0.0, **options: Any) -> LearnConfig:
    return LearnConfig(
        folder / name,
        model=str(folder / "base"),
        method="ewc",
        methods=MethodConfigs(ewc=EwcConfig(strength, earlier)),
        training=TrainingConfig(steps=8, batch_size=4, learning_rate=1e-2, precision="fp32"),
        reference=ReferenceConfig(sequence_length=12, fisher_sequences=6),
        texts=(folder / "old.txt",),
        **options,
    )


def distance(one: Path, other: Path) -> float:
    first, second = (dict(load_model(run)[0].named_parameters()) for run in (one, other))
    return sum(float((first[name] - second[name]).detach().square().sum()) for name in first)


def test_the_runs_before_are_found_in_order_also_after_they_moved(runs: Path, tmp_path: Path) -> None:
    expected = [runs / "first", runs / "second"]
    assert earlier_runs(str(runs / "second")) == earlier_runs(str(runs / "second" / "model")) == expected
    import shutil

    for name in ("first", "second"):
        shutil.copytree(runs / name, tmp_path / "moved" / name)
    shutil.rmtree(tmp_path / "moved" / "first" / "model")
    assert earlier_runs(str(runs / "first")) == [runs / "first"]
    with pytest.raises(ConfigError, match="no finished run"):
        earlier_runs(str(tmp_path / "moved" / "first"))


def test_a_strong_penalty_keeps_the_weights_near_the_earlier_tasks(runs: Path) -> None:
    begun = {"init_from": str(runs / "second")}
    ends = {}
    for mode in ("off", "separate", "merged", "online"):
        out = f"third-{mode}"
        FineTuner(config_for(runs, out, earlier=mode, strength=300.0, **begun)).run(task("blue"))
        ends[mode] = distance(runs / out, runs / "second")
        assert (runs / out / "fisher-2.safetensors").exists() == (mode != "off")
    # The exact sum of the penalties is one quadratic, so both end at the same place, up to rounding.
    assert distance(runs / "third-separate", runs / "third-merged") < 1e-3 * ends["separate"]
    assert max(ends["merged"], ends["online"]) < ends["off"]


def test_what_does_not_hold_together_is_refused(runs: Path) -> None:
    with pytest.raises(ConfigError, match="name it with `init_from`"):
        FineTuner(config_for(runs, "x", earlier="merged"))
    with pytest.raises(ConfigError, match="no finished run"):
        FineTuner(config_for(runs, "x", earlier="merged", init_from=str(runs / "base")))
    with pytest.raises(ConfigError, match="earlier must be"):
        EwcConfig(earlier="always")

"""A run of `pathei pretrain`: it resumes bit for bit, loads with `from_pretrained`, and has a measured control."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("PIL")

import torch
import transformers

from pathei.cli import main
from pathei.errors import ConfigError, LearningError, UnknownNameError
from pathei.learners.pretrain.config import PretrainConfig
from pathei.learners.pretrain.objectives.masked_image import MaskedImage
from pathei.learners.pretrain.protocol import PretextScores
from pathei.learners.pretrain.reader import ExperienceReader
from pathei.learners.pretrain.run import evaluate_pretrained, make_objective, margin_of, pretrain, scores_of
from pathei.learners.pretrain.training import new_model, share_of_rate
from pathei.tests.learners.pretrain.moving_squares import moving_squares


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving_squares(tmp_path_factory.mktemp("films") / "store")


@pytest.fixture
def config(store: Path, tmp_path: Path) -> PretrainConfig:
    return PretrainConfig(
        out=tmp_path / "run", store=store, objective="relative-position", steps=4, batch_size=4, save_every=2
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(transformers.AutoModel.from_pretrained(folder).state_dict())


def test_what_trained_before_in_this_process_does_not_set_the_precision(config: PretrainConfig, tmp_path: Path) -> None:
    alone = weights(pretrain(dataclasses.replace(config, out=tmp_path / "alone")))
    pretrain(dataclasses.replace(config, precision="bf16", out=tmp_path / "bf16"))
    after = weights(pretrain(config))
    assert all(torch.equal(alone[name], after[name]) for name in alone)


def test_a_run_that_was_stopped_ends_as_one_that_was_not(config: PretrainConfig, tmp_path: Path) -> None:
    whole = weights(pretrain(config))

    def stop(told: object) -> None:
        if told["step"] == 3:  # type: ignore[index]
            raise KeyboardInterrupt

    other = dataclasses.replace(config, out=tmp_path / "other")
    with pytest.raises(KeyboardInterrupt):
        pretrain(other, stop)
    with pytest.raises(LearningError, match="finish the run"):
        evaluate_pretrained(other.out)
    resumed = weights(pretrain(other))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    steps = [orjson.loads(line)["step"] for line in (other.out / "metrics.jsonl").read_bytes().splitlines()]
    assert steps == [1, 2, 3, 4]
    with pytest.raises(ConfigError, match="steps = 4"):
        pretrain(dataclasses.replace(other, steps=5))


@pytest.mark.parametrize("objective", ["masked-language", "masked-image"])
def test_the_command_line_trains_and_measures(
    objective: str, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    options = ["--objective", objective, "--steps", "2", "--batch-size", "4"]
    assert main(["pretrain", str(store), "--out", out, *options]) == 0
    assert main(["eval", out]) == 0
    assert objective in capsys.readouterr().out
    score = evaluate_pretrained(Path(out))
    assert 0 <= score.probe_after <= 1
    assert orjson.loads((tmp_path / "run/evaluation.json").read_bytes())["pretext"] == score.pretext
    model = transformers.AutoModel.from_pretrained(tmp_path / "run/model")
    assert model.config.model_type == ("modernbert" if objective == "masked-language" else "vit_mae")
    if objective == "masked-language":
        words = transformers.AutoTokenizer.from_pretrained(tmp_path / "run/model")("the red square")
        assert len(words["input_ids"]) > 2
    assert main(["eval", out, str(store)]) == 2


def test_bad_input_is_refused_before_anything_is_written(config: PretrainConfig, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="colorization"):
        pretrain(dataclasses.replace(config, objective="colorisation"))
    bare = moving_squares(tmp_path / "bare", 8, frames=False)
    with pytest.raises(ConfigError, match="--frames"):
        pretrain(dataclasses.replace(config, store=bare))
    with pytest.raises(ConfigError, match="mask_ratio"):
        dataclasses.replace(config, mask_ratio=1.0)
    assert not config.out.exists()


def test_the_margin_is_in_standard_errors_over_episodes() -> None:
    rng = np.random.default_rng(0)
    gain = rng.normal(0.5, 1, 100)
    alone = margin_of(PretextScores(gain, np.zeros(100)), np.arange(100))
    assert alone == pytest.approx(gain.mean() / (gain.std(ddof=1) / 10))
    repeated = margin_of(PretextScores(np.tile(gain, 4), np.zeros(400)), np.tile(np.arange(100), 4))
    assert repeated == pytest.approx(alone)  # four copies of an episode say no more than one


@pytest.mark.parametrize(("value", "margin"), [(1.0, 5.0), (0.5, 0.0)])
def test_ten_alike_have_the_error_of_one_example(value: float, margin: float) -> None:
    scores = PretextScores(np.full(10, value), np.full(10, 0.5))
    assert margin_of(scores, np.arange(10)) == pytest.approx(margin)


def test_frames_without_colour_have_nothing_to_colour(store: Path, config: PretrainConfig) -> None:
    _, objective = make_objective(dataclasses.replace(config, objective="colorization"))

    class Grey(ExperienceReader):
        def pictures(self, places: Sequence[tuple[int, int]]) -> np.ndarray:
            return super().pictures(places).mean(-1, keepdims=True).repeat(3, -1).astype(np.uint8)

    model = new_model(objective, 0).eval()
    with pytest.raises(ConfigError, match="nothing that this objective asks for"):
        scores_of(objective, model, Grey(store, "held_out", 56), 1)


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [share_of_rate(step, 100) for step in range(100)]
    assert max(rates) == rates[5] == 1
    assert rates[:6] == sorted(rates[:6])
    assert rates[5:] == sorted(rates[5:], reverse=True)


def test_a_seed_draws_the_weights_and_leaves_torch_as_it_was(config: PretrainConfig) -> None:
    state = torch.get_rng_state()
    _, objective = make_objective(config)
    first, second = (new_model(objective, 3).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(torch.get_rng_state(), state)


def test_three_patches_of_four_are_masked(config: PretrainConfig) -> None:
    experience, _ = make_objective(config)
    image: Any = new_model(MaskedImage(experience, config), 0)
    assert image.config.mask_ratio == 0.75

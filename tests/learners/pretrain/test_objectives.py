"""The objectives: every one keeps the protocol, and each one's examples and control are what they say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("PIL")

import torch

from pathei.errors import ConfigError
from pathei.learners.pretrain.config import PretrainConfig
from pathei.learners.pretrain.encoders import to_input
from pathei.learners.pretrain.objectives.exemplars import Exemplars, distort, retrieval
from pathei.learners.pretrain.objectives.masked_image import MaskedImage
from pathei.learners.pretrain.objectives.masked_language import MaskedLanguage
from pathei.learners.pretrain.objectives.order import ArrowOfTime, SequenceOrder
from pathei.learners.pretrain.objectives.relative_position import RelativePosition, displaced
from pathei.learners.pretrain.objectives.sentence_pairs import SentencePairs
from pathei.learners.pretrain.reader import ExperienceReader
from pathei.learners.pretrain.registry import OBJECTIVES
from pathei.learners.pretrain.training import new_model
from pathei.tests.learners.pretrain.moving_squares import MOMENTS, moving_squares


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving_squares(tmp_path_factory.mktemp("films") / "store")


@pytest.fixture(scope="module")
def reader(store: Path) -> ExperienceReader:
    return ExperienceReader(store, "train", 56)


@pytest.fixture(scope="module")
def config(store: Path) -> PretrainConfig:
    return PretrainConfig(out=store, store=store, objective="", batch_size=6)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("cueless", [False, True])
@pytest.mark.parametrize("name", OBJECTIVES.names())
def test_every_objective_keeps_the_protocol(
    name: str, cueless: bool, reader: ExperienceReader, config: PretrainConfig
) -> None:
    made = OBJECTIVES.get(name)(reader, config)
    objective = made.control() if cueless else made
    batch, again = (objective.batch(reader, rng()) for _ in range(2))
    assert set(batch) == set(again)
    assert all(torch.equal(batch[key], again[key]) and len(batch[key]) == 6 for key in batch)
    model: Any = new_model(objective, 0)
    loss = objective.loss(model, batch)
    loss.backward()
    assert torch.isfinite(loss)
    assert any(one.grad is not None and one.grad.abs().sum() > 0 for one in model.base_model.parameters())
    with torch.no_grad():
        values, baseline = objective.metric(model.eval(), batch)
    assert values.shape == baseline.shape == (6,)
    assert np.isfinite(values).any()


def test_tasks_are_trained_on_or_held_out_and_clips_move(store: Path, reader: ExperienceReader) -> None:
    held_out = ExperienceReader(store, "held_out", 56)
    names = [{one.id for one in part.episodes} for part in (reader, held_out)]
    assert len(names[0] | names[1]) == 20
    assert not names[0] & names[1]
    assert min(map(len, names)) > 0
    shown, episodes = reader.draw_clips(rng(), 5, 4)
    assert shown.shape == (5, 4, 56, 56, 3)
    assert len(episodes) == 5
    assert all((clip[t] != clip[t + 1]).any() for clip in shown for t in range(3))
    assert len(reader.clips(MOMENTS)) == len(reader.episodes)
    with pytest.raises(ConfigError, match="different frames in a row"):
        reader.draw_clips(rng(), 1, MOMENTS + 1)


def test_a_store_without_frames_is_refused_in_a_sentence(tmp_path: Path) -> None:
    bare = ExperienceReader(moving_squares(tmp_path / "store", 8, frames=False), "train", 56)
    with pytest.raises(ConfigError, match="--frames"):
        bare.draw_frames(rng(), 1)


def test_fifteen_percent_of_the_words_are_asked(reader: ExperienceReader, config: PretrainConfig) -> None:
    objective = MaskedLanguage(reader, config)
    batches = [objective.batch(reader, rng(seed)) for seed in range(40)]
    words = sum(int(one["attention_mask"].sum()) for one in batches)
    asked = sum(int((one["labels"] != -100).sum()) for one in batches)
    masked = sum(int((one["input_ids"] == objective.tokenizer.mask_token_id).sum()) for one in batches)
    assert asked / words == pytest.approx(0.15, abs=0.015)
    assert masked / asked == pytest.approx(0.8, abs=0.03)


def test_a_pair_belongs_together_if_the_square_moved_one_step(reader: ExperienceReader, config: PretrainConfig) -> None:
    objective = SentencePairs(reader, config)
    batch = objective.batch(reader, rng())
    for ids, label in zip(batch["input_ids"], batch["labels"], strict=True):
        first, second = (int(text.split("column")[1].split()[0]) for text in objective.tokenizer.batch_decode(ids))
        assert (second == first + 6) == (label == 0)


def test_the_control_of_masked_images_mixes_patches_in_their_places(
    reader: ExperienceReader, config: PretrainConfig
) -> None:
    objective = MaskedImage(reader, config)
    plain, mixed = (one.batch(reader, rng())["pixel_values"] for one in (objective, objective.control()))
    for row in range(0, 56, 8):
        for column in range(0, 56, 8):
            place = np.s_[:, :, row : row + 8, column : column + 8]
            before, after = (sorted(patch.flatten().tolist() for patch in one[place]) for one in (plain, mixed))
            assert before == after
    assert not torch.equal(plain, mixed)


def test_a_neighbour_lies_at_one_side(reader: ExperienceReader, config: PretrainConfig) -> None:
    """On pictures of which a wave tells the row or the column, wherever they are moved to."""

    class Waves:
        def __init__(self, axis: int) -> None:
            angle = np.mgrid[:56, :56][axis] * 2 * np.pi / 56
            self.picture = np.stack([127.5 + 120 * np.cos(angle), 127.5 + 120 * np.sin(angle), 0 * angle], -1)

        def draw_frames(self, _rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
            return np.repeat(self.picture[None], count, 0).astype(np.uint8), np.arange(count)

    def steps(axis: int) -> np.ndarray:
        batch = RelativePosition(reader, config).batch(Waves(axis), rng())  # type: ignore[arg-type]
        means = batch["pixels"].mean((3, 4)).double().numpy()
        angles = np.angle(means[..., 0] + 1j * means[..., 1])
        return np.abs((angles[:, 1] - angles[:, 0] + np.pi) % (2 * np.pi) - np.pi) * 56 / (2 * np.pi)

    lengths = np.stack([steps(0), steps(1)])
    assert (np.abs(lengths.max(0) - 16) < 4.5).all()
    assert (lengths.min(0) < 4.5).all()


def test_a_frame_is_moved_as_on_a_torus() -> None:
    picture = np.arange(36).reshape(6, 6, 1)
    moved = [displaced(picture, rng(seed)) for seed in range(60)]
    assert all(sorted(one.ravel()) == list(range(36)) for one in moved)
    assert {int(one[0, 0, 0]) for one in moved} > {0, 35}
    assert len({tuple(one.ravel()) for one in moved}) > 40


def test_patches_know_their_places(reader: ExperienceReader, config: PretrainConfig) -> None:
    """Transformers 5.24 leaves the vectors of places at zero in a new model."""
    model: Any = new_model(MaskedImage(reader, config), 0)
    for places in (model.vit.embeddings.position_embeddings, model.decoder.decoder_pos_embed):
        assert places.shape[1] == 50
        assert len({tuple(row) for row in places[0].tolist()}) == 50


def test_controls_of_order_hold_nothing_that_tells(reader: ExperienceReader, config: PretrainConfig) -> None:
    still = SequenceOrder(reader, config).control().batch(reader, rng())["pixels"]
    assert torch.equal(still[:, 0], still[:, 1])
    assert torch.equal(still[:, 0], still[:, 2])
    palindromes = ArrowOfTime(reader, config).control().batch(reader, rng())["pixels"]
    assert torch.equal(palindromes, palindromes.flip(1))


def test_clips_are_labelled_by_the_way_that_the_square_moves(reader: ExperienceReader, config: PretrainConfig) -> None:
    """Squares only ever go right, so that a clip runs forward exactly if the coloured columns grow."""
    batch = ArrowOfTime(reader, config).batch(reader, rng())
    coloured = (batch["pixels"].amax(2) - batch["pixels"].amin(2)) > 0.2
    columns = (coloured * torch.arange(56.0)).sum((2, 3)) / coloured.sum((2, 3))
    assert torch.equal((columns[:, 1] > columns[:, 0]).long(), batch["labels"])
    assert len(set(batch["labels"].tolist())) == 2


def test_a_view_is_found_again_if_it_is_the_picture_itself(reader: ExperienceReader, config: PretrainConfig) -> None:
    class Undistorted:
        def uniform(self, _low: float, _high: float, shape: tuple[int, ...]) -> np.ndarray:
            return np.ones(shape)

        def choice(self, _from: list[float], shape: tuple[int, ...]) -> np.ndarray:
            return np.ones(shape)

    encoder = new_model(Exemplars(reader, config), 0).eval().base_model
    shown = to_input(reader.pictures(reader.places[::10]))
    assert torch.allclose(distort(shown, Undistorted()), shown, atol=1e-4)
    assert not torch.allclose(distort(shown, rng()), shown, atol=1e-1)
    assert retrieval(encoder, shown, Undistorted()) == 1

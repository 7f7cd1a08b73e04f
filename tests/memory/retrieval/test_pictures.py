"""Frames are found by a picture, with an encoder that was pre-trained on frames."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("PIL")

from pathei.cli import main
from pathei.errors import ConfigError, MemoryStoreError, ModelError
from pathei.learners.pretrain.config import PretrainConfig
from pathei.learners.pretrain.encoders import grey, pooled, to_input
from pathei.learners.pretrain.reader import decode_picture
from pathei.learners.pretrain.run import pretrain
from pathei.memory.embedders.pictures import PictureEmbedder
from pathei.memory.retrieval.pictures import find_pictures, index_pictures
from pathei.store import ExperienceStore
from pathei.tests.learners.pretrain.moving_squares import moving_squares


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving_squares(tmp_path_factory.mktemp("films") / "store", 6)


@pytest.fixture(scope="module")
def run(films: Path) -> Path:
    out = films.parent / "run"
    pretrain(PretrainConfig(out=out, store=films, objective="colorization", steps=2, batch_size=4))
    return out


def test_a_frame_is_found_by_itself(films: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    encoder = PictureEmbedder(run)
    with ExperienceStore.open(films, mode="read") as store:
        assert index_pictures(tmp_path, store, encoder) > 5
        assert index_pictures(tmp_path, store, encoder) == 0
        episode = next(iter(store.trajectories()))
        picture = store.image(episode.steps[2].observation.images[0])
    hits = find_pictures(tmp_path, picture, 3)
    assert hits[0].sha256 == episode.steps[2].observation.images[0]
    assert hits[0].score == pytest.approx(1, abs=1e-4)
    assert [one.score for one in hits] == sorted((one.score for one in hits), reverse=True)
    assert (tmp_path / "pictures.npz").stat().st_mode & 0o077 == 0
    (tmp_path / "asked.png").write_bytes(picture)
    assert main(["memory", "index-frames", str(films), str(tmp_path), "--encoder", str(run)]) == 0
    assert main(["memory", "find-frames", str(tmp_path), str(tmp_path / "asked.png"), "--k", "1"]) == 0
    assert hits[0].sha256[:16] in capsys.readouterr().out


def test_the_vectors_are_the_encoders(films: Path, run: Path) -> None:
    encoder = PictureEmbedder(run)
    with ExperienceStore.open(films, mode="read") as store:
        picture = store.image(next(iter(store.trajectories())).final.images[0])
    (found,) = encoder.embed([picture])
    wanted = pooled(encoder._model, grey(to_input(decode_picture(picture, 56)[None])))[0].detach().numpy()
    assert np.abs(found - wanted / np.linalg.norm(wanted)).max() < 0.01  # Pillow's grey is rounded to whole numbers


def test_what_does_not_fit_is_said(films: Path, run: Path, tmp_path: Path) -> None:
    with pytest.raises(MemoryStoreError, match="no index of frames"):
        find_pictures(tmp_path, b"")
    with pytest.raises(ModelError, match="no encoder of pictures"):
        PictureEmbedder(tmp_path)
    encoder = PictureEmbedder(run)
    with ExperienceStore.open(films, mode="read") as store:
        index_pictures(tmp_path, store, encoder)
        encoder.name = "pictures@another"
        with pytest.raises(ConfigError, match="was made with the encoder at"):
            index_pictures(tmp_path, store, encoder)
    with pytest.raises(ConfigError, match="no picture"):
        find_pictures(tmp_path, b"words")
    (tmp_path / "pictures.npz").write_bytes(b"PK")
    with pytest.raises(MemoryStoreError, match="is damaged"):
        find_pictures(tmp_path, b"")

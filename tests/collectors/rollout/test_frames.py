"""Frames: what an environment draws is stored with every observation, by one process or several."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pathei.collectors.options import PlaySettings, ScriptedOptions
from pathei.collectors.rollout.collect import collect_with
from pathei.collectors.rollout.frames import make_with_frames, png
from pathei.envs import check_snapshot
from pathei.envs.adapters.minigrid import generate_tasks
from pathei.errors import ConfigError, ContractError
from pathei.experience import Goal, Task
from pathei.store import ExperienceStore

pytest.importorskip("minigrid", reason="MiniGrid is not installed")
Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)), elements=st.integers(0, 255)))
def test_a_png_holds_the_picture_exactly(picture: np.ndarray) -> None:
    with Image.open(io.BytesIO(png(picture))) as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), picture)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ContractError, match="height, width, 3"):
        png(np.zeros((2, 2), np.uint8))


@pytest.mark.parametrize("workers", [0, 1])
def test_every_observation_has_its_frame(tmp_path: Path, workers: int) -> None:
    play = PlaySettings("minigrid", 20, 0, workers, tmp_path)
    with ExperienceStore.open(tmp_path) as store:
        report = collect_with(ScriptedOptions(), play, store, generate_tasks(2, 0))
        assert report.coverage.episodes == 2
        for episode in store.trajectories():
            seen = [*(step.observation for step in episode.steps), episode.final]
            assert all(len(one.images) == 1 for one in seen)
            with Image.open(io.BytesIO(store.image(seen[0].images[0]))) as image:
                assert image.size == (224, 224)
        assert store.check() == ()


def test_frames_leave_an_environment_snapshotable() -> None:
    task = generate_tasks(1, 0)[0]
    env = make_with_frames(task)
    try:
        check_snapshot(env, rng=np.random.default_rng(0))
    finally:
        env.close()


def test_an_environment_that_draws_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="draws no frames"):
        make_with_frames(Task("a", "pathei/VirtualHome-v0", 0, Goal("")))

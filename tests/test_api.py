"""The verbs at the top of the package."""

from pathlib import Path

import pytest

import pathei


def test_experience_is_collected_and_remembered(tmp_path: Path) -> None:
    tasks = pathei.generate_tasks("taxi", 2)
    pathei.collect(tmp_path / "runs", tasks, "breadth", steps=40)
    with pathei.ExperienceStore.open(tmp_path / "runs", mode="read") as store:
        episodes = list(store.trajectories())
    assert {episode.task.id for episode in episodes} == {task.id for task in tasks}
    with pathei.open_memory(tmp_path / "runs", embedder="ngrams") as memory:
        assert any(memory.add_all(episodes))
    assert pathei.make_agent("random", tasks[0]) is not None


def test_an_environment_is_made_by_name() -> None:
    env = pathei.make_env("taxi")
    assert env.reset(seed=0)[0]
    env.close()


def test_tasks_of_no_environment_are_refused(tmp_path: Path) -> None:
    with pytest.raises(pathei.PatheiError, match="one environment"):
        pathei.collect(tmp_path, [])

"""Pictures of an episode in a folder, by the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pathei.cli import main
from pathei.collectors.rollout.frames import make_with_frames
from pathei.collectors.tasks import write_tasks
from pathei.envs import contract
from pathei.envs.habitat.tasks import generate_one

NAMES = ("depth", "map", "rgb", "semantic")


def test_run_writes_what_the_environment_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = generate_one("image", 3, 0)
    write_tasks(tmp_path / "tasks.jsonl", [task])
    folder, tasks = tmp_path / "frames", str(tmp_path / "tasks.jsonl")
    assert main(["run", "--env", "habitat", "--tasks", tasks, "--steps", "1", "--show", str(folder)]) == 0
    assert f"8 pictures are in {folder}" in capsys.readouterr().out.replace("\n", "")
    assert sorted(path.name for path in folder.iterdir()) == [f"000{n}_{name}.png" for n in (0, 1) for name in NAMES]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in folder.iterdir())
    # The pictures that an environment observes itself stay as they are.
    env = make_with_frames(task)
    observation, _ = contract.reset(env, task)
    assert len(observation["image"]) == 2


def test_what_draws_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--steps", "1", "--show", str(tmp_path / "frames")]) == 2
    assert "draws no frames" in capsys.readouterr().err.replace("\n", " ")

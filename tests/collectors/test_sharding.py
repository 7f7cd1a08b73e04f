"""Which tasks are whose, when several processes divide a set of tasks; and that together they collect what one does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.cli import main
from pathei.collectors.sharding import TaskShard, read_shard
from pathei.errors import ConfigError
from pathei.experience import Goal, Task, Trajectory
from pathei.store import ExperienceStore

SLURM = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "0"}


def tasks_of(ids: list[str]) -> list[Task]:
    return [Task(id_, "pathei/VirtualHome-v0", 0, Goal("look")) for id_ in ids]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(), unique=True, max_size=40), st.integers(1, 9), st.randoms())
def test_parts_are_disjoint_and_together_everything_in_whatever_order(ids: list[str], count: int, rng: object) -> None:
    tasks = tasks_of(ids)
    parts = [TaskShard(index, count).of(tasks) for index in range(count)]
    assert sorted(task.id for part in parts for task in part) == sorted(ids)
    assert all(part == [task for task in tasks if task in part] for part in parts)
    mixed = rng.sample(tasks, len(tasks))  # type: ignore[attr-defined]
    for index, part in enumerate(parts):
        assert {task.id for task in TaskShard(index, count).of(mixed)} == {task.id for task in part}
        assert TaskShard(index, count).of(tasks[: len(tasks) // 2]) == [
            one for one in tasks[: len(tasks) // 2] if one in part
        ]


def test_a_division_stays_as_it_is_and_is_even() -> None:
    parts = [TaskShard(index, 4).of(tasks_of([f"generated/{n}" for n in range(4000)])) for index in range(4)]
    assert [len(part) for part in parts] == [1040, 1006, 981, 973]
    assert [task.id for task in parts[0][:3]] == ["generated/5", "generated/8", "generated/15"]


@pytest.mark.parametrize(
    ("text", "environ", "part"),
    [
        ("0/1", {}, (0, 1)),
        ("7/8", SLURM, (7, 8)),
        ("auto/8", {"JOB_COMPLETION_INDEX": "7"}, (7, 8)),
        ("auto/8", SLURM, (3, 8)),
        ("auto", SLURM, (3, 4)),
        ("auto", {**SLURM, "SLURM_ARRAY_TASK_MIN": "1"}, (2, 4)),
    ],
)
def test_a_part_is_named_by_hand_or_by_the_scheduler(text: str, environ: dict[str, str], part: tuple[int, int]) -> None:
    assert read_shard(text, environ) == TaskShard(*part)


@pytest.mark.parametrize(
    ("text", "environ", "why"),
    [
        ("4/4", {}, "counted from 0, and the last of 4 is 3/4"),
        ("0/0", {}, "there is none"),
        ("3", {}, "neither i/n"),
        ("-1/3", {}, "neither i/n"),
        ("auto/2", {}, "give its number, such as 0/2"),
        ("auto/2", {"JOB_COMPLETION_INDEX": "2"}, "the last of 2 is 1/2"),
        ("auto/2", {"JOB_COMPLETION_INDEX": "x"}, "should be a number"),
        ("auto", {"JOB_COMPLETION_INDEX": "1"}, "say how many, as in auto/8"),
        ("auto", {**SLURM, "SLURM_ARRAY_TASK_ID": "9"}, "without gaps"),
        ("auto", {**SLURM, "SLURM_ARRAY_TASK_MIN": "3"}, "number them from 0"),
    ],
)
def test_what_names_no_part_is_refused_with_what_would(text: str, environ: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read_shard(text, environ)


def records_of(path: Path) -> dict[str, Trajectory]:
    with ExperienceStore.open(path, mode="read") as store:
        return {one.id: one for one in store.trajectories()}


def test_shards_merged_are_what_one_process_collects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["mcts", "--simulations", "30", "--keep-tree", "--tasks", "6", "--steps", "4", "--workers", "0"]
    assert main(["collect", str(tmp_path / "whole"), *common]) == 0
    parts = ["0/3", "auto/3", "2/3"]
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    for part in parts:
        assert main(["collect", str(tmp_path / "home"), *common, "--shard", part]) == 0
        assert main(["store", "merge", str(tmp_path / "all"), str(tmp_path / "home")]) == 0
    capsys.readouterr()
    whole, merged = records_of(tmp_path / "whole"), records_of(tmp_path / "all")
    assert any(one.parent is not None for one in whole.values())
    assert merged == whole
    # A part resumes; and the joined store does, too.
    assert main(["collect", str(tmp_path / "home"), *common, "--shard", "0/3"]) == 0
    assert "2 of 2 tasks were done already" in capsys.readouterr().out
    assert main(["collect", str(tmp_path / "all"), *common]) == 0
    assert "6 of 6 tasks were done already" in capsys.readouterr().out
    assert main(["collect", str(tmp_path / "all"), *common, "--shard", "0/3"]) == 2
    assert "is a store already" in capsys.readouterr().err
    assert main(["store", "info", str(tmp_path / "home")]) == 2
    assert "pathei store merge NEW" in capsys.readouterr().err


def test_a_curriculum_is_not_divided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["collect", str(tmp_path / "s"), "curriculum", "--tasks", "4", "--shard", "0/2"]) == 2
    assert "cannot be divided: leave out --shard" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()

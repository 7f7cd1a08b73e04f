"""Household tasks in PDDL: a planner of others solves them, and its plans are done as they are."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

import pathei
from pathei.cli import main
from pathei.envs import contract
from pathei.envs.plans import pddl_of
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.errors import ConfigError, GoalError, ScriptError
from pathei.experience import Goal, Observation, Task, Trajectory
from pathei.export import export
from pathei.store import ExperienceStore

TASKS = generate_tasks(200, seed=7)[::20]


def at_its_beginning(task: Task) -> Any:
    env = contract.make(task)
    contract.reset(env, task)
    return env


def let_plan(folder: Path) -> Path:
    """Let pyperplan plan, in a process of its own, and return where its plan is."""
    pytest.importorskip("pyperplan")
    command = [sys.executable, "-m", "pyperplan", "-s", "gbf", "-H", "hff"]
    files = [str(folder / name) for name in ("domain.pddl", "problem.pddl")]
    subprocess.run([*command, *files], check=True, capture_output=True, timeout=120)
    return folder / "problem.pddl.soln"


@pytest.mark.integration
@pytest.mark.parametrize("task", TASKS[:6], ids=lambda task: task.id)
def test_a_planner_s_plan_is_done_step_by_step(task: Task, tmp_path: Path) -> None:
    env = at_its_beginning(task)
    written, info = pddl_of(env), dict[str, Any]()
    written.save(tmp_path)
    for line in written.read(let_plan(tmp_path).read_text("utf-8")):
        *_, info = env.step(line)
        assert "error" not in info, (line, info["error"])
    assert info["success"] is True


@pytest.mark.parametrize("everything", [False, True])
def test_every_atom_is_declared_and_every_object_typed(everything: bool) -> None:
    for task in TASKS:
        written = at_its_beginning(task).unwrapped.pddl(everything=everything)
        assert written.domain.count("(") == written.domain.count(")")
        assert written.problem.count("(") == written.problem.count(")")
        assert "not" not in written.domain.split(":effect")[0].split(":precondition")[-1]


def test_a_plan_of_something_else_is_refused() -> None:
    task = pddl_of(at_its_beginning(TASKS[0]))
    assert task.read("; a comment\n") == ()
    with pytest.raises(ScriptError, match="none of this task's domain"):
        task.read("(fly sofa_12)")
    with pytest.raises(ScriptError, match="no step of the form"):
        task.read("walk to the sofa")


def test_what_cannot_be_written_is_said() -> None:
    env = pathei.make_env("virtualhome")
    env.reset(seed=0)
    with pytest.raises(GoalError, match="no goal"):
        pddl_of(env)
    goal = {"text": "", "conditions": [{"node": {"class": "fridge"}, "state": "OPEN"}]}
    env.reset(seed=0, options={"goal": goal, "characters": 2})
    with pytest.raises(ConfigError, match="one character under the rules 'clean'"):
        pddl_of(env)
    unlikely = {"from": {"class": "fridge"}, "relation": "FACING", "to": {"class": "sink"}}
    env.reset(seed=0, options={"goal": {"text": "", "conditions": [unlikely]}})
    with pytest.raises(GoalError, match="no operator brings about FACING"):
        pddl_of(env)
    with pytest.raises(ConfigError, match="does not say its tasks in PDDL"):
        pddl_of(pathei.make_env("touchdown"))


@pytest.mark.integration
def test_the_command_writes_a_task_and_does_the_plan_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["plan", "put a cup on the dining table", "--pddl", str(tmp_path)]
    assert main(command) == 0
    plan = let_plan(tmp_path)
    assert main(command) == 0
    assert "The goal is reached." in capsys.readouterr().out
    plan.write_text("(leave sofa_1)\n", "utf-8")
    assert main(command) != 0
    assert "none of this task's domain" in capsys.readouterr().err


def test_an_export_writes_each_task_once_and_says_what_is_left_out(tmp_path: Path) -> None:
    odd = {"from": {"class": "fridge"}, "relation": "FACING", "to": {"class": "sink"}}
    tasks = [*TASKS[:2], dataclasses.replace(TASKS[0], id="odd", goal=Goal("face it", (odd,)))]
    with ExperienceStore.open(tmp_path / "store") as store:
        for number, task in enumerate((*tasks, TASKS[0])):
            store.append(Trajectory(f"t{number}", task, (), Observation(""), "test"))
        written = export(store, "pddl", tmp_path / "out").written
    assert (written.episodes, written.rows, written.skipped) == (3, 2, 1)
    rows = [orjson.loads(line) for line in (tmp_path / "out" / "tasks.jsonl").read_bytes().splitlines()]
    assert [row["task"]["id"] for row in rows] == [task.id for task in tasks]
    assert [row.get("folder") for row in rows] == ["0001", "0002", None]
    assert "FACING" in rows[2]["left_out"]
    assert {path.name for path in (tmp_path / "out" / "0002").iterdir()} == {"domain.pddl", "problem.pddl"}

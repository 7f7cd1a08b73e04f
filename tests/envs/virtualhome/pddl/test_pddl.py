"""Household tasks in PDDL: a planner of others solves them, and its plans are done as they are."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pathei
from pathei.envs import contract
from pathei.envs.plans import PddlTask, pddl_of
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.errors import ConfigError, GoalError, ScriptError
from pathei.experience import Task

TASKS = generate_tasks(200, seed=7)[::20]


def at_its_beginning(task: Task) -> Any:
    env = contract.make(task)
    contract.reset(env, task)
    return env


def solved(task: PddlTask, folder: Path) -> tuple[str, ...]:
    """Let pyperplan plan, in a process of its own, and read its plan."""
    pytest.importorskip("pyperplan")
    task.save(folder)
    files = [str(folder / name) for name in ("domain.pddl", "problem.pddl")]
    subprocess.run(
        [sys.executable, "-m", "pyperplan", "-s", "gbf", "-H", "hff", *files],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return task.read((folder / "problem.pddl.soln").read_text("utf-8"))


@pytest.mark.integration
@pytest.mark.parametrize("task", TASKS[:6], ids=lambda task: task.id)
def test_a_planner_s_plan_is_done_step_by_step(task: Task, tmp_path: Path) -> None:
    env = at_its_beginning(task)
    info: dict[str, Any] = {}
    for line in solved(pddl_of(env), tmp_path):
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

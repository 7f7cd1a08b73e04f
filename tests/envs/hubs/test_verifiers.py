"""Packages for verifiers as environments: a real one, with a tool, and pathei's own package played from outside.

They run in another folder: in the checkout `agents`, which verifiers imports, is pathei's.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pathei.cli import main
from pathei.envs.registry import get_env
from pathei.errors import ConfigError
from pathei.export.text import prompt
from pathei.tests.interop.served import demonstrated

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("verifiers") is None, reason="verifiers is not installed"),
]

_TOOL_PACKAGE = '''
import verifiers as vf
from datasets import Dataset


def double(x: int) -> int:
    """Double a number."""
    return 2 * x


def load_environment(hint="Answer with a number."):
    rows = Dataset.from_list([{"question": f"What is {n} doubled?", "answer": str(2 * n)} for n in (21, 4)])

    async def success(completion, answer) -> float:
        return float(completion[-1]["content"] == answer)

    return vf.ToolEnv(tools=[double], dataset=rows, rubric=vf.Rubric(funcs=[success]), max_turns=4, system_prompt=hint)
'''
_PLAY = """
import json, signal, sys
import gymnasium
from pathei.envs import VerifiedReplay
from pathei.envs.registry import get_env

before = signal.getsignal(signal.SIGINT)
found = []
for package, count, actions in json.loads(sys.argv[1]):
    tasks = get_env(f"verifiers:{package}").generate_tasks(count, 0)
    env = VerifiedReplay(gymnasium.make(tasks[0].env))
    seen = [env.reset(seed=tasks[0].seed, options=dict(tasks[0].options))]
    start = env.snapshot()
    seen += [env.step(action) for action in actions]
    env.restore(start)
    again = [env.step(action) for action in actions]
    env.close()
    found.append([[task.goal.text for task in tasks], seen, again == seen[1:]])
assert signal.getsignal(signal.SIGINT) is before
print(json.dumps(found))
"""


def test_packages_are_environments_that_show_what_is_behind_them_and_can_be_replayed(tmp_path: Path) -> None:
    out = tmp_path / "package"
    assert main(["serve", "virtualhome", "--as", "verifiers", "--tasks", "2", "--seed", "3", "--out", str(out)]) == 0
    (out / "toy_env.py").write_text(_TOOL_PACKAGE, "utf-8")
    call = '{"tool": "double", "arguments": {"x": 21}}'
    task, _ = get_env("virtualhome").generate_tasks(2, 3)
    actions, seen = demonstrated(task)
    asked = [["toy-env", 2, [" ", call, "42", "43"]], ["pathei-virtualhome", 1, actions]]
    ran = subprocess.run(
        [sys.executable, "-c", _PLAY, json.dumps(asked)],
        cwd=out,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert ran.returncode == 0, ran.stderr
    toy, household = json.loads(ran.stdout.splitlines()[-1])
    a_package_with_a_tool(*toy)

    goals, got, again = household
    assert goals == [f"Goal: {task.goal.text}"]
    assert got[0][0].endswith(f"Goal: {task.goal.text}\n\n{prompt(None, seen[0], True)}")
    assert [one[0] for one in got[1:]] == [prompt(None, one, one is not seen[-1]) for one in seen[1:]]
    assert got[-1][1] > 0
    assert (got[-1][2], got[-1][4]) == (True, {"success": True})
    assert again


def a_package_with_a_tool(goals: list[str], seen: list[Any], again: bool) -> None:
    """Compare what the package of this file has shown."""
    assert goals == ["What is 21 doubled?", "What is 4 doubled?"]
    tools = '\n\nTools, called by {"tool": NAME, "arguments": {...}}:\ndouble(x: integer) Double a number.'
    first = "Answer with a number.\n\nWhat is 21 doubled?"
    assert seen[0] == [first + tools, {}]
    assert seen[1][0].startswith("That did not work: an answer needs at least one word.\n")
    assert seen[2] == [f"42{tools}", 0.0, False, False, {}]
    assert seen[3] == ["The episode is over.", 1.0, True, False, {"success": True}]
    assert seen[4][1:4] == [0.0, True, False]
    assert again


def test_a_package_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="has a name"):
        get_env("verifiers").generate_tasks(1, 0)

"""Environments as files of others: the package that verifiers loads, and Harbor's task folders."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pathei.cli import main
from pathei.envs.registry import get_env
from pathei.errors import ConfigError, ExportError
from pathei.experience import Task
from pathei.export.text import prompt
from pathei.interop import WorldSession
from pathei.interop.packages import slug, write_harbor_tasks
from pathei.tests.interop.served import demonstrated
from pathei.tests.support.endpoint_server import Server

_EVALUATE = """
import asyncio, json, sys
import verifiers
from openai import AsyncOpenAI

async def evaluate():
    environment = verifiers.load_environment("pathei-virtualhome")
    async with AsyncOpenAI(base_url=sys.argv[1], api_key="none") as client:
        found = await environment.evaluate(client, "m", num_examples=1, rollouts_per_example=1)
        return found["outputs"][0]

done = asyncio.run(evaluate())
print(json.dumps({name: done[name] for name in ("reward", "metrics", "prompt", "completion")}, default=str))
"""


@pytest.mark.integration
def test_verifiers_plays_the_package_that_was_written(tmp_path: Path) -> None:
    if importlib.util.find_spec("verifiers") is None:
        pytest.skip("verifiers is not installed")
    out = tmp_path / "package"
    assert main(["serve", "virtualhome", "--as", "verifiers", "--tasks", "2", "--seed", "3", "--out", str(out)]) == 0
    assert tomllib.loads((out / "pyproject.toml").read_text("utf-8"))["project"]["name"] == "pathei-virtualhome"
    task, _ = get_env("virtualhome").generate_tasks(2, 3)
    actions, seen = demonstrated(task)
    server = Server("sing", *(f"Action: {action}" for action in actions))
    # Not in the checkout, where `agents`, a package that verifiers imports, is ours.
    ran = subprocess.run(
        [sys.executable, "-c", _EVALUATE, server.url], cwd=out, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert ran.returncode == 0, ran.stderr
    done = json.loads(ran.stdout.splitlines()[-1])
    assert done["metrics"]["success"] == 1.0
    assert done["reward"] > 0
    told = [message["content"] for message in [*done["prompt"], *done["completion"]] if message["role"] == "user"]
    assert told[0] == f"Goal: {task.goal.text}\n\n{prompt(None, seen[0], True)}"
    assert told[1].endswith(prompt(None, seen[0], True))  # "sing" changed nothing
    assert told[2:] == [prompt(None, one, one is not seen[-1]) for one in seen[1:]]


@pytest.mark.integration
def test_the_test_of_a_harbor_task_does_the_actions_again(tmp_path: Path) -> None:
    tasks = get_env("virtualhome").generate_tasks(2, 3)
    assert write_harbor_tasks(tmp_path / "tasks", "virtualhome", tasks, steps=30) == 2
    folder = tmp_path / "tasks" / "virtualhome-0"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "environment/Dockerfile",
        "environment/task.jsonl",
        "instruction.md",
        "solution/solve.sh",
        "task.toml",
        "tests/task.jsonl",
        "tests/test.sh",
    ]
    said = tomllib.loads((folder / "task.toml").read_text("utf-8"))
    assert said["task"]["name"] == "pathei/virtualhome-0"
    [server] = said["environment"]["mcp_servers"]
    assert (server["transport"], server["command"], server["args"][:2]) == ("stdio", "pathei", ["serve", "virtualhome"])
    assert tasks[0].goal.text in (folder / "instruction.md").read_text("utf-8")

    app = tmp_path / "app"
    app.mkdir()
    (app / "task.jsonl").write_bytes((folder / "environment" / "task.jsonl").read_bytes())
    assert reward(folder, tmp_path) == "0"  # nothing was done
    session = WorldSession(tasks[:1], out=app / "idle", config={"env": "virtualhome", "tasks": "x", "seed": 0})
    session.look()
    session.finish()
    session.close()
    (app / "idle").rename(app / "played")
    assert reward(folder, tmp_path) == "0"
    assert (tmp_path / "results.jsonl").is_file()
    for attempt in ("solved", "acted"):
        (app / "played").rename(app / f"before-{attempt}")
        if attempt == "solved":
            run(folder / "solution" / "solve.sh", folder, tmp_path)
        else:
            pytest.importorskip("mcp")
            asyncio.run(asyncio.wait_for(act_as_an_agent(server["args"], app, tasks[0]), 120))
        assert reward(folder, tmp_path) == "1"


async def act_as_an_agent(arguments: list[str], app: Path, task: Task) -> None:
    """Do a task's demonstration through the server that `task.toml` names, and compare each byte that is seen."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    here = [one.replace("/app", str(app)) for one in arguments]
    command = StdioServerParameters(command=sys.executable, args=["-m", "pathei.cli", *here])
    actions, seen = demonstrated(task)
    async with stdio_client(command) as streams, ClientSession(streams[0], streams[1]) as client:
        await client.initialize()
        told = [await client.call_tool("look", {})]
        told += [await client.call_tool("act", {"action": action}) for action in actions]
    assert [one.content[0].text for one in told] == [one.text for one in seen]  # type: ignore[union-attr]


def reward(folder: Path, root: Path) -> str:
    """Run a task's test and return what it gives."""
    run(folder / "tests" / "test.sh", folder, root)
    return (root / "logs" / "verifier" / "reward.txt").read_text("utf-8").strip()


def run(script: Path, folder: Path, root: Path) -> None:
    """Run a script of a task with folders of the test in place of the container's."""
    text = script.read_text("utf-8")
    for inside, here in (("/tmp/", f"{root}/"), ("/tests/", f"{folder}/tests/"), ("/app", f"{root}/app")):
        text = re.sub(rf"(?<=[ =\"]){inside}", here, text)
    text = text.replace("/logs", f"{root}/logs")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["bash", "-c", text], check=True, env={**os.environ, "PATH": path}, capture_output=True)


def test_what_cannot_be_written_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "virtualhome", "--as", "harbor"]) == 2
    assert "--as harbor needs --out, the folder to make" in capsys.readouterr().err
    assert main(["serve", "virtualhome", "--as", "verifiers", "--out", str(tmp_path)]) == 2
    assert "There is something at" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="at least one"):
        write_harbor_tasks(tmp_path / "none", "virtualhome", [], steps=30)
    assert slug("module:Id-v0") == "module-id-v0"
    with pytest.raises(ExportError, match="No package"):
        slug("::")

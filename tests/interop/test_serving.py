"""Environments served to others: the session itself, and the real MCP client."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from pathei.cli import main
from pathei.envs.registry import get_env
from pathei.errors import ConfigError, ContractError, UnknownNameError, WorldError
from pathei.experience import Goal, Task
from pathei.interop import WorldSession
from pathei.store import ExperienceStore
from pathei.tests.envs.minecraft.conftest import needs_minecraft
from pathei.tests.interop.served import demonstrated

COMMAND = [sys.executable, "-m", "pathei.cli", "serve", "virtualhome", "--as", "mcp", "--tasks", "2", "--seed", "3"]


def test_a_session_plays_each_task_once_and_stores_what_is_over(tmp_path: Path) -> None:
    tasks = get_env("virtualhome").generate_tasks(3, 3)
    session = WorldSession(tasks, out=tmp_path / "s", seed=3)
    with pytest.raises(WorldError, match="look first"):
        session.act("[Wait]")
    for task in tasks[:2]:
        actions, seen = demonstrated(task)
        moment = session.look()
        assert moment == session.look()
        assert (moment.task, moment.goal, moment.observation, moment.over) == (task.id, task.goal.text, seen[0], False)
        for action, expected in zip(actions, seen[1:], strict=True):
            assert moment.success is None
            moment = session.act(action)
            assert moment.observation == expected
        assert (moment.over, moment.success) == (True, True)
    with pytest.raises(WorldError, match="look first"):
        session.finish()
    session.look()
    session.act("sing")
    session.close()
    with ExperienceStore.open(tmp_path / "s", mode="read") as store:
        assert [one.task.id for one in store.trajectories(collector="guest", success=True)] == [
            task.id for task in tasks[:2]
        ]
        [left] = store.failures()
        assert left.error == "WorldError: the agent went away"
        assert left.played is not None
        assert left.played.steps[0].action == "sing"
    again = WorldSession(tasks, out=tmp_path / "s", seed=3)
    assert again.look().task == tasks[2].id
    assert again.finish().success is False
    with pytest.raises(WorldError, match="no task left"):
        again.look()
    again.close()
    with pytest.raises(ConfigError, match="at least one step"):
        WorldSession(tasks, steps=0)


def test_a_program_that_trains_begins_any_task_again(tmp_path: Path) -> None:
    [first, second] = get_env("virtualhome").generate_tasks(2, 3)
    session = WorldSession([first, second], out=tmp_path / "s", seed=3)
    with pytest.raises(UnknownNameError, match="task"):
        session.begin("no such task")
    actions, seen = demonstrated(first)
    for _ in range(2):
        moment = session.begin(first.id)
        assert (moment.observation, moment.reward, moment.earned) == (seen[0], 0.0, 0.0)
        earned = 0.0
        for action in actions:
            moment = session.act(action)
            earned += moment.reward
        assert (moment.success, moment.earned) == (True, earned)
        assert earned > 0
        assert {"reward", "earned"}.isdisjoint(moment.json())
    session.begin(first.id)
    session.act("sing")
    assert session.begin(second.id).left == 0
    session.close()
    with ExperienceStore.open(tmp_path / "s", mode="read") as store:
        assert [one.id for one in store.trajectories()] == [f"{first.id}/guest-3", f"{first.id}/guest-4"]
        assert [one.error for one in store.failures()] == ["WorldError: another task was begun"]


class Gallery(gymnasium.Env[dict[str, Any], np.int64]):
    """Shows a picture of its number; the action 3 breaks it."""

    observation_space = gymnasium.spaces.Dict(
        {"text": gymnasium.spaces.Text(9), "image": gymnasium.spaces.Box(0, 255, (1, 1, 3), np.uint8)}
    )
    action_space = gymnasium.spaces.Discrete(4)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Show the first picture."""
        return self.show(0), {}

    def step(self, action: np.int64) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Show another one."""
        if action == 3:
            raise RuntimeError("the wall fell")
        return self.show(int(action)), 0.0, bool(action == 2), False, {}

    def show(self, number: int) -> dict[str, Any]:
        """Return what is seen."""
        return {"text": f"no. {number}", "image": np.full((1, 1, 3), number, np.uint8)}


gymnasium.register("pathei-tests/Gallery-v0", Gallery, disable_env_checker=True)


def test_pictures_wrong_actions_and_a_broken_environment() -> None:
    session = WorldSession([Task(f"g{n}", "pathei-tests/Gallery-v0", n, Goal("look")) for n in range(3)])
    [name] = session.look().observation.images
    assert session.image(name).startswith(b"\x89PNG")
    with pytest.raises(ContractError, match="not JSON"):
        session.act("left")
    moment = session.act("2")
    assert (moment.over, moment.success, moment.steps, moment.left) == (True, None, 1, 2)
    session.look()
    with pytest.raises(WorldError, match=r"'g1' cannot go on \(RuntimeError: the wall fell \(.*serving.py, .*\)\)"):
        session.act("3")
    assert session.look().task == "g2"
    session.close()


async def play(client: Any, env: str = "virtualhome") -> None:
    """Play the two tasks by their demonstrations, with a mistake in between."""
    await client.initialize()
    assert {tool.name for tool in (await client.list_tools()).tools} == {"look", "act", "finish"}
    for task in get_env(env).generate_tasks(2, 3):
        actions, seen = demonstrated(task)
        told = await client.call_tool("look", {})
        for action, expected in zip(actions, seen[1:], strict=True):
            told = await client.call_tool("act", {"action": action})
            assert told.content[0].text == expected.text
            assert told.structured_content["observation"] == expected.text
            assert tuple(told.structured_content["actions"]) == expected.actions
        assert told.structured_content["success"] is True
    wrong = await client.call_tool("act", {"action": "[Wait]"})
    assert wrong.is_error
    assert wrong.content[0].text.endswith("look first, which begins the next task.")
    none = await client.call_tool("look", {})
    assert (none.is_error, none.content[0].text.endswith("There is no task left.")) == (True, True)


async def over_stdio(out: Path, env: str) -> None:
    """Talk to a server that the client starts."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    program, *arguments = [env if part == "virtualhome" else part for part in (*COMMAND, "--out", str(out))]
    async with (
        stdio_client(StdioServerParameters(command=program, args=arguments)) as streams,
        ClientSession(streams[0], streams[1]) as client,
    ):
        await play(client, env)


@pytest.mark.integration
@pytest.mark.parametrize("env", ["virtualhome", pytest.param("minecraft", marks=pytest.mark.xdist_group("minecraft"))])
def test_an_mcp_client_sees_byte_for_byte_what_an_agent_of_pathei_sees(tmp_path: Path, env: str) -> None:
    pytest.importorskip("mcp")
    if env == "minecraft":
        needs_minecraft()
    asyncio.run(asyncio.wait_for(over_stdio(tmp_path / "s", env), 120))
    with ExperienceStore.open(tmp_path / "s", mode="read") as store:
        assert [one.success for one in store.trajectories()] == [True, True]


def test_what_cannot_be_served_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mcp")
    assert main(["serve", "virtualhome", "--http", "70000"]) == 2
    assert "70000 is not a port" in capsys.readouterr().err
    assert main(["serve", "virtualhom"]) == 2
    assert "did you mean 'virtualhome'" in capsys.readouterr().err

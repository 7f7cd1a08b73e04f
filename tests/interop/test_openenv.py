"""OpenEnv's protocol: the messages on the wire, and OpenEnv's own client, where an interpreter has it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pathei.envs.registry import get_env
from pathei.interop.openenv_server import SCHEMA
from pathei.store import ExperienceStore
from pathei.tests.interop.served import OPENENV, demonstrated

TASKS = get_env("virtualhome").generate_tasks(2, 3)
pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serve two tasks; yields the address and the store."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("websockets")
    out = tmp_path_factory.mktemp("openenv") / "s"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "pathei.cli", "serve", "virtualhome", "--as", "openenv", "--tasks", "2"]
    process = subprocess.Popen(
        [*command, "--seed", "3", "--http", str(port), "--out", str(out)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    found = re.search(r"http://\S+\d", process.stderr.readline())
    assert found is not None
    for _ in range(600):
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    try:
        yield found[0], out
    finally:
        process.terminate()
        process.wait(20)


def said(client: Any, kind: str, **data: Any) -> dict[str, Any]:
    """Send a message and return the answer."""
    client.send(json.dumps({"type": kind, "data": data} if data or kind != "state" else {"type": kind}))
    answer: dict[str, Any] = json.loads(client.recv())
    assert answer.keys() == {"type", "data"}
    return answer


def test_the_messages_are_those_of_openenv_and_show_what_an_agent_of_pathei_sees(served: tuple[str, Path]) -> None:
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import connect

    address, out = served
    with urllib.request.urlopen(f"{address}/health") as answer:
        assert json.load(answer) == {"status": "healthy"}
    with urllib.request.urlopen(f"{address}/schema") as answer:
        assert json.load(answer) == SCHEMA
    where = address.replace("http", "ws") + "/ws"
    with connect(where) as client, connect(where) as other:
        assert said(client, "step", action="sing")["data"]["code"] == "EXECUTION_ERROR"
        for number, task in enumerate(TASKS):
            actions, seen = demonstrated(task)
            got = said(client, "reset", seed=number, episode_id="mine")
            assert said(other, "reset")["data"]["observation"]["task"] == task.id
            assert (got["type"], got["data"]["done"], got["data"]["reward"]) == ("observation", False, None)
            for action, after in zip(actions, seen[1:], strict=True):
                got = said(client, "step", action=action)
                assert got["data"]["observation"]["text"] == after.text
                assert tuple(got["data"]["observation"]["actions"]) == after.actions
                assert got["data"]["observation"].keys() == set(SCHEMA["observation"]["properties"])
            assert (got["data"]["done"], got["data"]["observation"]["success"]) == (True, True)
            assert said(client, "state")["data"] == {"episode_id": "mine", "step_count": len(actions)}
        assert "over" in said(client, "step", action="sing")["data"]["message"]
        assert said(client, "step", move="sing")["data"]["code"] == "EXECUTION_ERROR"
        assert said(client, "dance")["data"]["code"] == "UNKNOWN_TYPE"
        client.send("{")
        assert json.loads(client.recv())["data"]["code"] == "INVALID_JSON"
        assert "no task" in said(client, "reset", task="nothing of this kind")["data"]["message"].lower()
        client.send(json.dumps({"type": "close"}))
        with pytest.raises(ConnectionClosed):
            client.recv()
    with pytest.raises(InvalidStatus):
        connect(where, origin="http://elsewhere.example")
    with ExperienceStore.open(out, mode="read") as store:
        assert {one.task.id for one in store.trajectories(success=True)} == {task.id for task in TASKS}


def test_the_agents_tools_cannot_reset(served: tuple[str, Path]) -> None:
    from websockets.sync.client import connect

    def rpc(method: str, **params: Any) -> dict[str, Any]:
        answer = said(client, "mcp", jsonrpc="2.0", id=1, method=method, params=params)
        assert (answer["type"], answer["data"]["jsonrpc"], answer["data"]["id"]) == ("mcp", "2.0", 1)
        found: dict[str, Any] = answer["data"]
        return found

    actions, seen = demonstrated(TASKS[0])
    with connect(served[0].replace("http", "ws") + "/ws") as client:
        assert [tool["name"] for tool in rpc("tools/list")["result"]["tools"]] == ["look", "act", "finish"]
        assert rpc("tools/call", name="look", arguments={})["result"]["isError"] is True
        said(client, "reset", task=TASKS[0].id)
        assert rpc("tools/call", name="reset", arguments={})["error"]["code"] == -32601
        for before, action, after in zip(seen, actions, seen[1:], strict=False):
            assert rpc("tools/call", name="look", arguments={})["result"]["content"][0]["text"] == before.text
            told = rpc("tools/call", name="act", arguments={"action": action})["result"]
            assert told["content"][0]["text"] == after.text
            assert "reward" not in told["structuredContent"]
        assert told["structuredContent"]["success"] is True


@pytest.mark.skipif(not OPENENV.exists(), reason=f"there is no interpreter with OpenEnv (`make hubs`) at {OPENENV}")
def test_openenvs_own_client_plays_it(served: tuple[str, Path], tmp_path: Path) -> None:
    actions, seen = demonstrated(TASKS[0])
    program = textwrap.dedent(
        """
        import json, sys
        from openenv.core import GenericEnvClient

        address, actions = sys.argv[1], json.loads(sys.argv[2])
        with GenericEnvClient(base_url=address).sync() as client:
            results = [client.reset(seed=0), *(client.step({"action": action}) for action in actions)]
            state = client.state()
        print(json.dumps([[r.observation["text"], r.reward, r.done] for r in results] + [state]))
        """
    )
    done = subprocess.run(
        [OPENENV, "-c", program, served[0], json.dumps(actions)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    *results, state = json.loads(done.stdout.splitlines()[-1])
    assert [text for text, _, _ in results] == [one.text for one in seen]
    assert [over for _, _, over in results] == [False] * len(actions) + [True]
    assert state["step_count"] == len(actions)

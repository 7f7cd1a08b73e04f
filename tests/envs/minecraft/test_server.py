"""On a server elsewhere, over TCP and in real time, actions, goals and observations are the same; nothing is saved."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pathei.collectors.tasks import on_server
from pathei.envs.minecraft import MinecraftEnv
from pathei.envs.minecraft.process.game import RUNTIME, SERVER
from pathei.envs.minecraft.process.remote import GameServer, read_server
from pathei.envs.minecraft.tasks import demonstration, generate_tasks
from pathei.errors import ConfigError, ForeignRuntimeError, SnapshotError

from .conftest import needs_minecraft

HERE = Path(__file__).parent


class Listening(NamedTuple):
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    address: str


@contextmanager
def listening(script: str, *args: str) -> Iterator[Listening]:
    """Run a server."""
    needs_minecraft()
    modules = str(RUNTIME.require() / "node_modules")
    command = ["node", str(HERE / script), *args]
    with subprocess.Popen(command, env={"NODE_PATH": modules, "PATH": "/usr/bin:/bin:/usr/local/bin"},
                          stdout=subprocess.PIPE, text=True) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            port = next(found[1] for line in process.stdout if (found := re.fullmatch(r"PORT (\d+)\n", line)))
            yield Listening(process, f"127.0.0.1:{port}")
        finally:
            process.kill()


@contextmanager
def playing(address: str, conditions: Any = (), **options: Any) -> Iterator[MinecraftEnv]:
    """Play on a server."""
    env = MinecraftEnv(server=address, goal={"text": "", "conditions": list(conditions)}, **options)
    try:
        env.reset(seed=0)
        yield env
    finally:
        env.close()


@pytest.mark.integration
@pytest.mark.xdist_group("minecraft")
def test_on_a_server_by_others_one_gathers_places_and_walks() -> None:
    with listening("squid.js", "1.18.2") as server, playing(server.address, [{"placed": "dirt"}]) as env:
        *_, info = env.step("mine 2 dirt")
        assert env.moment.seen["inventory"] == {"dirt": 2}
        assert "place dirt" in info["actions"]
        assert env.step("craft stick")[4]["error"].startswith("stick needs ")
        assert env.step("dance")[4]["error"].startswith("'dance' is no action; actions are: ")
        with pytest.raises(SnapshotError, match=f"The Minecraft server at {server.address} cannot be taken back"):
            env.snapshot()
        with pytest.raises(SnapshotError, match="search in the embedded world"):
            env.model()
        *_, terminated, _, info = env.step("place dirt")
        assert (terminated, info["success"]) == (True, True)
        assert env.moment.seen["stats"]["placed"] == {"dirt": 1}
        env.reset(options={"goal": {"text": "", "conditions": [{"reached": {"distance": 3}}]}})
        x, y, z = (int(value // 1) for value in env.moment.seen["position"])
        env.step(f"go to {x + 5} {y} {z}")
        assert env.over


@pytest.mark.integration
@pytest.mark.xdist_group("minecraft")
def test_on_a_server_with_crafting_tools_are_made_and_a_lost_server_is_named() -> None:
    held = json.dumps({"oak_planks": 7, "stick": 2})
    with (
        listening("world_server.js", str(SERVER), "3", held) as server,
        playing(server.address, [{"crafted": "wooden_pickaxe"}], version="1.18.2") as env,
    ):
        for action in ("craft crafting_table", "place crafting_table", "craft wooden_pickaxe"):
            env.step(action)
        assert env.over
        assert env.moment.seen["inventory"] == {"wooden_pickaxe": 1}
        assert env.moment.seen["durability"] == {"wooden_pickaxe": 59}
        env.reset()
        server.process.kill()
        server.process.wait()
        with pytest.raises(ForeignRuntimeError, match=f"the server at {server.address} "):
            env.step("wait")
        with pytest.raises(ForeignRuntimeError, match=f"the server at {server.address} cannot be played on"):
            env.reset()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({}, None),
        ({"server": "play.example.org"}, GameServer("play.example.org", 25_565)),
        ({"server": "[::1]:7", "username": "a_1"}, GameServer("::1", 7, "a_1")),
        ({"server": "h:1", "version": "1.20.4", "account": "a@b"}, GameServer("h", 1, version="1.20.4", account="a@b")),
    ],
)
def test_addresses_are_read(given: dict[str, Any], meant: GameServer | None) -> None:
    assert read_server(given) == meant


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"server": "h:70000"}, "HOST:PORT"),
        ({"server": "a b"}, "HOST:PORT"),
        ({"server": 3}, "HOST:PORT"),
        ({"server": "h", "username": "a name"}, "'username' .* 1 to 16 letters"),
        ({"server": "h", "version": "newest"}, "'version' .* such as '1.20.4'"),
        ({"server": "h", "account": "me"}, "'account' .* e-mail"),
        ({"username": "me"}, "'username' .* goes with the option 'server'"),
        ({"server": "h", "food": 3}, "A server decides itself over food"),
    ],
)
def test_wrong_addresses_and_options_are_named(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        MinecraftEnv().reset(options=given)


def test_a_task_on_a_server_has_no_demonstration() -> None:
    (task,) = on_server(generate_tasks(1, 0), "h:1")
    with pytest.raises(ConfigError, match="nobody knows a server's world"):
        demonstration(task)

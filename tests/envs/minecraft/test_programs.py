"""A program of an agent's acts in the world, and can do nothing else; what goes wrong in it ends it, not the world."""

import json
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from pathei.envs.minecraft.process.code import is_program, run_program, sandboxed
from pathei.envs.minecraft.process.game import Acted

from .conftest import Begin

SEEN = {"position": [1, 2, 3], "health": 20, "food": 20, "time": 5, "biome": "plains", "within": ["stone"],
        "entities": [], "inventory": {"dirt": 2}, "news": []}  # fmt: skip
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not (shutil.which("bwrap") and shutil.which("node")), reason="bubblewrap or node is missing"),
]


def run(source: str) -> tuple[list[str], str | None, tuple[str, ...]]:
    """Run a program in a world that refuses what is bad, and return what it did, why it failed, and what it said."""
    done: list[str] = []

    def act(action: str) -> Acted:
        done.append(action)
        return Acted(SEEN, "that is bad" if "bad" in action else None, None)

    assert is_program(source)
    ran = run_program(source, SEEN, act)
    return done, ran.failed, ran.said


def test_its_primitives_are_actions_in_words() -> None:
    source = """async function gather(bot) {
      await mineBlock(bot, 'oak_log', 3); await craftItem(bot, 'stick', 4); await bot.do('wait')
      bot.chat(`${bot.inventory.count('dirt')} dirt`)
    }"""
    assert run(source) == (["mine 3 oak_log", "craft 4 stick", "wait"], None, ("[2 dirt]",))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("await craftItem(bot, 'bad')", "that is bad"),
        ("throw new Error('no idea.')", "no idea"),
        ("nothing()", "nothing is not defined"),
        ("while (true) await bot.do('wait')", "more than 60 actions"),
        ("await import('fs')", "dynamic import"),
        ("require('fs')", "require is not defined"),
        ("await fetch('http://localhost')", "fetch is not defined"),
    ],
)
def test_what_goes_wrong_ends_it_with_a_sentence(body: str, why: str) -> None:
    assert why in (run(f"async function f(bot) {{ {body} }}")[1] or "")


def test_nothing_of_node_is_in_its_realm() -> None:
    source = """async function f(bot) {
      const promise = bot.do('wait'); await promise
      const makers = [promise.constructor.constructor, Object.getPrototypeOf(async function () {}).constructor]
      const worlds = []
      for (const make of makers) worlds.push(await make('return this')())
      bot.chat(worlds.map(world => ['process', 'require', 'module', 'fetch'].map(name => typeof world[name])).join())
    }"""
    assert run(source) == (["wait"], None, (f"[{','.join(['undefined'] * 8)}]",))


def test_one_that_leaves_its_realm_finds_no_network_and_no_files() -> None:
    command = sandboxed()
    assert command is not None
    with socket.create_server(("127.0.0.1", 0)) as server:
        places = json.dumps([str(Path.home()), "/etc", "/tmp", "/root", str(Path(__file__).parent)])
        script = f"""const fs = require('fs'), net = require('net')
          const found = {places}.filter(place => {{ try {{ return fs.readdirSync(place) }} catch {{ return false }} }})
          const say = what => {{ console.log(JSON.stringify([found, what])); process.exit(0) }}
          net.connect({server.getsockname()[1]}, '127.0.0.1')
            .on('connect', () => say('network')).on('error', () => say('none'))
        """
        done = subprocess.run([*command[:-1], "-e", script], capture_output=True, text=True, timeout=20, check=True)
    assert json.loads(done.stdout) == [[], "none"]


@pytest.mark.xdist_group("minecraft")
def test_an_endless_loop_ends_the_action_and_not_the_world(begin: Begin) -> None:
    env = begin([{"crafted": "stick"}], inventory={"oak_planks": 2})
    ran = run_program("async function f(bot) { while (true) {} }", env.moment.seen, env.game.act, idle_s=0.5)
    assert ran.failed == "the program did nothing for 0.5 seconds and was ended"
    text, *_, info = env.step("async function f(bot) { throw new Error('no idea') }")
    assert info["failed"] == "no idea"
    assert "It was in vain: no idea." in text
    *_, terminated, _, info = env.step("async function f(bot) { await craftItem(bot, 'stick') }")
    assert (terminated, info["success"]) == (True, True)

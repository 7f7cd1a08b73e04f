"""Steps per second of each way to an environment: in this process, over each protocol, and in the objects of libraries.

    python benchmarks/wires.py [--tasks 10] [--repeats 3]

Every route plays the same household tasks with the same actions, chosen at random among the admissible ones, and what
it shows is compared with what an agent in this process sees: a route that differs in one byte is no result. The time is
that of the whole episodes, resets included, the shortest of the repeats. OpenEnv's own client runs in the interpreter
that `make hubs` makes, and is left out where there is none. Harbor's agents play over MCP's stdio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from pathei.collectors.rollout.episode import Envs, Recorder
from pathei.collectors.tasks import write_tasks
from pathei.envs.registry import get_env
from pathei.experience import Task
from pathei.export.text import prompt
from pathei.integrations.trl import environment
from pathei.integrations.verifiers import load_environment
from pathei.interop import WorldSession
from pathei.interop.openenv_server import openenv_app

STEPS = 20
OPENENV = Path(sys.prefix) / "hubs" / "openenv" / "bin" / "python"
_CLIENT = """
import json, sys, time
from openenv.core import GenericEnvClient

address, episodes = sys.argv[1], json.load(sys.stdin)
with GenericEnvClient(base_url=address).sync() as client:
    begun, shown = time.perf_counter(), []
    for number, actions in enumerate(episodes):
        shown.append([client.reset(seed=number).observation["text"]])
        shown[-1] += [client.step({"action": action}).observation["text"] for action in actions]
    spent = time.perf_counter() - begun
print(json.dumps([spent, shown]))
"""


class Episode(NamedTuple):
    """What every route does, and what it has to show."""

    task: Task
    actions: list[str]
    texts: list[str]
    """The observations of an agent in this process."""
    prompts: list[str]
    """The same with the admissible actions, as a language model reads them."""


def record(tasks: list[Task]) -> list[Episode]:
    """Play every task at random in this process."""
    rng, envs, found = np.random.default_rng(0), Envs(), []
    for task in tasks:
        recorder = Recorder(envs.get(task), task, max_steps=STEPS)
        seen, actions = [recorder.reset()], list[str]()
        while not recorder.over:
            assert seen[-1].actions
            actions.append(str(rng.choice(seen[-1].actions)))
            recorder.step(actions[-1])
            seen.append(recorder.observation)
        asked = [prompt(None, one.seen(), one is not seen[-1]) for one in seen]
        found.append(Episode(task, actions, [one.text for one in seen], asked))
    envs.close()
    return found


def in_process(episodes: list[Episode]) -> list[list[str]]:
    """Play with the recorder that every collector uses."""
    envs, shown = Envs(), []
    for task, actions, _, _ in episodes:
        recorder = Recorder(envs.get(task), task, max_steps=STEPS)
        texts = [recorder.reset().text]
        for action in actions:
            recorder.step(action)
            texts.append(recorder.observation.text)
        shown.append(texts)
    envs.close()
    return shown


def in_trl(episodes: list[Episode]) -> list[list[str]]:
    """Play with the object that TRL's trainer calls."""
    rollout = environment("virtualhome", tasks=[one.task for one in episodes], steps=STEPS)()
    return [[rollout.reset(task=one.task.id), *(rollout.act(action) for action in one.actions)] for one in episodes]


def in_verifiers(env: Any, episodes: list[Episode]) -> list[list[str]]:
    """Play with verifiers' own rollout and a model that answers at once."""
    from openai.types.chat import ChatCompletion

    def client_for(actions: Iterator[str]) -> Any:
        async def create(**_: Any) -> Any:
            message = {"role": "assistant", "content": next(actions)}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            said = {"id": "0", "created": 0, "model": "m", "object": "chat.completion", "choices": [choice]}
            return ChatCompletion.model_validate(said)

        return SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))

    async def play() -> list[list[str]]:
        shown, rows = [], env.get_dataset()
        for row, one in zip(rows, episodes, strict=True):
            state = await env.rollout(row, client_for(iter(one.actions)), "m", {})
            said = [*state["prompt"], *state["completion"]]
            shown.append([message["content"] for message in said if message["role"] == "user"])
        return shown

    return asyncio.run(play())


async def over_mcp(client: Any, episodes: list[Episode]) -> list[list[str]]:
    """Play with MCP's own client."""
    shown = []
    for one in episodes:
        answers = [await client.call_tool("look", {})]
        answers += [await client.call_tool("act", {"action": action}) for action in one.actions]
        shown.append([answer.content[0].text for answer in answers])
    return shown


def through_mcp(folder: Path, episodes: list[Episode], *, http: bool) -> tuple[float, list[list[str]]]:
    """Start an MCP server, connect, and return how long playing took and what it showed."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamable_http_client

    write_tasks(folder / "tasks", [one.task for one in episodes])
    port = free_port()
    command = ["-m", "pathei.cli", "serve", "virtualhome", "--tasks", str(folder / "tasks"), "--steps", str(STEPS)]

    async def play(streams: Any) -> tuple[float, list[list[str]]]:
        async with ClientSession(streams[0], streams[1]) as client:
            await client.initialize()
            begun = time.perf_counter()
            shown = await over_mcp(client, episodes)
            return time.perf_counter() - begun, shown

    async def stdio() -> tuple[float, list[list[str]]]:
        async with stdio_client(StdioServerParameters(command=sys.executable, args=command)) as streams:
            return await play(streams)

    async def over_http() -> tuple[float, list[list[str]]]:
        async with streamable_http_client(f"http://127.0.0.1:{port}/mcp") as streams:
            return await play(streams)

    if not http:
        return asyncio.run(stdio())
    server = subprocess.Popen([sys.executable, *command, "--http", str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        return asyncio.run(over_http())
    finally:
        server.terminate()
        server.wait()


@contextmanager
def openenv_server(episodes: list[Episode]) -> Iterator[str]:
    """Serve OpenEnv's protocol in another thread; yields the address."""
    import uvicorn

    tasks, port = [one.task for one in episodes], free_port()
    app = openenv_app("virtualhome", tasks, partial(WorldSession, tasks, steps=STEPS), 8)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(port)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def through_openenvs_client(address: str, episodes: list[Episode]) -> tuple[float, list[list[str]]]:
    """Play with OpenEnv's own client, in its own interpreter."""
    said = json.dumps([one.actions for one in episodes])
    done = subprocess.run(
        [OPENENV, "-c", _CLIENT, address], input=said, capture_output=True, text=True, check=True, cwd=OPENENV.parent
    )
    spent, shown = json.loads(done.stdout.splitlines()[-1])
    return spent, shown


def from_openenv(address: str, episodes: list[Episode]) -> list[list[str]]:
    """Play a server's environment as one of pathei's."""
    tasks = get_env(f"openenv:{address}").generate_tasks(len(episodes), 0)
    return in_process([one._replace(task=task) for one, task in zip(episodes, tasks, strict=True)])


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Wait until a server listens."""
    for _ in range(1200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("A server did not start.")


def timed(play: Callable[[], list[list[str]]]) -> tuple[float, list[list[str]]]:
    """Return how long playing took, in seconds, and what it showed."""
    begun = time.perf_counter()
    shown = play()
    return time.perf_counter() - begun, shown


def routes(
    folder: Path, episodes: list[Episode], address: str
) -> Iterator[tuple[str, Callable[[], tuple[float, list[list[str]]]]]]:
    """Yield every route by its name."""
    yield "in this process (every collector)", lambda: timed(lambda: in_process(episodes))
    yield "TRL's environment object", lambda: timed(lambda: in_trl(episodes))
    loaded = load_environment("virtualhome", tasks=[one.task for one in episodes], steps=STEPS)
    yield "verifiers' rollout", lambda: timed(lambda: in_verifiers(loaded, episodes))
    yield "MCP over stdio (Harbor's agents too)", lambda: through_mcp(folder, episodes, http=False)
    yield "MCP over HTTP", lambda: through_mcp(folder, episodes, http=True)
    if OPENENV.exists():
        yield "OpenEnv, its own client", lambda: through_openenvs_client(address, episodes)
    yield "OpenEnv's server as `openenv:URL`", lambda: timed(lambda: from_openenv(address, episodes))


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    episodes = record(get_env("virtualhome").generate_tasks(args.tasks, 0))
    steps = sum(len(one.actions) for one in episodes)
    rows = []
    with tempfile.TemporaryDirectory() as folder, openenv_server(episodes) as address:
        for name, play in routes(Path(folder), episodes, address):
            times = []
            for _ in range(args.repeats):
                spent, shown = play()
                times.append(spent)
                for texts, one in zip(shown, episodes, strict=True):
                    wanted = one.prompts if "verifiers" in name else one.texts
                    assert [text[-len(want) :] for text, want in zip(texts, wanted, strict=True)] == wanted, name
            rows.append((name, min(times) / steps))
    print(f"| route, {len(episodes)} episodes of {steps} steps | steps/s | per step | more than in this process |")
    print("|---|---:|---:|---:|")
    for name, each in rows:
        print(f"| {name} | {1 / each:,.0f} | {1e3 * each:.2f} ms | {1e3 * (each - rows[0][1]):.2f} ms |")


if __name__ == "__main__":
    main()

"""Whether memory grows while pathei goes on and on: fresh houses, searches, a browser, and a memory server.

    python benchmarks/leaks.py [--minutes 3] [--parts houses search browser server filling] [--markdown]

Each part runs in a process of its own for that many minutes of wall time; other jobs make it do less, not hold more.
Sixty times in that time garbage is collected, and the memory of the process and of all its children is read that is
theirs alone: what a browser's processes share would be counted for each. Where there are several kinds of processes,
each kind has a row too, as a renderer's memory goes up and down by more than others could gain. The first third, in
which caches fill, does not count. What the rest gained is stated as it is, next to how often the part did its work in
it; what an hour would gain is the slope of a line through the rest, and extrapolated.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]

SAMPLES = 60
WORK = {
    "houses": "a reset to a house that was never seen, and ten steps",
    "search": "a task in a house that was never seen, a plan for it, and its execution",
    "browser": "a page of MiniWoB++, and four actions",
    "server": "two searches over MCP, and a fact added that it knows",
    "filling": "two searches over MCP, a new fact added and forgotten",
}
"""The parts, and what each does again and again."""


def houses() -> Generator[None]:
    """Enter house after house."""
    from pathei.envs import contract
    from pathei.envs.registry import get_env

    env, draws, number = contract.make(get_env("virtualhome").generate_tasks(1, seed=0)[0]), random.Random(0), 0
    while True:
        _, info = env.reset(seed=number, options={"scene": f"house:{number}"})
        for _ in range(10):
            info = env.step(draws.choice(info["actions"]))[-1]
        number += 1
        yield


def search() -> Generator[None]:
    """Find plan after plan, as `pathei collect mcts` does."""
    from pathei.collectors.search.collector import make_searcher
    from pathei.envs.registry import get_env

    searcher, number = make_searcher(), 0
    while True:
        list(searcher.collect(get_env("virtualhome").generate_tasks(1, seed=number)))
        number += 1
        yield


def browser() -> Generator[None]:
    """Open page after page, in one browser."""
    from pathei.envs import contract
    from pathei.envs.registry import get_env

    tasks = get_env("miniwob").generate_tasks(40, seed=0)
    env, draws = contract.make(tasks[0]), random.Random(0)
    with contextlib.closing(env):
        while True:
            _, info = contract.reset(env, draws.choice(tasks))
            for _ in range(4):
                if not info.get("actions"):
                    break
                *_, over, cut, info = env.step(draws.choice(info["actions"]))
                if over or cut:
                    break
            yield


SERVER = """
import sys
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.exchange.mcp_server import serve
from pathei.memory.experience_memory import ExperienceMemory
with ExperienceMemory.open(sys.argv[1], embedder=make_embedder("ngrams")) as memory:
    serve(memory)
"""


async def use_server(tick: Callable[[], bool], *, fill: bool) -> None:
    """Start a memory server with 500 facts, and use it until `tick` returns False; `fill` adds new ones."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    with tempfile.TemporaryDirectory() as folder:
        start = StdioServerParameters(command=sys.executable, args=["-c", SERVER, f"{folder}/memory"])
        async with stdio_client(start) as streams, ClientSession(streams[0], streams[1]) as client:
            await client.initialize()
            for n in range(500):
                await client.call_tool("memory_add", {"text": f"Cup number {n} stands in cupboard {n % 17}."})
            number = 500
            while tick():
                for query in (f"where is cup {number % 500}?", f"what is in cupboard {number % 17}?"):
                    await client.call_tool("memory_search", {"query": query})
                plate = number if fill else number % 100
                added: Any = await client.call_tool("memory_add", {"text": f"Plate {plate} is on table {plate % 7}."})
                if fill:
                    await client.call_tool("memory_forget", {"ids": added.structured_content["result"]})
                number += 1


def memory() -> dict[str, float]:
    """Return the memory, in MiB, that this process and its children have each for itself, added up by what they are."""
    own = psutil.Process()
    total: dict[str, float] = {}
    for one in (own, *own.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            types = [word.removeprefix("--type=") for word in one.cmdline() if word.startswith("--type=")]
            kind = "this process" if one == own else types[0] if types else one.name()
            total[kind] = total.get(kind, 0.0) + one.memory_full_info().uss / 2**20
    return total


class Meter:
    """Reads the memory now and then, until the time is over."""

    def __init__(self, seconds: float) -> None:
        self.samples: list[tuple[float, int, dict[str, float]]] = []
        """Seconds since the beginning, rounds of work done, MiB by kind of process."""
        self._seconds, self._begun, self._done = seconds, time.monotonic(), 0

    def tick(self) -> bool:
        """Count a round of work; return whether there is time for another."""
        spent = time.monotonic() - self._begun
        if spent >= len(self.samples) * self._seconds / SAMPLES:
            gc.collect()
            self.samples.append((spent, self._done, memory()))
        self._done += 1
        return spent < self._seconds


def measure(part: str, seconds: float) -> dict[str, Any]:
    """Do one part in this process, and return what its memory did, in all and by kind of process."""
    meter = Meter(seconds)
    if part in ("server", "filling"):
        asyncio.run(use_server(meter.tick, fill=part == "filling"))
    else:
        rounds = {"houses": houses, "search": search, "browser": browser}[part]()
        with contextlib.closing(rounds):
            while meter.tick():
                next(rounds)
    rest = meter.samples[len(meter.samples) // 3 :]
    seconds_at = np.array([at for at, _, _ in rest])
    kinds = sorted({kind for _, _, held in rest for kind in held})
    series = {part: [sum(held.values()) for _, _, held in rest]}
    if len(kinds) > 1:
        series |= {f"{part}: {kind}": [held.get(kind, 0.0) for _, _, held in rest] for kind in kinds}
    return {
        "rounds": rest[-1][1] - rest[0][1],
        "minutes": (rest[-1][0] - rest[0][0]) / 60,
        "rows": {
            name: (np.median(held[:5]), np.median(held[-5:]), 3600 * np.polyfit(seconds_at, held, 1)[0])
            for name, held in series.items()
        },
    }


def main() -> None:
    """Measure the parts one after another, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0, help="for each part")
    parser.add_argument("--parts", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--one", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--markdown", action="store_true", help="taken, and the table is Markdown anyway")
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one, 60 * args.minutes)))
        return
    titles = ("part", "what is done again and again", "minutes", "times", "MiB at first", "MiB at last")
    print(f"| {' | '.join(titles)} | MiB/hour, extrapolated |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for part in args.parts:
        command = [sys.executable, __file__, "--one", part, "--minutes", str(args.minutes)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        for name, (first, last, hour) in found["rows"].items():
            work = (WORK[part], f"{found['minutes']:.1f}", f"{found['rounds']:,.0f}") if name == part else ("", "", "")
            print(f"| {name} | {' | '.join(work)} | {first:.1f} | {last:.1f} | {hour:+.1f} |", flush=True)


if __name__ == "__main__":
    main()

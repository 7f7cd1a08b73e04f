"""How fast the Minecraft world is, whether it repeats itself, and how far its oracle comes in new worlds.

Rates are per second of processor time, Python's and node's together; times to save and go back are medians of wall
time. The tech tree is played by the oracle, which plans by the recipe graph and looks for what it lacks: no language
model, no help but the rules, normal difficulty, nights included.

    python benchmarks/minecraft/world.py speed [--runs 20]
    python benchmarks/minecraft/world.py tree [--worlds 10] [--actions 160]
    python benchmarks/minecraft/world.py kills [--kills 20]
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pathei.envs.minecraft import MinecraftEnv
from pathei.envs.minecraft.explorer import Explorer
from pathei.envs.minecraft.goals import MinecraftGoal, write_goal
from pathei.envs.minecraft.tasks import playing
from pathei.store import ExperienceStore

psutil: Any = importlib.import_module("psutil")
WORLD = 3
MARK = "PATHEI_BENCHMARK_MINECRAFT"
MANY = 2_000
"""Episodes to collect, more than there will be."""
FURTHER = 5
"""Episodes that show that collecting goes on."""
LAST = 10
"""Episodes of the last run, which nobody kills."""
ROUTE = ("mine 3 oak_log", "craft oak_planks", "craft crafting_table", "place crafting_table", "explore east",
         "kill sheep", "mine 4 dirt", "explore south")  # fmt: skip
TIERS = ("wooden", "stone", "iron", "diamond")


def cpu_s(env: MinecraftEnv) -> float:
    """Return the processor time that this process and node have used, in seconds."""
    node, own = psutil.Process(env.game.pid).cpu_times(), psutil.Process(os.getpid()).cpu_times()
    return float(node.user + node.system + own.user + own.system)


def memory_mb(env: MinecraftEnv) -> float:
    """Return node's resident memory, in megabytes."""
    return float(psutil.Process(env.game.pid).memory_info().rss / 1e6)


def median_ms(action: Callable[[], object], rounds: int) -> float:
    """Return the median wall time of an action, in milliseconds."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        action()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times)


def begin(env: MinecraftEnv, world: int = WORLD, goals: tuple[MinecraftGoal, ...] = ()) -> None:
    """Begin in a world."""
    goal = {"text": "", "conditions": [write_goal(one) for one in goals]}
    env.reset(seed=0, options={"world": world, "goal": goal})


def rates(env: MinecraftEnv) -> list[tuple[str, str]]:
    """Return the figures of one environment that was just made."""
    start = time.perf_counter()
    begin(env)
    first = time.perf_counter() - start
    begin(env)
    rows = [("first reset, node's start included, s", f"{first:.1f}")]
    rows.append(("later resets in the same world, ms", f"{median_ms(lambda: begin(env), 20):.0f}"))
    env.game.call("tick", count=200)
    before = cpu_s(env)
    for _ in range(2_000):
        env.game.call("tick", count=1)
    rows.append(("ticks per CPU-second, one call each", f"{2_000 / (cpu_s(env) - before):.0f}"))
    before, game = cpu_s(env), 0.0
    for _ in range(4):
        begin(env)
        for action in ROUTE:
            env.step(action)
        game += env.moment.seen["age"] / 20
    spent = cpu_s(env) - before
    rows.append(("skills per CPU-second (gathering, crafting, hunting, exploring)", f"{4 * len(ROUTE) / spent:.1f}"))
    rows.append(("game seconds per CPU-second, the same", f"{game / spent:.0f}"))
    begin(env)
    env.step("mine 4 dirt")
    kept = [env.snapshot()]
    rows.append(("snapshot, ms", f"{median_ms(lambda: kept.append(env.snapshot()), 100):.2f}"))

    def moved() -> float:
        env.step("mine dirt")
        start = time.perf_counter()
        env.restore(kept[0])
        return 1000 * (time.perf_counter() - start)

    rows.append(("going back after an action, ms", f"{statistics.median(moved() for _ in range(40)):.1f}"))
    rows.append(("a picture of 160 x 256 points, ms", f"{median_ms(lambda: env.game.frame(0, 160, 256), 40):.0f}"))
    return rows


def crowds() -> list[tuple[str, str]]:
    """Return node's memory with several bots in one world."""
    rows = []
    for bots in (1, 4, 16):
        env = MinecraftEnv(world=WORLD, characters=bots)
        env.reset(seed=0)
        env.game.call("tick", count=100)
        before = psutil.Process(env.game.pid).cpu_times().user
        env.game.call("tick", count=400)
        spent = psutil.Process(env.game.pid).cpu_times().user - before
        rows.append(
            (f"bots: {bots}; memory of node, MB; ticks per CPU-second", f"{memory_mb(env):.0f}; {400 / spent:.0f}")
        )
        env.close()
    return rows


def repeated(runs: int) -> tuple[str, str]:
    """Return how many different episodes the same actions make in a number of processes."""
    found = set()
    for _ in range(runs):
        env = MinecraftEnv()
        begin(env)
        texts = [env.text(), *(env.step(action)[0] for action in ROUTE)]
        env.close()
        found.add(hashlib.sha256("\n".join(texts).encode()).hexdigest())
    return f"different episodes in {runs} new processes, same world and actions", str(len(found))


def show_speed(runs: int) -> None:
    """Print the table of speeds."""
    print("| what | figure |\n|:---|---:|")
    env = MinecraftEnv()
    parts: tuple[Callable[[], Iterable[tuple[str, str]]], ...] = (
        lambda: rates(env), crowds, lambda: [repeated(runs)],
    )  # fmt: skip
    for rows in parts:
        for what, figure in rows():
            print(f"| {what} | {figure} |", flush=True)
    env.close()


def show_tree(worlds: int, most: int) -> None:
    """Print how many actions the oracle takes to each pickaxe, by world."""
    env = MinecraftEnv()
    print("| world | wooden | stone | iron | diamond | game minutes | things crafted, smelted or held | deaths |")
    print("|:---|---:|---:|---:|---:|---:|---:|---:|")
    for world in range(worlds):
        goal = MinecraftGoal("crafted", "diamond_pickaxe", 1)
        begin(env, world, (goal,))
        explorer = Explorer(env.game.rules, (goal,))
        reached: dict[str, int] = {}
        for number, _ in enumerate(islice(playing(env, explorer), most), 1):
            crafted = env.moment.seen["stats"].get("crafted", {})
            for tier in TIERS:
                if f"{tier}_pickaxe" in crafted:
                    reached.setdefault(tier, number)
        seen = env.moment.seen
        stats = seen["stats"]
        things = {name for kind in ("crafted", "smelted", "collected") for name in stats.get(kind, {})}
        row = [str(world), *(str(reached.get(tier, "-")) for tier in TIERS), f"{seen['age'] / 1200:.0f}"]
        row += [str(len(things)), str(stats.get("died", {}).get("times", 0))]
        print(f"| {' | '.join(row)} |", flush=True)
    env.close()


def started_with(mark: str) -> list[Any]:
    """Return the processes that have a mark among their variables."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process)
        except psutil.Error:
            continue
    return found


def collecting(store: Path, mark: str, episodes: int) -> subprocess.Popen[bytes]:
    """Start collecting short episodes, or go on with it."""
    command = [sys.executable, "-m", "pathei.cli", "collect", str(store), "explore", "--env", "minecraft"]
    command += ["--tasks", str(episodes), "--steps", "2", "--workers", "0"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env={**os.environ, MARK: mark}, stdout=quiet, stderr=quiet)


def stored(store: Path) -> tuple[set[str], list[str], int]:
    """Return the ids of the whole episodes in a store, their tasks, and how many failures it names."""
    if not (store / "manifest.json").exists():
        return set(), [], 0
    with ExperienceStore.open(store, mode="read") as opened:
        whole = list(opened.trajectories())
        return {one.id for one in whole}, [one.task.id for one in whole], sum(1 for _ in opened.failures())


def waited(condition: Callable[[], bool], seconds: float = 120.0) -> bool:
    """Wait until something holds; return whether it came to."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def started(process: subprocess.Popen[bytes], mark: str, name: str) -> list[Any]:
    """Return the process to kill, if it runs: Python's own, or its node."""
    return [
        one
        for one in started_with(mark)
        if (one.pid == process.pid if name == "python" else one.pid != process.pid and one.name() == "node")
    ]


class Killed(NamedTuple):
    """What a kill led to."""

    before: set[str]
    """The episodes that were stored a moment before it."""
    after: set[str]
    """Those that are stored when all has ended."""
    left: int
    """Processes that still run."""
    went_on: bool
    """Whether Python collected on after node was killed."""


def killed(store: Path, name: str, moment: float) -> Killed:
    """Collect, kill Python or its node a number of seconds after node was started, and see what is left."""
    mark = uuid.uuid4().hex
    process = collecting(store, mark, MANY)
    if not waited(lambda: bool(started(process, mark, "node"))):
        raise SystemExit("Node was not started.")
    time.sleep(moment)
    before = stored(store)[0]
    started(process, mark, name)[0].send_signal(signal.SIGKILL)
    went_on = name == "python" or waited(lambda: len(stored(store)[0]) > len(before) + FURTHER)
    if name == "node":
        process.terminate()
    process.wait(60)
    waited(lambda: not started_with(mark), 10)
    remaining = started_with(mark)
    for one in remaining:
        one.kill()
    return Killed(before, stored(store)[0], len(remaining), went_on)


def show_kills(kills: int) -> None:
    """Print what is left and what is lost when node or Python is killed at random moments of collecting."""
    draws, results, victims = random.Random(0), list[Killed](), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        store, known, lost = Path(folder) / "store", set[str](), set[str]()
        for number in range(kills):
            victims.append(draws.choice(("node", "python")))
            results.append(one := killed(store, victims[-1], draws.uniform(0, 8)))
            lost |= (known | one.before) - one.after
            known |= one.after
            print(f"{number + 1}: {victims[-1]}, {len(known)} episodes, {one.left} left", file=sys.stderr, flush=True)
        episodes = len(known) + LAST
        collecting(store, uuid.uuid4().hex, episodes).wait(300)
        ids, tasks, failures = stored(store)
    print("| what | figure |\n|:---|---:|")
    print(f"| node killed; Python killed | {victims.count('node')}; {victims.count('python')} |")
    print(f"| processes left running | {sum(one.left for one in results)} |")
    print(f"| stored episodes that were lost | {len(lost | (known - ids))} |")
    print(f"| times that Python did not collect on without its node | {sum(not one.went_on for one in results)} |")
    print(f"| episodes that failed with node, and are named | {failures} |")
    last = f"{episodes}; {len(set(tasks)) + failures}; {len(tasks) - len(set(tasks))}"
    print(f"| tasks of the last run; whole and failed episodes in the end; tasks done twice | {last} |")


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("speed", "tree", "kills"), default="speed")
    parser.add_argument("--runs", type=int, default=20, help="processes that play the same actions")
    parser.add_argument("--worlds", type=int, default=10)
    parser.add_argument("--actions", type=int, default=160, help="the most actions in a world")
    parser.add_argument("--kills", type=int, default=20)
    args = parser.parse_args()
    if args.what == "kills":
        show_kills(args.kills)
    elif args.what == "speed":
        show_speed(args.runs)
    else:
        show_tree(args.worlds, args.actions)


if __name__ == "__main__":
    main()

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
from typing import Any

from pathei.envs.minecraft import MinecraftEnv
from pathei.envs.minecraft.explorer import Explorer
from pathei.envs.minecraft.goals import MinecraftGoal, write_goal
from pathei.envs.minecraft.tasks import playing
from pathei.store import ExperienceStore

psutil: Any = importlib.import_module("psutil")
WORLD = 3
MARK = "PATHEI_BENCHMARK_MINECRAFT"
EPISODES = 40
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


def collecting(store: Path, mark: str) -> subprocess.Popen[bytes]:
    """Start collecting a few short episodes, or go on with it."""
    command = [sys.executable, "-m", "pathei.cli", "collect", str(store), "explore", "--env", "minecraft"]
    command += ["--tasks", str(EPISODES), "--steps", "2", "--workers", "0"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env={**os.environ, MARK: mark}, stdout=quiet, stderr=quiet)


def show_kills(kills: int) -> None:
    """Print what is left and what is lost when node or Python is killed at random moments of collecting."""
    draws, left, lost, victims = random.Random(0), 0, 0, {"node": 0, "python": 0}
    with tempfile.TemporaryDirectory() as folder:
        store, kept = Path(folder) / "store", 0
        while sum(victims.values()) < kills:
            mark = uuid.uuid4().hex
            process = collecting(store, mark)
            time.sleep(draws.uniform(1.5, 7))
            victim = "node" if draws.random() < 0.5 else "python"
            for one in started_with(mark):
                if one.pid == process.pid if victim == "python" else one.name() == "node":
                    one.send_signal(signal.SIGKILL)
                    victims[victim] += 1
            if victim == "node":
                process.wait(120)  # it goes on with a new one
            else:
                process.wait(10)
            _, alive = psutil.wait_procs(started_with(mark), timeout=10)
            left += len(alive)
            if (store / "manifest.json").exists():
                with ExperienceStore.open(store, mode="read") as opened:
                    whole = sum(1 for _ in opened.trajectories())
                lost, kept = lost + max(0, kept - whole), whole
        collecting(store, uuid.uuid4().hex).wait(300)
        with ExperienceStore.open(store, mode="read") as opened:
            ids = [one.task.id for one in opened.trajectories()]
            failures = sum(1 for _ in opened.failures())
    print("| what | figure |\n|:---|---:|")
    print(f"| node killed; Python killed | {victims['node']}; {victims['python']} |")
    print(f"| processes left running | {left} |")
    print(f"| stored episodes that were lost | {lost} |")
    print(f"| episodes in the end, of {EPISODES}; twice | {len(set(ids))}; {len(ids) - len(set(ids))} |")
    print(f"| episodes that failed with node, and are named | {failures} |")


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

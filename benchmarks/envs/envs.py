"""All worlds in one table: how fast they are, what a snapshot and memory cost, whether they keep the contract.

    python benchmarks/envs/envs.py [--worlds shop terminal] [--seconds 2] [--markdown]
    python benchmarks/envs/envs.py --collect [--tasks 10]

Each world has a process of its own with a time limit, and its rival another, so that memory is the world's alone: the
peak of the resident memory of the process and its children, summed (what they share counts for each). Steps are random
listed actions in generated tasks, as `contract.make` wraps the environment. A rate is the median of five, per second
of processor time where all happens in one process and of wall time where a browser, a shell or Java does the work.
`restore` is a restore and the step after it, since some worlds do the work only then; where a world has no snapshots
of its own it is a verified replay, of 0 to 9 steps. Rivals take turns with this package.

`--collect` plays the same tasks in each world by the command line: at random, by novelty, by MCTS and by the
demonstrations. All but novelty go into one store a world; in a store a task counts as explored once, whatever the
strategy, so novelty has its own. Random play is one episode a task; a search simulates many steps for it, as the table
shows.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console
from rich.table import Table

from pathei.envs import VerifiedReplay, check_env, check_snapshot, contract
from pathei.envs.registry import BUILTIN_ENVS, EnvSpec, get_env
from pathei.envs.snapshots import Snapshotter
from pathei.errors import PatheiError, SnapshotError
from pathei.experience import Task
from pathei.store import ExperienceStore

psutil: Any = importlib.import_module("psutil")
rivals: Any = importlib.import_module("_world_rivals")

Clock = Callable[[], float]

REPEATS = 5
WALK = 30
"""The longest walk of steps that are counted."""
AWAY = 10
"""The longest walk in which snapshots are taken."""
LIMIT = 120.0
"""The time limit of one environment and its rival, in seconds."""
MIB = 2**20

SEARCHES: dict[str, Sequence[str]] = {
    "terminal": ("--simulations", "100", "--steps", "6"),
    "miniwob": ("--simulations", "100", "--steps", "8"),
    "textworld": ("--simulations", "15", "--steps", "8"),
    "scienceworld": ("--simulations", "5", "--steps", "5"),
}
"""How MCTS is asked to search where steps are slow; elsewhere `--simulations 2000 --steps 30`."""
FEW = {"textworld": 4, "scienceworld": 2}
"""The maximum number of tasks that are collected in slow environments."""


# --- a world


def measure(world: EnvSpec, seconds: float) -> dict[str, Any]:
    """Return all figures of a world but its memory."""
    tasks = world.generate_tasks(8, 0)
    env = contract.make(tasks[0])
    for task in tasks:
        contract.reset(env, task)
    clock = rivals.clock_of_this_process()
    found: dict[str, Any] = {"tasks": tasks_of(world), "clock": clock.__name__}
    found["steps"], found["resets"] = walk_rates(env, tasks, seconds, clock)
    try:
        Snapshotter(env)
        found["native"] = True
    except SnapshotError:
        env, found["native"] = VerifiedReplay(env), False
    found["snapshot"], found["restore"] = snapshot_ms(env, tasks, seconds, clock)
    env.close()
    found["check_env"] = passes(lambda: checked_env(world))
    found["check_snapshot"] = passes(lambda: checked_snapshot(world, native=found["native"]))
    return found


def tasks_of(world: EnvSpec) -> str:
    """Tell how many tasks there are."""
    if world.name == "shop":
        from pathei.envs.shop.shops import shop_named

        return f"{len(shop_named('generated').goals().all):,} goals"
    if world.name == "documents":
        from pathei.envs.documents.screens import reader_named

        return f"{len(reader_named('stdlib').collection.questions):,} questions"
    if world.name == "miniwob":
        from pathei.envs.web.miniwob import pages

        return f"{len(pages.names())} pages, seeded"
    return "generated"


def walk_rates(env: Any, tasks: Sequence[Task], seconds: float, clock: Clock) -> tuple[float, float]:
    """Return the median steps and resets per second of random walks."""
    rng, turn = np.random.default_rng(0), itertools.cycle(tasks)
    rates: list[tuple[float, float]] = []
    for _ in range(REPEATS):
        steps, resets, stepping, resetting = 0, 0, 0.0, 0.0
        until = time.perf_counter() + seconds / REPEATS
        while not steps or time.perf_counter() < until:
            begun = clock()
            _, info = contract.reset(env, next(turn))
            middle = clock()
            for draw in rng.random(WALK).tolist():
                actions = info.get("actions")
                if not actions:
                    break
                _, _, over, cut, info = env.step(actions[int(draw * len(actions))])
                steps += 1
                if over or cut:
                    break
            stepping, resetting, resets = stepping + clock() - middle, resetting + middle - begun, resets + 1
        rates.append((steps / stepping, resets / resetting))
    return statistics.median(rate for rate, _ in rates), statistics.median(rate for _, rate in rates)


def snapshot_ms(env: Any, tasks: Sequence[Task], seconds: float, clock: Clock) -> tuple[float, float]:
    """Return the median milliseconds of a snapshot, and of a restore one step back with the step done again."""
    rng, turn, saver = np.random.default_rng(1), itertools.cycle(tasks), Snapshotter(env)
    saves: list[float] = []
    restores: list[float] = []
    until = time.perf_counter() + seconds
    while not restores or time.perf_counter() < until:
        _, info = contract.reset(env, next(turn))
        for draw in rng.random(AWAY).tolist():
            actions = info.get("actions")
            if not actions:
                break
            action = actions[int(draw * len(actions))]
            begun = clock()
            state = saver.snapshot()
            saves.append(clock() - begun)
            env.step(action)
            begun = clock()
            saver.restore(state)
            _, _, over, cut, info = env.step(action)
            restores.append(clock() - begun)
            if over or cut:
                break
    return 1000 * statistics.median(saves), 1000 * statistics.median(restores)


def checked_env(world: EnvSpec) -> None:
    """Run `check_env` on a world."""
    env = gymnasium.make(world.id)
    try:
        check_env(env, steps=10)
    finally:
        env.close()


def checked_snapshot(world: EnvSpec, *, native: bool) -> None:
    """Run `check_snapshot` on a world, by replay where it has no snapshots; once then, as that is slow."""
    env = gymnasium.make(world.id)
    try:
        rng = np.random.default_rng(0)
        check_snapshot(env if native else VerifiedReplay(env), steps=6, rng=rng, rounds=2 if native else 1)
    finally:
        env.close()


def passes(check: Callable[[], None]) -> str:
    """Return "yes", or what was wrong."""
    try:
        check()
    except PatheiError as error:
        return f"no: {error}"
    return "yes"


# --- processes


def part(kind: str, world: EnvSpec, seconds: float, limit: float = LIMIT) -> dict[str, Any]:
    """Measure a world or its rival in a process of its own; the answer has "failed" where it could not be done."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "answer.json"
        command = [sys.executable, __file__, "--part", kind, "--worlds", world.name, "--seconds", str(seconds)]
        with (Path(folder) / "said").open("w+b") as said:
            process = psutil.Popen([*command, "--to", str(out)], stdout=said, stderr=said, start_new_session=True)
            peak, until = 0, time.monotonic() + limit
            while process.poll() is None and time.monotonic() < until:
                peak = max(peak, resident(process))
                time.sleep(0.1)
            timed_out = process.poll() is None
            if timed_out:
                rivals.end([*process.children(recursive=True), process])
            said.seek(0)
            last = (said.read().decode(errors="replace").strip().splitlines() or [f"status {process.wait()}"])[-1]
        answer: dict[str, Any] = json.loads(out.read_bytes()) if out.exists() else {"failed": last}
    return {"failed": f"it took more than {limit:.0f} s"} if timed_out else {**answer, "peak": peak / MIB}


def resident(process: Any) -> int:
    """Return the resident memory of a process and its children, in bytes."""
    total = 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    for one in family:
        try:
            total += one.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    return total


def answer(kind: str, world: EnvSpec, seconds: float) -> dict[str, Any]:
    """Do in this process what `part` wants of it."""
    try:
        if kind == "world":
            missing = [f"{check.what}: {check.note}" for check in world.check() if check.required and not check.ok]
            return {"failed": "; ".join(missing)} if missing else measure(world, seconds)
        return {"rates": list(rivals.RIVALS[world.name](seconds / (2 * rivals.REPEATS)))}
    except PatheiError as error:
        return {"failed": str(error)}


# --- the tables


COLUMNS = (
    *("world", "tasks", "steps/s", "resets/s", "snapshot, ms", "restore, ms", "peak, MiB"),
    *("check_env", "check_snapshot", "rival: per second, here against there"),
)


def row(world: EnvSpec, seconds: float) -> tuple[str, ...]:
    """Measure a world and its rival."""
    found = part("world", world, seconds)
    if "failed" in found:
        return world.name, f"not here: {found['failed']}", *[""] * (len(COLUMNS) - 2)
    rival = part("rival", world, seconds) if world.name in rivals.RIVALS else {"rates": []}
    compared = [f"{what} {figure(a)} / {figure(b)} = {a / b:.2g}x" for what, a, b in rival.get("rates", ())]
    wall = " (wall)" if found["clock"] == "perf_counter" else ""
    return (
        world.name,
        found["tasks"],
        figure(found["steps"]) + wall,
        figure(found["resets"]) + wall,
        figure(found["snapshot"]),
        ("" if found["native"] else "replay: ") + figure(found["restore"]),
        f"{found['peak']:,.0f}",
        found["check_env"],
        found["check_snapshot"],
        rival.get("failed") or "; ".join(compared) or "none",
    )


def figure(value: float) -> str:
    """Write a number with two or three figures that matter."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 10 else f"{value:.0f}"


def collected(world: EnvSpec, count: int, folder: Path) -> tuple[str, ...]:
    """Collect in an environment by the command line with every collector, and return the results."""
    count = min(count, FEW.get(world.name, count))
    search = SEARCHES.get(world.name, ("--simulations", "2000", "--steps", "30"))
    horizon = ("--steps", "30")
    cells = [world.name, str(count)]
    for name, collector, store, extra in (
        ("random", "explore", "all", ("--strategy", "uniform", *horizon)),
        ("novelty", "explore", "novelty", ("--strategy", "novelty", *horizon)),
        ("mcts", "mcts", "all", search),
        ("oracle", "scripted", "all", ("--steps", "120")),
    ):
        path = folder / f"{world.name}-{store}"
        command = [
            sys.executable,
            "-m",
            "pathei.cli",
            "collect",
            str(path),
            "--world",
            world.name,
            "--tasks",
            str(count),
        ]
        command += ["--collector", collector, "--workers", "1", *extra]
        begun = time.perf_counter()
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=2 * LIMIT, check=False)
        except subprocess.TimeoutExpired:
            cells.append(f"{name}: more than {2 * LIMIT:.0f} s")
            continue
        if done.returncode == 2:
            return *cells, f"not here: {done.stderr.strip()}", *[""] * (len(COLLECTED) - len(cells) - 1)
        cells.append(outcome(path, collector, count, time.perf_counter() - begun))
    return tuple(cells)


COLLECTED = ("world", "tasks", "random", "novelty", "MCTS", "oracle")


def outcome(path: Path, collector: str, count: int, seconds: float) -> str:
    """Tell how many tasks were solved, in how many steps of search, and how many were played a second."""
    counts: Counter[str] = Counter()
    with ExperienceStore.open(path, mode="read") as store:
        for one in store.trajectories():
            if one.collector == collector and one.parent is None:
                counts["won"] += bool(one.success)
                search: Any = one.provenance.get("search")
                counts["steps"] += search["env_steps"] if search else 0
        lacking = sum("has no demonstration" in failure.error for failure in store.failures())
    asked = count - (lacking if collector == "scripted" else 0)
    steps = f", {counts['steps']:,} steps" if counts["steps"] else ""
    return f"{counts['won']} of {asked}{steps}, {count / seconds:.2g}/s"


def show(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str, *, markdown: bool) -> None:
    """Print a table, as Markdown where that is wanted."""
    if markdown:
        print("| " + " | ".join(columns) + " |", "|" + "---|" * len(columns), sep="\n")
        for cells in rows:
            print("| " + " | ".join(cells) + " |")
        return
    table = Table(*columns, title=title)
    for cells in rows:
        table.add_row(*cells)
    Console(width=max(160, shutil.get_terminal_size().columns)).print(table)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", nargs="+", default=[world.name for world in BUILTIN_ENVS])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each measurement")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--collect", action="store_true")
    parser.add_argument("--tasks", type=int, default=10, help="for --collect: how many in each world")
    parser.add_argument("--part", choices=("world", "rival"), help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    worlds = [get_env(name) for name in args.worlds]
    if args.part:
        args.to.write_text(json.dumps(answer(args.part, worlds[0], args.seconds)), "utf-8")
        return
    title = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores at the beginning"
    begun = time.perf_counter()
    if args.collect:
        with tempfile.TemporaryDirectory() as folder:
            show(
                COLLECTED,
                [collected(world, args.tasks, Path(folder)) for world in worlds],
                f"Tasks solved: {title}",
                markdown=args.markdown,
            )
    else:
        show(COLUMNS, [row(world, args.seconds) for world in worlds], f"Worlds: {title}", markdown=args.markdown)
    print(f"{title}; {time.perf_counter() - begun:.0f} s in all", file=sys.stderr)


if __name__ == "__main__":
    main()

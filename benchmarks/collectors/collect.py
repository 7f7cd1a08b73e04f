"""How fast episodes are collected from generated houses into a store, and where the time goes.

    python benchmarks/collectors/collect.py [--tasks 1000] [--workers 2] [--steps 30] [--strategy novelty] [--markdown]

Prints the end-to-end rate (workers starting, playing, the store's fsync and sealing included; tasks are made before),
then the split of one process's time per episode, measured piece by piece on the same tasks. Before the split, other
episodes go the same way once: what a process prepares at its first episode, or first sealing, is not counted.
"""

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pathei.collectors import make_explorer
from pathei.collectors.coverage import Coverage
from pathei.collectors.rollout.collect import collect
from pathei.collectors.rollout.episode import Envs
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs import contract
from pathei.envs.registry import get_env
from pathei.envs.virtualhome.language.observation import describe, nameable
from pathei.experience import Task, Trajectory, decode, encode
from pathei.store import ExperienceStore


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor time of a call, in seconds, and its result."""
    begun = time.process_time()
    result = function()
    return time.process_time() - begun, result


def end_to_end(tasks: list[Task], make: partial[Rollout], workers: int, folder: Path) -> dict[str, str]:
    """Collect into a new store, and return the rate and what bounds it."""
    with ExperienceStore.open(folder / "end-to-end") as store:
        begun = os.times()
        done = collect(store, tasks, make, workers=workers)
        ended = os.times()
        size = store.info().bytes
    parent = ended.user + ended.system - begun.user - begun.system
    spent = parent + ended.children_user + ended.children_system - begun.children_user - begun.children_system
    each = 1e3 / len(tasks)
    return {
        f"episodes/s with {workers} workers, by the clock": f"{done.rate:.0f}",
        "episodes; steps; failures": f"{len(tasks):,}; {done.coverage.steps:,}; {done.coverage.failures:,}",
        "cores that the machine gave": f"{spent / done.seconds:.2f}",
        "processor time of an episode in all processes, ms": f"{spent * each:.2f}",
        "of it in the process that stores, ms": f"{parent * each:.2f}",
        "size of an episode in the store, before the last sealing, kB": f"{size / len(tasks) / 1e3:.0f}",
    }


def world_times(played: list[Trajectory]) -> dict[str, float]:
    """Replay episodes and return the processor time, in seconds, of each part of the world."""
    envs = Envs()
    spent = dict.fromkeys(("reset", "step", "text", "listing"), 0.0)
    for episode in played:
        env = envs.get(episode.task)
        spent["reset"] += timed(partial(contract.reset, env, episode.task))[0]
        for step in episode.steps:
            world = env.unwrapped.world  # type: ignore[attr-defined]  # the household's own
            actor = world.scene.index[step.info["character"]]
            spent["text"] += timed(partial(describe, world, actor))[0]
            spent["listing"] += timed(lambda w=world, c=actor: w.admissible(c, nameable(w, c)))[0]  # type: ignore[misc]
            spent["step"] += timed(partial(env.step, step.action))[0]
    return spent


WARM_UP = 20
"""How many episodes go the whole way before the split is measured."""


def warm_up(tasks: list[Task], make: partial[Rollout], folder: Path) -> None:
    """Play, store and seal some episodes, so that what is prepared once is there."""
    records = [record for record in make().collect(tasks) if isinstance(record, Trajectory)]
    world_times(records)
    with ExperienceStore.open(folder / "warm-up") as store:
        for record in map(decode, map(encode, records)):
            store.append(record)
        store.seal()
    Coverage.of(records)


def split(tasks: list[Task], make: partial[Rollout], folder: Path) -> dict[str, float]:
    """Return the processor time of one process per episode, in seconds, by what it is spent on."""
    # As workers do: see `_GARBAGE` in collectors/rollout/pool.py.
    gc.freeze()
    gc.set_threshold(100_000)
    playing, records = timed(lambda: list(make().collect(tasks)))
    played = [record for record in records if isinstance(record, Trajectory)]
    world = world_times(played)
    encoding, lines = timed(lambda: list(map(encode, played)))
    decoding, decoded = timed(lambda: list(map(decode, lines)))
    with ExperienceStore.open(folder / "split") as store:
        pairs = zip(decoded, lines, strict=True)
        appending = sum(timed(partial(store.append, record, encoded=[line]))[0] for record, line in pairs)
        sealing, _ = timed(store.seal)
    counting, _ = timed(lambda: Coverage.of(decoded))
    parts = {
        "world: reset (house, text, listing)": world["reset"],
        "world: acting": world["step"] - world["text"] - world["listing"],
        "world: listing what is admissible": world["listing"],
        "world: text": world["text"],
        "agent and recording": playing - world["reset"] - world["step"],
        "encoding in the worker": encoding,
        "decoding in the parent": decoding,
        "coverage": counting,
        "store: append (without waiting for the disk)": appending,
        "store: sealing into Parquet": sealing,
    }
    return {name: seconds / len(played) for name, seconds in parts.items()}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--strategy", choices=("uniform", "novelty"), default="novelty")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    args = parser.parse_args()
    tasks = get_env("virtualhome").generate_tasks(args.tasks, 0)
    make = partial(make_explorer, strategy=args.strategy, max_steps=args.steps)
    with tempfile.TemporaryDirectory() as folder:
        rows = end_to_end(tasks, make, args.workers, Path(folder))
        warm_up(tasks[-WARM_UP:], make, Path(folder))
        parts = split(tasks[: max(1, args.tasks // 5)], make, Path(folder))
    total = sum(parts.values())
    rows |= {f"{name}, ms": f"{cost * 1e3:.2f} ({cost / total:.0%})" for name, cost in parts.items()}
    rows["all of these, in one process, ms"] = f"{total * 1e3:.2f}"
    columns = (f"collecting by {args.strategy}, at most {args.steps} steps", "figure")
    if args.markdown:
        for row in (columns, ("---", "---:"), *rows.items()):
            print(f"| {' | '.join(row)} |")
        return
    table = Table(*columns)
    for row in rows.items():
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()

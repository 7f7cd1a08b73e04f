"""How many episodes per hour 1 to 1,000 workers collect, and what bounds them: a dry model of measured pieces.

    python benchmarks/scale.py [--tasks 60] [--per-machine 32] [--answers 20 400] [--figure docs/figures/scale.svg]

Measured here, in processor time: what an episode costs a worker (the environment, the agent, encoding), what it costs
the process that writes the store (decoding, coverage, append with fsync, sealing), and what merging it costs later; and
the round trip of a worker's pipe. The model puts them together:

* workers give W / (time of an episode), one core each;
* the writer of a machine takes at most 1 / (its time per episode); each machine is a shard with a store of its own
  (`--shard`), so writers grow with the machines;
* a language model's endpoint gives a fixed number of answers per second for all, one answer a step. How many is the
  user's figure (`--answers`), as is the time that one answer takes (`--wait`): no model runs here;
* merging the shards is one process's work, done once; its time is shown apart, not in the rate.

Not in it: slow disks, networks, workers that wait for the slowest, and what two processes on one core's threads lose.
So it is an upper bound, and says which part to look at first. `--check` compares the pieces with a real collection.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pathei
from pathei.collectors import make_explorer
from pathei.collectors.coverage import Coverage
from pathei.collectors.options import MctsOptions, PlaySettings
from pathei.collectors.rollout.collect import collect
from pathei.experience import Record, Task, Trajectory, decode, encode
from pathei.store import ExperienceStore
from pathei.store.merge import merge

WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
SHOWN = (1, 10, 100, 1000)
STEPS = 30


class Pieces(NamedTuple):
    """What one episode costs, in seconds."""

    play: float
    """In a worker."""
    write: float
    """In the process that writes the store, the pipe's round trip included."""
    merge: float
    """When stores are joined."""
    answers: float = 0.0
    """How many answers of a language model it needs."""


class Rate(NamedTuple):
    """What a number of workers gives."""

    per_hour: float
    bound: str
    """What it is bounded by."""


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor time of a call, in seconds, and its result."""
    begun = time.process_time()
    result = function()
    return time.process_time() - begun, result


def measure(make: Callable[[], Any], tasks: list[Task], folder: Path) -> Pieces:
    """Play the tasks in this process, store and merge what comes, and return what an episode costs."""
    collector = make()
    with ExperienceStore.open(folder / "first") as store:  # what is prepared once
        store.append(*map(decode, map(encode, collector.collect(tasks[:3]))))
        store.seal()
    playing, records = timed(lambda: list(collector.collect(tasks)))
    encoding, lines = timed(lambda: list(map(encode, records)))
    decoding, decoded = timed(lambda: list(map(decode, lines)))
    counting, _ = timed(lambda: Coverage.of(decoded))
    with ExperienceStore.open(folder / "part") as store:
        appending = sum(
            timed(partial(store.append, record, encoded=[line]))[0] for record, line in zip(decoded, lines, strict=True)
        )
        sealing, _ = timed(store.seal)
    merging = merge_time(folder, decoded)
    count = len(tasks)
    write = (decoding + counting + appending + sealing) / count + round_trip(max(lines, key=len))
    return Pieces((playing + encoding) / count, write, merging / count)


def merge_time(folder: Path, records: list[Record]) -> float:
    """Return the processor time of joining two stores of these episodes, for each episode once."""
    other = folder / "other"
    with ExperienceStore.open(other) as store:
        for record in records:
            if isinstance(record, Trajectory):
                store.append(dataclasses.replace(record, id=f"{record.id}/other", parent=None))
    return timed(lambda: merge(folder / "all", [folder / "part", other]))[0] / 2


def round_trip(line: bytes) -> float:
    """Return the processor time of both ends of a pipe for one episode, in seconds."""
    here, there = multiprocessing.Pipe()

    def send() -> None:
        for _ in range(200):
            here.send_bytes(line[:30_000])
            there.recv_bytes()

    return timed(send)[0] / 200


def rate(pieces: Pieces, workers: int, *, per_machine: int, answers: float, wait: float) -> Rate:
    """Return the episodes per hour of a number of workers.

    Args:
        pieces: What an episode costs.
        workers: How many, one core each.
        per_machine: How many of them a machine has; each machine writes a store of its own.
        answers: How many answers per second the endpoint gives in all.
        wait: How long one answer takes, in seconds.
    """
    machines, left = divmod(workers, per_machine)
    each = pieces.play + pieces.answers * wait
    on_machines = [per_machine] * machines + ([left] if left else [])
    limits = {
        "the environment" if not pieces.answers else "waiting for answers": workers / each,
        "the store's writer": sum(min(count / each, 1 / pieces.write) for count in on_machines),
    }
    if pieces.answers:
        limits["the endpoint"] = answers / pieces.answers
    slowest = min(limits.values())
    return Rate(3600 * slowest, next(name for name, value in limits.items() if value <= slowest * 1.0001))


def mcts(tasks: list[Task]) -> Any:
    """Return the tree search of the command line, for 300 simulations."""
    return MctsOptions(simulations=300).make(PlaySettings("virtualhome", STEPS, 0, 0, None))


def check(make: Callable[[], Any], tasks: list[Task], folder: Path) -> float:
    """Collect with a real worker and return the processor time of an episode in all processes, without their start."""
    spent = []
    for part in (tasks[:1], tasks):
        begun = os.times()
        with ExperienceStore.open(folder / f"checked-{len(part)}") as store:
            collect(store, part, make, workers=1)
        ended = os.times()
        spent.append(sum(ended[:4]) - sum(begun[:4]))
    return (spent[1] - spent[0]) / (len(tasks) - 1)


def draw(out: Path, curves: dict[str, list[float]]) -> None:
    """Draw episodes per hour against workers."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "pathei"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    for name, values in curves.items():
        axes.plot(WORKERS, values, marker="o", markersize=3, label=name)
    axes.set(xscale="log", yscale="log", xlabel="workers, one core each", ylabel="episodes per hour")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.tight_layout()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Date": None})


def main() -> None:
    """Measure the pieces, and print a Markdown table of the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--per-machine", type=int, default=32, help="workers of one machine, which share one store")
    parser.add_argument("--answers", type=float, nargs="+", default=[20.0, 400.0], help="answers/s of the endpoint")
    parser.add_argument("--wait", type=float, default=0.5, help="seconds that one answer takes")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--check", action="store_true", help="also collect, and compare the pieces with that")
    args = parser.parse_args()
    tasks = pathei.generate_tasks("virtualhome", args.tasks)
    makers: dict[str, Callable[[], Any]] = {
        "exploration": partial(make_explorer, max_steps=STEPS),
        "search, 300 simulations": partial(mcts, tasks),
    }
    rows: list[tuple[str, Pieces, float]] = []
    checks: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, make in makers.items():
            pieces = measure(make, tasks, Path(folder) / name)
            rows.append((name, pieces, 0.0))
            if args.check:
                real = check(make, tasks, Path(folder) / name)
                checks.append(f"{name}: {1e3 * real:.1f} ms, {1e3 * (pieces.play + pieces.write):.1f} ms by the pieces")
    explored = rows[0][1]
    rows += [
        (f"language model, {answers:g} answers/s", explored._replace(answers=STEPS), answers)
        for answers in args.answers
    ]
    head = [
        "episodes of 30 steps",
        "worker",
        "writer",
        "merge",
        *(f"{n:,} worker{'s' * (n > 1)}" for n in SHOWN),
        "bound at 1,000",
    ]
    print(f"| {' | '.join(head)} |")
    print(f"|---{'|---:' * (len(head) - 2)}|---|")
    curves = {}
    for name, pieces, answers in rows:
        given = partial(rate, pieces, per_machine=args.per_machine, answers=answers, wait=args.wait)
        curves[name] = [given(workers).per_hour for workers in WORKERS]
        cells = [f"{1e3 * cost:.2f} ms" for cost in pieces[:3]] + [f"{given(n).per_hour:,.0f}/h" for n in SHOWN]
        print(f"| {' | '.join([name, *cells, given(SHOWN[-1]).bound])} |")
    print(*checks, sep="\n")
    if args.figure is not None:
        draw(args.figure, curves)


if __name__ == "__main__":
    main()

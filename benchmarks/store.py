"""The store against JSONL with fsync and Minari's HDF5, in one run on one disk.

    python benchmarks/store.py [--episodes 4000] [--minari 400] [--directory DIR] [--markdown]

An episode has 30 steps with a text, a fact graph and admissible actions, about 25 kB of JSON. Rates are episodes per
second of wall time, and for appending also of processor time. Appending waits for the disk after every episode, except
in Minari, which never does (`--minari 0` leaves it out). Sealing into Parquet is part of the store's appending time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from pathei.experience import Goal, Observation, Step, Task, Trajectory, decode, encode
from pathei.store import ExperienceStore

NOUNS = ["cup", "lamp", "sofa", "fridge", "book", "table", "plate", "knife", "towel", "phone", "chair", "window"]
VERBS = ["Grab", "Open", "Close", "SwitchOn", "SwitchOff", "Walk", "Touch", "LookAt"]
STEPS = 30


class Result(NamedTuple):
    """What one way of storing reached."""

    name: str
    append: float
    """Episodes appended per second."""
    spent: float
    """Episodes appended per second of processor time."""
    middle: float
    """The median time of one append, in milliseconds."""
    slowest: float
    """The 99th percentile of one append, in milliseconds; sealing, once in 2,400 episodes, is beyond it."""
    size: int
    """Bytes on disk per episode."""
    read: float
    """Episodes read per second, in order, as records (Minari: as arrays)."""
    get: float | None
    """Milliseconds to read one episode at random; None where that needs a scan."""


def observation(rng: np.random.Generator) -> Observation:
    """Make one observation of about 950 bytes of JSON: a text, a graph of facts, 12 admissible actions."""
    names = rng.choice(NOUNS, 6)
    numbers = rng.integers(1, 400, 6)
    text = "You are in the kitchen. You see " + ", ".join(f"a {n} ({i})" for n, i in zip(names, numbers, strict=True))
    facts = {"nodes": [{"id": int(i), "class": str(n)} for n, i in zip(names, numbers, strict=True)]}
    actions = tuple(f"[{verb}] <{names[0]}> ({numbers[0]})" for verb in VERBS[:6])
    return Observation(text, actions=actions, facts=facts)


def episode(index: int, rng: np.random.Generator) -> Trajectory:
    """Make one episode of 30 steps."""
    steps = []
    for t in range(STEPS):
        seen = observation(rng)
        thought = " ".join(rng.choice(NOUNS, 40))
        info = {"success": t == STEPS - 1 and index % 3 == 0, "progress": t / STEPS, "thought": thought}
        assert seen.actions is not None
        steps.append(Step(seen, seen.actions[t % 6], float(rng.random()), t == STEPS - 1, False, info))
    task = Task(f"task-{index}", "pathei/VirtualHome-v0", index, Goal("put the cup on the table"))
    return Trajectory(f"episode-{index}", task, tuple(steps), observation(rng), "explore")


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return how long a call takes, in seconds of wall time and of processor time."""
    start, begun = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - begun


def disk(path: Path) -> int:
    """Return the size of a file, or of all files of a folder, in bytes."""
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())


def stream(pool: list[Trajectory], count: int) -> Iterator[Trajectory]:
    """Yield `count` episodes, each with an id of its own, from a pool: holding them all would slow Python."""
    for index in range(count):
        yield replace(pool[index % len(pool)], id=f"episode-{index}")


def write_all(write: Callable[[Trajectory], object], episodes: Iterator[Trajectory]) -> np.ndarray:
    """Return how long each write takes, as `timed`, shape `[episodes, 2]`; making the episode is not part of it."""
    return np.array([timed(lambda e=one: write(e)) for one in episodes])  # type: ignore[misc]


def percentiles(times: np.ndarray) -> tuple[float, float]:
    """Return the median and the 99th percentile of times in seconds, shape `[n]`, both in milliseconds."""
    return 1e3 * float(np.median(times)), 1e3 * float(np.percentile(times, 99))


def measure_disk(path: Path, size: int, count: int) -> tuple[float, float]:
    """Return the median and 99th percentile of appending `size` bytes and syncing them: no durable writer is faster."""
    data = os.urandom(size)
    with path.open("wb", buffering=0) as file:

        def write() -> None:
            file.write(data)
            os.fdatasync(file.fileno())

        return percentiles(np.array([timed(write)[0] for _ in range(count)]))


def measure_store(path: Path, pool: list[Trajectory], count: int, order: np.ndarray) -> Result:
    """Append one by one, durably, with sealing; read all; read some at random."""
    store = ExperienceStore.open(path, config={"benchmark": "store"})
    times = write_all(store.append, stream(pool, count))
    sealing = timed(store.seal)
    store.close()
    reader = ExperienceStore.open(path, mode="read")
    read, _ = timed(lambda: sum(1 for _ in reader.trajectories()))
    get, _ = timed(lambda: [reader.get(f"episode-{index}") for index in order])
    append, spent = count / (times.sum(0) + sealing)
    return Result(
        "pathei store", append, spent, *percentiles(times[:, 0]), disk(path) // count,
        count / read, 1e3 * get / len(order),
    )  # fmt: skip


def measure_jsonl(path: Path, pool: list[Trajectory], count: int) -> Result:
    """Write a line and fsync, per episode, with the store's own encoder."""
    with path.open("wb") as file:

        def write(one: Trajectory) -> None:
            file.write(encode(one) + b"\n")
            file.flush()
            os.fsync(file.fileno())

        times = write_all(write, stream(pool, count))
    with path.open("rb") as lines:
        read, _ = timed(lambda: sum(decode(line) is not None for line in lines))
    append, spent = count / times.sum(0)
    return Result(
        "JSONL + fsync", append, spent, *percentiles(times[:, 0]), disk(path) // count, count / read,
        None,
    )  # fmt: skip


def measure_minari(path: Path, pool: list[Trajectory], count: int, order: np.ndarray) -> Result:
    """Write episodes to Minari's default storage one by one, the texts and facts as strings; nothing is synced."""
    from gymnasium.spaces import Text
    from minari import MinariDataset  # type: ignore[import-untyped]
    from minari.data_collector import EpisodeBuffer  # type: ignore[import-untyped]
    from minari.dataset.minari_storage import MinariStorage  # type: ignore[import-untyped]

    path.mkdir()
    space = Text(100_000, charset="".join(map(chr, range(32, 127))))
    storage = MinariStorage.new(path, space, space, data_format="hdf5", jpeg_encoding=False)
    storage.update_metadata({"dataset_id": "bench/store-v0", "minari_version": version("minari")})

    def write(one: Trajectory) -> None:
        shown = [*(step.observation for step in one.steps), one.final]
        storage.update_episodes([
            EpisodeBuffer(
                observations=[f"{seen.text}{json.dumps(seen.facts)}{seen.actions}" for seen in shown],
                actions=[step.action for step in one.steps],
                rewards=[step.reward for step in one.steps],
                terminations=[step.terminated for step in one.steps],
                truncations=[step.truncated for step in one.steps],
                infos={"info": [json.dumps(step.info) for step in one.steps]},
            )
        ])  # fmt: skip

    times = write_all(write, stream(pool, count))
    data = MinariDataset(path)
    read, _ = timed(lambda: sum(1 for _ in data.iterate_episodes()))
    get, _ = timed(lambda: [data[int(index % count)] for index in order])
    append, spent = count / times.sum(0)
    return Result(
        "Minari hdf5", append, spent, *percentiles(times[:, 0]), disk(path) // count, count / read,
        1e3 * get / len(order),
    )  # fmt: skip


def main() -> None:
    """Measure all three and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=4000, help="for the store and JSONL")
    parser.add_argument("--minari", type=int, default=400, help="for Minari; 0 leaves it out")
    parser.add_argument("--directory", type=Path, default=None, help="where to write; removed afterwards")
    parser.add_argument("--markdown", action="store_true", help="print the table alone, as Markdown")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    pool = [episode(index, rng) for index in range(200)]
    order = rng.integers(0, options.episodes, 200)
    root = Path(tempfile.mkdtemp(prefix="store-bench-", dir=options.directory))
    size = sum(len(encode(one)) for one in pool) // len(pool)
    try:
        disk_p50, disk_p99 = measure_disk(root / "disk", size, options.episodes // 4)
        results = [
            measure_store(root / "store", pool, options.episodes, order),
            measure_jsonl(root / "episodes.jsonl", pool, options.episodes),
        ]
        if options.minari:
            results.append(measure_minari(root / "minari", pool, options.minari, order))
    finally:
        shutil.rmtree(root)
    titles = ("", "append/s", "append/CPU-s", "p50", "p99", "disk", "read/s", "random")
    rows = [
        (
            one.name, f"{one.append:,.0f}", f"{one.spent:,.0f}", f"{one.middle:.2f} ms", f"{one.slowest:.2f} ms",
            f"{one.size / 1e3:.1f} kB", f"{one.read:,.0f}", "scan" if one.get is None else f"{one.get:.2f} ms",
        )
        for one in results
    ]  # fmt: skip
    bare = ("the disk: the same bytes and `fdatasync`", "", "", f"{disk_p50:.2f} ms", f"{disk_p99:.2f} ms", "", "", "")
    if options.markdown:
        for row in (titles, ("---", *("---:" for _ in titles[1:])), *rows, bare):
            print(f"| {' | '.join(row)} |")
        return
    table = Table(title=f"{options.episodes} episodes of {STEPS} steps, {size / 1e3:.1f} kB of JSON each")
    for column in titles:
        table.add_column(column, justify="right" if column else "left", no_wrap=bool(column))
    for row in (*rows, bare):
        table.add_row(*row)
    Console(width=100).print(table)
    print(f"Peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()

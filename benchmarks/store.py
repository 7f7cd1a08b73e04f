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
from itertools import count
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from rich.console import Console
from rich.table import Table

from pathei.experience import Goal, Observation, Step, Task, Trajectory, decode, encode
from pathei.store import ExperienceStore

NOUNS = ["cup", "lamp", "sofa", "fridge", "book", "table", "plate", "knife", "towel", "phone", "chair", "window"]
VERBS = ["Grab", "Open", "Close", "SwitchOn", "SwitchOff", "Walk", "Touch", "LookAt"]
STEPS = 30
TURN = 50
GROWS = "`pwrite` of as many bytes and `fdatasync`, in a file that grows"
ROOM = "the same in a file that has the room already, as the journal has"
Write: TypeAlias = Callable[[Trajectory], object]


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
    read: float | None
    """Episodes read per second, in order, as records (Minari: as arrays); None where there are none."""
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


def stream(pool: list[Trajectory], start: int, stop: int) -> Iterator[Trajectory]:
    """Yield episodes from `start` to `stop`, each with an id of its own, from a pool: holding all would slow Python."""
    for index in range(start, stop):
        yield replace(pool[index % len(pool)], id=f"episode-{index}")


def write_all(write: Callable[[Trajectory], object], episodes: Iterator[Trajectory]) -> np.ndarray:
    """Return how long each write takes, as `timed`, shape `[episodes, 2]`; making the episode is not part of it."""
    return np.array([timed(lambda e=one: write(e)) for one in episodes])  # type: ignore[misc]


def write_in_turn(writers: dict[str, Write], pool: list[Trajectory], episodes: int) -> dict[str, np.ndarray]:
    """Let each write 50 episodes after the other; return by name how long each write took, as `write_all`."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in writers}
    for start in range(0, episodes, TURN):
        for name, write in writers.items():
            parts[name].append(write_all(write, stream(pool, start, min(start + TURN, episodes))))
    return {name: np.concatenate(times) for name, times in parts.items()}


def percentiles(times: np.ndarray) -> tuple[float, float]:
    """Return the median and the 99th percentile of times in seconds, shape `[n]`, both in milliseconds."""
    return 1e3 * float(np.median(times)), 1e3 * float(np.percentile(times, 99))


def bare_writer(path: Path, data: bytes, room: int) -> Write:
    """Return what writes the same bytes again and again, and waits for the disk.

    Args:
        path: The file.
        data: What is written.
        room: How many of them the file has room for from the beginning; beyond that it grows.
    """
    handle, places = os.open(path, os.O_RDWR | os.O_CREAT), count()
    os.pwrite(handle, bytes(room * len(data)), 0)
    os.fsync(handle)

    def write(_: Trajectory) -> None:
        os.pwrite(handle, data, next(places) * len(data))
        os.fdatasync(handle)

    return write


def line_writer(path: Path) -> Write:
    """Return what writes a line with the store's own encoder, and waits for the disk."""
    file = path.open("wb", buffering=0)

    def write(one: Trajectory) -> None:
        file.write(encode(one) + b"\n")
        os.fsync(file.fileno())

    return write


def measure_durable(root: Path, pool: list[Trajectory], episodes: int, order: np.ndarray) -> list[Result]:
    """Write one by one, durably, in turn: the store with its sealing, lines, bytes; read all, and some at random."""
    store = ExperienceStore.open(root / "store", config={"benchmark": "store"})
    data = os.urandom(sum(len(encode(one)) for one in pool) // len(pool))
    writers = {
        "pathei store": store.append,
        "JSONL + fsync": line_writer(root / "lines"),
        GROWS: bare_writer(root / "grows", data, 0),
        ROOM: bare_writer(root / "room", data, episodes),
    }
    times = write_in_turn(writers, pool, episodes)
    times["pathei store"][-1] += timed(store.seal)
    store.close()
    reader = ExperienceStore.open(root / "store", mode="read")
    read, _ = timed(lambda: sum(1 for _ in reader.trajectories()))
    get, _ = timed(lambda: [reader.get(f"episode-{index}") for index in order])
    with (root / "lines").open("rb") as lines:
        scan, _ = timed(lambda: sum(decode(line) is not None for line in lines))
    reading = {"pathei store": (episodes / read, 1e3 * get / len(order)), "JSONL + fsync": (episodes / scan, None)}
    paths = dict(zip(writers, ("store", "lines", "grows", "room"), strict=True))
    results = []
    for name, each in times.items():
        append, spent = episodes / each.sum(0)
        size = disk(root / paths[name]) // episodes
        results.append(Result(name, append, spent, *percentiles(each[:, 0]), size, *reading.get(name, (None, None))))
    return results


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

    times = write_all(write, stream(pool, 0, count))
    data = MinariDataset(path)
    read, _ = timed(lambda: sum(1 for _ in data.iterate_episodes()))
    get, _ = timed(lambda: [data[int(index % count)] for index in order])
    append, spent = count / times.sum(0)
    return Result(
        "Minari hdf5", append, spent, *percentiles(times[:, 0]), disk(path) // count, count / read,
        1e3 * get / len(order),
    )  # fmt: skip


def shown(one: Result, limit: float) -> tuple[str, ...]:
    """Return a row of the table; `limit` is how often per second the bare disk writes."""
    read = "" if one.read is None else f"{one.read:,.0f}"
    get = f"{one.get:.2f} ms" if one.get is not None else "scan" if read else ""
    return (
        one.name, f"{one.append:,.0f}", f"{one.append / limit:.0%}", f"{one.spent:,.0f}", f"{one.middle:.2f} ms",
        f"{one.slowest:.2f} ms", f"{one.size / 1e3:.1f} kB", read, get,
    )  # fmt: skip


def main() -> None:
    """Measure all and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=4000, help="for all but Minari")
    parser.add_argument("--minari", type=int, default=400, help="for Minari; 0 leaves it out")
    parser.add_argument("--directory", type=Path, default=None, help="where to write; removed afterwards")
    parser.add_argument("--markdown", action="store_true", help="print the table alone, as Markdown")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    pool = [episode(index, rng) for index in range(200)]
    order = rng.integers(0, options.episodes, 200)
    root = Path(tempfile.mkdtemp(prefix="store-bench-", dir=options.directory))
    try:
        results = measure_durable(root, pool, options.episodes, order)
        limit = max(one.append for one in results if one.name in (GROWS, ROOM))
        if options.minari:
            results.insert(2, measure_minari(root / "minari", pool, options.minari, order))
    finally:
        shutil.rmtree(root)
    titles = ("", "append/s", "of the disk", "append/CPU-s", "p50", "p99", "size", "read/s", "random")
    rows = [shown(one, limit) for one in results]
    if options.markdown:
        for row in (titles, ("---", *("---:" for _ in titles[1:])), *rows):
            print(f"| {' | '.join(row)} |")
        return
    table = Table(title=f"{options.episodes} episodes of {STEPS} steps")
    for column in titles:
        table.add_column(column, justify="right" if column else "left", no_wrap=bool(column))
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)
    print(f"Peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()

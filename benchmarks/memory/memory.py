"""The memory on synthetic vectors: recall, latency, size and adds, each with its bar and a limit.

    OMP_NUM_THREADS=1 python benchmarks/memory/memory.py [--size 20000] [--folder DIR] [--adds 10000]

Vectors have 384 dimensions and lie in clusters (48 latent dimensions), texts are made of few words. A folder that was
filled before is used again. Queries are whole ones, from the text to the items, less the embedder's time; they run in
a process of their own that only reads, on one thread. Bars are those of 1,000,000 items (hybrid: 100,000); what they
are compared with is measured in the same run:

* dense: numpy's product with all vectors, in single precision;
* filters: the same over what passes;
* hybrid: FTS5's own `bm25()` over the words of the question, and that product;
* adds: the same texts and vectors inserted into SQLite with nothing else, as many per transaction.

A million takes seven minutes to add, and eleven or more to index. Not here: real text (`retrieval.py`), and Chroma and
mem0 (`memory_rivals.py`).
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft, Filter
from pathei.memory.retrieval.ranking import RankingConfig

psutil: Any = importlib.import_module("psutil")

Floats = np.ndarray[Any, np.dtype[np.float32]]

DIMENSIONS = 384
BATCH = 1_000
QUERIES = 200
K = 10
ALONE = 500
"""The number of items that are added one per transaction."""
PARTS = {"w0": 0.001, "w1": 0.01, "w2": 0.1}
NOUNS = [f"thing{number}" for number in range(2_000)]
WHERES = {"": Filter(), **{env: Filter(env=env) for env in PARTS}}
"""Filters by the environment that they pass; the first passes everything."""


class Clustered:
    """An embedder that gives each number, in words, its fixed vector, and knows how long that took it."""

    name = "clustered-384"
    dimensions = DIMENSIONS

    def __init__(self, size: int) -> None:
        """Prepare as many clusters as fit the size."""
        rng = np.random.default_rng(0)
        self._centres = rng.standard_normal((max(16, size // 250), 48), np.float32)
        self._out = rng.standard_normal((48, DIMENSIONS), np.float32)
        self.wall = self.cpu = 0.0

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of texts that begin with a number."""
        wall, cpu = time.perf_counter(), time.thread_time()
        numbers = [int(text.split()[0]) for text in texts]
        latent = np.stack([
            self._centres[number % len(self._centres)]
            + 0.7 * np.random.default_rng(number).standard_normal(48, np.float32)
            for number in numbers
        ])  # fmt: skip
        found = latent @ self._out
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        self.wall += time.perf_counter() - wall
        self.cpu += time.thread_time() - cpu
        return np.asarray(found, np.float32)


class Times(NamedTuple):
    """How long calls took, in milliseconds, the embedder's part taken off."""

    wall: list[float]
    cpu: list[float]

    def __str__(self) -> str:
        """Name the medians, and the 95th percentile of wall time."""
        return f"p50 {np.median(self.wall):.2f} ms, p95 {np.percentile(self.wall, 95):.2f} ms, CPU {self.middle:.2f} ms"

    @property
    def middle(self) -> float:
        """The median processor time."""
        return float(np.median(self.cpu))


class Read(NamedTuple):
    """What a process that only reads found."""

    opened: float
    """Seconds."""
    resident: float
    """Its memory in MB, after all questions."""
    shared: float
    """The part of it that is mapped files, which all readers share."""
    dense: dict[str, tuple[Times, list[list[int]]]]
    """By the environment that passes: the times, and the numbers found for each question."""
    hybrid: Times


class Truth(NamedTuple):
    """The nearest by an exact scan."""

    best: dict[str, list[set[int]]]
    """By the environment that passes, the numbers for each question."""
    passing: dict[str, int]
    """How many items are let through."""
    cost: dict[str, float]
    """Processor time of one question's scan, in milliseconds."""


def timed(call: Callable[[], Any], times: Times, embedder: Clustered) -> Any:
    """Call, note how long it took, and return what was returned."""
    embedder.wall = embedder.cpu = 0.0
    wall, cpu = time.perf_counter(), time.thread_time()
    found = call()
    times.wall.append(1e3 * (time.perf_counter() - wall - embedder.wall))
    times.cpu.append(1e3 * (time.thread_time() - cpu - embedder.cpu))
    return found


def drafts(first: int, size: int) -> Iterator[list[Draft]]:
    """Make the items of four environments from a number on, in batches."""
    rng = np.random.default_rng(1)
    for start in range(0, size, BATCH):
        batch = []
        for number in range(start, min(size, start + BATCH)):
            edges, chance = np.cumsum(list(PARTS.values())), float(rng.random())
            env = f"w{np.searchsorted(edges, chance, side='right')}"
            words = " ".join(rng.choice(NOUNS, 12))
            batch.append(Draft("fact", f"{number} {words}", env, key=f"k{number}", time=1.0))
        if start >= first:
            yield batch


def questions(size: int) -> list[str]:
    """Make questions whose numbers no item has."""
    rng = np.random.default_rng(2)
    return [f"{size + number} {' '.join(rng.choice(NOUNS, 8))}" for number in range(QUERIES)]


def fill(console: Console, folder: Path, size: int) -> None:
    """Add what is missing, and make the index if it is not up to date."""
    with ExperienceMemory.open(folder, embedder=Clustered(size)) as memory:
        stats: Any = memory.stats()
        for batch in drafts(stats["items"], size):
            memory.add_drafts(batch)
        stats = memory.stats()
        if stats["index"]["since"]:
            wall, cpu = time.perf_counter(), time.process_time()
            memory.compact()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            console.print(f"index of {size:,} made in {wall:.1f} s, CPU {cpu:.1f} s")


def read(folder: Path, size: int) -> Read:
    """Open the memory and ask, in a process of its own."""
    embedder, begin = Clustered(size), time.perf_counter()
    with ExperienceMemory.open(folder, embedder=embedder, mode="read") as memory:
        opened = time.perf_counter() - begin
        dense = {}
        for name, where in WHERES.items():
            times, found = Times([], []), []
            for text in questions(size):
                ask = lambda: memory.query(text, K, where, ranking=RankingConfig(lexical=0))  # noqa: B023, E731
                found.append([int(hit.item.draft.text.split()[0]) for hit in timed(ask, times, embedder)])
            dense[name] = (times, found)
        hybrid = Times([], [])
        for text in questions(size):
            timed(lambda: memory.query(text, K), hybrid, embedder)  # noqa: B023
        memory_info = psutil.Process().memory_info()
        return Read(opened, memory_info.rss / 1e6, memory_info.shared / 1e6, dense, hybrid)


def exactly(folder: Path, size: int) -> Truth:
    """Scan all vectors, chunk by chunk, as they are stored."""
    embedder = Clustered(size)
    asked = embedder.embed(questions(size))
    with sqlite3.connect(folder / "memory.sqlite") as table:
        envs = np.array([row[0] for row in table.execute("SELECT world FROM item ORDER BY num LIMIT ?", (size,))])
    kept = {name: (np.zeros((QUERIES, 0), np.float32), np.zeros((QUERIES, 0), np.int64)) for name in WHERES}
    cost = dict.fromkeys(WHERES, 0.0)
    for start in range(0, size, 20 * BATCH):
        numbers = np.arange(start, min(size, start + 20 * BATCH))
        vectors = embedder.embed([str(number) for number in numbers]).astype(np.float16).astype(np.float32)
        for name in WHERES:
            fits = np.flatnonzero(envs[numbers] == name) if name else numbers - start
            begin = time.thread_time()
            for query in asked[:5]:
                (vectors[fits] if name else vectors) @ query
            cost[name] += 1e3 * (time.thread_time() - begin) / 5
            scores = np.hstack([kept[name][0], asked @ vectors[fits].T])
            every = np.hstack([kept[name][1], np.broadcast_to(numbers[fits], (QUERIES, len(fits)))])
            best = np.argsort(-scores, axis=1)[:, :K]
            kept[name] = np.take_along_axis(scores, best, 1), np.take_along_axis(every, best, 1)
    best_of = {name: [set(row.tolist()) for row in every] for name, (_, every) in kept.items()}
    passing = {name: int((envs == name).sum()) if name else size for name in WHERES}
    return Truth(best_of, passing, cost)


def fts5(folder: Path, size: int) -> float:
    """Return the processor time of FTS5's own search by words, the median in milliseconds."""
    times = []
    with sqlite3.connect(folder / "memory.sqlite") as table:
        table.execute("PRAGMA cache_size = -32000")
        for text in questions(size):
            asked = " OR ".join(text.split()[1:])
            begin = time.thread_time()
            sql = "SELECT rowid, bm25(lexicon) FROM lexicon WHERE lexicon MATCH ? ORDER BY rank LIMIT 50"
            table.execute(sql, (asked,)).fetchall()
            times.append(1e3 * (time.thread_time() - begin))
    return float(np.median(times))


def bare(rows: Sequence[tuple[str, bytes]], batch: int) -> float:
    """Return how many rows a second SQLite commits, of a text and a vector each, with nothing else to do."""
    with tempfile.TemporaryDirectory() as folder:
        table = sqlite3.connect(Path(folder) / "bare.sqlite", isolation_level=None)
        table.execute("PRAGMA journal_mode = WAL")
        table.execute("PRAGMA synchronous = FULL")
        table.execute("CREATE TABLE item(num INTEGER PRIMARY KEY, text TEXT, emb BLOB)")
        begin = time.perf_counter()
        for start in range(0, len(rows), batch):
            table.execute("BEGIN IMMEDIATE")
            table.executemany("INSERT INTO item(text, emb) VALUES (?, ?)", rows[start : start + batch])
            table.execute("COMMIT")
        return len(rows) / (time.perf_counter() - begin)


def adds(table: Table, count: int) -> None:
    """Measure adding to a new memory, in batches and one by one, compared by key and by meaning."""
    every = [one for batch in drafts(0, count) for one in batch]
    for batch, keyed in ((BATCH, True), (BATCH, False), (1, True), (1, False)):
        chosen = [one if keyed else replace(one, key="") for one in (every if batch > 1 else every[:ALONE])]
        embedder = Clustered(count)
        rows = [
            (one.text, vector.tobytes())
            for one, vector in zip(chosen, embedder.embed([one.text for one in chosen]).astype(np.float16), strict=True)
        ]
        with tempfile.TemporaryDirectory() as folder, ExperienceMemory.open(folder, embedder=embedder) as memory:
            embedder.wall = embedder.cpu = 0.0
            wall, cpu = time.perf_counter(), time.process_time()
            for start in range(0, len(chosen), batch):
                memory.add_drafts(chosen[start : start + batch])
            wall, cpu = time.perf_counter() - wall - embedder.wall, time.process_time() - cpu - embedder.cpu
        limit = bare(rows, batch)
        table.add_row(
            f"adds, {batch:,} per transaction, {'with' if keyed else 'without'} a key",
            f"{len(chosen) / wall:,.0f}/s, CPU alone {len(chosen) / cpu:,.0f}/s",
            ">= 2,000/s" if batch > 1 else "",
            f"bare SQLite: {limit:,.0f}/s ({len(chosen) / wall / limit:.2f}x)",
        )


def report(table: Table, folder: Path, size: int) -> None:
    """Read, scan, and fill the table."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(read, (folder, size))
    truth, words = exactly(folder, size), fts5(folder, size)
    for name, (times, numbers) in found.dense.items():
        hits = sum(len(best & set(one)) for best, one in zip(truth.best[name], numbers, strict=True))
        recall = hits / sum(map(len, truth.best[name]))
        table.add_row(
            f"dense, filter of {PARTS[name]:.1%} ({truth.passing[name]:,})" if name else "dense",
            f"recall@{K} {recall:.4f}, {times}",
            "recall >= 0.99, p50 <= 5 ms" if name else "recall >= 0.95, p50 <= 1 ms",
            f"a scan: CPU {truth.cost[name]:.2f} ms ({truth.cost[name] / times.middle:.1f}x)",
        )
    both = truth.cost[""] + words
    against = f"FTS5 and a scan: CPU {both:.2f} ms ({both / found.hybrid.middle:.1f}x)"
    table.add_row("hybrid", str(found.hybrid), "p50 < 10 ms at 100,000", against)
    table.add_row("opened by a reader", f"{found.opened:.2f} s", "< 3 s")
    files = sum(path.stat().st_size for path in folder.glob("index*")) / 1e6
    vectors = 4 * DIMENSIONS * size / 1e6
    table.add_row(
        "index files",
        f"{files:,.0f} MB",
        "<= 700 MB",
        f"vectors in single precision: {vectors:,.0f} MB ({vectors / files:.1f}x)",
    )
    table.add_row(
        "a reader's memory", f"{found.resident:,.0f} MB, of it shared files {found.shared:,.0f} MB", "<= 700 MB"
    )


def main() -> None:
    """Fill, then ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=None, help="kept, and used again")
    parser.add_argument("--adds", type=int, default=10_000, help="number of items for the figures of adding")
    options = parser.parse_args()
    console = Console(width=150)
    console.print(f"load {os.getloadavg()[0]:.1f}")
    table = Table("", "figure", "bar, at 1,000,000", "against", title=f"A memory of {options.size:,} items")
    with tempfile.TemporaryDirectory(prefix="memory-bench-") as temporary:
        folder = options.folder or Path(temporary)
        fill(console, folder, options.size)
        report(table, folder, options.size)
    adds(table, options.adds)
    console.print(table)
    console.print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

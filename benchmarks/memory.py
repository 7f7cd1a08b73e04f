"""The memory's index and table on synthetic vectors: recall, latency, filters, adds.

    OMP_NUM_THREADS=1 nice python benchmarks/memory.py [--size 20000] [--folder DIR]

Vectors have 384 dimensions and lie in clusters (48 latent dimensions), texts are made of few words. A folder that was
filled before is used again. Left out so far: Chroma, mem0, and real text.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft, Where
from pathei.memory.retrieval import Ranking

DIMENSIONS = 384
BATCH = 1_000
QUERIES = 200
PARTS = {"w0": 0.001, "w1": 0.01, "w2": 0.1}
NOUNS = [f"thing{number}" for number in range(2_000)]


class Clustered:
    """An embedder that gives each number, in words, its fixed vector."""

    name = "clustered-384"
    dimensions = DIMENSIONS

    def __init__(self, size: int) -> None:
        """Prepare as many clusters as fit the size."""
        rng = np.random.default_rng(0)
        self._centres = rng.standard_normal((max(16, size // 250), 48), np.float32)
        self._out = rng.standard_normal((48, DIMENSIONS), np.float32)

    def embed(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the vectors of texts that begin with a number."""
        numbers = [int(text.split()[0]) for text in texts]
        latent = np.stack([
            self._centres[number % len(self._centres)]
            + 0.7 * np.random.default_rng(number).standard_normal(48, np.float32)
            for number in numbers
        ])  # fmt: skip
        found = latent @ self._out
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def draft(number: int, rng: np.random.Generator) -> Draft:
    """Make an item of one of four worlds."""
    chance, world = float(rng.random()), "w3"
    for name, part in PARTS.items():
        if chance < part:
            world = name
            break
        chance -= part
    words = " ".join(rng.choice(NOUNS, 12))
    return Draft("fact", f"{number} {words}", world, key=f"k{number}", time=1.0)


def fill(memory: ExperienceMemory, embedder: Clustered, size: int) -> None:
    """Add what is missing, and print how fast, less the embedder's time."""
    rng = np.random.default_rng(1)
    start, embedding, before = time.perf_counter(), 0.0, memory.stats()["items"]
    for first in range(before, size, BATCH):
        drafts = [draft(number, rng) for number in range(first, min(size, first + BATCH))]
        begin = time.perf_counter()
        embedder.embed([one.text for one in drafts])
        embedding += time.perf_counter() - begin
        memory.add_drafts(drafts)
    if size > before:
        # The embedder ran once for this figure and once within `add_drafts`.
        took = time.perf_counter() - start - 2 * embedding
        print(f"adds: {(size - before) / took:,.0f}/s, {BATCH} per transaction, index and drafts included")
    begin = time.perf_counter()
    if memory.stats()["index"]["since"]:
        memory.compact()
        print(f"index: made in {time.perf_counter() - begin:.1f} s")


def ask(memory: ExperienceMemory, embedder: Clustered, size: int, where: Where, ranking: Ranking, name: str) -> None:
    """Print recall@10 against an exact scan, and the latency of whole queries, the embedder's part left in."""
    places = [int(item.draft.text.split()[0]) for item in memory.items(where)]
    exact = np.concatenate([
        embedder.embed([str(number) for number in places[start : start + BATCH]]).astype(np.float16)
        for start in range(0, len(places), BATCH)
    ])  # fmt: skip
    rng = np.random.default_rng(2)
    times, hits = [], 0
    for number in range(QUERIES):
        text = f"{size + number} {' '.join(rng.choice(NOUNS, 8))}"
        begin = time.perf_counter()
        found = memory.query(text, 10, where, ranking=ranking)
        times.append(time.perf_counter() - begin)
        scores = exact.astype(np.float32) @ embedder.embed([text])[0]
        best = {places[row] for row in np.argpartition(-scores, min(10, len(scores) - 1))[:10]}
        hits += len(best & {int(hit.item.draft.text.split()[0]) for hit in found})
    recall = f"recall@10 {hits / (10 * QUERIES):.3f}, " if not ranking.lexical else ""
    p50, p95 = 1e3 * np.percentile(times, [50, 95])
    print(f"{name}: {recall}p50 {p50:.2f} ms, p95 {p95:.2f} ms, of {len(places):,} items")


def main() -> None:
    """Fill, then ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=None, help="kept, and used again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memory-bench-") as temporary:
        folder, embedder = options.folder or Path(temporary), Clustered(options.size)
        with ExperienceMemory.open(folder, embedder=embedder) as memory:
            fill(memory, embedder, options.size)
        begin = time.perf_counter()
        with ExperienceMemory.open(folder, embedder=embedder, mode="read") as memory:
            memory.stats()
            print(f"opened in {time.perf_counter() - begin:.2f} s")
            dense = Ranking(lexical=0)
            ask(memory, embedder, options.size, Where(), dense, "dense")
            for world, part in PARTS.items():
                ask(memory, embedder, options.size, Where(world=world), dense, f"dense, filter of {part:.1%}")
            ask(memory, embedder, options.size, Where(), Ranking(), "hybrid")


if __name__ == "__main__":
    main()

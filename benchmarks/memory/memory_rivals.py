"""The memory, Chroma and mem0 on the same texts and vectors: adds, queries, filters, recall, size on disk.

    python3 -m venv RIVALS && RIVALS/bin/pip install chromadb mem0ai
    OMP_NUM_THREADS=1 python benchmarks/memory/memory_rivals.py --rivals RIVALS/bin/python [--size 10000] [--folder DIR]

Texts are docstring sentences, questions are others. Rivals run as a user would run them offline, in their own
interpreter (`_memory_rivals.py`); all get their vectors from this process, from MiniLM if `pathei data get minilm` has
fetched it, else from character n-grams. The first table is of the stores alone: vectors were made before, and the time
of asking for them is taken off. The second, of `--model` texts, has the embedder's time within. Without `--rivals` only
this memory is measured: by meaning, which is what rivals do; by meaning and words, which is its default (recall is
against meaning alone); and by meaning from a graph. Times are wall time: rivals use all cores, this memory one.

`--folder` keeps vectors for the next run, including those of `retrieval.py`. Not here: servers and clouds.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from pathei.errors import DataError
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft, Filter
from pathei.memory.protocol import Embedder
from pathei.memory.retrieval.ranking import RankingConfig
from pathei.memory.storage.vectors import GRAPH_FROM

retrieval: Any = importlib.import_module("retrieval")

Figures = Mapping[str, Any]
"""What `_memory_rivals.py` writes."""

BATCH = 1_000
K = 10
ALONE = 500
QUESTIONS = 200
WORLDS = {"w1": 0.01, "w2": 0.1}
"""Parts of the items that filters let through."""
BAR = 5.0
INSTALL = "python3 -m venv RIVALS && RIVALS/bin/pip install chromadb mem0ai"


class Timed:
    """An embedder that knows how long it took."""

    def __init__(self, embedder: Embedder) -> None:
        """Stand before another."""
        self._embedder, self.wall = embedder, 0.0
        self.name, self.dimensions = embedder.name, embedder.dimensions

    def embed(self, texts: Sequence[str]) -> Any:
        """Return what the other returns."""
        begin = time.perf_counter()
        found = self._embedder.embed(texts)
        self.wall += time.perf_counter() - begin
        return found


def asked_of(texts: Sequence[str], questions: Sequence[str], alone: int, *, with_model: bool) -> dict[str, Any]:
    """Return the texts and questions for every memory; each text belongs to an environment."""
    edges = np.cumsum(list(WORLDS.values()))
    chances = np.random.default_rng(0).random(len(texts))
    envs = [[*WORLDS, "w3"][place] for place in np.searchsorted(edges, chances, side="right")]
    found = {"texts": texts, "of": envs, "questions": questions, "alone": alone, "worlds": list(WORLDS)}
    return found | {"with_model": with_model}


def ours(asked: Figures, embedder: Embedder, ranking: RankingConfig, *, graph: bool = False) -> dict[str, Any]:
    """Do here what `_memory_rivals.py` does there; the time of making a graph is part of adding in batches."""
    timed, count = Timed(embedder), len(asked["texts"])

    def took(call: Callable[[], Any]) -> tuple[float, Any]:
        timed.wall, begin = 0.0, time.perf_counter()
        found = call()
        return time.perf_counter() - begin - (0.0 if asked["with_model"] else timed.wall), found

    drafts = [
        Draft("fact", text, env, key=str(row), time=1.0)
        for row, (text, env) in enumerate(zip(asked["texts"], asked["of"], strict=True))
    ]
    graph_from = 1 if graph else GRAPH_FROM
    with (
        tempfile.TemporaryDirectory() as folder,
        ExperienceMemory.open(folder, embedder=timed, graph_from=graph_from) as memory,
    ):
        alone, adds = asked["alone"], dict[str, float]()
        adds["alone"] = alone / sum(took(lambda: memory.add_drafts([one]))[0] for one in drafts[:alone])  # noqa: B023
        if count > alone:
            parts = [drafts[start : start + BATCH] for start in range(alone, count, BATCH)]
            seconds = sum(took(lambda: memory.add_drafts(part))[0] for part in parts)  # noqa: B023
            adds["batch"] = (count - alone) / (seconds + (took(memory.compact)[0] if graph else 0.0))
        queries, cpu, done = {}, time.process_time(), 0
        for env in ("", *asked["worlds"]):
            where, times, found = Filter(env=env or None), [], []
            for text in asked["questions"]:
                seconds, hits = took(lambda: memory.query(text, K, where, ranking=ranking))  # noqa: B023
                times.append(1e3 * seconds)
                found.append([int(hit.item.draft.key) for hit in hits])
                done += 1
            queries[env] = {"p50": statistics.median(times), "found": found}
        cpu = 1e3 * (time.process_time() - cpu) / done
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    return {"version": "", "adds": adds, "queries": queries, "cpu": cpu, "bytes": size}


def theirs(python: Path, asked: Figures, embedder: Embedder) -> dict[str, dict[str, Any]]:
    """Run the rivals, serve them their vectors, and return their figures by name."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "asked.json").write_text(json.dumps(asked))
        with Listener(str(folder / "vectors.sock"), "AF_UNIX") as listener:
            threading.Thread(target=_serve, args=(listener, embedder), daemon=True).start()
            script = Path(__file__).with_name("_memory_rivals.py")
            done = subprocess.run([python, script, folder, listener.address], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"The rivals failed:\n{done.stderr[-2000:]}")
        return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json") if path.stem != "asked"}


def _serve(listener: Listener, embedder: Embedder) -> None:
    """Answer one rival after the other."""
    while True:
        try:
            with listener.accept() as line:
                while True:
                    line.send_bytes(embedder.embed(json.loads(line.recv_bytes())).tobytes())
        except EOFError:
            continue
        except OSError:
            return


def recall(asked: Figures, embedder: Embedder, found: Figures) -> str:
    """Return how many of the ten nearest were found, without a filter and with each."""
    vectors, envs = embedder.embed(asked["texts"]), np.array(asked["of"])
    parts = []
    for env, queries in found["queries"].items():
        rows = np.flatnonzero(envs == env) if env else np.arange(len(envs))
        scores = embedder.embed(asked["questions"]) @ vectors[rows].T
        best = rows[np.argsort(-scores, axis=1)[:, :K]]
        hits = sum(len(set(one.tolist()) & set(two)) for one, two in zip(best, queries["found"], strict=True))
        parts.append(f"{hits / max(1, best.size):.3f}")
    return " / ".join(parts)


def table_of(title: str, every: Mapping[str, Figures], recalls: Mapping[str, str]) -> Table:
    """Return the figures as a table, with the factor by which this memory is better than each rival."""
    table, first = Table("", *every, title=title), next(iter(every.values()))

    def line(name: str, value: Callable[[Figures], float | None], form: str, *, more_is_better: bool) -> None:
        best = value(first)
        cells = []
        for of in every.values():
            own = value(of)
            if own is None or best is None:
                cells.append("")
            else:
                ratio = "" if of is first else f" ({best / own if more_is_better else own / best:.1f}x)"
                cells.append(form.format(own) + ratio)
        table.add_row(name, *cells)

    for way, name in (
        ("batch", f"adds/s, then {BATCH:,} at once (mem0: one by one)"),
        ("alone", "adds/s, the first one by one"),
    ):
        line(name, lambda of: of["adds"].get(way), "{:,.0f}", more_is_better=True)  # noqa: B023
    for env in first["queries"]:
        name = f"query, filter of {WORLDS[env]:.0%}, p50" if env else "query, p50"
        line(name, lambda of: of["queries"][env]["p50"], "{:.2f} ms", more_is_better=False)  # noqa: B023
    line("CPU of a query, mean", lambda of: of["cpu"], "{:.2f} ms", more_is_better=False)
    table.add_row(f"recall@{K}: all, filters", *recalls.values())
    line("on disk", lambda of: of["bytes"] / 1e6, "{:.0f} MB", more_is_better=False)
    return table


def main() -> None:
    """Compare the stores, then all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rivals", type=Path, default=None, help="an interpreter that has chromadb and mem0ai")
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--model", type=int, default=300, help="number of texts whose embedding is timed as well")
    parser.add_argument("--folder", type=Path, default=None, help="where vectors are kept, and used again")
    options = parser.parse_args()
    console = Console(width=120)
    try:
        embedder = make_embedder("minilm")
    except DataError as error:
        console.print(f"MiniLM is left out: {error}")
        embedder = make_embedder("ngrams")
    if options.rivals is None:
        console.print(f"Chroma and mem0 are left out: {INSTALL}; then --rivals RIVALS/bin/python")
    texts = retrieval.sentences(max(20_000, options.size + QUESTIONS))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        known = retrieval.Known(embedder, texts if options.folder else texts[: options.size + QUESTIONS], folder)
    console.print(f"load {os.getloadavg()[0]:.1f}")
    questions, kept = texts[:QUESTIONS], texts[QUESTIONS : options.size + QUESTIONS]
    asked = asked_of(kept, questions, min(ALONE, options.size), with_model=False)
    small = asked_of(kept[: options.model], questions[:50], options.model, with_model=True)
    for title, chosen, using in (
        (f"The stores alone, {len(kept):,} sentences", asked, known),
        (f"With {embedder.name} within the time, {options.model} sentences", small, embedder),
    ):
        every = {
            "pathei": ours(chosen, using, RankingConfig(1, 0)),
            "pathei, words too": ours(chosen, using, RankingConfig()),
        }
        if not chosen["with_model"]:
            every["pathei, a graph"] = ours(chosen, using, RankingConfig(1, 0), graph=True)
        if options.rivals is not None:
            for name, of in theirs(options.rivals, chosen, using).items():
                every[f"{name} {of['version']}"] = of
        recalls = {name: recall(chosen, known, of) for name, of in every.items()}
        console.print(table_of(title, every, recalls))
    console.print(f"The bar is {BAR:.0f}x in adds and queries. Load {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()

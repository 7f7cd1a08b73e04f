"""Chroma and mem0 as a user would run them offline; `memory_rivals.py` starts this in the interpreter that has them.

    PYTHON benchmarks/memory/_memory_rivals.py FOLDER ADDRESS

The folder holds the questions (`asked.json`) and receives the results (`chroma.json`, `mem0.json`). Vectors come from
the process that listens at the address, so that all memories embed alike. Telemetry is off by documented switches; mem0
runs with `infer=False`, so that no language model is called. Nothing of pathei is imported. Not here: rivals that are
not installed, and undocumented settings.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import statistics
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

BATCH = 1_000
K = 10


class Vectors:
    """Asks for vectors, and keeps time."""

    def __init__(self, address: str) -> None:
        """Connect."""
        self._line: Connection = Client(address, "AF_UNIX")
        self.wall = 0.0

    def of(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of texts."""
        import numpy as np

        begin = time.perf_counter()
        self._line.send_bytes(json.dumps(texts).encode())
        found = np.frombuffer(self._line.recv_bytes(), np.float32).reshape(len(texts), -1).tolist()
        self.wall += time.perf_counter() - begin
        return found


class Watch:
    """Measures calls, with the embedder's time or without."""

    def __init__(self, vectors: Vectors, *, with_model: bool) -> None:
        """Measure calls that may embed."""
        self._vectors, self._with_model = vectors, with_model

    def __call__(self, call: Any) -> tuple[float, Any]:
        """Return how long a call took, in seconds, and what it returned."""
        self._vectors.wall, begin = 0.0, time.perf_counter()
        found = call()
        took = time.perf_counter() - begin
        return took if self._with_model else took - self._vectors.wall, found


def summary(asked: dict[str, Any], adds: dict[str, float], ask: Any, watch: Watch, folder: Path) -> dict[str, Any]:
    """Ask everything, and return the figures."""
    cpu, done = time.process_time(), 0
    queries = {}
    for world in ("", *asked["worlds"]):
        times, found = [], []
        for text in asked["questions"]:
            took, rows = watch(lambda: ask(text, world))  # noqa: B023
            times.append(1e3 * took)
            found.append(rows)
            done += 1
        queries[world] = {"p50": statistics.median(times), "found": found}
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    cpu = 1e3 * (time.process_time() - cpu) / done
    return {"adds": adds, "queries": queries, "cpu": cpu, "bytes": size}


def chroma(asked: dict[str, Any], vectors: Vectors, folder: Path) -> dict[str, Any]:
    """Chroma's persistent client, with an embedding function, adding in batches and one by one."""
    settings: Any = importlib.import_module("chromadb.config")
    functions: Any = importlib.import_module("chromadb.utils.embedding_functions")

    class Ours(functions.EmbeddingFunction):  # type: ignore[misc]
        def __init__(self) -> None:
            return None

        def __call__(self, input: Any) -> Any:
            return vectors.of(list(input))

    chromadb: Any = importlib.import_module("chromadb")
    client = chromadb.PersistentClient(str(folder), settings.Settings(anonymized_telemetry=False))
    collection = client.create_collection(
        "memory", embedding_function=Ours(), configuration={"hnsw": {"space": "cosine"}}
    )
    watch, adds = Watch(vectors, with_model=asked["with_model"]), {}

    def add(first: int, last: int) -> None:
        rows = range(first, last)
        collection.add(
            ids=[str(row) for row in rows],
            documents=asked["texts"][first:last],
            metadatas=[{"world": asked["of"][row]} for row in rows],
        )

    count, alone = len(asked["texts"]), asked["alone"]
    adds["alone"] = alone / sum(watch(lambda: add(row, row + 1))[0] for row in range(alone))  # noqa: B023
    if count > alone:
        starts = range(alone, count, BATCH)
        took = sum(watch(lambda: add(start, min(count, start + BATCH)))[0] for start in starts)  # noqa: B023
        adds["batch"] = (count - alone) / took

    def ask(text: str, world: str) -> list[int]:
        where = {"where": {"world": world}} if world else {}
        return [int(one) for one in collection.query(query_texts=[text], n_results=K, **where)["ids"][0]]

    return summary(asked, adds, ask, watch, folder)


def mem0(asked: dict[str, Any], vectors: Vectors, folder: Path) -> dict[str, Any]:
    """mem0's `Memory` over its default store, a local Qdrant, adding one by one, which is what it offers."""
    os.environ.update(MEM0_TELEMETRY="False", MEM0_DIR=str(folder), OPENAI_API_KEY="none")

    class Ours:
        def embed(self, text: str, memory_action: str | None = None) -> list[float]:
            return vectors.of([text])[0]

    dimensions = len(vectors.of(asked["texts"][:1])[0])
    place = {"path": str(folder / "qdrant"), "on_disk": True, "embedding_model_dims": dimensions}
    memory = importlib.import_module("mem0").Memory.from_config(
        {
            "vector_store": {"provider": "qdrant", "config": place},
            "history_db_path": str(folder / "history.db"),
        }
    )
    memory.embedding_model = Ours()
    watch = Watch(vectors, with_model=asked["with_model"])

    def add(row: int) -> None:
        data = {"world": asked["of"][row], "row": row}
        memory.add(asked["texts"][row], user_id="user", metadata=data, infer=False)

    count = len(asked["texts"])
    took = [watch(lambda: add(row))[0] for row in range(count)]  # noqa: B023
    adds = {"alone": asked["alone"] / sum(took[: asked["alone"]])}
    if count > asked["alone"]:
        adds["batch"] = (count - asked["alone"]) / sum(took[asked["alone"] :])

    def ask(text: str, world: str) -> list[int]:
        filters = {"user_id": "user"} | ({"world": world} if world else {})
        return [one["metadata"]["row"] for one in memory.search(text, top_k=K, filters=filters)["results"]]

    found = summary(asked, adds, ask, watch, folder)
    memory.close()
    return found


def main() -> None:
    """Measure what is installed."""
    folder, address = Path(sys.argv[1]), sys.argv[2]
    asked = json.loads((folder / "asked.json").read_text())
    for name, package, call in (("chroma", "chromadb", chroma), ("mem0", "mem0ai", mem0)):
        try:
            found = {"version": version(package)}
        except PackageNotFoundError:
            continue
        place = folder / name
        place.mkdir()
        found |= call(asked, Vectors(address), place)
        (folder / f"{name}.json").write_text(json.dumps(found))
        gc.collect()


if __name__ == "__main__":
    main()

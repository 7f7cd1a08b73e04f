"""Runs of a benchmark that are done once: each is a line of a file, from which a benchmark goes on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson


class KeptRuns:
    """What was measured, by the run's key."""

    def __init__(self, path: Path) -> None:
        """Read what is there.

        Args:
            path: The file, a JSON object with a `key` per line; made with the first run.
        """
        self._path = path
        lines = path.read_bytes().splitlines() if path.exists() else []
        self.done: dict[str, dict[str, Any]] = {line["key"]: line for line in map(orjson.loads, lines)}
        """The runs that are done."""

    def get(self, key: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return a run that is done, or do it, keep it with its processor seconds, and print all but its lists."""
        if key not in self.done:
            begun = time.process_time()
            row = {"key": key, **measure(), "seconds": time.process_time() - begun}
            with self._path.open("ab") as log:
                log.write(orjson.dumps(row) + b"\n")
            print({what: value for what, value in row.items() if not isinstance(value, list)}, flush=True)
            self.done[key] = row
        return self.done[key]

"""The manifest of a store: what it holds, who wrote to it, with what, and which sealed shards belong to it.

It is one small JSON file, replaced atomically; a shard that it does not list does not exist. Not here: the records.
"""

from __future__ import annotations

import dataclasses
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import starmap
from pathlib import Path
from typing import Any

import orjson

from ..errors import StoreError
from ..experience import SCHEMA_VERSION, Json
from .damage import Damage
from .durable import write_atomically
from .rows import EpisodeRow

LAYOUT_VERSION = 1
"""The version of the files and folders of a store; a store with a newer one is refused."""
TABLES = frozenset({"episodes", "steps", "failures"})
"""The tables of a shard; a table without rows has no file."""
NAME = "manifest.json"
"""The manifest's file name in the store's directory."""
_PACKAGES = ("pathei", "gymnasium", "numpy", "pyarrow", "orjson")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records of each kind; the counts of two sets of records add up."""

    trajectories: int = 0
    """Episodes and branches together."""
    branches: int = 0
    """Trajectories with a parent."""
    successes: int = 0
    """Trajectories whose goal held at the end."""
    steps: int = 0
    """Steps stored; a branch counts its own only."""
    failures: int = 0
    """Episodes that could not be played to their end."""
    collectors: Mapping[str, int] = field(default_factory=dict)
    """Trajectories by collector."""

    def __add__(self, other: Counts) -> Counts:
        names = {**self.collectors, **other.collectors}
        return Counts(
            self.trajectories + other.trajectories,
            self.branches + other.branches,
            self.successes + other.successes,
            self.steps + other.steps,
            self.failures + other.failures,
            {name: self.collectors.get(name, 0) + other.collectors.get(name, 0) for name in names},
        )

    def __str__(self) -> str:
        return f"{self.trajectories - self.branches:,} episodes, {self.steps:,} steps, {self.failures:,} failures"

    def rows(self) -> list[tuple[str, str]]:
        """Return the counts in words, for a table."""
        return [
            ("episodes", f"{self.trajectories - self.branches:,}"),
            ("branches", f"{self.branches:,}"),
            ("steps", f"{self.steps:,}"),
            ("reached their goal", f"{self.successes:,}"),
            ("failures", f"{self.failures:,}"),
            ("by collector", ", ".join(f"{name} {n:,}" for name, n in self.collectors.items()) or "none"),
        ]

    @staticmethod
    def of(row: EpisodeRow) -> Counts:
        """Return the counts of one trajectory."""
        return Counts(
            trajectories=1,
            branches=int(row.parent is not None),
            successes=int(row.success is True),
            steps=row.steps,
            collectors={row.collector: 1},
        )


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One sealed Parquet file."""

    name: str
    """Its name in the folder `shards`."""
    rows: int
    """Its number of rows."""
    bytes: int
    """Its size in bytes."""
    sha256: str
    """The SHA-256 (hex) of its content."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One sealed journal."""

    number: int
    """Its number, counted from 0; the journal that it was made of had the same."""
    counts: Counts
    """What it holds."""
    files: Mapping[str, ShardFile]
    """By table: `episodes`, `steps`, `failures`; a table without rows has no file."""


@dataclass(frozen=True, slots=True)
class Session:
    """One opening for writing."""

    started: str
    """When, in ISO 8601 (UTC)."""
    config: Mapping[str, Json]
    """The resolved configuration that the writer gave."""
    seeds: tuple[int, ...]
    """The seeds that the writer gave."""
    versions: Mapping[str, str]
    """Python's and the packages' versions."""
    trajectories: int
    """How many trajectories the store held before: the session's own come after these."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that a store says about itself."""

    created: str
    """When the store was made, in ISO 8601 (UTC)."""
    sessions: tuple[Session, ...] = ()
    """Every opening for writing, in order; none is ever overwritten."""
    shards: tuple[Shard, ...] = ()
    """The sealed shards, by number; the open journal has the next number."""
    layout: int = LAYOUT_VERSION
    """The version of the directory's form."""
    schema: int = SCHEMA_VERSION
    """The version of the records' form."""

    @property
    def counts(self) -> Counts:
        """What all sealed shards hold together."""
        return sum((shard.counts for shard in self.shards), Counts())

    def save(self, directory: Path, temporary: Path) -> None:
        """Replace the manifest of a store, atomically and durably.

        Raises:
            OSError: the disk refused.
        """
        write_atomically(directory / NAME, orjson.dumps(self, option=orjson.OPT_INDENT_2), temporary)


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a store holds, at one moment."""

    path: Path
    """Its directory."""
    created: str
    """When it was made, in ISO 8601 (UTC)."""
    sessions: tuple[Session, ...]
    """Every opening for writing: its configuration, seeds and package versions."""
    counts: Counts
    """The records by kind."""
    tasks_done: int
    """Tasks with a root trajectory."""
    shards: int
    """Sealed shards."""
    bytes: int
    """Size of shards and journal, in bytes; images are not in it."""
    images: int
    """Distinct images."""
    image_bytes: int
    """Their size, in bytes."""
    damage: tuple[Damage, ...] = ()
    """What could not be read when the store was opened."""

    @property
    def episodes(self) -> int:
        """Trajectories that are not branches."""
        return self.counts.trajectories - self.counts.branches


def now() -> str:
    """Return the present time in ISO 8601 (UTC, to the second)."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def session(config: Mapping[str, Json], seeds: Sequence[int], trajectories: int) -> Session:
    """Describe the session that begins now, with the versions of all that matters to a record.

    Raises:
        StoreError: the configuration is not plain JSON.
    """
    try:
        plain = orjson.loads(orjson.dumps(dict(config), option=orjson.OPT_SERIALIZE_NUMPY))
    except TypeError as error:
        raise StoreError(f"The configuration holds a value that is not plain JSON ({error}): make it plain.") from error
    if (number := not_finite(config)) is not None:
        raise StoreError(f"The configuration holds {number}, and JSON has finite numbers only: leave it out.")
    import importlib.metadata  # slow to import, and `import pathei` needs no version

    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        versions[name] = importlib.metadata.version(name)
    return Session(now(), plain, tuple(int(seed) for seed in seeds), versions, trajectories)


def not_finite(value: Any) -> float | None:
    """Return a number of plain JSON (or an array in it) that is not finite, if there is one."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, float):
            if not math.isfinite(one):
                return one
        elif isinstance(one, Mapping):
            rest += one.values()
        elif isinstance(one, list | tuple):
            rest += one
        elif hasattr(one, "tolist"):  # a numpy array or number
            rest.append(one.tolist())
    return None


def load(directory: Path) -> Manifest:
    """Read the manifest of a store.

    Raises:
        FileNotFoundError: there is none.
        StoreError: it is not a manifest, or was written by a newer pathei.
    """
    path = directory / NAME
    content = path.read_bytes()
    try:
        data = orjson.loads(content)
        if data["layout"] > LAYOUT_VERSION or data["schema"] > SCHEMA_VERSION:
            raise StoreError(
                f"The store {directory} was written by a newer pathei (layout {data['layout']}, schema"
                f" {data['schema']}; this one reads up to {LAYOUT_VERSION} and {SCHEMA_VERSION}): upgrade pathei."
            )
        sessions = tuple(Session(**{**entry, "seeds": tuple(entry["seeds"])}) for entry in data["sessions"])
        for one in sessions:
            if not isinstance(one.config, Mapping) or not isinstance(one.versions, Mapping):
                raise TypeError("a session's configuration and versions are mappings")
            _check_whole(one.trajectories)
        if not isinstance(data["created"], str):
            raise TypeError("the time when it was made is a text")
        return Manifest(data["created"], sessions, tuple(starmap(_shard, enumerate(data["shards"]))))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(
            f"{path} is not a manifest of pathei ({type(error).__name__}: {error}): restore it from a copy, or save"
            " what can be read with `pathei store salvage`."
        ) from error


def with_session(manifest: Manifest, started: Session) -> Manifest:
    """Return the manifest with one session more."""
    return dataclasses.replace(manifest, sessions=(*manifest.sessions, started))


def with_shard(manifest: Manifest, shard: Shard) -> Manifest:
    """Return the manifest with one shard more."""
    return dataclasses.replace(manifest, shards=(*manifest.shards, shard))


def _shard(number: int, data: Mapping[str, Json]) -> Shard:
    files = {table: ShardFile(**entry) for table, entry in data["files"].items()}
    counts = Counts(**data["counts"])
    if data["number"] != number or not set(files) <= TABLES or ("episodes" in files) != ("steps" in files):
        raise ValueError(f"the shard {number} is not what it should be")
    for file in files.values():
        if not isinstance(file.name, str) or "/" in file.name or not isinstance(file.sha256, str):
            raise TypeError(f"{file.name!r} is not the name of a shard's file")
        _check_whole(file.rows, file.bytes)
    totals = (counts.trajectories, counts.branches, counts.successes, counts.steps, counts.failures)
    _check_whole(*totals, *counts.collectors.values())
    return Shard(number, counts, files)


def _check_whole(*numbers: Json) -> None:
    for number in numbers:
        if type(number) is not int or number < 0:
            raise TypeError(f"{number!r} is not a count")

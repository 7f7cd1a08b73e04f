"""Joining stores: what several processes collected, on one machine or many, becomes one store.

Trajectories are joined by their id, which says task, collector and seed; so merging again, after more was collected or
after the merge was killed, adds what is new and doubles nothing. The sources are only read. A process that collects
one part of the tasks writes to `part-I-of-N` of the common directory, an ordinary store. Not here: which tasks are
whose (`pathei.collectors.sharding`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from ..errors import StoreError
from ..experience import Record, Trajectory, encode
from . import manifest as manifests
from .blobs import copy_images
from .experience_store import ExperienceStore
from .rows import EpisodeFlags

_BATCH: Final = 256
_PART: Final = re.compile(r"part-(\d+)-of-(\d+)")


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What one merge did."""

    trajectories: int
    """Trajectories that were added, branches included."""
    failures: int
    """Failures that were added."""
    known: int
    """Trajectories that were there already."""
    differing: tuple[str, ...]
    """The ids of trajectories that were left out because another episode has their id: the same task, collector and
    seed, and other actions, as two versions or two settings of a collector give. The first that came is kept."""
    left: tuple[str, ...]
    """The ids of trajectories that were left out because their parent or an image of theirs is lost."""
    absent: tuple[str, ...]
    """Parts that others name and that are not there yet: `part-2-of-4`."""
    damage: tuple[str, ...]
    """What could not be read of the sources."""


def part_folder(directory: Path, index: int, count: int) -> Path:
    """Return where one of several processes collects into.

    Args:
        directory: What they have in common.
        index: Which part, from 0.
        count: How many parts there are.

    Raises:
        StoreError: the directory is a store itself.
    """
    if (directory / manifests.NAME).exists():
        raise StoreError(f"{directory} is a store already, and holds no parts: collect the parts into a new directory.")
    return directory / f"part-{index}-of-{count}"


def merge(out: str | Path, sources: Iterable[str | Path]) -> MergeReport:
    """Add what several stores hold to one.

    Args:
        out: The store that is added to; it is made if it does not exist.
        sources: Stores, and directories of parts (`part-0-of-2`, ...), which need not be finished.

    Raises:
        StoreError: a source is no store, or `out`, or `out` cannot be written.
        StoreLockedError: another process writes to `out`.

    Warns:
        StoreDamageWarning: a source is damaged, and what is missing is left out.
    """
    target = Path(out)
    paths, absent = _stores(map(Path, sources))
    if any(path.resolve() == target.resolve() for path in paths):
        raise StoreError(f"{target} is what is added to, and cannot be a source as well: choose another one.")
    if not paths:
        raise StoreError(f"There is nothing to merge into {target}: name a store.")
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(ExperienceStore.open(path, mode="read")) for path in paths]
        sessions = [one for store in opened for one in store.info().sessions]
        config = {"command": "store merge", "from": [dataclasses.asdict(one) for one in sessions]}
        seeds = sorted({seed for one in sessions for seed in one.seeds})
        store = stack.enter_context(ExperienceStore.open(target, config=config, seeds=seeds))
        adding = _Merge(store)
        for source in opened:
            adding.add(source)
            flags = EpisodeFlags(source.path).read()
            EpisodeFlags(target).add({id_: given for id_, given in flags.items() if id_ in store})
        damage = tuple(f"{source.path}: {one}" for source in opened for one in source.damage)
        added = len(store) - adding.before
        return MergeReport(
            added, adding.failures, adding.known, tuple(adding.differing), tuple(adding.left), absent, damage
        )


class _Merge:
    """What the target holds, as far as joining needs it, and what became of the sources' records."""

    def __init__(self, store: ExperienceStore) -> None:
        self.before = len(store)
        self.failures = self.known = 0
        self.differing: list[str] = []
        self.left: list[str] = []
        self._store = store
        self._kept = {one.id: _digest(one) for one in store.trajectories()}
        self._failed = Counter(hashlib.sha256(encode(one)).digest() for one in store.failures())

    def add(self, source: ExperienceStore) -> None:
        """Add what is new of one store."""
        batch: list[Record] = []
        for record in self._new(source):
            batch.append(record)
            if len(batch) == _BATCH:
                self._store.append(*batch)
                batch = []
        self._store.append(*batch)

    def _new(self, source: ExperienceStore) -> Iterator[Record]:
        """Yield what the target does not hold, a parent before its branches."""
        lost = set[str]()
        for one in source.trajectories():
            digest = _digest(one)
            if one.parent is not None and one.parent.trajectory in lost:
                lost.add(one.id)  # named with its parent
            elif one.id in self._kept:
                if self._kept[one.id] == digest:
                    self.known += 1
                else:
                    lost.add(one.id)
                    self.differing.append(one.id)
            elif (one.parent is None or one.parent.trajectory in self._kept) and self._copied(one, source):
                self._kept[one.id] = digest
                yield one
            else:
                lost.add(one.id)
                self.left.append(one.id)
        # Failures have no ids. One that a source holds twice happened twice; one that two sources hold happened once.
        seen = Counter[bytes]()
        for failure in source.failures():
            digest = hashlib.sha256(encode(failure)).digest()
            seen[digest] += 1
            if seen[digest] > self._failed[digest]:
                self._failed[digest] += 1
                self.failures += 1
                if failure.played is not None:
                    self._copied(failure.played, source)
                yield failure

    def _copied(self, trajectory: Trajectory, source: ExperienceStore) -> bool:
        return copy_images(trajectory, source.image, self._store.put_image)


def _digest(trajectory: Trajectory) -> bytes:
    """Return what distinguishes two episodes: the task and what was done, and not how long it took."""
    actions = [step.action for step in trajectory.steps]
    what = (trajectory.task, trajectory.collector, trajectory.parent, actions, trajectory.final.text)
    return hashlib.sha256(orjson.dumps(what, option=orjson.OPT_SORT_KEYS)).digest()[:16]


def _stores(sources: Iterable[Path]) -> tuple[list[Path], tuple[str, ...]]:
    """Return the stores that are named, each once, and the parts that are missing among others."""
    found: dict[Path, None] = {}
    absent: list[str] = []
    for source in sources:
        parts = {} if (source / manifests.NAME).exists() else _parts(source)
        for path in parts.values() or [source]:
            found.setdefault(path)
        for count in sorted({count for _, count in parts}):
            absent += [f"part-{index}-of-{count}" for index in range(count) if (index, count) not in parts]
    return list(found), tuple(absent)


def _parts(directory: Path) -> dict[tuple[int, int], Path]:
    """Return the parts in a directory by their index and count, in that order."""
    named = ((_PART.fullmatch(path.name), path) for path in directory.glob("part-*-of-*"))
    return dict(sorted(((int(match[1]), int(match[2])), path) for match, path in named if match and path.is_dir()))

"""Saving what can be read of a damaged store into a new one; the damaged one is only read.

The manifest is not needed: without it, the shards and journals that are there are read. A trajectory is left behind,
and named, where its parent or an image that it shows is lost: a store does not hold a part of an episode.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import PatheiError, RecordError, StoreError
from ..experience import Failure, Record, Trajectory, decode, encode
from . import manifest as manifests
from .blobs import Blobs, copy_images
from .damage import Damage, Losses
from .experience_store import ExperienceStore
from .journal import scan_file
from .manifest import TABLES, Counts, Manifest, Shard, ShardFile

_BATCH = 256


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """What was saved, and what was not."""

    trajectories: int
    """Trajectories in the new store, branches included."""
    failures: int
    """Failures in the new store."""
    damage: tuple[Damage, ...]
    """What could not be read."""
    left: tuple[str, ...]
    """The ids of trajectories that could be read and were left behind: a parent or an image of theirs is lost, or a
    store does not take them any more (an empty id)."""


def salvage(path: str | Path, out: str | Path) -> SalvageReport:
    """Save what can be read of a store into a new one, in the same order.

    Args:
        path: The damaged store.
        out: The directory of the new one; it must be empty or not there.

    Raises:
        StoreError: `path` holds nothing of a store, or `out` is not empty or cannot be written.
    """
    source, target = Path(path), Path(out)
    if not any(source.glob("shards/*.parquet")) and not any(source.glob("journal-*.log")):
        raise StoreError(f"There is nothing to salvage in {source}: it holds neither shards nor a journal.")
    if target.exists() and any(target.iterdir()):
        raise StoreError(f"{target} is not empty: choose a new directory for what is saved.")
    losses, left, failures = Losses(source), list[str](), 0
    try:
        manifest = manifests.load(source)
    except (OSError, StoreError) as error:
        losses.add(source / manifests.NAME, None, str(error).rstrip("."))
        manifest = Manifest(manifests.now())
    config = {"salvaged": source.name, "sessions": [dataclasses.asdict(one) for one in manifest.sessions]}
    blobs = Blobs(source / "blobs")
    with ExperienceStore.open(target, config=config) as store:
        kept, batch = set[str](), list[Record]()
        for record in _records(source, manifest, losses):
            if isinstance(record, Failure):
                failures += 1
                if record.played is not None:
                    copy_images(record.played, blobs.get, store.put_image)
            elif record.id in kept:
                continue
            elif (record.parent is None or record.parent.trajectory in kept) and copy_images(
                record, blobs.get, store.put_image
            ):
                kept.add(record.id)
            else:
                left.append(record.id)
                continue
            batch.append(record)
            if len(batch) == _BATCH:
                left += _append(store, batch)
                batch = []
        left += _append(store, batch)
        return SalvageReport(len(store), failures, losses.found, tuple(left))


def _append(store: ExperienceStore, batch: Sequence[Record]) -> list[str]:
    """Append records, one by one where a store does not take them any more, and return the ids of those refused."""
    try:
        store.append(*batch)
    except RecordError:
        refused = []
        for record in batch:
            try:
                store.append(record)
            except (RecordError, StoreError):
                refused.append(record.id if isinstance(record, Trajectory) else record.task.id)
        return refused
    return []


def _records(source: Path, manifest: Manifest, losses: Losses) -> Iterator[Record]:
    """Yield what can be read, shard by shard and journal by journal; a failure that both hold is yielded once.

    Sizes and rows are taken from the files: the manifest, which may be damaged too, adds what is not there any more.
    """
    from .sealed.shards import ShardReader

    journals = {int(path.stem.rpartition("-")[2]): path for path in source.glob("journal-*.log")}
    listed = {shard.number: shard for shard in manifest.shards}
    for number, found in _files_on_disk(source).items():
        if number in listed:
            files = {**listed[number].files, **found}
            listed[number] = dataclasses.replace(listed[number], files=files)
        elif number not in journals or not manifest.shards:
            rows = found["episodes"].rows if "episodes" in found else 0
            listed[number] = Shard(number, Counts(trajectories=rows), found)
    for number in sorted({*journals, *listed}):
        sealed = set[bytes]()
        if number in listed:
            reader = ShardReader(listed[number], source / "shards", losses)
            yield from reader.trajectories(lambda *_: True)
            for failure in reader.failures():
                sealed.add(encode(failure))
                yield failure
        for line in scan_file(journals[number], losses) if number in journals else ():
            try:
                record = decode(line)
            except PatheiError as error:
                losses.add(journals[number], line, str(error).rstrip("."), 1)
                continue
            if isinstance(record, Trajectory) or encode(record) not in sealed:
                yield record


def _files_on_disk(source: Path) -> dict[int, dict[str, ShardFile]]:
    """Describe the files of shards that are there, by number and table."""
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    files: dict[int, dict[str, ShardFile]] = {}
    for path in sorted((source / "shards").glob("*.parquet")):
        number, _, table = path.name.removesuffix(".parquet").partition(".")
        if number.isdigit() and table in TABLES:
            try:
                rows = int(pq.ParquetFile(path).metadata.num_rows)
            except (OSError, pa.ArrowException):
                rows = 0
            files.setdefault(int(number), {})[table] = ShardFile(path.name, rows, path.stat().st_size, "")
    return files

"""ExperienceStore: a directory to which one process appends and from which any number of them read.

    manifest.json       what the store holds and who wrote it (see `manifest`)
    journal-000002.log  the records since the last sealing, durable frame by frame (see `journal`)
    shards/             sealed journals as Parquet (see `shards`)
    blobs/              images by content (see `blobs`)
    tmp/                unfinished files; whatever is in it when a writer opens the store is thrown away
    lock                the writer's process id

`append` returns when the disk has the records. A full journal is sealed: its shard is published, then the manifest that
lists it, and only then the journal removed. As both bear one number, a crash in between leaves records that are listed
once: a journal that the manifest has as a shard is dead. Memory holds one small entry per trajectory and never the
records. Not here: deleting and changing. Experience stays as it was recorded; corpora and indexes are made from it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from ..errors import StoreError, path_of, unknown
from ..experience import Failure, Json, Record, Task, Trajectory, decode, encode, html_table
from . import manifest as manifests
from .blobs import Blobs, image_names
from .catalog import Catalog, check_finite
from .damage import Damage, Losses
from .durable import WriterLock, explained, publish, sha256_of, sync_directory, uncollected
from .journal import MAX_PAYLOAD, JournalWriter, frames, read_frame
from .manifest import Counts, Manifest, StoreInfo
from .rows import EpisodeRow, row_of
from .view import ManifestFile, StoreView, check_age, claim, journal_path, pinned

if TYPE_CHECKING:
    from .sealed.shards import ShardReader

_LOG = logging.getLogger(__name__)
JOURNAL_BYTES = 64 << 20
"""A journal of this size is sealed before the next append, in bytes."""
_OPEN_SHARDS = 8


class ExperienceStore:
    """The experience of one or many collectors; make one with `ExperienceStore.open`.

    An open store belongs to one thread. One that was opened for reading follows a writer: every call sees all that was
    committed when it began, and an iterator what was committed when its first record was asked for.
    """

    def __init__(self, path: Path, *, journal_bytes: int = JOURNAL_BYTES) -> None:
        """Prepare a closed store; `open` is the way in."""
        self.path = path
        self._journal_bytes = journal_bytes
        self._blobs = Blobs(path / "blobs")
        self._catalog = Catalog()
        self._counts = Counts()
        self._file = ManifestFile(path)
        self._losses = Losses(path)
        self._frame: tuple[tuple[int, int], list[bytes]] = ((-1, -1), [])
        """What was last read of the journal: its number, the frame's offset, the records."""
        self._manifest = Manifest("")
        self._scanned = 0
        self._readers: dict[int, ShardReader] = {}
        self._lock: WriterLock | None = None
        self._journal: JournalWriter | None = None

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        mode: Literal["append", "read"] = "append",
        config: Mapping[str, Json] | None = None,
        seeds: Sequence[int] = (),
        journal_bytes: int = JOURNAL_BYTES,
    ) -> Self:
        """Open a store, for use in a `with` statement.

        Args:
            path: Its directory; made, with its parents, if it is not there and the mode is `append`.
            mode: `append` takes the writer's lock and begins a session; `read` changes nothing on the disk.
            config: The writer's resolved configuration, plain JSON; recorded with the session.
            seeds: The writer's seeds; recorded with the session.
            journal_bytes: At which size the journal is sealed into a shard.

        Raises:
            ConfigError: the path is none.
            StoreError: there is no store, a newer pathei wrote it, it is damaged, or the directory is not writable.
            StoreLockedError: another process is writing to it.
        """
        if mode not in ("append", "read"):
            raise unknown("mode of a store", mode, ["append", "read"])
        store = cls(path_of(path, "store"), journal_bytes=journal_bytes)
        try:
            if mode == "append":
                store._open_for_writing(config or {}, seeds)
            else:
                store._refresh()
        except BaseException:
            store.close()
            raise
        return store

    def __repr__(self) -> str:
        return f"ExperienceStore({str(self.path)!r}, {self._counts})"

    def _repr_html_(self) -> str:
        return html_table(("store", str(self.path)), self._counts.rows())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files and free the lock. Nothing is lost without it: what `append` took is already on the disk."""
        self._readers.clear()
        try:
            if self._journal is not None:
                self._journal.close(trim=self._lock is not None and self._lock.mine)
        finally:
            if self._lock is not None:
                self._lock.release()

    # Writing

    def append(self, *records: Record, encoded: Sequence[bytes] | None = None) -> None:
        """Store records durably, all of them or none; a search tree comes in one call, its root first.

        Args:
            records: Trajectories and failures; a branch comes after its parent.
            encoded: What `encode` made of each, where they were decoded from that: it need not be made again.

        Raises:
            RecordError: a record does not have the form of its class.
            StoreError: an id is taken, a parent or an image is not in the store, or the disk refused.
        """
        journal = self._writer()
        if not records:
            return
        self._catalog.check(records)
        for record in records:
            if isinstance(record, Trajectory):
                self._blobs.check(record)
        lines = list(map(encode, records)) if encoded is None else encoded
        for record, line in zip(records, lines, strict=True):
            check_finite(record, line)
        payload = b"\n".join(lines)
        if len(payload) > MAX_PAYLOAD:
            raise StoreError(f"One append takes up to {MAX_PAYLOAD} bytes, and this is {len(payload)}: split it.")
        if journal.size >= self._journal_bytes:
            # Before the write, not after: if sealing fails, nothing of this call is stored, as the error says.
            self.seal()
            journal = self._writer()
        with explained(journal.path):
            offset = journal.append(payload)
        rows = [EpisodeRow.of(one) if isinstance(one, Trajectory) else None for one in records]
        self._enter(rows, offset, journal.size)

    def put_image(self, data: bytes) -> str:
        """Store an image durably and return its SHA-256 (hex), the name that an `Observation` gives.

        Raises:
            StoreError: the store is not open for writing, or the disk refused.
        """
        self._writer()
        with explained(self._blobs.directory):
            return self._blobs.put(data, self.path / "tmp" / "image.tmp")

    def seal(self) -> None:
        """Turn the journal into a shard now; `append` does it when the journal is full.

        Raises:
            StoreError: the disk refused. Nothing is lost: the journal stays as it is.
        """
        journal = self._writer()
        if journal.size == 0:
            return
        from .sealed.shards import ShardWriter

        folder = self.path / "shards"
        with explained(folder), uncollected():
            with self._viewing() as view, ShardWriter(len(view.manifest.shards), self.path / "tmp") as writer:
                for line in view.lines():
                    writer.add(line)
                shard, temporary = writer.finish()
            for table, path in temporary.items():
                publish(path, folder / shard.files[table].name)
            manifest = manifests.with_shard(self._manifest, shard)
            journal.broken = True  # whatever stops this: once the manifest has the shard, the journal is dead
            manifest.save(self.path, self.path / "tmp" / "manifest.tmp")
            journal.close()
            os.unlink(journal.path)
        self._adopt(manifest)
        self._open_journal()

    # Reading

    def __len__(self) -> int:
        """The number of trajectories, branches included."""
        self._refresh()
        return len(self._catalog.places)

    def __contains__(self, id_: object) -> bool:
        """Whether there is a trajectory of that id."""
        self._refresh()
        return id_ in self._catalog.places

    def trajectories(
        self, *, collector: str | None = None, success: bool | None = None, roots: bool = False
    ) -> Iterator[Trajectory]:
        """Yield the trajectories in append order, holding a few at a time.

        Args:
            collector: Only those that this collector played.
            success: Only those whose goal held at the end (True) or did not (False); one whose success is unknown is
                neither.
            roots: Only those without a parent.

        Warns:
            StoreDamageWarning: a shard or the journal is damaged, and what is missing is left out; see `damage`.
        """

        def keep(name: str, won: bool | None, root: bool) -> bool:
            return (
                (collector is None or name == collector) and (success is None or won is success) and (root or not roots)
            )

        with self._viewing() as view:
            for shard in view.manifest.shards:
                yield from self._reader(view.manifest, shard.number).trajectories(keep)
            for record in map(decode, view.lines(self._losses)):
                if isinstance(record, Trajectory) and keep(record.collector, record.success, record.parent is None):
                    yield record

    def rows(self) -> Iterator[EpisodeRow]:
        """Yield one line for each trajectory, in append order; of sealed shards no step is read.

        Warns:
            StoreDamageWarning: as for `trajectories`.
        """
        with self._viewing() as view:
            for shard in view.manifest.shards:
                yield from self._reader(view.manifest, shard.number).lines()
            yield from filter(None, map(row_of, view.lines(self._losses)))

    def failures(self) -> Iterator[Failure]:
        """Yield the failures in append order.

        Warns:
            StoreDamageWarning: a shard or the journal is damaged, and what is missing is left out; see `damage`.
        """
        with self._viewing() as view:
            for shard in view.manifest.shards:
                yield from self._reader(view.manifest, shard.number).failures()
            yield from (record for record in map(decode, view.lines(self._losses)) if isinstance(record, Failure))

    def get(self, id_: str) -> Trajectory:
        """Return one trajectory, in milliseconds wherever it lies.

        Raises:
            StoreError: there is none of that id, or its shard is damaged.
        """
        self._refresh()
        place = self._catalog.places.get(id_)
        if place is None:
            hint = f"; what is damaged in it: {'; '.join(map(str, self.damage))}" if self.damage else ""
            raise StoreError(f"The store {self.path} holds no trajectory {id_!r}{hint}.")
        if place.shard < len(self._manifest.shards):
            return self._reader(self._manifest, place.shard).trajectory(place.group, place.row)
        if self._frame[0] != place[:2]:
            with self._viewing() as view:
                if len(view.manifest.shards) > place.shard:
                    return self.get(id_)  # sealed since
                frame = None if view.handle is None else read_frame(view.handle, place.group, view.end)
            self._frame = place[:2], [] if frame is None else frame.payload.split(b"\n")
        record = decode(self._frame[1][place.row]) if self._frame[1] else None
        if not isinstance(record, Trajectory):
            raise StoreError(f"The journal of {self.path} is damaged at byte {place.group}: restore it from a copy.")
        return record

    def expand(self, trajectory: Trajectory) -> Trajectory:
        """Return a branch as a whole episode: the steps that it shares with its parents, then its own.

        The result has no parent, as nothing is left out of it. A root is returned as it is.

        Raises:
            StoreError: a parent is not in the store.
        """
        parts, parent = [trajectory.steps], trajectory.parent
        keep: int | None = None
        while parent is not None:
            keep = parent.step if keep is None else min(keep, parent.step)
            ancestor = self.get(parent.trajectory)
            shared = 0 if ancestor.parent is None else ancestor.parent.step
            parts.append(ancestor.steps[: max(0, keep - shared)])
            parent = ancestor.parent
        if len(parts) == 1:
            return trajectory
        return replace(trajectory, steps=tuple(step for part in reversed(parts) for step in part), parent=None)

    def image(self, sha256: str) -> bytes:
        """Return the bytes of an image, verified against its name.

        Raises:
            StoreError: there is no such image, or the file is damaged.
        """
        return self._blobs.get(sha256)

    def has_images(self) -> bool:
        """Whether the store holds any image; looks at one file at most."""
        return any(True for _ in self._blobs.directory.glob("*/*"))

    def done(self, collector: str | None = None) -> frozenset[str]:
        """Return the ids of the tasks with a root trajectory; a failure does not make a task done.

        Args:
            collector: Only what this collector has played counts; what any has, if None.
        """
        self._refresh()
        return frozenset(id_ for id_, by in self._catalog.done.items() if collector is None or collector in by)

    def remaining(self, tasks: Iterable[Task], collector: str | None = None) -> list[Task]:
        """Return the tasks that are not done (see `done`), in their order: what a resumed run has to play."""
        done = self.done(collector)
        return [task for task in tasks if task.id not in done]

    def info(self) -> StoreInfo:
        """Count what the store holds."""
        self._refresh()
        manifest, usage = self._manifest, self._blobs.usage()
        sealed = sum(file.bytes for shard in manifest.shards for file in shard.files.values())
        return StoreInfo(
            self.path,
            manifest.created,
            manifest.sessions,
            self._counts,
            len(self._catalog.done),
            len(manifest.shards),
            sealed + self._scanned,
            usage.images,
            usage.bytes,
            self.damage,
        )

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What could not be read so far, since this store was opened; `check` looks for all of it."""
        return self._losses.found

    def check(self) -> tuple[Damage, ...]:
        """Read every record and every image that is named, and compare sealed files with their SHA-256.

        Returns:
            What is missing or damaged; nothing if all is as it was written.
        """
        with self._viewing() as view:
            for file in (file for shard in view.manifest.shards for file in shard.files.values()):
                path = self.path / "shards" / file.name
                if not path.exists():
                    self._losses.add(path, None, "it is missing, and manifest.json lists it", file.rows)
                elif sha256_of(path) != file.sha256:
                    self._losses.add(path, "sha256", "its SHA-256 is not that in manifest.json")
            view.note_lost_end(self._losses, len(self))
        users: dict[str, list[str]] = {}
        for trajectory in self.trajectories():
            for name in set(image_names(trajectory)):
                users.setdefault(name, []).append(trajectory.id)
        for _ in self.failures():
            pass
        for name in sorted(users):
            try:
                self._blobs.get(name)
            except StoreError as error:
                self._losses.add(self._blobs.path(name), None, str(error).rstrip("."), None, users[name])
        return self._losses.found

    def verify(self) -> None:
        """Do as `check`, and refuse what is damaged.

        Raises:
            StoreError: something is damaged; the message names the files and what is missing.
        """
        if found := self.check():
            raise StoreError(
                f"The store {self.path} is damaged: {'; '.join(map(str, found))}; restore what is damaged from a copy,"
                f" or save what can be read with `pathei store salvage {self.path} NEW`."
            )

    # Inside

    def _open_for_writing(self, config: Mapping[str, Json], seeds: Sequence[int]) -> None:
        temporary = self.path / "tmp" / "manifest.tmp"
        with explained(self.path):
            claim(self.path)
            self._lock = WriterLock(self.path / "lock")
            for name in ("tmp", "shards"):
                (self.path / name).mkdir(exist_ok=True)
            for leftover in (self.path / "tmp").iterdir():
                _LOG.info("Removed %s, which an earlier writer left unfinished.", leftover)
                leftover.unlink()
            if not (self.path / manifests.NAME).exists():
                Manifest(manifests.now()).save(self.path, temporary)
            self._adopt(self._file.load())
            check_age(self.path, len(self._manifest.shards))
            self._open_journal()
            with self._viewing() as view:
                self._scan(view)
            if self.damage:
                raise StoreError(
                    f"The store {self.path} can be read, and not be written to, as it is damaged:"
                    f" {'; '.join(map(str, self.damage))}; restore what is damaged from a copy, or make a sound store"
                    f" of the rest with `pathei store salvage {self.path} NEW`."
                )
            started = manifests.session(config, seeds, len(self._catalog.places))
            self._manifest = manifests.with_session(self._manifest, started)
            self._manifest.save(self.path, temporary)

    @property
    def _current(self) -> bool:
        """Whether this is the writer and knows all that is in the store: no write of its failed or was stopped."""
        lock, journal = self._lock, self._journal
        if lock is None or not lock.mine or journal is None:
            return False
        return not journal.broken and self._scanned == journal.size

    def _writer(self) -> JournalWriter:
        if self._lock is None:
            raise StoreError(f"The store {self.path} is open for reading only: open it with mode='append'.")
        if not self._lock.mine or self._journal is None:
            raise StoreError(f"The store {self.path} is not open for writing in this process: open it here.")
        if not self._current:
            raise StoreError(
                f"An earlier write to the store {self.path} failed or was stopped: fix the cause, then open the store"
                " again."
            )
        return self._journal

    def _open_journal(self) -> None:
        with explained(self.path):
            self._journal = JournalWriter(journal_path(self.path, len(self._manifest.shards)))
            sync_directory(self.path)

    def _refresh(self) -> None:
        """Catch up with the writer; a writer itself is up to date, unless a write of its was stopped."""
        if not self._current:
            with self._viewing() as view:
                self._adopt(view.manifest)
                self._scan(view)

    def _adopt(self, manifest: Manifest) -> None:
        """Enter the shards that are new in a manifest; their records may have been known from their journal."""
        fresh = manifest.shards[len(self._manifest.shards) :]
        for shard in fresh:
            for entry in self._reader(manifest, shard.number).entries():
                at = (shard.number, entry.group, entry.row)
                self._catalog.add(entry.id, entry.task_id, entry.collector, entry.parent, entry.n_steps, at)
        if fresh:
            self._counts, self._scanned = manifest.counts, 0
        self._manifest = manifest

    def _scan(self, view: StoreView) -> None:
        """Enter the journal's records that are not known yet."""
        if view.handle is not None:
            for frame in frames(view.handle, view.journal, self._scanned, view.end, self._losses):
                self._enter(map(row_of, frame.payload.split(b"\n")), frame.offset, frame.end)

    def _enter(self, records: Iterable[EpisodeRow | None], offset: int, end: int) -> None:
        """Enter the records of a frame of the journal: the lines of trajectories, None for failures."""
        counts = self._counts
        for place, row in enumerate(records):
            counts += Counts(failures=1) if row is None else Counts.of(row)
            if row is not None:
                at = (len(self._manifest.shards), offset, place)
                self._catalog.add(row.id, row.task_id, row.collector, row.parent, row.steps, at)
        self._counts, self._scanned = counts, end  # at the end: a frame that was interrupted is entered again

    def _viewing(self) -> AbstractContextManager[StoreView]:
        return pinned(self.path, self._file, (len(self._manifest.shards), self._scanned))

    def _reader(self, manifest: Manifest, number: int) -> ShardReader:
        from .sealed.shards import ShardReader

        if number not in self._readers:
            while len(self._readers) >= _OPEN_SHARDS:
                self._readers.pop(next(iter(self._readers)))
            self._readers[number] = ShardReader(manifest.shards[number], self.path / "shards", self._losses)
        return self._readers[number]

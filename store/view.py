"""A view of a store: what was committed at one moment, readable to its end while the writer goes on.

No lock is needed. The writer lists a journal's shard in the manifest before it removes the journal; so, when a journal
is gone and the manifest is still the same, there was none yet, and a journal that is open stays readable after it is
unlinked. Not here: what the records are (see `store`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import StoreError
from . import manifest as manifests
from .damage import Losses
from .durable import is_locked
from .journal import filled, frames, scan_file
from .manifest import Manifest

_OURS = {"lock", "tmp", "shards", "blobs"}


class StoreView(NamedTuple):
    """The sealed shards and the open journal of one moment."""

    manifest: Manifest
    """The manifest: its shards come first."""
    journal: Path
    """The journal after them."""
    handle: int | None
    """The journal, open for reading; None if there is none yet."""
    end: int
    """How far it was written at that moment, in bytes."""

    def lines(self, losses: Losses | None = None) -> Iterator[bytes]:
        """Yield the encoded records of the journal in order.

        Args:
            losses: Where damaged frames are noted and skipped, if not None.

        Raises:
            StoreError: the journal is damaged, and there are no `losses` to note it.
        """
        if self.handle is not None:
            for frame in frames(self.handle, self.journal, 0, self.end, losses):
                yield from frame.payload.split(b"\n")

    def note_lost_end(self, losses: Losses, count: int) -> None:
        """Note what the end of the journal lacks, unless somebody is writing to it.

        That are bytes which are no whole record, as a killed writer or a truncated copy leaves them, and trajectories
        that were there when the last session began. What else a lost end held, nobody knows.

        Args:
            losses: Where it is noted.
            count: How many trajectories can be read.
        """
        if is_locked(self.journal.with_name("lock")):
            return
        if self.handle is not None:
            for _ in scan_file(self.journal, losses):
                pass
        before = self.manifest.sessions[-1].trajectories if self.manifest.sessions else 0
        if count < before and not losses.found:
            reason = f"its end is lost: the last session began with {before} trajectories, and {count} are left"
            losses.add(self.journal, "end", reason, before - count)


class ManifestFile:
    """The manifest of a store that others may replace; parsed again only when it was."""

    def __init__(self, directory: Path) -> None:
        """Name the store's directory."""
        self._directory = directory
        self._seen: tuple[tuple[int, int, int], Manifest] | None = None

    def load(self) -> Manifest:
        """Return the manifest as it is now.

        Raises:
            StoreError: there is no store, it is damaged, or a newer pathei wrote it.
        """
        try:
            status = os.stat(self._directory / manifests.NAME)
            identity = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._seen is None or self._seen[0] != identity:
                self._seen = (identity, manifests.load(self._directory))
            return self._seen[1]
        except (FileNotFoundError, NotADirectoryError):
            advice = "check the path; `pathei collect` makes one"
            if any(self._directory.glob("part-*-of-*")):
                advice = f"it holds the parts of one, which `pathei store merge NEW {self._directory}` joins"
            raise StoreError(
                f"There is no experience store at {self._directory} (no {manifests.NAME} in it): {advice}."
            ) from None
        except OSError as error:
            raise StoreError(f"The store {self._directory} cannot be read ({error.strerror}).") from error


def journal_path(directory: Path, number: int) -> Path:
    """Return where the journal of that number lies; it becomes the shard of the same number."""
    return directory / f"journal-{number:06d}.log"


def claim(directory: Path) -> None:
    """Make the directory of a store, or refuse one that is somebody else's: nothing of theirs is touched.

    Raises:
        StoreError: it has no manifest, and something in it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / manifests.NAME).exists():
        foreign = {entry.name for entry in directory.iterdir() if entry.name not in _OURS}
        foreign |= {entry.name for entry in (directory / "shards").glob("*")}
        if foreign:
            raise StoreError(
                f"{directory} has no {manifests.NAME}, so it is not an experience store, and is not empty"
                f" ({min(foreign)!r} is in it): choose a new directory, or restore the manifest from a copy."
            )


def check_age(directory: Path, number: int) -> None:
    """Remove a journal that a crash left after its sealing; refuse a manifest that is older than the shards.

    Args:
        directory: The store's directory, whose lock the caller has.
        number: How many shards its manifest lists.

    Raises:
        StoreError: there are newer shards.
    """
    if number:
        journal_path(directory, number - 1).unlink(missing_ok=True)
    newer = (directory / "shards").glob(f"{number:06d}.*")
    if not journal_path(directory, number).exists() and any(newer):
        raise StoreError(
            f"The manifest of {directory} is older than its shards (it does not list number {number}): restore the"
            " newest manifest."
        )


@contextlib.contextmanager
def pinned(directory: Path, file: ManifestFile, known: tuple[int, int] = (0, 0)) -> Iterator[StoreView]:
    """Pin what is committed now, for as long as the block runs.

    Args:
        directory: The store's directory.
        file: Its manifest.
        known: The number of the journal that the caller has read last, and how far, in bytes.
    """
    manifest, handle = file.load(), None
    journal = journal_path(directory, len(manifest.shards))
    while handle is None:
        try:
            handle = os.open(journal, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            again = file.load()
            if len(again.shards) == len(manifest.shards):
                break
            manifest, journal = again, journal_path(directory, len(again.shards))
    try:
        start = known[1] if known[0] == len(manifest.shards) else 0
        yield StoreView(manifest, journal, handle, 0 if handle is None else filled(handle, start))
    finally:
        if handle is not None:
            os.close(handle)

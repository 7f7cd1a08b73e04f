"""What every export shares: which episodes, where to, and what was written. Each format is a module of this package.

An export streams: one episode is held at a time. Its file or folder appears, whole, when it is finished.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..errors import ExportError
from ..experience import Parent, Trajectory
from ..store import ExperienceStore, flagged, image_names
from ..store.blobs import media_type
from ..store.durable import publish, sync_directory


class ExportCounts(NamedTuple):
    """What an exporter wrote."""

    episodes: int
    """Trajectories that are in the export."""
    rows: int
    """Lines, rows or documents."""
    skipped: int = 0
    """Trajectories left out because they have no step, and so nothing to learn from."""
    images: int = 0
    """Distinct images copied next to the export, or rows with images embedded in it."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export made."""

    format: str
    """Its format."""
    path: Path
    """The file or folder."""
    written: ExportCounts
    """What is in it."""
    bytes: int
    """Its size, in bytes; images next to it are not counted."""


class ExportEpisode(NamedTuple):
    """A trajectory on its way out."""

    whole: Trajectory
    """With the steps that a branch shares with its parents filled in."""
    stored: Trajectory
    """As it is stored: a branch holds its own steps only."""

    @property
    def parent(self) -> Parent | None:
        """Where a branch leaves its parent."""
        return self.stored.parent

    @property
    def shared(self) -> int:
        """How many of the first steps belong to the parent."""
        return 0 if self.stored.parent is None else self.stored.parent.step


@dataclass(frozen=True, slots=True)
class Selection:
    """The episodes of a store that are exported."""

    store: ExperienceStore
    """An open store."""
    collector: str | None = None
    """Only those that this collector played."""
    success: bool | None = None
    """Only those that reached their goal (True) or failed to (False)."""
    roots: bool = False
    """Only those without a parent."""
    flags: Sequence[str] = ()
    """Only those with these flags, or without those that begin with `not:`."""

    def stored(self) -> Iterator[Trajectory]:
        """Yield the chosen trajectories as they are stored."""
        found = self.store.trajectories(collector=self.collector, success=self.success, roots=self.roots)
        return flagged(self.store.path, found, self.flags)

    def episodes(self) -> Iterator[ExportEpisode]:
        """Yield the chosen trajectories, branches filled in."""
        for stored in self.stored():
            yield ExportEpisode(self.store.expand(stored), stored)

    def has_images(self) -> bool:
        """Whether a chosen episode shows an image; reads all of them only if the store has images at all."""
        if not self.store.has_images():
            return False
        return any(next(image_names(episode.whole), None) is not None for episode in self.episodes())

    def refuse_images(self, format_: str) -> None:
        """Refuse to export episodes with images.

        Raises:
            ExportError: one of them shows an image.
        """
        if self.has_images():
            raise ExportError(
                f"The {format_} export would drop the images that these episodes show: export them as parquet, chat or"
                " atif, which carry images."
            )


class ImageFolder:
    """Copies images out of a store, each once, into a folder next to an export."""

    def __init__(self, store: ExperienceStore, folder: Path, prefix: str) -> None:
        """Name the folder.

        Args:
            store: Where the images are.
            folder: Where they go; made with the first one.
            prefix: What stands before a file's name in the paths that `add` returns.
        """
        self._store = store
        self._folder = folder
        self._prefix = prefix
        self.kinds: dict[str, str] = {}
        """The kind (`png`, ...) of each image that was copied, by its SHA-256."""

    def add(self, sha256: str) -> str:
        """Copy an image if it is not there yet, and return its path in the export.

        Raises:
            ExportError: the bytes are no image of a kind that readers of the export know.
            StoreError: it is not in the store, or damaged.
        """
        if sha256 not in self.kinds:
            data = self._store.image(sha256)
            self.kinds[sha256] = image_kind(sha256, data)
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / f"{sha256}.{self.kinds[sha256]}").write_bytes(data)
        return f"{self._prefix}/{sha256}.{self.kinds[sha256]}"


def image_kind(sha256: str, data: bytes) -> str:
    """Return `png`, `jpeg`, `gif` or `webp`.

    Raises:
        ExportError: the bytes are none of them.
    """
    kind = media_type(data)
    if kind is None:
        raise ExportError(f"The image {sha256} is neither PNG, JPEG, GIF nor WebP, so no reader would know it.")
    return kind


@contextlib.contextmanager
def output(path: Path, overwrite: bool) -> Iterator[Path]:
    """Give a temporary path next to `path`; what the block makes there, a file or a folder, takes its place at the end.

    Args:
        path: Where the export is to be.
        overwrite: Replace what is there; otherwise it is an error.

    Raises:
        ExportError: something is there, or the place cannot be written.
    """
    if path.exists() and not overwrite:
        raise ExportError(f"There is something at {path} already: choose another path, or allow it to be overwritten.")
    # Absolute, because Minari joins the names of its files with a relative folder twice.
    temporary = path.absolute().with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _replace(temporary, path)
        finally:
            _remove(temporary)
    except OSError as error:
        raise ExportError(f"Cannot write {path} ({error.strerror or error}): choose another path.") from error


def _replace(temporary: Path, path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    if temporary.is_dir():
        os.replace(temporary, path)
        sync_directory(path.parent)
    else:
        publish(temporary, path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Return the size of a file, or of all files in a folder, in bytes."""
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())

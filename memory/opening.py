"""Opening a memory by its path alone: where it lies, and with the embedder that it was filled with.

An experience store may have a memory of its own, in the folder `memory` beside its shards; the store's path then names
it as well. Left out: what a memory is (`experience_memory`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from ..errors import MemoryStoreError, UnknownNameError
from ..store import manifest
from .embedders.registry import CachedEmbedder, embedder_named
from .experience_memory import ExperienceMemory
from .protocol import Builder, Embedder
from .storage.database import MemoryDatabase

FOLDER: Final = "memory"
"""Where a store's own memory lies, in the store's directory."""
_TABLE: Final = "memory.sqlite"


def memory_at(path: str | Path) -> Path:
    """Return the folder of the memory that a path names: itself or, if it is a store's, the folder in it."""
    folder = Path(path)
    is_store = (folder / manifest.NAME).is_file() and not (folder / _TABLE).is_file()
    return folder / FOLDER if is_store else folder


def open_memory(
    path: str | Path,
    *,
    embedder: str = "",
    builders: Sequence[Builder] = (),
    mode: Literal["write", "read"] = "write",
    make: bool = False,
    reembed: bool = False,
) -> ExperienceMemory:
    """Open the memory that a path names.

    Args:
        path: Its folder, or that of the store whose own it is.
        embedder: The name of the embedder of a new memory, or of one that was filled with the same; if empty, the one
            that the memory recorded, and `auto` for a new one.
        builders: See `ExperienceMemory.open`; with some, texts that come again are embedded once.
        mode: See `ExperienceMemory.open`.
        make: Whether one that is not there is made, if `mode` is `"write"`.
        reembed: Whether all texts are embedded anew if the memory was filled with another embedder than the one named.

    Raises:
        MemoryStoreError: there is none, or it cannot be opened; see `ExperienceMemory.open`.
        UnknownNameError, ConfigError: there is no embedder of that name.
        DataError, ModelError, MissingDependencyError: the embedder cannot be loaded.
    """
    folder = memory_at(path)
    there = (folder / _TABLE).is_file()
    if not there and not (make and mode == "write"):
        raise MemoryStoreError(_nothing_at(Path(path), folder))
    recorded = _recorded(folder, mode) if there and not reembed else None
    found = _embedder(folder, embedder, recorded)
    if builders:
        found = CachedEmbedder(found)
    return ExperienceMemory.open(folder, embedder=found, builders=builders, mode=mode, reembed=reembed)


def _embedder(folder: Path, name: str, recorded: str | None) -> Embedder:
    if recorded is None:
        return embedder_named(name or "auto")
    anew = f"embed it anew with `pathei memory reembed {folder} --embedder NAME`"
    if not name:
        try:
            return embedder_named(recorded)
        except UnknownNameError as error:
            raise MemoryStoreError(
                f"The memory {folder} was filled with the embedder {recorded!r}, which has no name here: open it in"
                f" Python with that one, or {anew}."
            ) from error
    found = embedder_named(name)
    if found.name != recorded:
        raise MemoryStoreError(
            f"The memory {folder} was filled with the embedder {recorded!r}, not with {found.name!r}: leave the"
            f" embedder out, or {anew}."
        )
    return found


def _recorded(folder: Path, mode: Literal["write", "read"]) -> str | None:
    """Return the name of the embedder that a memory was filled with; None if it is not known, or not to be read."""
    try:
        database = MemoryDatabase(folder / _TABLE, write=False)
    except MemoryStoreError:
        if mode == "read":
            raise
        return None  # a writer may mend an older schema, and is told of anything else when it opens the memory
    try:
        found = database.meta("embedder")
        return None if found is None else str(found)
    finally:
        database.close()


def _nothing_at(path: Path, folder: Path) -> str:
    if path != folder:
        return f"The store {path} has no memory yet: `pathei memory build {path}` makes it."
    return f"There is no memory at {path}: `pathei memory build STORE {path}` makes one out of a store."


__all__ = ["FOLDER", "memory_at", "open_memory"]

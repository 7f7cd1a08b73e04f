"""Opening a memory by its path alone, with the embedder that it was filled with.

An experience store may have a memory of its own, in the folder `memory` next to its shards; the path of the store then
names that memory too. Not here: the memory itself (`experience_memory`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from ..errors import MemoryStoreError, UnknownNameError, path_of
from ..store import manifest
from .builders.registry import make_builders
from .embedders.cache import CachedEmbedder
from .embedders.registry import make_embedder
from .experience_memory import ExperienceMemory
from .items import Mode
from .protocol import Builder, Embedder
from .storage.database import MemoryDatabase

FOLDER: Final = "memory"
"""The folder of a store's own memory, in the store's directory."""
_TABLE: Final = "memory.sqlite"


def memory_at(path: str | Path) -> Path:
    """Return the folder of the memory that a path names: the path itself or, for a store, the memory in it."""
    folder = path_of(path, "memory")
    is_store = (folder / manifest.NAME).is_file() and not (folder / _TABLE).is_file()
    return folder / FOLDER if is_store else folder


def open_memory(
    path: str | Path,
    *,
    embedder: str = "",
    builders: Sequence[Builder] | Literal["default"] = (),
    mode: Mode = "write",
    create: bool = False,
    reembed: bool = False,
) -> ExperienceMemory:
    """Open the memory that a path names.

    Args:
        path: The folder of the memory, or of the store that it belongs to.
        embedder: The name of an embedder (see `make_embedder`), needed for a new memory only: an existing one records
            its embedder. If empty, a new memory uses `auto`.
        builders: Turn trajectories into drafts, for `add`; `"default"` for all builders that need no language model.
        mode: `"write"`, for one process at a time; `"share"`, for several processes, each of which writes when no other
            does; or `"read"`.
        create: Whether to create a memory that does not exist, unless `mode` is `"read"`.
        reembed: Whether to embed all texts again if the memory was filled with another embedder than the one named.

    Raises:
        MemoryStoreError: there is none, or it cannot be opened; see `ExperienceMemory.open`.
        UnknownNameError, ConfigError: there is no embedder of that name.
        DataError, ModelError, MissingDependencyError: the embedder cannot be loaded.
    """
    folder = memory_at(path)
    exists = (folder / _TABLE).is_file()
    if not exists and not (create and mode != "read"):
        raise MemoryStoreError(_nothing_at(Path(path), folder))
    recorded = _recorded(folder, mode) if exists and not reembed else None
    found = _embedder(folder, embedder, recorded)
    used = make_builders() if builders == "default" else builders
    if used:
        found = CachedEmbedder(found)
    return ExperienceMemory.open(folder, embedder=found, builders=used, mode=mode, reembed=reembed)


def _embedder(folder: Path, name: str, recorded: str | None) -> Embedder:
    if recorded is None:
        return make_embedder(name or "auto")
    advice = f"embed it again with `pathei memory reembed {folder} --embedder NAME`"
    if not name:
        try:
            return make_embedder(recorded)
        except UnknownNameError as error:
            raise MemoryStoreError(
                f"The memory {folder} was filled with the embedder {recorded!r}, which is not registered: open it in"
                f" Python with that embedder, or {advice}."
            ) from error
    found = make_embedder(name)
    if found.name != recorded:
        raise MemoryStoreError(
            f"The memory {folder} was filled with the embedder {recorded!r}, not with {found.name!r}: omit the"
            f" embedder, or {advice}."
        )
    return found


def _recorded(folder: Path, mode: Mode) -> str | None:
    """Return the name of the embedder that a memory was filled with; None if it cannot be read yet."""
    try:
        database = MemoryDatabase(folder / _TABLE, write=False)
    except MemoryStoreError:
        if mode == "read":
            raise
        return None  # a writer may migrate an older schema; other errors are raised when it opens the memory
    try:
        found = database.meta("embedder")
        return None if found is None else str(found)
    finally:
        database.close()


def _nothing_at(path: Path, folder: Path) -> str:
    if path != folder:
        return f"The store {path} has no memory yet: `pathei memory build {path}` builds it."
    return f"There is no memory at {path}: `pathei memory build STORE {path}` builds one from a store."

"""The published index of vectors and columns: files that can be rebuilt from the table at any time.

`index.json` names the two files, their SHA-256, and the last change that they include. It is renamed into place last,
so a reader finds a complete index, old or new. Files that are damaged, or belong to another embedder or table, are not
used. Not here: later changes, which are read from the table.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from ...errors import MemoryStoreError
from ...store.durable import publish, sha256_of, write_atomically
from .columns import ItemColumns, Places
from .private import private
from .vectors import faiss

_HEADER: Final = "index.json"
_FORM: Final = 2
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class IndexHeader:
    """The content of `index.json`."""

    form: int
    uuid: str
    """The table that it was built from."""
    embedder: str
    dimensions: int
    seq: int
    """The last change that it includes."""
    files: Mapping[str, str]
    """The SHA-256 (hex) of each file by name: the vectors, then the columns."""


class PublishedIndex(NamedTuple):
    """An index that was loaded."""

    header: IndexHeader
    base: Any
    """A memory-mapped faiss index: nothing may be added to it."""
    columns: ItemColumns
    stale: Places
    """The places where the base holds an older vector than the table did."""


def header_of(folder: Path) -> IndexHeader | None:
    """Return the published header, or None if it is missing or cannot be read."""
    try:
        return IndexHeader(**orjson.loads((folder / _HEADER).read_bytes()))
    except (OSError, TypeError, ValueError):
        return None


def new_header(uuid: str, embedder: str, dimensions: int, seq: int) -> IndexHeader:
    """Return the header for a new index."""
    return IndexHeader(_FORM, uuid, embedder, dimensions, seq, {})


def load(folder: Path, uuid: str, embedder: str, dimensions: int, seq: Callable[[], int]) -> PublishedIndex | str:
    """Load the published index, or return the reason why it cannot be used; empty if nothing is published.

    Args:
        folder: The folder of the memory.
        uuid: The id of the table.
        embedder: The name of the embedder that the table was filled with.
        dimensions: The length of its vectors.
        seq: Returns the last change of the table; a valid index is not newer.
    """
    for _ in range(_TRIES):
        header = header_of(folder)
        if header is None:
            return f"{folder / _HEADER} is damaged" if (folder / _HEADER).exists() else ""
        if header.form != _FORM:
            return f"the index in {folder} was built by another version of pathei"
        if header.uuid != uuid or header.seq > seq():
            return f"the index in {folder} belongs to another table"
        if (header.embedder, header.dimensions) != (embedder, dimensions):
            return f"the index in {folder} was built with the embedder {header.embedder!r}"
        try:
            for name, digest in header.files.items():
                if sha256_of(folder / name) != digest:
                    return f"{folder / name} is damaged"
            vectors, columns = (folder / name for name in header.files)
            arrays = _arrays(columns)
            return PublishedIndex(header, _read(vectors), ItemColumns(arrays), arrays["stale"])
        except FileNotFoundError:
            # Another index was published in between, and the old files were removed.
            continue
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            return f"the index in {folder} cannot be read ({' '.join(str(error).split())[:200]})"
    return f"files of the index in {folder} are missing"


def reread(folder: Path) -> Any:
    """Return the published base, not memory-mapped, so that it can grow; it must have been loaded before."""
    header = header_of(folder)
    if header is None:
        raise MemoryStoreError(f"The index in {folder} was removed: close the memory, and open it again.")
    return faiss().read_index(str(folder / next(iter(header.files))))


def save(folder: Path, header: IndexHeader, base: Any, columns: ItemColumns, stale: Places) -> None:
    """Publish a base and its columns, and remove the previous ones.

    Args:
        folder: The folder of the memory.
        header: The result of `new_header`, without files.
        base: A faiss index.
        columns: The columns.
        stale: The places where the base holds an older vector than the table.
    """
    seq = header.seq
    names = [f"index-{seq}.faiss", f"index-{seq}.npz"]
    # An index of the same change may already be published and mapped by readers.
    if (old := header_of(folder)) is not None and set(old.files) == set(names):
        names = [f"{Path(name).stem}-again{Path(name).suffix}" for name in names]
    parts = [folder / f"{name}.tmp" for name in names]
    faiss().write_index(base, str(private(parts[0])))
    with private(parts[1]).open("wb") as file:
        np.savez(file, allow_pickle=False, stale=stale, **columns.saved())
    digests = {name: sha256_of(part) for name, part in zip(names, parts, strict=True)}
    for name, part in zip(names, parts, strict=True):
        publish(part, folder / name)
    whole = orjson.dumps(asdict(replace(header, files=digests)))
    write_atomically(folder / _HEADER, whole, private(folder / f"{_HEADER}.tmp"))
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove index files that are not published: a writer was killed, or a new index replaced them."""
    header = header_of(folder)
    kept = {_HEADER} if header is None else {_HEADER, *header.files}
    for path in folder.glob("index*"):
        if path.name not in kept and path.suffix in (".tmp", ".faiss", ".npz"):
            path.unlink()


def remove(folder: Path) -> None:
    """Remove the published index."""
    (folder / _HEADER).unlink(missing_ok=True)
    sweep(folder)


def _read(path: Path) -> Any:
    library = faiss()
    # Mapped, so that processes share it. Adding to such an index would crash the process.

    return library.read_index(str(path), library.IO_FLAG_MMAP_IFC)


def _arrays(path: Path) -> Mapping[str, np.ndarray[Any, Any]]:
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}

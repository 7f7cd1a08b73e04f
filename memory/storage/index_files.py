"""The published base of vectors and columns: files that can be rebuilt from the table at any time.

`index.json` names the two files, their SHA-256, and the change up to which they hold. It is renamed into place last, so
a reader finds a whole index, the old or the new one. Files that are damaged, or that belong to another embedder or
another table, are not used. Left out: what came since, which is read from the table.
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
from .vectors import faiss

_HEADER: Final = "index.json"
_FORM: Final = 2
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class IndexHeader:
    """What `index.json` says."""

    form: int
    uuid: str
    """Of the table it was made from."""
    embedder: str
    dimensions: int
    seq: int
    """The last change that is in it."""
    files: Mapping[str, str]
    """The SHA-256 (hex) of each file by its name: the vectors, then the columns."""


class PublishedIndex(NamedTuple):
    """What was loaded."""

    header: IndexHeader
    base: Any
    """A faiss index, mapped: nothing may be added to it."""
    columns: ItemColumns
    stale: Places
    """Where the base holds an older vector than the table did."""


def header_of(folder: Path) -> IndexHeader | None:
    """Return the published header, or None if there is none that can be read."""
    try:
        return IndexHeader(**orjson.loads((folder / _HEADER).read_bytes()))
    except (OSError, TypeError, ValueError):
        return None


def new_header(uuid: str, embedder: str, dimensions: int, seq: int) -> IndexHeader:
    """Return the header of an index that is to be published."""
    return IndexHeader(_FORM, uuid, embedder, dimensions, seq, {})


def load(folder: Path, uuid: str, embedder: str, dimensions: int, seq: Callable[[], int]) -> PublishedIndex | str:
    """Load what is published, or say in one sentence why it cannot be used; empty if nothing is published.

    Args:
        folder: The memory's.
        uuid: The table's.
        embedder: The name of the embedder that the table was filled with.
        dimensions: The length of its vectors.
        seq: Tells the table's last change: an index cannot know more.
    """
    for _ in range(_TRIES):
        header = header_of(folder)
        if header is None:
            return f"{folder / _HEADER} is damaged" if (folder / _HEADER).exists() else ""
        if header.form != _FORM:
            return f"the index in {folder} was made by another version of pathei"
        if header.uuid != uuid or header.seq > seq():
            return f"the index in {folder} belongs to another table"
        if (header.embedder, header.dimensions) != (embedder, dimensions):
            return f"the index in {folder} was made with the embedder {header.embedder!r}"
        try:
            for name, digest in header.files.items():
                if sha256_of(folder / name) != digest:
                    return f"{folder / name} is damaged"
            vectors, columns = (folder / name for name in header.files)
            arrays = _arrays(columns)
            return PublishedIndex(header, _read(vectors), ItemColumns(arrays), arrays["stale"])
        except FileNotFoundError:
            # Another index was published in between, and the old files are gone.
            continue
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            return f"the index in {folder} cannot be read ({' '.join(str(error).split())[:200]})"
    return f"files of the index in {folder} are missing"


def reread(folder: Path) -> Any:
    """Return the published base in memory of its own, so that it can grow; it must have been loaded before."""
    header = header_of(folder)
    if header is None:
        raise MemoryStoreError(f"The index in {folder} was removed: close the memory, and open it again.")
    return faiss().read_index(str(folder / next(iter(header.files))))


def save(folder: Path, header: IndexHeader, base: Any, columns: ItemColumns, stale: Places) -> None:
    """Publish a base and its columns, and remove what was published before.

    Args:
        folder: The memory's.
        header: As from `new_header`, still without files.
        base: A faiss index.
        columns: What filters look at.
        stale: Where the base holds an older vector than the table.
    """
    seq = header.seq
    names = [f"index-{seq}.faiss", f"index-{seq}.npz"]
    # The index of the same change may be published already, and mapped by readers.
    if (old := header_of(folder)) is not None and set(old.files) == set(names):
        names = [f"{Path(name).stem}-again{Path(name).suffix}" for name in names]
    parts = [folder / f"{name}.tmp" for name in names]
    faiss().write_index(base, str(parts[0]))
    with parts[1].open("wb") as file:
        np.savez(file, allow_pickle=False, stale=stale, **columns.saved())
    digests = {name: sha256_of(part) for name, part in zip(names, parts, strict=True)}
    for name, part in zip(names, parts, strict=True):
        publish(part, folder / name)
    whole = orjson.dumps(asdict(replace(header, files=digests)))
    write_atomically(folder / _HEADER, whole, folder / f"{_HEADER}.tmp")
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove files of an index that are not published: a writer was killed, or a new index took their place."""
    header = header_of(folder)
    kept = {_HEADER} if header is None else {_HEADER, *header.files}
    for path in folder.glob("index*"):
        if path.name not in kept and path.suffix in (".tmp", ".faiss", ".npz"):
            path.unlink()


def remove(folder: Path) -> None:
    """Let there be no published index."""
    (folder / _HEADER).unlink(missing_ok=True)
    sweep(folder)


def _read(path: Path) -> Any:
    library = faiss()
    # Mapped, so that processes share it. Nothing may be added to such an index: that ends the process.
    return library.read_index(str(path), library.IO_FLAG_MMAP_IFC)


def _arrays(path: Path) -> Mapping[str, np.ndarray[Any, Any]]:
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


__all__ = ["IndexHeader", "PublishedIndex", "header_of", "load", "new_header", "remove", "reread", "save", "sweep"]

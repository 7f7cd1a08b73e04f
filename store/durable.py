"""Files that are either wholly there or not at all, also after `kill -9` or a power cut, and the writer's lock.

A file is written next to its place, synced, renamed, and the folder synced: readers see the old one or the new one.
Not here: anything that knows what is in the files.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import hashlib
import os
import weakref
from collections.abc import Iterator
from pathlib import Path

from ..errors import StoreError, StoreLockedError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write `path` into one sentence.

    Raises:
        StoreError: any `OSError` of the block, with what to do about it.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            advice = "make room on that disk, and run this again"
        elif isinstance(error, FileExistsError | NotADirectoryError):
            advice = "that is a file: choose a directory, or a name that is free"
        else:
            advice = "choose a directory that you may write to, or change its permissions"
        raise StoreError(f"Cannot write {path} ({reason}): {advice}.") from error


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Hold off the cyclic garbage collector: it would search many thousands of new records, which have no cycles.

    Reference counting goes on freeing them. It is for short blocks that make or read a lot at once, where it saves a
    quarter to a third of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def sync_directory(path: Path) -> None:
    """Make the names in a folder durable: a rename or a new file is only on disk after this."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(temporary: Path, final: Path) -> None:
    """Move a finished file to its place, durably; both must be on one file system."""
    handle = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(temporary, final)
    sync_directory(final.parent)


def write_atomically(final: Path, data: bytes, temporary: Path) -> None:
    """Write `data` to `final` by way of `temporary`: a reader finds the old content or the new one, whole."""
    try:
        temporary.write_bytes(data)
        publish(temporary, final)
    except OSError:
        temporary.unlink(missing_ok=True)  # on a full disk it would take the room that is needed
        raise


def sha256_of(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class WriterLock:
    """The right to write to a store: held by one process, freed by the kernel when that process dies.

    A child made by `fork` shares the open file, and would hold the lock after its parent was killed; so a child closes
    it at once. That child may not write: `mine` is false there.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Args:
            path: The lock file; made if it is not there. It holds the writer's process id.

        Raises:
            StoreLockedError: another writer holds it; the message names its process.
        """
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise StoreLockedError(
                f"Process {owner or '(unknown)'} is writing to the store {path.parent}: wait until it ends, "
                "open the store for reading, or collect into another directory."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle: int | None = handle
        reference = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _release(reference))

    @property
    def mine(self) -> bool:
        """Whether this process holds the lock."""
        return self._handle is not None

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def is_locked(path: Path) -> bool:
    """Return whether a process holds the `WriterLock` of this lock file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _release(reference: weakref.ref[WriterLock]) -> None:
    lock = reference()
    if lock is not None:
        lock.release()

"""Files that only their owner can read, and the turns of processes that write to one memory.

A memory holds what people said, so its files have mode 0600 whatever the umask is. Not here: encryption.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ...errors import MemoryStoreError, StoreLockedError
from ...store.durable import WriterLock

LOCK: Final = "writer.lock"
_PAUSE: Final = 0.02
"""The time between two tries to take the lock, in seconds."""


def private(path: Path) -> Path:
    """Create a file, or empty it, so that only its owner can read it, and return its path."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return path


def restrict(folder: Path) -> None:
    """Let only the owner read the files of a folder, as far as they are ours to change."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_mode & 0o077:
                path.chmod(0o600)


def locked(folder: Path, patience: float) -> WriterLock:
    """Take the right to write to a memory until it is released; create the folder if needed.

    Args:
        folder: The memory.
        patience: How long to wait for another writer, in seconds.

    Raises:
        MemoryStoreError: another process is still writing, or the folder cannot be created.
    """
    until = time.monotonic() + patience
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / LOCK).exists():
            os.close(os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600))
        while True:
            try:
                return WriterLock(folder / LOCK)
            except StoreLockedError as error:
                if time.monotonic() >= until:
                    owner = str(error).split(" is writing")[0]
                    raise MemoryStoreError(
                        f"{owner} is writing to the memory {folder}: wait until it ends, or open it for reading."
                    ) from error
            time.sleep(_PAUSE)
    except OSError as error:
        raise MemoryStoreError(
            f"The memory {folder} cannot be created ({error.strerror or error}): choose a folder that you may write to."
        ) from error


@contextlib.contextmanager
def turn(folder: Path, patience: float) -> Iterator[None]:
    """Hold the right to write for the length of a block, as `locked` takes it.

    The file is opened again for each turn, so that a child process that is forked between two turns holds no lock.

    Raises:
        MemoryStoreError: another process is still writing after `patience` seconds.
    """
    until = time.monotonic() + patience
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    owner = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "(unknown)"
                    raise MemoryStoreError(
                        f"Process {owner} is writing to the memory {folder}: try again when it has ended."
                    ) from None
            time.sleep(_PAUSE)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)

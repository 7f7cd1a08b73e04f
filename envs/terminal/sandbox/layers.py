"""Files of layers, as the keeper lists, writes and copies them; standard library only.

An agent in the sandbox may have made these files: no symbolic link is followed, and nothing but regular files is read.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from typing import Any, Final

HASHED_BYTES: Final = 4 << 20
"""Of larger files only this number of bytes is hashed, and the size with them."""
MAX_DEPTH: Final = 64
"""Directories nested more deeply are listed, and not looked into."""


def entries_of(directory: int, prefix: str = "", depth: int = 0) -> Iterator[list[Any]]:
    """Yield what an upper layer holds: `[path, kind, mode, size, hash or target]`, parents first.

    Kinds are `file`, `dir`, `link`, `other`, `gone` (a whiteout: the layers below have it no longer) and `fresh` (a
    directory that hides the one below). No symbolic link is followed.
    """
    with os.scandir(directory) as found:
        names = sorted(entry.name for entry in found)
    for name in names:
        path = f"{prefix}{name}"
        try:
            seen = os.stat(name, dir_fd=directory, follow_symlinks=False)
            yield from _entry(directory, name, path, seen, depth)
        except OSError:
            continue  # it went away, or may not be read, while we looked


def _entry(directory: int, name: str, path: str, seen: os.stat_result, depth: int) -> Iterator[list[Any]]:
    mode = stat.S_IMODE(seen.st_mode)
    if stat.S_ISDIR(seen.st_mode):
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
        try:
            yield [path, "fresh" if _is_opaque(inner) else "dir", mode, 0, ""]
            if depth < MAX_DEPTH:
                yield from entries_of(inner, f"{path}/", depth + 1)
        finally:
            os.close(inner)
    elif stat.S_ISREG(seen.st_mode):
        yield [path, "file", mode, seen.st_size, _hash(directory, name, seen.st_size)]
    elif stat.S_ISLNK(seen.st_mode):
        yield [path, "link", 0o777, 0, os.readlink(name, dir_fd=directory)]
    else:
        gone = stat.S_ISCHR(seen.st_mode) and seen.st_rdev == 0
        yield [path, "gone" if gone else "other", mode, 0, ""]


def _is_opaque(descriptor: int) -> bool:
    try:
        return os.getxattr(descriptor, "user.overlay.opaque") == b"y"
    except OSError:
        return False


def _hash(directory: int, name: str, size: int) -> str:
    data = read_bytes(directory, name, HASHED_BYTES)
    digest = hashlib.sha256(data)
    if size > HASHED_BYTES:
        digest.update(str(size).encode())
    return digest.hexdigest()[:16]


def read_bytes(directory: int, path: str, limit: int) -> bytes:
    """Read a regular file below a directory; nothing on the way may be a symbolic link.

    Raises:
        OSError: it is not there, is not a regular file, or lies behind a link.
    """
    *parents, name = [part for part in path.split("/") if part]
    if ".." in (*parents, name):
        raise OSError(f"{path} leads upwards")
    here = os.dup(directory)
    try:
        for part in parents:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = inner
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    finally:
        os.close(here)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a regular file")
        return file.read(limit)


def write_entry(root: str, path: str, kind: str, mode: int, mtime: int, content: bytes) -> None:
    """Make a directory, file or link below a directory that nobody else writes to; parents are made as needed."""
    target = os.path.join(root, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if kind == "link":
        os.symlink(content.decode(), target)
    elif kind == "dir":
        os.makedirs(target, exist_ok=True)
    else:
        with open(target, "wb") as file:
            file.write(content)
    if kind != "link":
        os.chmod(target, mode)
    os.utime(target, (mtime, mtime), follow_symlinks=False)


def copy_tree(source: int, target: int, depth: int = 0) -> None:
    """Copy what a directory holds into another: files, links, directories and pipes, with modes and times."""
    with os.scandir(source) as found:
        names = [entry.name for entry in found]
    for name in names:
        seen = os.stat(name, dir_fd=source, follow_symlinks=False)
        mode = stat.S_IMODE(seen.st_mode)
        if stat.S_ISLNK(seen.st_mode):
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        elif stat.S_ISDIR(seen.st_mode):
            os.mkdir(name, 0o700, dir_fd=target)
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=source)
            other = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=target)
            if depth < 4 * MAX_DEPTH:
                copy_tree(inner, other, depth + 1)
            os.close(inner)
            os.close(other)
        elif stat.S_ISREG(seen.st_mode):
            _copy_file(source, target, name)
        elif stat.S_ISFIFO(seen.st_mode):
            os.mkfifo(name, mode, dir_fd=target)
        else:
            continue
        if not stat.S_ISLNK(seen.st_mode):
            os.chmod(name, mode, dir_fd=target)
        os.utime(name, ns=(seen.st_mtime_ns, seen.st_mtime_ns), dir_fd=target, follow_symlinks=False)


def _copy_file(source: int, target: int, name: str) -> None:
    reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=source)
    writing = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=target)
    with open(reading, "rb") as old, open(writing, "wb") as new:
        while block := old.read(1 << 20):
            new.write(block)

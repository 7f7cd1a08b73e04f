"""Generated file systems, and what there is to do in each: five kinds, all of it following from a seed.

`generate("office:7")` returns the files and the chores; the words of both are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from ....errors import ConfigError, unknown
from ..files import BASE_TIME, FileEntry
from .chores import Chore
from .chores_code import project, weblog
from .chores_data import archive, measurements, office

HOME: Final = "home/agent"
Kind = Callable[[np.random.Generator], tuple[dict[str, str], list[Chore]]]
FILESYSTEMS: Final[Mapping[str, Kind]] = MappingProxyType(
    {"office": office, "project": project, "weblog": weblog, "measurements": measurements, "archive": archive}
)
"""What makes the files (path in the home to content) and the chores of each kind; consumes the generator."""

_PASSWD = b"root:x:0:0:root:/root:/bin/bash\nagent:x:1000:1000:agent:/home/agent:/bin/bash\n"


class FileSystem(NamedTuple):
    """A generated file system."""

    name: str
    entries: tuple[FileEntry, ...]
    chores: Mapping[str, Chore]
    """What there is to do, by name."""


def generate(name: str) -> FileSystem:
    """Return the file system of a name, `kind:seed`.

    Raises:
        UnknownNameError: there is no such kind.
        ConfigError: the seed is not a whole number.
    """
    kind, _, seed = name.partition(":")
    if kind not in FILESYSTEMS:
        raise unknown("file system", kind, FILESYSTEMS)
    if not (seed.isascii() and seed.isdigit()):
        raise ConfigError(f"A file system is named by a kind and a seed, 'office:7', not {name!r}.")
    files, chores = FILESYSTEMS[kind](np.random.default_rng([int(seed), list(FILESYSTEMS).index(kind)]))
    entries = [*bare_entries(), *_home(files)]
    return FileSystem(name, tuple(entries), {chore.name: chore for chore in chores})


def bare_entries() -> tuple[FileEntry, ...]:
    """Return what a root needs besides `/usr`: empty directories, links into `/usr`, and two users."""
    names = "dev etc etc/alternatives home home/agent mnt opt proc root run srv sys tmp usr var var/log var/tmp"
    made = [FileEntry(path, b"", "dir", 0o755) for path in names.split()]
    made += [FileEntry(path, f"usr/{path}".encode(), "link", 0o777) for path in ("bin", "lib", "lib64", "sbin")]
    made += [FileEntry("etc/passwd", _PASSWD), FileEntry("etc/group", b"root:x:0:\nagent:x:1000:\n")]
    made += [FileEntry("etc/hostname", b"sim\n"), FileEntry("etc/hosts", b"127.0.0.1 localhost sim\n")]
    return tuple(made)


def listed_entries(files: Any) -> tuple[FileEntry, ...]:
    """Return the entries of a home that is given as data: path to text; a path that ends with a slash is a directory.

    A file that begins with `#!` can be executed.

    Raises:
        ConfigError: it is no such mapping, or a path leads out of the home.
    """
    if not isinstance(files, Mapping) or not all(isinstance(one, str) for pair in files.items() for one in pair):
        raise ConfigError(
            f"The files of a terminal are 'office:7', 'bare', or {{path: text}}, not {str(files)[:80]!r}."
        )
    for path in files:
        if path.startswith("/") or not path or "\0" in path or {"..", "."} & set(path.split("/")):
            raise ConfigError(f"The path {path!r} must lie in the home directory: write it relative to that.")
    return (*bare_entries(), *_home(dict(files)))


def _home(files: Mapping[str, str]) -> list[FileEntry]:
    """Return the entries of a home: directories (an empty content under a name that ends with a slash) and files."""
    directories: dict[str, None] = {}
    for path in files:
        parts = path.split("/")[:-1]
        directories.update(dict.fromkeys("/".join(parts[: end + 1]) for end in range(len(parts))))
    entries = [FileEntry(f"{HOME}/{path}", b"", "dir", 0o755) for path in sorted(directories)]
    plain = sorted(path for path in files if not path.endswith("/"))
    for place, path in enumerate(plain):
        mode = 0o755 if files[path].startswith("#!") else 0o644
        entries.append(FileEntry(f"{HOME}/{path}", files[path].encode(), "file", mode, BASE_TIME + 60 * place))
    return entries

"""Files as data: what a file system holds, and by what two of them differ.

A `Tree` maps a path (relative to the root, without a leading slash) to what is there; times are left out, since they
differ from run to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

BASE_TIME = 1_704_164_645
"""When generated files were last changed: 2024-01-02, 03:04:05 UTC."""


class FileEntry(NamedTuple):
    """A file to be made."""

    path: str
    content: bytes = b""
    """What a file holds, or where a link points to."""
    kind: str = "file"
    """`file`, `dir` or `link`."""
    mode: int = 0o644
    mtime: int = BASE_TIME


class FileNode(NamedTuple):
    """What is at a path."""

    kind: str
    """`file`, `dir`, `link` or `other`."""
    mode: int
    """Its permission bits."""
    size: int
    """Bytes; 0 for all but files."""
    content: str
    """The beginning of a file's SHA-256 in hex, or where a link points to."""


Tree = Mapping[str, FileNode]


def apply(below: Tree, entries: Iterable[Sequence[Any]]) -> dict[str, FileNode]:
    """Return the files that result when a layer's entries (see `layers.entries_of`) lie over others."""
    tree = dict(below)
    for path, kind, mode, size, content in entries:
        old = tree.get(path)
        if kind in ("gone", "fresh") or (old is not None and old.kind == "dir" and kind != "dir"):
            inside = f"{path}/"
            for name in [name for name in tree if name.startswith(inside)]:
                del tree[name]
        if kind == "gone":
            tree.pop(path, None)
        else:
            tree[path] = FileNode("dir" if kind == "fresh" else kind, mode, size, content)
    return tree


def difference(before: Tree, after: Tree) -> list[list[str]]:
    """Return `[sign, path, kind, content]` for each path made (`+`), changed (`~`) or removed (`-`), sorted."""
    rows = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        sign = "+" if old is None else "-" if new is None else "~"
        shown = new or old
        assert shown is not None
        rows.append([sign, path, shown.kind, "" if new is None else f"{new.mode:o} {new.content}".strip()])
    return rows

"""Text that every machine has: the documentation strings of Python's own standard library, and Python's help topics.

About 1.9 MB of English and code examples, read from the sources by `ast` without importing them. It is the training and
reference text of the tiny model. Not here: packages from elsewhere, and tests.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sysconfig
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ...errors import DataError

_SKIPPED: Final = frozenset({"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"})
_SHORTEST: Final = 40
"""Shorter strings, in characters, say little: `"Return the name."`."""
_ONE_IN: Final = 10
"""One module in this number is held out."""
_TOPICS: Final = "pydoc_data/topics.py"


class StdlibText(NamedTuple):
    """Training and held-out texts: no top-level module, and no string, is in both."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]


def stdlib_text(root: Path | None = None) -> StdlibText:
    """Read the documentation strings of a standard library, in an order that depends on nothing but its files.

    A module belongs wholly to one side, by the hash of its top-level name. The help topics are all learned from: they
    repeat one another. A string that occurs twice is kept once, on the side of training if it is there.

    Args:
        root: The library's folder; this interpreter's if None.

    Raises:
        DataError: there are no sources there, as in an interpreter that was packed without them.
    """
    root = root or stdlib_home()
    found: dict[str, bool] = {}
    for relative in _sources(root):
        held_out = is_held_out(relative.parts[0].removesuffix(".py"))
        for text in _texts(root / relative, topics=relative.as_posix() == _TOPICS):
            found[text] = found.get(text, True) and held_out
    texts = StdlibText(
        tuple(text for text, held_out in found.items() if not held_out),
        tuple(text for text, held_out in found.items() if held_out),
    )
    if not texts.train or not texts.held_out:
        raise DataError(
            f"There are no documentation strings to read under {root}: use an interpreter that has the sources of its "
            "standard library."
        )
    return texts


def is_held_out(module: str) -> bool:
    """Whether the strings of a top-level module are kept for evaluation."""
    return module != "pydoc_data" and zlib.crc32(module.encode()) % _ONE_IN == 0


def sources_hash(root: Path | None = None) -> str:
    """Return a SHA-256 (hex) of the names and sizes of the files that `stdlib_text` reads, which takes no reading."""
    root = root or stdlib_home()
    sizes = [f"{relative.as_posix()} {(root / relative).stat().st_size}" for relative in _sources(root)]
    return hashlib.sha256("\n".join(sizes).encode()).hexdigest()


def stdlib_home() -> Path:
    """Return the folder of this interpreter's standard library."""
    return Path(sysconfig.get_paths()["stdlib"])


def stdlib_sources(*, held_out: bool) -> list[Path]:
    """Return the files of the modules that are held out, or of all others, in an order of their own."""
    home = stdlib_home()
    return [
        home / relative for relative in _sources(home) if is_held_out(relative.parts[0].removesuffix(".py")) == held_out
    ]


def _sources(root: Path) -> list[Path]:
    """Return the files, relative to the library's folder, in an order that does not depend on the file system."""
    found = (path.relative_to(root) for path in root.rglob("*.py"))
    return sorted((path for path in found if _SKIPPED.isdisjoint(path.parts)), key=lambda path: path.as_posix())


def _texts(path: Path, *, topics: bool) -> Iterator[str]:
    """Yield the documentation strings of one file, cleaned of indentation, in the order of the file."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # Templates and files of older languages (lib2to3).
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text: str | None = ast.get_docstring(node)
        elif topics and isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = inspect.cleandoc(node.value)
        else:
            continue
        if text and len(text) >= _SHORTEST:
            yield text.strip()

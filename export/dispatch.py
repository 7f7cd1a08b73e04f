"""Exports: the store's episodes in the forms that others read. One function, `export`; each format has a module.

| format              | what is written                           | read by                                        |
|---------------------|-------------------------------------------|------------------------------------------------|
| `parquet`           | one file, one row per step                | `datasets.load_dataset("parquet", ...)`, pandas |
| `chat`              | JSON lines, one conversation per episode  | TRL, verl, axolotl                             |
| `prompt-completion` | JSON lines, one row per step              | TRL                                            |
| `atif`              | a folder, one ATIF document per episode   | Harbor, NeMo, transcript viewers               |
| `minari`            | a Minari dataset, of numbers or texts     | Minari, offline reinforcement learning         |

What an export would lose is refused, not dropped: images above all. Privileged facts are never in `chat` and
`prompt-completion`. Failures are in none of them: they are no experience.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import unknown
from ..store import ExperienceStore
from .common import ExportCounts, ExportReport, Selection, output, size_of

_MODULES = {
    "atif": "atif",
    "chat": "text",
    "minari": "minari",
    "parquet": "parquet",
    "prompt-completion": "text",
}
FORMATS = tuple(_MODULES)
"""The names of the formats."""


def export(
    store: ExperienceStore,
    format: str,
    path: str | Path,
    *,
    collector: str | None = None,
    success: bool | None = None,
    roots: bool = False,
    overwrite: bool = False,
    **options: object,
) -> ExportReport:
    """Write the episodes of a store in another format.

    Args:
        store: An open store; it is only read.
        format: One of `FORMATS`.
        path: The file or folder to make.
        collector: Only episodes that this collector played.
        success: Only episodes that reached their goal (True) or failed to (False).
        roots: Only episodes without a parent. Without it every branch is a whole episode of its own.
        overwrite: Replace what is at `path`.
        **options: Options of the format; see the function `write_...` of its module.

    Returns:
        What was written, and how much.

    Raises:
        ExportError: the format would lose something, or the path cannot be written.
        UnknownNameError: there is no such format, or it has no such option; the message suggests the nearest.
        MissingDependencyError: the format needs a package that is not installed.
    """
    if format not in _MODULES:
        raise unknown("export format", format, FORMATS)
    write = writer(format)
    known = [name for name, value in inspect.signature(write).parameters.items() if value.kind is value.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise unknown(f"option of the {format} export", name, known)
    selection = Selection(store, collector, success, roots)
    target = Path(path)
    with output(target, overwrite) as temporary:
        written = write(selection, temporary, target, **options)
    return ExportReport(format, target, written, size_of(target))


def writer(format: str) -> Callable[..., ExportCounts]:
    """Return the function that writes a format; its keyword-only arguments are the format's options."""
    module = importlib.import_module(f".{_MODULES[format]}", __package__)
    function: Callable[..., Any] = getattr(module, f"write_{format.replace('-', '_')}")
    return function


__all__ = ["FORMATS", "ExportReport", "export", "writer"]

"""Collections by name, each read once and kept with its screens."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from .folder import folder_collection
from .screens import DocsReader
from .stdlib import stdlib_collection

STDLIB: Final = "stdlib"


@lru_cache(maxsize=4)
def reader_named(name: str) -> DocsReader:
    """Return the reader of a collection: `"stdlib"`, or a folder of HTML.

    Raises:
        DataError: it cannot be read.
        MissingDependencyError: lxml is not installed, and HTML is to be read.
    """
    return DocsReader(stdlib_collection() if name == STDLIB else folder_collection(Path(name)))

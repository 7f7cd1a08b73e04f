"""Names of models. `tiny` is the small built-in model that every machine trains for itself (`base`)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

TINY: Final = "tiny"
"""The name of the built-in model."""
TINY_BEFORE: Final = "embedded"
"""Its name up to version 0.1, which is still accepted and stands in stored configurations."""


def is_tiny(name: str | Path) -> bool:
    """Whether a name is that of the built-in model; a folder of that name with a model in it comes first."""
    return str(name) in (TINY, TINY_BEFORE) and not (Path(name) / "config.json").is_file()

"""Maps by name, each read once: a generated town, Touchdown's own streets, or those in a folder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ... import data
from ...errors import ConfigError, DataError
from .graph import StreetGraph, load_graph
from .town import town


def map_named(name: str) -> StreetGraph:
    """Return a map.

    Args:
        name: `"town:7"`, `"touchdown"` for what `pathei data get touchdown` fetched, or the path of a folder with
            `nodes.txt` and `links.txt`.

    Raises:
        ConfigError: a town's number is none.
        DataError: it is not fetched, or cannot be read.
    """
    kind, _, number = name.partition(":")
    if kind == "town":
        if not number.isdecimal():
            raise ConfigError(f"A town has a number, as in 'town:7'; {name!r} has none.")
        return town(int(number))
    return _loaded(data.locate("touchdown") if name == "touchdown" else Path(name))


@lru_cache(maxsize=4)
def _loaded(folder: Path) -> StreetGraph:
    if not folder.is_dir():
        raise DataError(f"There is no map {str(folder)!r}: say 'town:7', 'touchdown', or a folder with nodes.txt.")
    return load_graph(folder)

"""The option `--verbose` of every command, which may stand anywhere: once for INFO, twice for DEBUG, to stderr.

It is taken off the arguments before they are parsed, so that no command has to declare it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

_OPTION: Final = "--verbose"


def take_verbose(args: Sequence[str]) -> tuple[list[str], int | None]:
    """Return the arguments without `--verbose`, and the level of logging that it asks for; None without it."""
    end = args.index("--") if "--" in args else len(args)
    rest = [*(arg for arg in args[:end] if arg != _OPTION), *args[end:]]
    count = len(args) - len(rest)
    return rest, None if not count else logging.INFO if count == 1 else logging.DEBUG


__all__ = ["take_verbose"]

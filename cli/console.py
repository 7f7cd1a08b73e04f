"""Where the commands write: a console of fixed width in a pipe, errors in red on stderr, and log lines if asked for."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console

_VERBOSE: Final = "--verbose"


def make_console() -> Console:
    """Return where tables go."""
    from rich.console import Console

    # A pipe has no width; 80 columns, which rich assumes there, would fold the tables.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def tame_libraries() -> None:
    """Let torch's threads sleep while they wait, and keep transformers from printing progress bars and hints.

    To be called before they are imported; worker processes inherit it. By default the threads spin, which on a machine
    that others use as well makes small models thirty times slower.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if "transformers" in sys.modules:
        from transformers.utils import logging as their_logging

        hushed: Any = their_logging
        hushed.disable_progress_bar()
        hushed.set_verbosity_error()


def complain(message: str) -> None:
    """Print an error, in one line on stderr."""
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True).print(Text(" ".join(message.split()), style="red"), soft_wrap=True)


def take_verbose(args: Sequence[str]) -> tuple[list[str], int | None]:
    """Return the arguments without `--verbose`, and the level of logging that it asks for; None without it.

    Every command takes it, anywhere before `--`: once for INFO, twice for DEBUG.
    """
    end = args.index("--") if "--" in args else len(args)
    rest = [*(arg for arg in args[:end] if arg != _VERBOSE), *args[end:]]
    count = len(args) - len(rest)
    return rest, None if not count else logging.INFO if count == 1 else logging.DEBUG


__all__ = ["complain", "make_console", "take_verbose", "tame_libraries"]

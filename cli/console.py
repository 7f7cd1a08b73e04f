"""Where the commands write: a console that cuts no line in a pipe, errors in red on stderr, and log lines."""

from __future__ import annotations

import codecs
import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_ENDLESS: Final = 100_000
_VERBOSE: Final = "--verbose"
LINES: Final = 14
"""The number of lines of an observation that are shown, unless `--full` asks for all."""
_PLAIN: Final[Mapping[str, str]] = {
    **dict.fromkeys("\u2022\u25cf\u00b7", "*"), **dict.fromkeys("\u2013\u2014\u2500\u2501", "-"), "\u2026": "...",
    **dict.fromkeys("\u2018\u2019", "'"), **dict.fromkeys("\u201c\u201d", '"'), **dict.fromkeys("\u2502\u2503", "|"),
    **dict.fromkeys("\u256d\u256e\u2570\u256f\u250c\u2510\u2514\u2518\u251c\u2524\u252c\u2534\u253c", "+"),
}  # fmt: skip
"""What is printed for a character where the terminal's encoding has no such character; `?` for any other."""


def make_console() -> Console:
    """Return where tables go."""
    # A pipe has no width, unless COLUMNS says one: every row of a table is one line there, with all that is in it.
    has_width = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return _whole()(highlight=False, width=None if has_width else _ENDLESS)


@lru_cache
def _whole() -> type[Console]:
    """Return the class of consoles that break words which are too long for a column of a table, instead of cutting."""
    from rich.console import Console
    from rich.table import Table

    class Whole(Console):
        def print(self, *objects: Any, **how: Any) -> None:
            for column in (column for one in objects if isinstance(one, Table) for column in one.columns):
                column.overflow = "fold"
            super().print(*objects, **how)

    return Whole


def say(text: str) -> None:
    """Print a line as it is: neither wrapped nor read as markup, as paths and actions have brackets."""
    make_console().print(text, markup=False, soft_wrap=True)


def announce(address: str) -> None:
    """Say where something is served, on stderr: stdout belongs to the protocol when serving over stdio."""
    from rich.console import Console

    Console(stderr=True, highlight=False).print(f"Serving at {address}; press Ctrl-C to stop.")


def print_plainly(*streams: TextIO) -> None:
    """Print what replaces a character on streams whose encoding has no such character, instead of raising an error."""
    codecs.register_error("pathei.plain", _plainer)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="pathei.plain")


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(one, "?") for one in error.object[error.start : error.end]), error.end


def tame_libraries() -> None:
    """Let torch's threads sleep while they wait, and keep transformers from printing progress bars and hints.

    To be called before they are imported; worker processes inherit it. By default the threads spin, which on a machine
    that others use as well makes small models thirty times slower.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # its retries are not the answer
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if "transformers" in sys.modules:
        from transformers.utils import logging as their_logging

        hushed: Any = their_logging
        hushed.disable_progress_bar()
        hushed.set_verbosity_error()


@contextlib.contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print our own warnings once, in one line on stderr as errors are, without the code that they come from."""
    printed = set[str]()

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if not category.__module__.startswith("pathei."):
            others(message, category, *where, **more)
        elif str(message) not in printed:
            printed.add(str(message))
            print_error(str(message))

    with warnings.catch_warnings():
        others, warnings.showwarning = warnings.showwarning, show
        yield


def print_error(message: str) -> None:
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

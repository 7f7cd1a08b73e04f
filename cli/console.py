"""Where the commands write: a console of fixed width in a pipe, and complaints in red on stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def make_console() -> Console:
    """Return where tables go."""
    from rich.console import Console

    # A pipe has no width; 80 columns, which rich assumes there, would fold the tables.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def tame_libraries() -> None:
    """Let torch's threads sleep while they wait, and keep transformers from drawing bars and telling hints of its own.

    To be called before they are imported; worker processes inherit it. By default the threads spin, which on a machine
    that others use as well makes small models thirty times slower.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if "transformers" in sys.modules:
        from transformers.utils import logging as told

        logging: Any = told
        logging.disable_progress_bar()
        logging.set_verbosity_error()


def complain(message: str) -> None:
    """Tell what went wrong, in one line on stderr."""
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True).print(Text(" ".join(message.split()), style="red"), soft_wrap=True)


__all__ = ["complain", "make_console", "tame_libraries"]

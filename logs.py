"""Where the package's log lines go: nowhere by default; to stderr with `pathei --verbose` or `show_logs`.

Modules log to `logging.getLogger(__name__)`, so a program configures them as it does any other library: the logger
`pathei` is the parent of all. Worker processes follow the process that starts them. Not here: what is logged.
"""

from __future__ import annotations

import logging
import sys
from typing import Final

_FORM: Final = "%(levelname)s %(name)s: %(message)s"
_NAMES: Final = ("pathei", "openai")
"""The loggers that are shown; the client of endpoints logs its retries itself."""


class _LogHandler(logging.Handler):
    """Writes to what `sys.stderr` is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        sys.stderr.write(f"{self.format(record)}\n")


def show_logs(level: int) -> None:
    """Write log lines of at least `level` (`logging.INFO`, ...) to stderr; calling it again changes the level."""
    for name in _NAMES:
        logger = logging.getLogger(name)
        logger.setLevel(level)
        if not any(isinstance(one, _LogHandler) for one in logger.handlers):
            handler = _LogHandler()
            handler.setFormatter(logging.Formatter(_FORM))
            logger.addHandler(handler)


def hide_logs() -> None:
    """Undo `show_logs`."""
    for name in _NAMES:
        logger = logging.getLogger(name)
        for handler in [one for one in logger.handlers if isinstance(one, _LogHandler)]:
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)


def shown_level() -> int | None:
    """Return the level that `show_logs` set in this process; None if it was not called."""
    logger = logging.getLogger(_NAMES[0])
    return logger.level if any(isinstance(one, _LogHandler) for one in logger.handlers) else None

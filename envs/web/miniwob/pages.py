"""The pages of MiniWoB++: where they are, what they are called, and which of them need what.

The pages are those of the package `miniwob` (MIT licence), unchanged; nothing of them is part of pathei.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Final

from ....errors import MissingDependencyError, unknown
from ....extras import install_command

FLIGHTS: Final = ("flight.AA", "flight.Alaska", "flight.Alaska-auto")
"""The tasks that need a server, because their pages load others."""

TIMED: Final = ("button-delay", "chase-circle", "hover-shape", "moving-items", "simon-says")
"""The pages that `miniwob` ships and registers no environment for, because they are played against the clock. Here the
clock stands still between actions, so they can be played, a quarter of a second at a time."""


@functools.cache
def folder() -> Path:
    """Return the folder `html` of the package `miniwob`.

    Raises:
        MissingDependencyError: it is not installed.
    """
    # Found, not imported: importing it imports selenium, which takes a second and is not needed here.
    found = importlib.util.find_spec("miniwob")
    if found is None or found.origin is None:
        raise MissingDependencyError(f"The pages of MiniWoB++ are not installed: {install_command('web')}.")
    return Path(found.origin).parent / "html"


@functools.cache
def names() -> tuple[str, ...]:
    """Return the names of the 128 tasks that `miniwob` registers, sorted, the served ones last; `TIMED` come too.

    Raises:
        MissingDependencyError: the pages are not installed.
    """
    local = sorted(path.stem for path in (folder() / "miniwob").glob("*.html"))
    return (*(name for name in local if name not in TIMED), *FLIGHTS)


def require(name: str) -> None:
    """Refuse a name that is no task's.

    Raises:
        UnknownNameError: it is none; the nearest is suggested.
    """
    known = (*names(), *TIMED)
    if name not in known:
        raise unknown("MiniWoB++ task", name, known)

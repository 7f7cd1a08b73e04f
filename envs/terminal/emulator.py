"""The picture of a terminal: what bytes that programs write make of a screen of characters, by the library pyte.

Sequences that the emulator does not know are ignored, as terminals do, and the size stays as it was made. Not here:
colours, which an observation does not show (highlighted text is listed), and what scrolled off.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Final

import pyte

_MOST: Final = 6
_TRIM: Final = 60


def _tolerant(name: str) -> Callable[..., None]:
    """Return the handler of a sequence that ignores one whose parameters it does not know."""
    known = getattr(pyte.Screen, name)

    def handle(self: _Screen, *args: Any, **options: Any) -> None:
        try:
            known(self, *args, **options)
        except (TypeError, ValueError, LookupError, NameError):
            return

    return handle


class _Screen(pyte.Screen):
    """A screen that keeps its size and collects what it would answer."""

    answers = b""

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Keep the size: no program changes it."""

    def write_process_input(self, data: str) -> None:
        """Collect an answer to a program's question."""
        self.answers += data.encode()


for _name in pyte.Stream.events:
    setattr(_Screen, _name, _tolerant(_name))


class Emulator:
    """The screen of a terminal."""

    def __init__(self, columns: int, lines: int, screen: _Screen | None = None) -> None:
        """Begin with an empty screen."""
        self.columns, self.lines = columns, lines
        self._screen = _Screen(columns, lines) if screen is None else screen
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, data: bytes) -> bytes:
        """Draw what was written; return what the terminal answers to questions in it."""
        self._stream.feed(data)
        answers, self._screen.answers = self._screen.answers, b""
        return answers

    def copy(self) -> Emulator:
        """Return a screen that looks the same and is not changed by this one."""
        return Emulator(self.columns, self.lines, copy.deepcopy(self._screen))

    def rows(self) -> list[str]:
        """Return the lines of the screen from the top, without blanks at their ends and empty lines at the bottom."""
        rows = [line.rstrip() for line in self._screen.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def cursor(self) -> tuple[int, int]:
        """Return the cursor's line and column, both from 1."""
        return self._screen.cursor.y + 1, min(self._screen.cursor.x, self.columns - 1) + 1

    def highlighted(self) -> list[str]:
        """Return the first few texts that are shown in reverse."""
        found: list[str] = []
        for line in range(self.lines):
            row, text = self._screen.buffer[line], ""
            for column in range(self.columns + 1):
                if column < self.columns and row[column].reverse:
                    text += row[column].data
                elif text:
                    found += [" ".join(text.split())[:_TRIM]] if text.strip() else []
                    text = ""
        return found[:_MOST]

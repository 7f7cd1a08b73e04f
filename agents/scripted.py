"""The agent that plays a given program, line by line, whatever it perceives."""

from __future__ import annotations

from collections.abc import Iterable

from ..experience import Goal, Observation
from .protocol import Finished


class ScriptedAgent:
    """Plays the lines of a program in order, then raises `Finished`; `reset` begins the program again."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Create the agent; empty lines of its program are skipped."""
        self.lines: tuple[str, ...] = tuple(line for line in lines if line.strip())
        """The program."""
        self._next = 0

    def reset(self, seed: int) -> None:
        """Begin the program again; the seed changes nothing."""
        self._next = 0

    def act(self, observation: Observation, goal: Goal) -> str:
        """Return the next line.

        Raises:
            Finished: the program is at its end.
        """
        if self._next == len(self.lines):
            raise Finished("The program is at its end.")
        line = self.lines[self._next]
        self._next += 1
        return line

"""A limit on processor time that costs next to nothing to check.

Reading a process's processor time can take a millisecond where it has threads; a small search would spend most of its
time on that. Not here: what is done within the limit (`mcts`).
"""

from __future__ import annotations

import math
import time
from typing import Final

_EVERY: Final = 0.005
"""The processor time is read at most once in this time by the wall clock, in seconds."""


class Deadline:
    """The end of a span of processor time of this process, which begins when the object is made."""

    __slots__ = ("_asked", "_over", "_until")

    def __init__(self, seconds: float | None) -> None:
        """Begin.

        Args:
            seconds: How long, in seconds of processor time; None for no end.
        """
        self._until = math.inf if seconds is None else time.process_time() + seconds
        self._asked = time.perf_counter()
        self._over = False

    def passed(self) -> bool:
        """Return whether the time is used up; noticed up to 5 ms late."""
        if self._over or self._until == math.inf:
            return self._over
        now = time.perf_counter()
        if now - self._asked >= _EVERY:
            self._asked, self._over = now, time.process_time() >= self._until
        return self._over

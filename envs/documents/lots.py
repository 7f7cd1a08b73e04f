"""Draws that are the same on every machine and with every version of anything: each is a SHA-256 of what it is for.

A number that belongs to a product is drawn from the product's own name, not from its place in a file. So two workers
that were given the same products always agree, in whatever order they read them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def lot(*names: object) -> float:
    """Return the number in [0, 1) that belongs to these names; numbers and strings are distinguished by place only."""
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56)


class HashRandom:
    """A sequence of such numbers."""

    def __init__(self, *names: object) -> None:
        """Begin the sequence that belongs to these names."""
        self._names = names
        self._drawn = 0

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        self._drawn += 1
        return lot(*self._names, self._drawn)

    def below(self, count: int) -> int:
        """Return a whole number from 0 to `count` - 1."""
        return int(self.uniform() * count)

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def choice(self, items: Sequence[T]) -> T:
        """Return one of some items."""
        return items[self.below(len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """Return this number of different items, or all if there are fewer, in random order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]

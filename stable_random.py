"""Random choices that come out the same on any machine and under any version of numpy.

numpy promises that the raw numbers of PCG64 and the mixing of SeedSequence never change; it does not promise this for
`Generator.integers` and the like. So the choices of houses and tasks are made from raw numbers here. It is also faster,
since raw numbers come in batches. What belongs to a product or a question is drawn from its own name (`HashRandom`),
not from its place in a file: workers that were given the same products agree, in whatever order they read them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class StableRandom:
    """Choices from a stream of random numbers."""

    __slots__ = ("_batch", "_bits", "_size")

    def __init__(self, generator: np.random.Generator, size: int = 256) -> None:
        """Take the numbers from a generator; it is consumed in batches of this size."""
        self._bits, self._size = generator.bit_generator, size
        self._batch: list[int] = []

    @classmethod
    def seeded(cls, *seed: int) -> StableRandom:
        """Return the choices that belong to a seed of one or several whole numbers, none below 0."""
        return cls(np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed))))

    def _next(self) -> int:
        if not self._batch:
            self._batch = self._bits.random_raw(self._size).tolist()
        return self._batch.pop()

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return (self._next() >> 11) / 2**53

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to `limit - 1`."""
        return (self._next() >> 32) * limit >> 32

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return (self._next() >> 11) < probability * 2**53

    def pick(self, options: Sequence[T]) -> T:
        """Return one of several."""
        return options[self.below(len(options))]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """Return all of them in random order."""
        mixed = list(options)
        self.shuffle(mixed)
        return mixed

    def shuffle(self, items: list[Any]) -> None:
        """Shuffle a list in place (Fisher-Yates)."""
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]


class HashRandom(StableRandom):
    """Choices that belong to names alone: each is a SHA-256 of the names and of its number."""

    __slots__ = ("_drawn", "_names")

    def __init__(self, *names: object) -> None:
        """Begin the choices that belong to these names."""
        self._names, self._drawn = names, 0

    def _next(self) -> int:
        self._drawn += 1
        return _hashed(*self._names, self._drawn) << 8

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return (self._next() >> 8) / (1 << 56)

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Return this number of different options, or all if there are fewer, in random order."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]


def lot(*names: object) -> float:
    """Return the number in [0, 1) that belongs to these names; numbers and strings are distinguished by place only."""
    return _hashed(*names) / (1 << 56)


def _hashed(*names: object) -> int:
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()[:7], "big")

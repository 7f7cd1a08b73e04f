"""Two ways to do the same tasks: is one better? Not here: how sure a single share is (`intervals`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class PairedComparison(NamedTuple):
    """What two ways reached on the same tasks."""

    first: int
    """How many tasks only the first one reached."""
    second: int
    """How many tasks only the second one reached."""
    difference: float
    """By how much the share of the first is above that of the second."""
    low: float
    """Of the 95 % interval of the difference."""
    high: float
    p: float
    """The two-sided p-value of McNemar's exact test; 1 where they never differ."""


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> PairedComparison:
    """Compare two ways on the same tasks: McNemar's exact test (1947) on those that only one of them reached.

    The interval of the difference is Wald's with Agresti and Min's adjustment (2005): half a task is added to each of
    the four counts, so it has a width even where the two never differ.

    Args:
        first: Whether the first way reached each task.
        second: The same of the second way, in the same order.
    """
    only = sum(a and not b for a, b in zip(first, second, strict=True))
    other = sum(b and not a for a, b in zip(first, second, strict=True))
    n, differ = len(first), only + other
    tail = sum(math.comb(differ, k) for k in range(min(only, other) + 1)) / 2**differ
    b, c, total = only + 0.5, other + 0.5, n + 2
    middle, spread = (b - c) / total, 1.959963984540054 * math.sqrt(b + c - (b - c) ** 2 / total) / total
    share = (only - other) / n if n else 0.0
    return PairedComparison(
        only, other, share, max(-1.0, middle - spread), min(1.0, middle + spread), min(1.0, 2 * tail)
    )

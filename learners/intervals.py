"""Intervals: how sure a share or a mean is, given how much was asked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Z: Final = 1.959963984540054
"""The normal deviate of a two-sided 95 % interval."""


class Interval(NamedTuple):
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, n: int) -> Interval:
    """Return a share and its Wilson score interval (Wilson 1927), which is right for few cases and extreme shares.

    Args:
        successes: How many of the cases.
        n: How many cases, at least 1.
    """
    share, z2 = successes / n, _Z * _Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Interval(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def bootstrap(
    values: NDArray[np.float64], rng: np.random.Generator, *, ratio: bool = False, draws: int = 1000
) -> Interval:
    """Return a mean and its percentile bootstrap interval.

    Args:
        values: Shape `[n]`; for a ratio `[n, 2]`: numerators and denominators, each summed before dividing.
        rng: Draws cases with replacement; it is consumed.
        ratio: Whether it is a ratio of sums.
        draws: How many times n cases are drawn.
    """
    pairs = values if ratio else np.stack([values, np.ones(len(values))], axis=1)
    # Counting how often a case is drawn needs draws * n small numbers, whatever a case holds.
    counts = rng.multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)), size=draws)
    sums = counts @ pairs
    low, high = np.quantile(sums[:, 0] / sums[:, 1], (0.025, 0.975))
    top, bottom = pairs.sum(axis=0)
    return Interval(float(top / bottom), float(low), float(high))


__all__ = ["Interval", "bootstrap", "wilson"]

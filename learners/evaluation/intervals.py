"""Intervals: how sure a share or a mean is, given how much was asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_Z: Final = 1.959963984540054
"""The normal deviate of a two-sided 95 % interval."""


class Interval(NamedTuple):
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, n: int) -> Interval:
    """Return the share of successes among `n` cases, at least 1, and its Wilson score interval (Wilson 1927).

    That is right for few cases and extreme shares.
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


def mean_of_means(groups: Sequence[NDArray[np.float64]], rng: np.random.Generator, *, draws: int = 1000) -> Interval:
    """Return the mean of the means of several groups, each counting alike, and its bootstrap interval.

    Args:
        groups: Each of shape `[its own n]`; cases are drawn within their group.
        rng: Draws cases; it is consumed.
        draws: How many times.
    """
    drawn = np.zeros(draws)
    for group in groups:
        counts = rng.multinomial(len(group), np.full(len(group), 1 / len(group)), size=draws)
        drawn += counts @ group / len(group) / len(groups)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(float(np.mean([group.mean() for group in groups])), float(low), float(high))

"""Paired comparisons, against scipy's exact binomial test where it is installed, and by what has to hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.learners.evaluation.paired import mcnemar

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40)


@given(PAIRS)
def test_the_two_ways_are_treated_alike(pairs: list[tuple[bool, bool]]) -> None:
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    here, there = mcnemar(one, other), mcnemar(other, one)
    assert (here.first, here.second, here.p) == (there.second, there.first, there.p)
    assert here.difference == -there.difference
    assert here.low == pytest.approx(-there.high)
    assert 0 <= here.p <= 1
    assert here.low < here.high  # also where the two never differ


@given(st.integers(0, 20), st.integers(0, 20))
def test_the_p_value_is_that_of_a_fair_coin(first: int, second: int) -> None:
    found = mcnemar([True] * first + [False] * second, [False] * first + [True] * second)
    n, least = first + second, min(first, second)
    tail = sum(math.comb(n, k) for k in range(least + 1)) / 2**n
    assert found.p == pytest.approx(min(1.0, 2 * tail))
    assert (found.first, found.second) == (first, second)


def test_as_in_a_textbook() -> None:
    """12 against 3 discordant pairs: p = 0.0352, as `scipy.stats.binomtest(3, 15).pvalue` gives it."""
    assert mcnemar([True] * 12 + [False] * 3, [False] * 12 + [True] * 3).p == pytest.approx(0.03515625)

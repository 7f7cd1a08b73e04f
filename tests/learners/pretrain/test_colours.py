"""Colours: the values of CIE Lab, and what turning a hue leaves as it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pathei.learners.pretrain.objectives.colours import SECTORS, ab_of, sectors, shrunk, turned

PICTURES = arrays(np.uint8, (2, 4, 4, 3), elements=st.integers(0, 255))


@pytest.mark.parametrize(
    ("rgb", "ab"),
    # Published conversions of the sRGB primaries to CIE Lab, D65.
    [
        ((255, 0, 0), (80.09, 67.20)),
        ((0, 255, 0), (-86.18, 83.18)),
        ((0, 0, 255), (79.19, -107.86)),
        ((119, 119, 119), (0, 0)),
    ],
)
def test_the_primaries_have_their_published_colours(rgb: tuple[int, ...], ab: tuple[float, ...]) -> None:
    assert ab_of(np.array(rgb)) == pytest.approx(ab, abs=0.05)


@given(PICTURES, st.floats(-7, 7))
def test_turning_keeps_chroma_and_can_be_undone(pictures: np.ndarray, angle: float) -> None:
    ab, angles = ab_of(pictures), np.full(2, angle)
    there = turned(ab, angles)
    assert np.hypot(*np.moveaxis(there, -1, 0)) == pytest.approx(np.hypot(*np.moveaxis(ab, -1, 0)), abs=1e-3)
    assert turned(there, -angles) == pytest.approx(ab, abs=1e-3)


@pytest.mark.parametrize("sector", range(SECTORS))
def test_a_turn_by_one_sector_is_the_next_one(sector: int) -> None:
    angle = 2 * np.pi * (sector + 0.5) / SECTORS
    ab = 50 * np.array([[np.cos(angle), np.sin(angle)]], np.float32)
    assert sectors(ab) == sector
    assert sectors(turned(ab, np.array([2 * np.pi / SECTORS]))) == (sector + 1) % SECTORS


@given(PICTURES)
def test_shrinking_keeps_the_mean(pictures: np.ndarray) -> None:
    assert shrunk(pictures, 2).mean((1, 2)) == pytest.approx(pictures.mean((1, 2)), abs=1e-2)

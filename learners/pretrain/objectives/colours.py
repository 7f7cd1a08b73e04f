"""Colours apart from lightness: CIE Lab, hues in sectors, and hues turned at random.

A turned hue keeps lightness and chroma and takes away what the thing's lightness says of its colour; in `colorization`
that is the control, in `tracking` the rule.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]
SECTORS: Final = 6
"""The number of equal sectors of hues."""
COLOURED: Final = 15.0
"""The chroma from which a place counts as coloured."""
_XYZ: Final = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
_WHITE: Final = np.array([0.95047, 1.0, 1.08883])


def ab_of(pixels: np.ndarray[Any, Any]) -> Floats:
    """Return the colours a and b of sRGB pictures (D65), `[..., 2]`, about -110 to 110.

    Args:
        pixels: uint8 or float in 0 to 255, shape `[..., 3]`.
    """
    value = np.asarray(pixels, np.float32) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _XYZ.T / _WHITE
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([500 * (root[..., 0] - root[..., 1]), 200 * (root[..., 1] - root[..., 2])], -1).astype(np.float32)


def shrunk(pixels: np.ndarray[Any, Any], side: int) -> Floats:
    """Return pictures `[..., size, size, 3]` as means over a grid, `[..., side, side, 3]`; `side` divides the size."""
    *front, size, _, channels = pixels.shape
    block = size // side
    cut = pixels.reshape(*front, side, block, side, block, channels)
    return np.asarray(cut.mean((-4, -2)), np.float32)


def turned(ab: Floats, angles: np.ndarray[Any, Any]) -> Floats:
    """Return colours `[n, ..., 2]` with the hue of each example turned by an angle, `[n]`, in radians."""
    shape = (len(ab),) + (1,) * (ab.ndim - 2)
    cos, sin = np.cos(angles).reshape(shape), np.sin(angles).reshape(shape)
    return np.stack([cos * ab[..., 0] - sin * ab[..., 1], sin * ab[..., 0] + cos * ab[..., 1]], -1).astype(np.float32)


def sectors(ab: Floats) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the hue sector of colours `[..., 2]`, from 0; `SECTORS` where they are not coloured."""
    angle = np.arctan2(ab[..., 1], ab[..., 0]) / (2 * np.pi) % 1
    found = np.minimum((angle * SECTORS).astype(np.int64), SECTORS - 1)
    return np.where(np.hypot(ab[..., 0], ab[..., 1]) > COLOURED, found, SECTORS)

"""A double of magnum: the few types that pathei's back end `habitat_sim` uses, as strict as the real ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Vector3:
    """Three numbers in single precision; no list is one."""

    __slots__ = ("_values",)

    def __init__(self, x: float, y: float, z: float) -> None:
        if not all(type(value) is float for value in (x, y, z)):
            raise TypeError(f"Vector3 takes three floats, not {x!r}, {y!r}, {z!r}")
        self._values = (x, y, z)

    def __getitem__(self, axis: int) -> float:
        return self._values[axis]

    def __iter__(self) -> Iterator[float]:
        return iter(self._values)

    def __len__(self) -> int:
        return 3


class Range3D:
    """A box."""

    def __init__(self, low: Vector3, high: Vector3) -> None:
        self.min, self.max = low, high


class Matrix4:
    """A translation."""

    def __init__(self, by: Vector3) -> None:
        self._by = by

    def transform_point(self, point: Any) -> Vector3:
        """Return a point moved by the translation."""
        if not isinstance(point, Vector3):
            raise TypeError("transform_point takes a Vector3")
        return Vector3(*(a + b for a, b in zip(point, self._by, strict=True)))

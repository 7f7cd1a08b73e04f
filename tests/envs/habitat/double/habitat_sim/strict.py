"""Strict types, as the bindings of habitat-sim have them: unknown attributes and other types are refused."""

from __future__ import annotations

from typing import Any, ClassVar

import magnum as mn
import numpy as np


def vector(value: Any) -> np.ndarray:
    """Take a vector as habitat-sim 0.3.4 does: magnum's, or an array of single precision (trap 4)."""
    if isinstance(value, mn.Vector3):
        return np.array(list(value), dtype=np.float32)
    if isinstance(value, np.ndarray) and value.dtype == np.float32 and value.shape == (3,):
        return value
    raise TypeError(f"incompatible function arguments: {type(value).__name__} {value!r} is no Vector3")


class Strict:
    """A class of the bindings: attributes are those of `fields`, of the type of their default."""

    fields: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        for name, value in self.fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.fields:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        like = self.fields[name]
        if isinstance(like, np.ndarray):
            value = vector(value)
        elif like is not None and type(value) is not type(like):
            raise TypeError(f"{type(self).__name__}.{name} takes {type(like).__name__}, not {value!r}")
        object.__setattr__(self, name, value)

    def __eq__(self, other: Any) -> bool:
        return type(self) is type(other) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in self.fields
        )

    __hash__ = None  # type: ignore[assignment]

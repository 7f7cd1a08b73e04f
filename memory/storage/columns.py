"""The fields that filters and the search for near duplicates use, as arrays over all items: a cache of the table.

Texts (environment, task) are stored as 32-bit hashes; collisions are resolved when the row is read. The place of an
item is its number minus one. Not here: vectors.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ..items import KINDS, Filter, Kind

STATUSES: Final = ("active", "superseded", "merged", "retired", "forgotten")
_ACTIVE: Final = STATUSES.index("active")
_UNKNOWN: Final = -1
_PLANES: Final = 128
_FAR: Final = 34
"""Vectors of cosine 0.9 differ in 18.4 of 128 signs (25.8 of 180 degrees), with a standard deviation of 4: fewer than
one in ten thousand differ in more than this."""
_MASKS: Final = 8
"""The number of masks that are cached until something changes: an agent repeats the same filters."""
_TYPES: Final[Mapping[str, Any]] = {
    "kind": np.uint8,
    "status": np.uint8,
    "success": np.int8,
    "keyed": np.bool_,
    "world": np.uint32,  # the environment, under the name that published indexes use
    "task": np.uint32,
    "seen": np.float64,
    "length": np.uint16,
    "signs": np.uint64,
    "signs_2": np.uint64,
}

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Places = np.ndarray[Any, np.dtype[np.int64]]


class ItemColumns:
    """Arrays that grow."""

    def __init__(self, arrays: Mapping[str, np.ndarray[Any, Any]] | None = None) -> None:
        """Start with arrays that were saved, or with none."""
        self.rows = 0 if arrays is None else len(arrays["kind"])
        self._arrays = {
            name: np.zeros(0, kind) if arrays is None else np.array(arrays[name], kind) for name, kind in _TYPES.items()
        }
        self._masks: dict[Filter, Mask | None] = {}
        self._words = int(self._arrays["length"].sum(dtype=np.int64))

    @property
    def lengths(self) -> np.ndarray[Any, np.dtype[np.uint16]]:
        """The number of words of each item, text and task together; at most 65,535."""
        return self._arrays["length"][: self.rows]

    @property
    def mean_length(self) -> float:
        """The mean number of words of an item."""
        return self._words / max(1, self.rows)

    def saved(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the arrays to save."""
        return {name: array[: self.rows] for name, array in self._arrays.items()}

    def put(self, places: Places, values: Mapping[str, Any]) -> None:
        """Set the values at some places, which may be new."""
        self._masks.clear()
        self.rows = max(self.rows, int(places.max()) + 1)
        for name, array in self._arrays.items():
            if self.rows > len(array):
                grown = np.zeros(max(1024, self.rows + self.rows // 4), array.dtype)
                grown[: len(array)] = array
                self._arrays[name] = array = grown
            if name == "length" and name in values:
                self._words += int(np.sum(values[name])) - int(array[places].sum(dtype=np.int64))
            if name in values:
                array[places] = values[name]

    def mask(self, where: Filter) -> Mask | None:
        """Return which places pass a filter, as a read-only mask; None if all do."""
        if where not in self._masks:
            if len(self._masks) == _MASKS:
                self._masks.clear()
            self._masks[where] = self._passing(where)
        return self._masks[where]

    def _passing(self, where: Filter) -> Mask | None:
        column = {name: array[: self.rows] for name, array in self._arrays.items()}
        parts = [_among(column["status"], [STATUSES.index(one) for one in where.statuses])]
        if where.kinds is not None:
            parts.append(_among(column["kind"], [KINDS.index(one) for one in where.kinds]))
        if where.env is not None:
            parts.append(_among(column["world"], [hashed(where.env), hashed("")]))
        if where.task is not None:
            parts.append(column["task"] == hashed(where.task))
        if where.success is not None:
            parts.append(column["success"] == int(where.success))
        if where.after is not None:
            parts.append(column["seen"] >= where.after)
        if where.before is not None:
            parts.append(column["seen"] < where.before)
        both: Mask = parts[0]
        for part in parts[1:]:
            both &= part
        return None if both.all() else both

    def group(self, kind: Kind, env: str, task: str, success: bool | None) -> ColumnGroup:
        """Return the active items without a key of one kind, environment, task and outcome."""
        column = {name: array[: self.rows] for name, array in self._arrays.items()}
        fits = column["status"] == _ACTIVE
        fits &= column["kind"] == KINDS.index(kind)
        fits &= column["world"] == hashed(env)
        fits &= column["task"] == hashed(task)
        fits &= column["success"] == outcome(success)
        fits &= ~column["keyed"]
        places = np.flatnonzero(fits)
        return ColumnGroup(places, column["signs"][places], column["signs_2"][places])


class ColumnGroup:
    """The items among which near duplicates are searched."""

    def __init__(self, places: Places, signs: np.ndarray[Any, Any], signs_2: np.ndarray[Any, Any]) -> None:
        """Store their places and signs."""
        self._size = len(places)
        self._places, self._signs, self._signs_2 = places, signs, signs_2

    def add(self, place: int, signs: np.ndarray[Any, Any]) -> None:
        """Add an item; the signs of its vector have shape `[2]`."""
        if self._size == len(self._places):
            room = self._size // 2 + 64
            self._places, self._signs, self._signs_2 = (
                np.concatenate([old, np.zeros(room, old.dtype)]) for old in (self._places, self._signs, self._signs_2)
            )
        self._places[self._size] = place
        self._signs[self._size], self._signs_2[self._size] = signs
        self._size += 1

    def near(self, signs: np.ndarray[Any, Any], most: int = 64) -> Places:
        """Return the places whose cosine may be 0.9 by their signs; the most similar if there are many.

        Args:
            signs: The signs of one vector, shape `[2]`.
            most: The maximum number of places.
        """
        apart = np.bitwise_count(self._signs[: self._size] ^ signs[0])
        apart += np.bitwise_count(self._signs_2[: self._size] ^ signs[1])
        found = np.flatnonzero(apart <= _FAR)
        if len(found) > most:
            found = found[np.argpartition(apart[found], most)[:most]]
        return self._places[found]


def signs_of(vectors: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return the side of 128 fixed random planes for each vector, shape `[vectors, 2]` (Charikar 2002)."""
    sides = np.packbits(vectors.astype(np.float32) @ _planes(vectors.shape[1]) > 0, axis=1)
    return np.ascontiguousarray(sides).view(np.uint64)


@functools.cache
def _planes(dimensions: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(dimensions).standard_normal((dimensions, _PLANES), np.float32)


def hashed(text: str) -> int:
    """Return 32 bits of a text's hash, the same on any machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "little")


def outcome(success: bool | None) -> int:
    """Return an outcome as a number."""
    return _UNKNOWN if success is None else int(success)


def _among(column: np.ndarray[Any, Any], values: list[int]) -> Mask:
    found: Mask = np.zeros(len(column), np.bool_) if not values else column == values[0]
    for value in values[1:]:
        found |= column == value
    return found

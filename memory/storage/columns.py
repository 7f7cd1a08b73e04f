"""The fields that filters use, as arrays over all items: a cache of the table.

Texts (environment, task, scopes) are stored as 32-bit hashes; collisions are resolved when the row is read. The
place of an item is its number minus one. Not here: vectors.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ..items import KINDS, STATUSES, Filter

PURGED: Final = len(STATUSES)
"""The status of the empty row that stays where an item was erased: no filter names it."""
_UNKNOWN: Final = -1
_MASKS: Final = 8
"""The number of masks that are cached until something changes: an agent repeats the same filters."""
_TYPES: Final[Mapping[str, Any]] = {
    "kind": np.uint8,
    "status": np.uint8,
    "success": np.int8,
    "world": np.uint32,  # the environment, under the name that published indexes use
    "task": np.uint32,
    "seen": np.float64,
    "length": np.uint16,
    "user": np.uint32,
    "agent": np.uint32,
    "session": np.uint32,
    "expires": np.float64,
}

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Places = np.ndarray[Any, np.dtype[np.int64]]


class ItemColumns:
    """Arrays that grow."""

    def __init__(self, arrays: Mapping[str, np.ndarray[Any, Any]] | None = None) -> None:
        """Start with arrays that were saved, or with none."""
        self.rows = 0 if arrays is None else len(arrays["kind"])
        self._arrays = {
            name: np.array(arrays[name], kind) if arrays and name in arrays else self._blank(name, self.rows)
            for name, kind in _TYPES.items()
        }
        self._masks: dict[Filter, Mask | None] = {}
        self._until = 0.0
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
                grown = self._blank(name, max(1024, self.rows + self.rows // 4))
                grown[: len(array)] = array
                self._arrays[name] = array = grown
            if name == "length" and name in values:
                self._words += int(np.sum(values[name])) - int(array[places].sum(dtype=np.int64))
            if name in values:
                array[places] = values[name]

    def mask(self, where: Filter) -> Mask | None:
        """Return which places pass a filter, as a read-only mask; None if all do."""
        now = time.time()
        if where not in self._masks or now >= self._until:
            if len(self._masks) == _MASKS or now >= self._until:
                self._masks.clear()
            self._masks[where] = self._passing(where, now)
        return self._masks[where]

    @staticmethod
    def _blank(name: str, size: int) -> np.ndarray[Any, Any]:
        """Return the values of items of which nothing is known: of any scope, without an end."""
        return np.full(size, _BLANK.get(name, 0), _TYPES[name])

    def _passing(self, where: Filter, now: float) -> Mask | None:
        column = {name: array[: self.rows] for name, array in self._arrays.items()}
        later = column["expires"] > now
        self._until = float(column["expires"].min(initial=np.inf, where=later))  # then the masks change
        parts = [_among(column["status"], [STATUSES.index(one) for one in where.statuses])]
        if where.statuses == ("active",):
            parts.append(later)
        if where.kinds is not None:
            parts.append(_among(column["kind"], [KINDS.index(one) for one in where.kinds]))
        scopes = {"world": where.env, "user": where.user, "agent": where.agent, "session": where.session}
        for name, value in scopes.items():
            if value is not None:
                parts.append(_among(column[name], [hashed(value), hashed("")]))
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


_BLANK: Final = {name: hashed("") for name in ("user", "agent", "session")} | {"expires": np.inf}

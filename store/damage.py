"""What a store has lost: files, row groups or frames that cannot be read, named while the rest is read.

Not here: reading (`shards`, `journal`), and making a sound store of what is left (`salvage`).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from ..errors import StoreError

_ID = re.compile(rb'"record":\{"id":("(?:[^"\\]|\\.)*")')
_NAMED = 5


class StoreDamageWarning(UserWarning):
    """Something in a store cannot be read; the message names the file and what is missing."""


class DamagedFileError(StoreError):
    """A file of a store is missing or damaged; `path` and `reason` say which and why."""

    def __init__(self, path: Path, reason: str) -> None:
        """Compose the message."""
        self.path, self.reason = path, " ".join(reason.split()).rstrip(".")
        super().__init__(
            f"The file {path} is damaged ({self.reason}): restore it from a copy, or save what can be read with"
            " `pathei store salvage`."
        )


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that cannot be read."""

    file: str
    """The file, relative to the store's directory."""
    reason: str
    """What is wrong with it, without a full stop."""
    records: int | None = None
    """How many records are missing for that; None if it is not known."""
    ids: tuple[str, ...] = ()
    """The ids of missing trajectories, as far as they can be read."""

    def __str__(self) -> str:
        named = ", ".join(map(repr, self.ids[:_NAMED])) + (", ..." if len(self.ids) > _NAMED else "")
        count = "" if self.records is None else f"; {self.records} record{'s' * (self.records != 1)} missing"
        return f"{self.file}: {self.reason}{count}{f' ({named})' if named else ''}"


class Losses:
    """What one open store could not read so far; each place is warned of once."""

    def __init__(self, directory: Path) -> None:
        """Begin without losses.

        Args:
            directory: The store's directory.
        """
        self._directory = directory
        self._found: dict[tuple[str, object], Damage] = {}

    @property
    def found(self) -> tuple[Damage, ...]:
        """What was found, in order."""
        return tuple(self._found.values())

    def add(self, path: Path, where: object, reason: str, records: int | None = None, ids: Sequence[str] = ()) -> None:
        """Note something that cannot be read.

        Args:
            path: The file.
            where: Where in it, so that it is noted once: a row group or a position; None for the whole file.
            reason: What is wrong, without a full stop.
            records: How many records are missing.
            ids: The ids that are known of them.
        """
        file = str(path.relative_to(self._directory))
        known = self._found.get((file, where))
        if known is None:
            warnings.warn(
                f"The store {self._directory} is damaged and is read without what is missing:"
                f" {Damage(file, reason, records, tuple(ids))}.",
                StoreDamageWarning,
                stacklevel=3,
            )
        if known is None or len(ids) > len(known.ids):
            self._found[file, where] = Damage(file, reason, records, tuple(ids))


def ids_in(content: bytes) -> tuple[str, ...]:
    """Return the ids of the trajectories whose encoding begins in damaged bytes, as far as they can be read."""
    found: list[str] = []
    for text in _ID.findall(content):
        try:
            found.append(orjson.loads(text))
        except orjson.JSONDecodeError:
            continue
    return tuple(found)

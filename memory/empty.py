"""The memory of one who has lived nothing: what an agent is compared with, and what it begins with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import MemoryStoreError
from .items import Filter, Hit, Item


class EmptyMemory:
    """A `Recollection` without items."""

    def query(self, text: str, k: int = 8, where: Filter | None = None) -> Sequence[Hit]:
        """Find nothing."""
        del text, k, where
        return ()

    def feedback(self, ids: Iterable[str], *, helpful: bool, trajectory: str = "") -> None:
        """Take no notice."""
        del ids, helpful, trajectory

    def get(self, id_: str) -> Item:
        """Refuse.

        Raises:
            MemoryStoreError: always.
        """
        raise MemoryStoreError(f"There is no item {id_!r}: this memory holds nothing.")


__all__ = ["EmptyMemory"]

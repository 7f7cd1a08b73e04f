"""A memory without items: the baseline for agents that use a memory."""

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
        """Do nothing."""
        del ids, helpful, trajectory

    def get(self, id_: str) -> Item:
        """Refuse.

        Raises:
            MemoryStoreError: always.
        """
        raise MemoryStoreError(f"There is no item {id_!r}: this memory is empty.")


__all__ = ["EmptyMemory"]

"""A memory without items: the baseline for agents that use a memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import MemoryStoreError
from ..experience import Trajectory
from .items import Filter, Hit, Item


class EmptyMemory:
    """A `Memory` that stays empty."""

    def add(self, trajectory: Trajectory) -> Sequence[str]:
        """Remember nothing."""
        return ()

    def query(self, text: str, k: int = 8, where: Filter | None = None) -> Sequence[Hit]:
        """Find nothing."""
        return ()

    def forget(self, ids: Iterable[str]) -> int:
        """Hide nothing."""
        return 0

    def feedback(self, ids: Iterable[str], *, helpful: bool, trajectory: str = "") -> None:
        """Record nothing."""

    def get(self, id_: str) -> Item:
        """Refuse.

        Raises:
            MemoryStoreError: always.
        """
        raise MemoryStoreError(f"There is no item {id_!r}: this memory is empty.")

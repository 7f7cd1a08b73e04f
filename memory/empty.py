"""Memories that show less: one without items, the baseline for agents that use a memory, and one without some of them.

Not here: forgetting, which changes the memory itself (`Memory.forget`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..errors import MemoryStoreError
from ..experience import Trajectory
from .items import Filter, Hit, Item
from .protocol import Memory


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


class MemoryWithout:
    """A memory that does not find some of its items, such as those that a model has learned; nothing in it changes."""

    def __init__(self, whole: Memory, hidden: Collection[str]) -> None:
        """Hide items.

        Args:
            whole: The memory; it is used as it is for all else.
            hidden: The ids of the items that queries do not return.
        """
        self._whole, self._hidden = whole, frozenset(hidden)

    def add(self, trajectory: Trajectory) -> Sequence[str]:
        """Remember a trajectory in the whole memory."""
        return self._whole.add(trajectory)

    def query(self, text: str, k: int = 8, where: Filter | None = None) -> Sequence[Hit]:
        """Return the `k` best items that are not hidden, or fewer where there are no more."""
        asked = k
        while True:
            found = self._whole.query(text, asked, where)
            shown = [hit for hit in found if hit.item.id not in self._hidden]
            if len(shown) >= k or len(found) < asked:
                return shown[:k]
            asked *= 4

    def forget(self, ids: Iterable[str]) -> int:
        """Forget items of the whole memory."""
        return self._whole.forget(ids)

    def feedback(self, ids: Iterable[str], *, helpful: bool, trajectory: str = "") -> None:
        """Record in the whole memory whether items helped."""
        self._whole.feedback(ids, helpful=helpful, trajectory=trajectory)

    def get(self, id_: str) -> Item:
        """Return an item, a hidden one as well.

        Raises:
            MemoryStoreError: there is none.
        """
        return self._whole.get(id_)

"""What the parts of a memory agree on: memories, embedders, and the builders that turn experience into drafts.

There is no base class. `pathei.memory.checks.check_memory` tests what is said of `Memory`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from ..experience import Trajectory
from .items import Draft, Filter, Hit, Item


class Memory(Protocol):
    """Remembers trajectories and answers questions about them."""

    def add(self, trajectory: Trajectory) -> Sequence[str]:
        """Remember a trajectory, and return the ids of the items that came of it or were reinforced.

        Adding the same trajectory again changes nothing and returns the same ids. No model is called.
        """
        ...

    def query(self, text: str, k: int = 8, where: Filter | None = None) -> Sequence[Hit]:
        """Return the at most `k` items that answer a question best, the best first."""
        ...

    def forget(self, ids: Iterable[str]) -> int:
        """Let items be found no more, and return how many were active; each can still be read by id."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors whose inner product says how alike they are."""

    @property
    def name(self) -> str:
        """What identifies it, weights included; recorded in the memory, which is not read with another."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the vectors of texts, shape `[texts, dimensions]`, float32, each of length 1 (or 0 for no text).

        Raises:
            ModelError: the model behind it does not answer.
        """
        ...


class Builder(Protocol):
    """Turns a trajectory into what is worth remembering of it, by rules or by a language model."""

    def build(self, trajectory: Trajectory) -> Iterable[Draft]:
        """Return drafts, in the order in which they are to be added; the same trajectory gives the same drafts."""
        ...


class Recollection(Protocol):
    """What an agent sees of a memory: questions, and telling whether the answers served."""

    def query(self, text: str, k: int = 8, where: Filter | None = None) -> Sequence[Hit]:
        """See `Memory.query`."""
        ...

    def feedback(self, ids: Iterable[str], *, helpful: bool, trajectory: str = "") -> None:
        """Note that items served in an episode, or did harm.

        Args:
            ids: The items.
            helpful: Which of both.
            trajectory: The id of the episode; each item is judged by it once, and saying it again changes nothing.
                Empty: every call counts.
        """
        ...

    def get(self, id_: str) -> Item:
        """Return an item, whatever its status.

        Raises:
            MemoryStoreError: there is none.
        """
        ...


__all__ = ["Builder", "Embedder", "Memory", "Recollection"]

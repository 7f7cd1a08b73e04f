"""The contracts of memories, embedders, and the builders that turn episodes into drafts.

There is no base class. `pathei.memory.checks` holds executable versions: `check_memory`, `check_embedder` and
`check_builder`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from ..experience import Trajectory
from .items import Draft, Filter, Hit, Item


class Memory(Protocol):
    """Remembers trajectories, answers questions about them, and hears whether the answers helped."""

    def add(self, trajectory: Trajectory) -> Sequence[str]:
        """Remember a trajectory, and return the ids of the items that were added or reinforced.

        Adding the same trajectory again changes nothing and returns the same ids.
        """

    def query(self, text: str, k: int = 8, where: Filter | None = None) -> Sequence[Hit]:
        """Return at most `k` items that answer a question, best first."""

    def forget(self, ids: Iterable[str]) -> int:
        """Hide items from queries, and return how many were active; each can still be read by id."""

    def feedback(self, ids: Iterable[str], *, helpful: bool, trajectory: str = "") -> None:
        """Record whether items helped in an episode.

        Args:
            ids: The items.
            helpful: True if they helped, False if they did harm.
            trajectory: The id of the episode: each item is judged once per episode, and a repeated call changes
                nothing. If empty, every call counts.
        """

    def get(self, id_: str) -> Item:
        """Return an item, whatever its status.

        Raises:
            MemoryStoreError: there is none.
        """


class Embedder(Protocol):
    """Turns texts into vectors whose inner product measures similarity."""

    @property
    def name(self) -> str:
        """Its identity, weights included. A memory records it, and cannot be opened with another embedder."""

    @property
    def dimensions(self) -> int:
        """The length of a vector."""

    def embed(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return vectors, shape `[texts, dimensions]`, float32, each of length 1 (or 0 for a text without words).

        Raises:
            ModelError: the model behind it does not answer.
        """


class Builder(Protocol):
    """Turns a trajectory into drafts, by rules or with a language model.

    A builder may also have `recall(drafts)`: a memory that is opened for writing calls it once with the skills that it
    holds, so that what was verified before is known.
    """

    def build(self, trajectory: Trajectory) -> Iterable[Draft]:
        """Return drafts in the order in which they are added; the same trajectory gives the same drafts."""

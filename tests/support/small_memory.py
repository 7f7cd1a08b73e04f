"""A memory of forty lines for tests of what asks one: items in a dict, found by the likeness of character n-grams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from pathei.memory.embedders.registry import make_embedder
from pathei.memory.items import Draft, Filter, Hit, Item


class SmallMemory:
    """Keeps drafts; equal keys reinforce."""

    def __init__(self, drafts: Iterable[Draft] = ()) -> None:
        """Keep some drafts."""
        self.items: dict[str, Item] = {}
        self._judged: set[tuple[str, str]] = set()
        self._embedder = make_embedder("ngrams")
        self._vectors = np.zeros((0, self._embedder.dimensions), np.float32)
        for draft in drafts:
            id_ = f"{draft.kind}:{draft.env}:{draft.key or draft.text}"
            old = self.items.get(id_)
            self.items[id_] = replace(old, seen=old.seen + 1) if old else Item(id_, draft)

    def query(self, text: str, k: int = 8, where: Filter | None = None) -> Sequence[Hit]:
        """Return the likeliest."""
        items = list(self.items.values())
        if len(self._vectors) < len(items):
            self._vectors = self._embedder.embed([item.draft.text for item in items])
        scores = self._vectors @ self._embedder.embed([text])[0]
        kinds = where.kinds if where and where.kinds else None
        found = [
            Hit(items[n], float(scores[n]))
            for n in np.argsort(-scores, kind="stable")
            if items[n].status == "active" and (kinds is None or items[n].draft.kind in kinds)
        ]
        return found[:k]

    def feedback(self, ids: Iterable[str], *, helpful: bool, trajectory: str = "") -> None:
        """Count, once for each trajectory."""
        for id_ in ids:
            if not trajectory or (id_, trajectory) not in self._judged:
                self._judged.add((id_, trajectory))
                item = self.items[id_]
                self.items[id_] = replace(item, helpful=item.helpful + helpful, harmful=item.harmful + (not helpful))

    def get(self, id_: str) -> Item:
        """Return an item."""
        return self.items[id_]

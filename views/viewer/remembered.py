"""The memory of a store as the viewer shows it: what it holds, and what a question finds with the parts of its score.

Not here: changing a memory (`pathei memory`).
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Final, get_args

from ...errors import ConfigError
from ...experience import Json
from ...memory import ExperienceMemory, open_memory
from ...memory.items import Filter, Hit, Item, Kind, Status

_FOUND: Final = 50
"""How many items a question finds, or are listed without one."""
_SKILL: Final = ("name", "preconditions", "steps", "effects", "calls")
"""What the page draws of a skill."""


class ViewedMemory:
    """The memory in a store's folder, opened for reading when it is first asked, and followed from then on."""

    def __init__(self, store: Path) -> None:
        """Name the store."""
        self._path = store
        self._memory: ExperienceMemory | None = None

    def answer(self, kind: str, status: str, question: str) -> Json:
        """Return what a question finds; without one, the newest items.

        Args:
            kind: Only items of this kind; empty for all.
            status: Only items of this status; empty for all.
            question: In words.

        Raises:
            ConfigError: there is no such kind or status.
            MemoryStoreError: the store has no memory, or it cannot be opened.
        """
        kinds = [one for one in get_args(Kind) if kind in ("", one)]
        statuses = [one for one in get_args(Status) if status in ("", one)]
        if not kinds or not statuses:
            raise ConfigError(f"A memory has no items of kind {kind!r} and status {status!r}.")
        where = Filter(kinds=tuple(kinds), statuses=tuple(statuses))
        if self._memory is None:
            self._memory = open_memory(self._path, mode="read")
        memory = self._memory
        if question.strip():
            found = [{**_item(hit.item), **_reason(hit)} for hit in memory.query(question, _FOUND, where)]
        else:
            found = [_item(item) for item in reversed(deque(memory.items(where), maxlen=_FOUND))]
        return {"kinds": get_args(Kind), "statuses": get_args(Status), "items": found, "holds": memory.stats()["items"]}

    def close(self) -> None:
        """Close the memory, if it was opened."""
        if self._memory is not None:
            self._memory.close()


def _item(item: Item) -> dict[str, Json]:
    draft = item.draft
    return {
        "id": item.id,
        "kind": draft.kind,
        "status": item.status,
        "text": draft.text,
        "task": draft.task,
        "trajectory": draft.source.trajectory,
        "step": draft.source.step,
        "confidence": draft.confidence,
        "seen": item.seen,
        "helpful": item.helpful,
        "harmful": item.harmful,
        "replaced": item.replaced_by,
        "skill": {part: draft.data.get(part, ()) for part in _SKILL} if draft.kind == "skill" else None,
    }


def _reason(hit: Hit) -> dict[str, Json]:
    return {"score": hit.score, "scores": dict(hit.scores)}

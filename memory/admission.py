"""How a draft enters a memory: as a new item, as reinforcement of an equal one, or superseding one it contradicts.

Drafts with a key are compared by key; those without by meaning, with items of the same kind, environment, task and
outcome. Not here: embedding, and later upkeep of items (`upkeep`).
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ..errors import MemoryStoreError
from .items import KINDS, Draft, Item, Kind, Status
from .storage.columns import ColumnGroup, ItemColumns, signs_of
from .storage.database import COLUMNS, Halves, MemoryDatabase, Row, item_of, plain

NEAR: Final = 0.9
"""Texts with at least this cosine count as duplicates."""
_GroupKey = tuple[Kind, str, str, bool | None]


def check_draft(draft: Draft) -> None:
    """Check the values of a draft.

    Raises:
        MemoryStoreError: the first error found.
    """
    problem = ""
    if draft.kind not in KINDS:
        problem = f"its kind is {draft.kind!r}, not one of {', '.join(KINDS)}"
    elif not isinstance(draft.text, str) or not draft.text.strip():
        problem = "it has no text"
    elif not all(0.0 <= value <= 1.0 for value in (draft.importance, draft.confidence)):
        problem = "importance and confidence have to be in [0, 1]"
    elif not (math.isfinite(draft.time) and draft.time >= 0):
        problem = f"its time is {draft.time}"
    if problem:
        raise MemoryStoreError(f"A draft cannot be remembered, because {problem}: {str(draft.text)[:80]!r}.")


class Admission:
    """Admits drafts within one transaction."""

    def __init__(self, database: MemoryDatabase, columns: ItemColumns, number: int) -> None:
        """Prepare.

        Args:
            database: The table, in a transaction.
            columns: The columns at the start of the transaction.
            number: The number of the transaction.
        """
        self._database, self._columns, self._number = database, columns, number
        self._groups: dict[_GroupKey, ColumnGroup] = {}
        row = database.one("SELECT coalesce(max(num), 0) FROM item")
        self._last = 0 if row is None else int(row[0])

    def admit(self, drafts: Sequence[Draft], vectors: Halves) -> list[str]:
        """Admit drafts, and return the id of the item that holds each; vectors have shape `[drafts, dimensions]`."""
        now = time.time()
        signs = signs_of(vectors)
        found = []
        for index, draft in enumerate(drafts):
            dated = draft if draft.time else replace(draft, time=now)
            if dated.key:
                found.append(self._keyed(dated, vectors[index], is_dated=bool(draft.time)))
            else:
                found.append(self._keyless(dated, vectors[index], signs[index]))
        return found

    def insert(self, item: Item, vector: Halves) -> None:
        """Insert an item unchanged."""
        draft = item.draft
        self._last += 1
        self._database.run(
            f"INSERT INTO item({COLUMNS}, seq, embedded) VALUES ({','.join('?' * 23)})",
            (
                self._last, item.id, draft.kind, item.status, draft.env, draft.key, draft.task,
                None if draft.success is None else int(draft.success), draft.text, plain(draft.data), draft.time,
                item.last_seen, draft.importance, draft.confidence, draft.source.trajectory, draft.source.step,
                item.version, item.seen, item.helpful, item.harmful, item.replaced_by, self._number, self._number,
            ),
        )  # fmt: skip
        self._database.run("INSERT INTO vector VALUES (?,?)", (self._last, vector.tobytes()))

    def _keyed(self, draft: Draft, vector: Halves, is_dated: bool) -> str:
        rows = self._database.all(
            f"SELECT {COLUMNS} FROM item WHERE kind = ? AND world = ? AND key = ? AND key <> '' ORDER BY num",
            (draft.kind, draft.env, draft.key),
        )
        items = [item_of(row) for row in rows]
        version = 1 + max((item.version for item in items), default=0)
        alike = (one for one in items if one.draft.text == draft.text and one.status in ("active", "retired"))
        same = next(alike, None)
        if same is not None:
            return self._reinforce(same, draft)
        active = next((one for one in items if one.status == "active"), None)
        if active is None or draft.kind == "episode":
            return self._add(draft, vector, version=1 if draft.kind == "episode" else version)
        if is_dated and draft.time < active.last_seen:
            return self._add(draft, vector, version=version, status="superseded", replaced_by=active.id)
        id_ = self._add(draft, vector, version=version)
        self._database.run(
            "UPDATE item SET status = 'superseded', replaced_by = ?, seq = ? WHERE id = ?",
            (id_, self._number, active.id),
        )
        self._database.log(active.id, draft.time, "superseded", {"by": id_})
        return id_

    def _keyless(self, draft: Draft, vector: Halves, signs: np.ndarray[Any, Any]) -> str:
        group = (draft.kind, draft.env, draft.task, draft.success)
        if group not in self._groups:
            self._groups[group] = self._columns.group(*group)
        numbers = np.sort(self._groups[group].near(signs)) + 1
        if len(numbers):
            stored = self._database.halves(numbers, len(vector)).astype(np.float32)
            cosines = stored @ vector.astype(np.float32)
            for nearest in np.argsort(-cosines, kind="stable"):
                if cosines[nearest] < NEAR:
                    break
                (row,) = self._database.numbered([int(numbers[nearest])])
                if _fits(row, group):
                    return self._reinforce(item_of(row), draft)
        id_ = self._add(draft, vector)
        self._groups[group].add(self._last - 1, signs)
        return id_

    def _add(
        self,
        draft: Draft,
        vector: Halves,
        *,
        version: int = 1,
        status: Status = "active",
        replaced_by: str | None = None,
    ) -> str:
        what = (draft.kind, draft.env, draft.key, draft.text, draft.source.trajectory, draft.source.step, self._last)
        id_ = f"{draft.kind}-{hashlib.blake2b(repr(what).encode(), digest_size=8).hexdigest()}"
        self.insert(Item(id_, draft, status, version, last_seen=draft.time, replaced_by=replaced_by), vector)
        return id_

    def _reinforce(self, item: Item, draft: Draft) -> str:
        self._database.run(
            "UPDATE item SET seen = seen + 1, last_seen = max(last_seen, ?), importance = max(importance, ?),"
            " confidence = max(confidence, ?), seq = ? WHERE id = ?",
            (draft.time, draft.importance, draft.confidence, self._number, item.id),
        )
        source = {"trajectory": draft.source.trajectory, "step": draft.source.step}
        # The draft's own words are kept if they differ, so that nothing is lost.
        words = {} if draft.text == item.draft.text else {"text": draft.text, "data": dict(draft.data)}
        self._database.log(item.id, draft.time, "reinforced", source | words)
        return item.id


def _fits(row: Row, group: _GroupKey) -> bool:
    item = item_of(row)
    draft = item.draft
    return item.status == "active" and (draft.kind, draft.env, draft.task, draft.success) == group

"""Upkeep of items: rewriting, ending, merging near duplicates, retiring what failed, and embedding again.

Nothing is destroyed: an item that ends keeps its row, a status that gives the reason, and the id of its successor if
there is one. Skills that failed too often are retired, and a limited number stays active per environment, because a
library that grows unvetted does not help (Library Drift, arXiv 2605.19576). Not here: decisions by a language model.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..errors import MemoryStoreError, at_least, check
from ..experience import Json
from .admission import NEAR
from .items import Draft, Item, Kind, Status
from .protocol import Embedder
from .storage import index_files
from .storage.columns import ColumnGroup, ItemColumns
from .storage.database import COLUMNS, Halves, MemoryDatabase, item_of, plain
from .storage.view import IndexView

_BATCH: Final = 256


@dataclass(frozen=True, slots=True)
class UpkeepConfig:
    """When items are retired."""

    uses: int = 3
    """Uses with feedback after which a skill is judged."""
    utility: float = 0.4
    """A judged skill is retired if (helpful + 1) / (helpful + harmful + 2) is below this."""
    caps: Mapping[Kind, int] = field(default_factory=lambda: {"skill": 200})
    """The number of items of a kind that stay active per environment; other kinds have no limit."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is out of range.
        """
        rules = {
            **at_least(self, uses=1),
            "utility must be in [0, 1]": 0 <= self.utility <= 1,
            "caps must be at least 0": all(cap >= 0 for cap in self.caps.values()),
        }
        check(rules, "memory policy")


@dataclass(frozen=True, slots=True)
class ConsolidationReport:
    """The result of a consolidation."""

    merged: tuple[str, ...]
    """The ids of items that were merged into a near duplicate."""
    retired: tuple[str, ...]
    """The ids of items that failed too often, or exceeded the limit."""


def end(database: MemoryDatabase, number: int, id_: str, status: Status, detail: Mapping[str, Json]) -> None:
    """End an item within a transaction, so that queries skip it; `detail` may name its successor under `by`."""
    database.run(
        "UPDATE item SET status = ?, replaced_by = coalesce(?, replaced_by), seq = ? WHERE id = ?",
        (status, detail.get("by"), number, id_),
    )
    database.log(id_, time.time(), status, detail)


def rewrite(database: MemoryDatabase, number: int, old: Item, draft: Draft, vector: Halves) -> None:
    """Change the content of an item within a transaction; its history keeps the old content."""
    database.run(
        "UPDATE item SET text = ?, data = ?, importance = ?, confidence = ?, seq = ?, embedded = ? WHERE id = ?",
        (draft.text, plain(draft.data), draft.importance, draft.confidence, number, number, old.id),
    )
    database.run(
        "UPDATE vector SET emb = ? WHERE num = (SELECT num FROM item WHERE id = ?)", (vector.tobytes(), old.id)
    )
    before = old.draft
    detail = {"text": before.text, "data": dict(before.data)}
    database.log(
        old.id, time.time(), "updated", detail | {"importance": before.importance, "confidence": before.confidence}
    )


def consolidate(
    database: MemoryDatabase, columns: ItemColumns, number: int, policy: UpkeepConfig
) -> ConsolidationReport:
    """Merge near duplicates and retire items, within a transaction.

    Args:
        database: The table, in a transaction.
        columns: The columns at the start of the transaction.
        number: The number of the transaction.
        policy: When items are retired.
    """
    since = int(database.meta("consolidated") or 0)
    merged = _merge(database, columns, number, since)
    retired = _retire(database, number, policy)
    database.record("consolidated", number)
    return ConsolidationReport(tuple(merged), tuple(retired))


def reembed(database: MemoryDatabase, embedder: Embedder, folder: Path) -> None:
    """Embed all texts again, in one transaction."""
    index_files.remove(folder)
    with database.transaction() as number:
        last = 0
        while rows := database.all("SELECT num, text FROM item WHERE num > ? ORDER BY num LIMIT ?", (last, _BATCH)):
            vectors = np.asarray(embedder.embed([row[1] for row in rows]), np.float32)
            if vectors.shape != (len(rows), embedder.dimensions) or not np.isfinite(vectors).all():
                raise MemoryStoreError(
                    f"The embedder {embedder.name!r} returned vectors of shape {vectors.shape} for {len(rows)} texts."
                )
            database.run_many(
                "UPDATE vector SET emb = ? WHERE num = ?",
                [(half.tobytes(), row[0]) for half, row in zip(vectors.astype(np.float16), rows, strict=True)],
            )
            last = rows[-1][0]
        database.run("UPDATE item SET seq = ?, embedded = ?", (number, number))
        database.record("embedder", embedder.name)
        database.record("dimensions", embedder.dimensions)


def disagreements(database: MemoryDatabase, view: IndexView) -> list[str]:
    """Return the differences between arrays and table, one sentence each."""
    rows = database.all("SELECT count(*), coalesce(sum(num), 0) FROM item WHERE status = 'active'")[0]
    column = view.columns.saved()
    active = np.flatnonzero(column["status"] == 0) + 1
    found = []
    if (len(active), int(active.sum())) != rows:
        found.append(f"the index holds {len(active)} active items and the table {rows[0]}")
    vectors = view.vectors
    held = vectors.base_rows - vectors.stale_rows + vectors.delta_rows
    if held != view.columns.rows:
        found.append(f"the index holds {held} vectors for {view.columns.rows} items")
    return found


def _merge(database: MemoryDatabase, columns: ItemColumns, number: int, since: int) -> list[str]:
    """Merge near duplicates into the one that was seen more often, or else the older one."""
    merged: dict[str, str] = {}
    groups: dict[Any, ColumnGroup] = {}
    rows = database.all(
        f"SELECT {COLUMNS} FROM item WHERE status = 'active' AND key = '' AND embedded > ? ORDER BY num", (since,)
    )
    saved = columns.saved()
    for row in rows:
        num, item = row[0], item_of(row)
        draft = item.draft
        if item.id in merged:
            continue
        key = (draft.kind, draft.env, draft.task, draft.success)
        if key not in groups:
            groups[key] = columns.group(*key)
        signs = np.array([saved["signs"][num - 1], saved["signs_2"][num - 1]])
        near = [int(place) + 1 for place in groups[key].near(signs)]
        vectors = database.vectors([*near, num], int(database.meta("dimensions")))
        own = vectors.pop(num).astype(np.float32)
        alike = [other for other, vector in vectors.items() if float(vector.astype(np.float32) @ own) >= NEAR]
        for other_row in database.numbered(alike):
            other = item_of(other_row)
            same = (other.draft.kind, other.draft.env, other.draft.task, other.draft.success) == key
            if not same or other.status != "active":
                continue
            keeps, goes = (item, other) if (item.seen, other_row[0]) >= (other.seen, num) else (other, item)
            merged[goes.id] = keeps.id
            _take_over(database, number, keeps, goes)
            if goes is item:
                break
            item = item_of(database.items([item.id])[item.id])
    return list(merged)


def _take_over(database: MemoryDatabase, number: int, keeps: Item, goes: Item) -> None:
    database.run(
        "UPDATE item SET seen = seen + ?, helpful = helpful + ?, harmful = harmful + ?, last_seen = max(last_seen, ?),"
        " importance = max(importance, ?), seq = ? WHERE id = ?",
        (goes.seen, goes.helpful, goes.harmful, goes.last_seen, goes.draft.importance, number, keeps.id),
    )
    end(database, number, goes.id, "merged", {"by": keeps.id})


def _retire(database: MemoryDatabase, number: int, policy: UpkeepConfig) -> list[str]:
    retired = []
    rows = database.all(
        f"SELECT {COLUMNS} FROM item WHERE status = 'active' AND kind = 'skill' AND helpful + harmful >= ?",
        (policy.uses,),
    )
    for item in map(item_of, rows):
        if _utility(item) < policy.utility:
            end(database, number, item.id, "retired", {"helpful": item.helpful, "harmful": item.harmful})
            retired.append(item.id)
    for kind, cap in policy.caps.items():
        crowded = database.all(
            "SELECT world FROM item WHERE status = 'active' AND kind = ? GROUP BY world HAVING count(*) > ?",
            (kind, cap),
        )
        for (env,) in crowded:
            rows = database.all(
                f"SELECT {COLUMNS} FROM item WHERE status = 'active' AND kind = ? AND world = ?", (kind, env)
            )
            ranked = sorted(rows, key=lambda row: (_utility(one := item_of(row)), one.seen, one.last_seen, row[0]))
            for row in ranked[: len(ranked) - cap]:
                end(database, number, row[1], "retired", {"cap": cap})
                retired.append(row[1])
    return retired


def _utility(item: Item) -> float:
    return (item.helpful + 1) / (item.helpful + item.harmful + 2)

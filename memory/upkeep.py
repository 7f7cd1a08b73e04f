"""What is done with items later: rewriting, ending, merging near duplicates, retiring what failed, embedding anew.

Nothing is destroyed: an item that ends keeps its row, a status that says why, and where its place was taken, by whom.
Skills that their users' outcomes speak against are retired, and only so many stay active for each world: what an
unvetted, growing library adds is nothing, or worse (Library Drift, arXiv 2605.19576). Left out: deciding by a model.
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
    """A skill is judged after so many uses that were told to `feedback`."""
    utility: float = 0.4
    """It is retired if (helpful + 1) / (helpful + harmful + 2) is below this."""
    caps: Mapping[Kind, int] = field(default_factory=lambda: {"skill": 200})
    """So many items of a kind stay active in each world; kinds that are not named have no such limit."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one makes no sense.
        """
        rules = {
            **at_least(self, uses=1),
            "utility must be in [0, 1]": 0 <= self.utility <= 1,
            "caps must be at least 0": all(cap >= 0 for cap in self.caps.values()),
        }
        check(rules, "memory policy")


@dataclass(frozen=True, slots=True)
class ConsolidationReport:
    """What a consolidation did."""

    merged: tuple[str, ...]
    """The ids of items whose place a near duplicate took."""
    retired: tuple[str, ...]
    """The ids of items that failed too often, or were too many."""


def end(database: MemoryDatabase, number: int, id_: str, status: Status, detail: Mapping[str, Json]) -> None:
    """Let an item be found no more, within a transaction; `detail` may name who took its place under `by`."""
    database.run(
        "UPDATE item SET status = ?, replaced_by = coalesce(?, replaced_by), seq = ? WHERE id = ?",
        (status, detail.get("by"), number, id_),
    )
    database.log(id_, time.time(), status, detail)


def rewrite(database: MemoryDatabase, number: int, old: Item, draft: Draft, vector: Halves) -> None:
    """Let an item say something else, within a transaction; what it said is noted."""
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
    """Merge and retire, within a transaction.

    Args:
        database: In a transaction.
        columns: As they were when it began.
        number: The transaction's.
        policy: When items are retired.
    """
    since = int(database.meta("consolidated") or 0)
    merged = _merge(database, columns, number, since)
    retired = _retire(database, number, policy)
    database.record("consolidated", number)
    return ConsolidationReport(tuple(merged), tuple(retired))


def reembed(database: MemoryDatabase, embedder: Embedder, folder: Path) -> None:
    """Embed every text anew; all of it, or nothing."""
    index_files.remove(folder)
    with database.transaction() as number:
        last = 0
        while rows := database.all("SELECT num, text FROM item WHERE num > ? ORDER BY num LIMIT ?", (last, _BATCH)):
            vectors = np.asarray(embedder.embed([row[1] for row in rows]), np.float32)
            if vectors.shape != (len(rows), embedder.dimensions) or not np.isfinite(vectors).all():
                raise MemoryStoreError(
                    f"The embedder {embedder.name!r} gave {vectors.shape} numbers for {len(rows)} texts."
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
    """Return where arrays and table say different things, a sentence each."""
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
    """Let the one that was lived more often, or else the older one, take the place of a near duplicate."""
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
        key = (draft.kind, draft.world, draft.task, draft.success)
        if key not in groups:
            groups[key] = columns.group(*key)
        signs = np.array([saved["signs"][num - 1], saved["signs_2"][num - 1]])
        near = [int(place) + 1 for place in groups[key].near(signs)]
        vectors = database.vectors([*near, num], int(database.meta("dimensions")))
        own = vectors.pop(num).astype(np.float32)
        alike = [other for other, vector in vectors.items() if float(vector.astype(np.float32) @ own) >= NEAR]
        for other_row in database.numbered(alike):
            other = item_of(other_row)
            same = (other.draft.kind, other.draft.world, other.draft.task, other.draft.success) == key
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
        worlds = database.all(
            "SELECT world FROM item WHERE status = 'active' AND kind = ? GROUP BY world HAVING count(*) > ?",
            (kind, cap),
        )
        for (world,) in worlds:
            rows = database.all(
                f"SELECT {COLUMNS} FROM item WHERE status = 'active' AND kind = ? AND world = ?", (kind, world)
            )
            ranked = sorted(rows, key=lambda row: (_utility(one := item_of(row)), one.seen, one.last_seen, row[0]))
            for row in ranked[: len(ranked) - cap]:
                end(database, number, row[1], "retired", {"cap": cap})
                retired.append(row[1])
    return retired


def _utility(item: Item) -> float:
    return (item.helpful + 1) / (item.helpful + item.harmful + 2)


__all__ = ["ConsolidationReport", "UpkeepConfig", "consolidate", "disagreements", "end", "reembed", "rewrite"]

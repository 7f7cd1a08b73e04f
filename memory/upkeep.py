"""Upkeep of items: rewriting, ending, merging what says the same, retiring what failed, and embedding again.

Nothing is destroyed: an item that ends keeps its row, a status that gives the reason, and the id of its successor if
there is one. Skills that failed too often are retired, and a limited number stays active per environment, because a
library that grows unvetted does not help (Library Drift, arXiv 2605.19576). Not here: decisions by a language model.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from ..errors import MemoryStoreError, at_least, check
from ..experience import Json
from .items import Draft, Item, Kind, Status
from .protocol import Embedder
from .redundancy import effect_of, is_redundant
from .sameness import canonical, said
from .storage import index_files
from .storage.database import COLUMNS, Embedding, MemoryDatabase, item_of, plain
from .storage.passages import cut
from .storage.view import IndexView

_BATCH: Final = 256
_ROUGH: Final = 0.01
"""By how much the length of a vector may differ from 1."""
_ERASED: Final = (
    "id = 'purged-' || num, status = 'purged', world = '', key = '', task = '', success = NULL, text = '', data = '{}',"
    " time = 0, last_seen = 0, importance = 0, confidence = 0, trajectory = '', step = NULL, version = 1, seen = 0,"
    " helpful = 0, harmful = 0, replaced_by = NULL, user = '', agent = '', session = '', expires = NULL, ended = 0,"
    " said = 0"
)


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
    """The ids of items that were merged into one that says the same, and of skills into a shorter one."""
    retired: tuple[str, ...]
    """The ids of items that failed too often, or exceeded the limit."""


def end(database: MemoryDatabase, number: int, id_: str, status: Status, detail: Mapping[str, Json]) -> None:
    """End an item within a transaction, so that queries skip it; `detail` may name its successor under `by`."""
    database.run(
        "UPDATE item SET status = ?, replaced_by = coalesce(?, replaced_by), ended = ?, seq = ? WHERE id = ?",
        (status, detail.get("by"), now := time.time(), number, id_),
    )
    database.log(id_, now, status, detail)


def rewrite(database: MemoryDatabase, number: int, old: Item, draft: Draft, embedding: Embedding) -> None:
    """Change the content of an item within a transaction; its history keeps the old content."""
    database.run(
        "UPDATE item SET text = ?, said = ?, data = ?, importance = ?, confidence = ?, expires = ?, seq = ?,"
        " embedded = ? WHERE id = ?",
        (draft.text, said(draft.text), plain(draft.data), draft.importance, draft.confidence, draft.expires, number,
         number, old.id),
    )  # fmt: skip
    database.put_vectors(database.items([old.id])[old.id][0], embedding)
    before = old.draft
    detail = {"text": before.text, "data": dict(before.data)}
    database.log(
        old.id, time.time(), "updated", detail | {"importance": before.importance, "confidence": before.confidence}
    )


def consolidate(database: MemoryDatabase, number: int, policy: UpkeepConfig) -> ConsolidationReport:
    """Merge items that say the same and retire items, within a transaction of that number."""
    merged = _merge(database, number) + _merge_redundant(database, number)
    return ConsolidationReport(tuple(merged), tuple(_retire(database, number, policy)))


def reembed(database: MemoryDatabase, embedder: Embedder, folder: Path) -> None:
    """Embed all texts again, in one transaction."""
    index_files.remove(folder)
    with database.transaction() as number:
        last = 0
        while rows := database.all("SELECT num, text FROM item WHERE num > ? ORDER BY num LIMIT ?", (last, _BATCH)):
            for (num, _), embedding in zip(rows, embed(embedder, [row[1] for row in rows]), strict=True):
                database.put_vectors(num, embedding)
            last = rows[-1][0]
        database.run("UPDATE item SET seq = ?, embedded = ?", (number, number))
        database.record("embedder", embedder.name)
        database.record("dimensions", embedder.dimensions)


class PurgeReport(NamedTuple):
    """The result of a purge."""

    items: int
    """Items that were erased, with those that they had replaced."""
    events: int
    """Events that were erased from the history of other items."""
    is_clean: bool
    """Whether nothing is left in the files. If another process was reading, the log still holds what was erased until
    that process ends or reads again, and a second purge or `compact` empties it."""


def erase(database: MemoryDatabase, number: int, ids: Iterable[str], containing: str = "") -> tuple[int, int]:
    """Empty the rows of items and of all that they replaced, within a transaction; return the counts of `PurgeReport`.

    The empty rows stay, because the places in the index are numbers of rows.
    """
    database.items(chosen := list(dict.fromkeys(ids)))
    events = 0
    if containing:
        # Stored texts are plain or in JSON; compared without case, also beyond ASCII.
        phrases = {containing.casefold(), orjson.dumps(containing).decode()[1:-1].casefold()}
        columns = "id, text, task, key, data, trajectory, world, user, agent, session"
        rows = database.all(f"SELECT {columns} FROM item WHERE status <> 'purged'")
        chosen += [row[0] for row in rows if any(one in part.casefold() for part in row[1:] for one in phrases)]
        rows = database.all("SELECT num, detail FROM event")
        found = [(num,) for num, detail in rows if any(one in detail.casefold() for one in phrases)]
        database.run_many("DELETE FROM event WHERE num = ?", found)
        events = len(found)
    line = database.all(
        "WITH RECURSIVE line(id) AS (SELECT value FROM json_each(?) UNION SELECT item.id FROM item JOIN line"
        " ON item.replaced_by = line.id) SELECT item.num, item.id FROM item JOIN line USING (id)",
        (orjson.dumps(chosen).decode(),),
    )
    for num, id_ in line:
        database.run("DELETE FROM event WHERE item = ?", (id_,))
        database.run("UPDATE item SET replaced_by = NULL, seq = ? WHERE replaced_by = ?", (number, id_))
        database.run(
            "UPDATE event SET detail = json_remove(detail, '$.by') WHERE json_extract(detail, '$.by') = ?", (id_,)
        )
        database.run(f"UPDATE item SET {_ERASED}, seq = ?, embedded = ? WHERE num = ?", (number, number, num))
        database.run("UPDATE vector SET emb = zeroblob(length(emb)) WHERE num = ?", (num,))
        database.run("DELETE FROM passage WHERE num = ?", (num,))
    gone = {id_ for _, id_ in line}
    for trajectory, text in database.all("SELECT trajectory, ids FROM lived") if gone else ():
        if not gone.isdisjoint(known := orjson.loads(text)):
            left = orjson.dumps([id_ for id_ in known if id_ not in gone]).decode()
            database.run("UPDATE lived SET ids = ? WHERE trajectory = ?", (left, trajectory))
    return len(line), events


def embed(embedder: Embedder, texts: Sequence[str]) -> list[Embedding]:
    """Return the vectors of texts, in half precision; a long text has those of its passages too.

    Raises:
        MemoryStoreError: the embedder does not return what it should.
    """
    parts = [cut(text) for text in texts]
    every = [*texts, *chain.from_iterable(parts)]
    found = [vectors_of(embedder, every[start : start + _BATCH]) for start in range(0, len(every), _BATCH)]
    halves = (np.concatenate(found) if found else np.zeros((0, embedder.dimensions))).astype(np.float16)
    ends = np.cumsum([len(texts), *map(len, parts)])
    return [Embedding(halves[row], halves[ends[row] : ends[row + 1]]) for row in range(len(texts))]


def vectors_of(embedder: Embedder, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the vectors that an embedder gives texts.

    Raises:
        MemoryStoreError: they are not what `Embedder.embed` promises.
    """
    given = embedder.embed(texts)
    try:
        vectors = np.asarray(given, np.float32)
    except (TypeError, ValueError):
        raise MemoryStoreError(f"The embedder {embedder.name!r} returned {given!r:.80}, and no vectors.") from None
    if vectors.shape != (len(texts), embedder.dimensions) or not np.isfinite(vectors).all():
        raise MemoryStoreError(
            f"The embedder {embedder.name!r} returned vectors of shape {vectors.shape} for {len(texts)} texts,"
            f" or numbers that are not finite; expected ({len(texts)}, {embedder.dimensions})."
        )
    lengths = np.linalg.norm(vectors, axis=1)
    if (wrong := lengths[(lengths > 1 + _ROUGH) | ((lengths > 0) & (lengths < 1 - _ROUGH))]).size:
        raise MemoryStoreError(f"The embedder {embedder.name!r} returned a vector of length {wrong[0]:.3g}, not 1.")
    return vectors


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


def _merge(database: MemoryDatabase, number: int) -> list[str]:
    """Merge items without a key that say the same into the one that was seen more often, or else the older one."""
    merged = []
    groups = defaultdict[Any, list[Item]](list)
    same = "SELECT said FROM item WHERE status = 'active' AND key = '' GROUP BY said HAVING count(*) > 1"
    for row in database.all(
        f"SELECT {COLUMNS} FROM item WHERE key = '' AND status = 'active' AND said IN ({same}) ORDER BY num"
    ):
        draft = (item := item_of(row)).draft
        data = b"" if draft.source.trajectory else orjson.dumps(dict(draft.data), option=orjson.OPT_SORT_KEYS)
        groups[canonical(draft.text), draft.peers, draft.task, draft.success, data].append(item)
    for items in groups.values():
        keeps = max(items, key=lambda item: item.seen)
        for goes in items:
            if goes is not keeps:
                _take_over(database, number, keeps, goes)
                merged.append(goes.id)
    return merged


def _merge_redundant(database: MemoryDatabase, number: int) -> list[str]:
    """Merge every skill that contains a shorter one of the same effect into that one."""
    merged = []
    groups = defaultdict[Any, list[Item]](list)
    for row in database.all(f"SELECT {COLUMNS} FROM item WHERE kind = 'skill' AND status = 'active' AND key <> ''"):
        item = item_of(row)
        groups[item.draft.peers, effect_of(item.draft)].append(item)
    for items in groups.values():
        kept: list[Item] = []
        for item in sorted(items, key=lambda one: len(one.draft.data.get("steps", ()))):
            shorter = next((one for one in kept if is_redundant(item.draft, one.draft)), None)
            if shorter is None:
                kept.append(item)
            else:
                _take_over(database, number, shorter, item)
                merged.append(item.id)
    return merged


def _take_over(database: MemoryDatabase, number: int, keeps: Item, goes: Item) -> None:
    # max of two is NULL if one is: what never ends stays.
    database.run(
        "UPDATE item SET seen = seen + ?, helpful = helpful + ?, harmful = harmful + ?, last_seen = max(last_seen, ?),"
        " importance = max(importance, ?), expires = max(expires, ?), seq = ? WHERE id = ?",
        (
            goes.seen, goes.helpful, goes.harmful, goes.last_seen, goes.draft.importance, goes.draft.expires, number,
            keeps.id,
        ),
    )  # fmt: skip
    end(database, number, goes.id, "merged", {"by": keeps.id})


def _retire(database: MemoryDatabase, number: int, policy: UpkeepConfig) -> list[str]:
    retired = []
    for id_, when in database.all(
        "SELECT id, expires FROM item WHERE status = 'active' AND expires <= ?", (time.time(),)
    ):
        end(database, number, id_, "retired", {"expired": when})
        retired.append(id_)
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

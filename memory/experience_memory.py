"""The memory: a folder that one process writes and many processes may read.

The folder holds a table (`memory.sqlite`), which is the source of truth, and an index that is derived from it. Every
method is atomic, also when the process is killed. Not here: making drafts from trajectories (`builders`).
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, SupportsIndex

import orjson

from ..errors import MemoryStoreError, several_of
from ..experience import Json, Trajectory, html_table
from ..store.durable import WriterLock
from . import upkeep
from .admission import Admission, built_by, check_draft, check_size, remind
from .exchange import jsonl
from .items import KINDS, STATUSES, Draft, Filter, Hit, Item, Mode
from .protocol import Builder, Embedder
from .retrieval.lexical import LexicalIndex
from .retrieval.query import RetrievalQuery, answer
from .retrieval.ranking import RankingConfig
from .storage import index_files
from .storage.database import COLUMNS, Embedding, HistoryEvent, MemoryDatabase, clause, item_of, plain
from .storage.private import locked, restrict, turn
from .storage.vectors import GRAPH_FROM
from .storage.view import IndexView

_TABLE: Final = "memory.sqlite"
_BATCH: Final = 256
_MOMENT: Final = 1.0
"""How long a writer waits, in seconds, for processes that share the memory and write now."""
_PATIENCE: Final = 10.0
"""How long a process that shares the memory waits for another one to write, in seconds."""
_EVERYTHING: Final = Filter()
_RANKING: Final = RankingConfig()


class ExperienceMemory:
    """A memory, with the contract of `pathei.memory.protocol.Memory`. Its methods may be called from any thread."""

    def __init__(
        self,
        folder: Path,
        database: MemoryDatabase,
        embedder: Embedder,
        builders: Sequence[Builder],
        lock: WriterLock | None,
        shared: bool,
        graph_from: int,
    ) -> None:
        """Private: use `open`."""
        self._shared = shared
        self._folder, self._database, self._embedder = folder, database, embedder
        self._builders, self._lock, self._graph_from = tuple(builders), lock, graph_from
        self._threads = threading.RLock()
        self._words = LexicalIndex(database)
        self._view = self._new_view()

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        embedder: Embedder,
        builders: Sequence[Builder] = (),
        mode: Mode = "write",
        reembed: bool = False,
        graph_from: int = GRAPH_FROM,
    ) -> ExperienceMemory:
        """Open a memory; a writer creates it if it does not exist.

        Args:
            path: The folder.
            embedder: Turns texts into vectors; the one that the memory was filled with.
            builders: Turn trajectories into drafts, in this order; `add` needs at least one.
            mode: `"write"`, for one process at a time; `"share"`, for several processes, each of which writes when no
                other does; or `"read"`.
            reembed: Whether to embed all texts again if the memory was filled with another embedder.
            graph_from: The number of items from which `compact` builds an approximate index. It is searched much faster
                than an exact one, takes minutes to build, and grows by itself from then on.

        Raises:
            MemoryStoreError: it is damaged, of a newer schema, filled with another embedder, open for writing in
                another process, or does not exist.
        """
        folder = Path(path)
        lock = locked(folder, _MOMENT if mode == "write" else _PATIENCE) if mode != "read" else None
        database = None
        try:
            database = MemoryDatabase(folder / _TABLE, write=mode != "read")
            if lock is not None:
                if index_files.header_of(folder) is not None or any(folder.glob("index*")):
                    index_files.sweep(folder)
                if database.meta("uuid") is None:
                    with database.transaction():
                        database.record("uuid", uuid.uuid4().hex)
                if reembed and database.meta("embedder") not in (None, embedder.name):
                    upkeep.reembed(database, embedder, folder)
            _check_embedder(folder, database, embedder, lock is not None)
            if lock is not None and mode == "share":
                lock.release()
                lock = None
            memory = cls(folder, database, embedder, builders, lock, mode == "share", graph_from)
            if mode != "read" and builders:
                skills = memory.items(Filter(kinds=("skill",), statuses=STATUSES))
                remind(builders, (item.draft for item in skills))
            return memory
        except BaseException:
            if database is not None:
                database.close()
            if lock is not None:
                lock.release()
            raise

    def add(self, trajectory: Trajectory) -> list[str]:
        """Remember a trajectory by the drafts that the builders make of it; see `Memory.add`.

        Raises:
            MemoryStoreError: the memory has no builders, or is open for reading.
        """
        return self.add_all([trajectory])[0]

    def add_all(self, trajectories: Iterable[Trajectory]) -> list[list[str]]:
        """Remember trajectories in one transaction, which is much faster than one transaction each."""
        with self._threads, self._writing():
            if not self._builders:
                raise MemoryStoreError("Trajectories are remembered by builders: open the memory with `builders`.")
            ids: dict[str, list[str]] = {}
            order, drafts, owners = [], list[Draft](), list[str]()
            for trajectory in several_of(trajectories, "trajectories"):
                if not isinstance(trajectory, Trajectory):
                    raise MemoryStoreError(f"What is remembered by builders is a Trajectory, not {trajectory!r:.80}.")
                order.append(trajectory.id)
                if trajectory.id in ids:
                    continue
                row = self._database.one("SELECT ids FROM lived WHERE trajectory = ?", (trajectory.id,))
                ids[trajectory.id] = [] if row is None else orjson.loads(row[0])
                if row is None:
                    built = [draft for builder in self._builders for draft in built_by(builder, trajectory)]
                    drafts += built
                    owners += [trajectory.id] * len(built)
            vectors = self._embedded(drafts)
            with self._database.transaction() as number:
                new = Admission(self._database, number).admit(drafts, vectors)
                for owner, id_ in zip(owners, new, strict=True):
                    if id_ not in ids[owner]:
                        ids[owner].append(id_)
                self._database.run_many(
                    "INSERT OR IGNORE INTO lived VALUES (?,?)",
                    [(owner, orjson.dumps(found).decode()) for owner, found in ids.items()],
                )
            self._after()
            return [ids[id_] for id_ in order]

    def add_drafts(self, drafts: Iterable[Draft]) -> list[str]:
        """Remember drafts in one transaction, and return the id of the item that holds each.

        What says the same is reinforced; a fact supersedes the one it contradicts (see `Draft.key`).

        Raises:
            MemoryStoreError: a draft is invalid, or the memory is open for reading. Nothing is remembered then.
        """
        with self._threads, self._writing():
            proposed = list(several_of(drafts, "drafts"))
            vectors = self._embedded(proposed)
            with self._database.transaction() as number:
                found = Admission(self._database, number).admit(proposed, vectors)
            self._after()
            return found

    def query(
        self, text: str, k: int = 8, where: Filter | None = None, *, ranking: RankingConfig = _RANKING
    ) -> list[Hit]:
        """Return at most `k` items that answer a question, best first.

        Args:
            text: The question.
            k: The maximum number of hits.
            where: Which items may be found; all active ones if None.
            ranking: How items are ranked.

        Raises:
            MemoryStoreError: the question is no text or empty, or `k` no whole number.
        """
        if not isinstance(text, str) or not isinstance(k, SupportsIndex):
            raise MemoryStoreError(f"A query is a text and a whole number of hits, not {text!r} and {k!r}.")
        if not isinstance(where, Filter | None):
            raise MemoryStoreError(f"Which items may be found is said by a Filter, not {where!r}.")
        if not text.strip():
            raise MemoryStoreError(
                "The question is empty: ask in words, or list the items instead (`pathei memory list`, `items()`)."
            )
        with self._threads:
            self._view.sync()
            if k < 1 or self._view.columns.rows == 0:
                return []
            is_dense = ranking.weights_for(self._embedder.name)[0] > 0
            vector = upkeep.vectors_of(self._embedder, [text])[0] if is_dense else None
            if vector is not None and not vector.any():
                vector = None
            asked = RetrievalQuery(text, vector, k, where or _EVERYTHING, ranking, self._embedder.name)
            return answer(asked, self._database, self._view, self._words)

    def get(self, id_: str) -> Item:
        """Return an item, whatever its status.

        Raises:
            MemoryStoreError: there is no such item.
        """
        with self._threads:
            return item_of(self._database.items([id_])[id_])

    def update(
        self,
        id_: str,
        *,
        text: str | None = None,
        data: Mapping[str, Json] | None = None,
        importance: float | None = None,
        confidence: float | None = None,
        expires: float | None = None,
    ) -> Item:
        """Change an item, and return the new version; `history` keeps the old content.

        Raises:
            MemoryStoreError: there is no such item, or a new value is invalid.
        """
        with self._threads, self._writing():
            old = self.get(id_)
            given = {
                "text": text,
                "data": data,
                "importance": importance,
                "confidence": confidence,
                "expires": expires,
            }
            changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
            draft = replace(old.draft, **changes)
            vector = self._embedded([draft])[0]
            with self._database.transaction() as number:
                upkeep.rewrite(self._database, number, old, draft, vector)
            return self.get(id_)

    def forget(self, ids: Iterable[str]) -> int:
        """Hide items from queries, and return how many were active; each can still be read by id.

        Raises:
            MemoryStoreError: one of them is unknown; then none is forgotten.
        """
        with self._threads, self._writing(), self._database.transaction() as number:
            count = 0
            for id_, row in self._database.items(list(dict.fromkeys(several_of(ids, "ids")))).items():
                if item_of(row).status == "active":
                    upkeep.end(self._database, number, id_, "forgotten", {})
                    count += 1
            return count

    def feedback(self, ids: Iterable[str], *, helpful: bool, trajectory: str = "") -> None:
        """Record whether items helped in an episode; see `Memory.feedback`.

        Raises:
            MemoryStoreError: one of them is unknown; then nothing is recorded.
        """
        name, detail = "helpful" if helpful else "harmful", {"trajectory": trajectory} if trajectory else {}
        fresh = " AND NOT EXISTS (SELECT 1 FROM event WHERE item = ? AND what IN ('helpful', 'harmful') AND detail = ?)"
        with self._threads, self._writing(), self._database.transaction() as number:
            for id_ in self._database.items(list(dict.fromkeys(several_of(ids, "ids")))):
                once = (fresh, (id_, plain(detail))) if trajectory else ("", ())
                sql = f"UPDATE item SET {name} = {name} + 1, seq = ? WHERE id = ?{once[0]}"
                if self._database.run(sql, (number, id_, *once[1])).rowcount:
                    self._database.log(id_, time.time(), name, detail)

    def items(self, where: Filter | None = None) -> Iterator[Item]:
        """Yield the items that pass a filter, in the order in which they were added."""
        condition, values = clause(where or _EVERYTHING)
        last = 0
        while True:
            with self._threads:
                rows = self._database.all(
                    f"SELECT {COLUMNS} FROM item WHERE num > ? AND {condition} ORDER BY num LIMIT {_BATCH}",
                    (last, *values),
                )
                items = self._database.items_at(rows, None if where is None else where.as_of)
            yield from items
            if len(rows) < _BATCH:
                return
            last = rows[-1][0]

    def history(self, id_: str) -> list[HistoryEvent]:
        """Return the events of an item and of its predecessors, oldest first.

        Raises:
            MemoryStoreError: there is no such item.
        """
        with self._threads:
            self._database.items([id_])
            rows = self._database.all(
                "WITH RECURSIVE line(id) AS (VALUES (?) UNION SELECT item.id FROM item JOIN line"
                " ON item.replaced_by = line.id) SELECT item, time, what, detail FROM event"
                " WHERE item IN (SELECT id FROM line) ORDER BY num",
                (id_,),
            )
            return [HistoryEvent(item, when, what, orjson.loads(detail)) for item, when, what, detail in rows]

    def consolidate(self, policy: upkeep.UpkeepConfig | None = None) -> upkeep.ConsolidationReport:
        """Merge items that say the same and retire those that failed or are too many. Nothing is lost; see `upkeep`."""
        with self._threads, self._writing():
            self._view.sync()
            with self._database.transaction() as number:
                done = upkeep.consolidate(self._database, number, policy or upkeep.UpkeepConfig())
            return done

    def purge(
        self, ids: Iterable[str] = (), *, containing: str = "", where: Filter | None = None
    ) -> upkeep.PurgeReport:
        """Erase items for good: their rows, what they replaced, their history, vectors and words.

        The table is rewritten and the index is built again, which takes minutes if it is large. What was exported or
        copied, and the episodes in a store, are not reached.

        Args:
            ids: Items to erase, whatever their status.
            containing: Erase every item, and every event in the history of another, that contains this text, whatever
                its case.
            where: Erase every item that passes this filter; a scope or an environment means exactly that one.

        Raises:
            MemoryStoreError: an id is unknown; then nothing is erased. Or the memory is open for reading.
        """
        with self._threads, self._writing():
            with self._database.transaction() as number:
                passing = () if where is None else self.items(where)
                chosen = [
                    *several_of(ids, "ids"),
                    *(item.id for item in passing if where is not None and where.is_exactly(item.draft)),
                ]
                items, events = upkeep.erase(self._database, number, chosen, containing)
            was_published = index_files.header_of(self._folder) is not None
            index_files.remove(self._folder)
            is_clean = self._database.tidy()
            restrict(self._folder)
            self._view = self._new_view()
            if was_published:
                self._view.publish(neat=True)
            return upkeep.PurgeReport(items, events, is_clean)

    def compact(self) -> None:
        """Rebuild the index, and return unused space to the disk. Building a graph index takes minutes."""
        with self._threads, self._writing():
            self._database.tidy()
            self._view.publish(neat=True)

    def reembed(self, embedder: Embedder) -> None:
        """Embed all texts with another embedder, which is used from then on; atomic."""
        with self._threads, self._writing():
            upkeep.reembed(self._database, embedder, self._folder)
            self._embedder = embedder
            self._view = self._new_view()

    def stats(self) -> dict[str, Json]:
        """Return counts of items, episodes and bytes, and the state of the index, as plain JSON."""
        with self._threads:
            self._view.sync()
            counts: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
            for kind, status, count in self._database.all(
                "SELECT kind, status, count(*) FROM item WHERE status <> 'purged' GROUP BY 1, 2"
            ):
                counts[kind][status] = count
            added = self._database.one("SELECT count(*) FROM lived")
            vectors = self._view.vectors
            return {
                "items": sum(one.get("active", 0) for one in counts.values()),
                "kinds": counts,
                "trajectories": 0 if added is None else added[0],
                "embedder": self._embedder.name,
                "dimensions": self._embedder.dimensions,
                "changes": self._view.seq,
                "bytes": sum(path.stat().st_size for path in self._folder.iterdir() if path.is_file()),
                "index": {
                    "form": "none" if vectors.base is None else "graph" if vectors.is_graph else "exact",
                    "rows": vectors.base_rows,
                    "since": vectors.delta_rows,
                    "stale": vectors.stale_rows,
                    "due": self._view.is_due,
                    "trouble": self._view.trouble,
                },
            }

    def problems(self) -> list[str]:
        """Check table, index and their agreement thoroughly, and return the problems found, one sentence each."""
        with self._threads:
            self._view.sync()
            found = self._database.problems() + ([self._view.trouble] if self._view.trouble else [])
            return found + upkeep.disagreements(self._database, self._view)

    def export_jsonl(self, path: str | Path) -> int:
        """Write everything to a file of JSON lines, and return the number of items; see `exchange.jsonl`."""
        with self._threads:
            return jsonl.write(self._database, self._embedder.name, Path(path))

    def import_jsonl(self, path: str | Path) -> int:
        """Import the items of a file that are new, with their ids, and return their number; see `exchange.jsonl`."""
        with self._threads, self._writing():
            content = jsonl.read(self._database, Path(path))
            vectors = upkeep.embed(self._embedder, [item.draft.text for item in content.items])
            with self._database.transaction() as number:
                jsonl.insert(self._database, Admission(self._database, number), content, vectors)
            self._after()
            return len(content.items)

    def close(self) -> None:
        """Close the memory; closing it twice is harmless."""
        with self._threads:
            self._words.close()
            self._database.close()
            if self._lock is not None:
                self._lock.release()

    def __repr__(self) -> str:
        return f"ExperienceMemory({str(self._folder)!r}, {self._vectors_held():,} vectors of {self._embedder.name!r})"

    def _repr_html_(self) -> str:
        rows = [
            ("embedder", self._embedder.name),
            ("dimensions", self._embedder.dimensions),
            ("vectors", f"{self._vectors_held():,}"),
        ]
        return html_table(("memory", str(self._folder)), rows)

    def _vectors_held(self) -> int:
        vectors = self._view.vectors
        return vectors.base_rows + vectors.delta_rows

    def __enter__(self) -> ExperienceMemory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _embedded(self, drafts: Sequence[Draft]) -> list[Embedding]:
        """Check drafts, and return their vectors."""
        for draft in drafts:
            check_draft(draft)
            check_size(draft)
        return upkeep.embed(self._embedder, [draft.text for draft in drafts])

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Check that this process may change the memory, and wait for its turn if it shares it."""
        if self._shared:
            with turn(self._folder, _PATIENCE):
                _check_embedder(self._folder, self._database, self._embedder, write=True)
                self._view.sync()
                yield
            return
        if self._lock is None:
            raise MemoryStoreError(f"The memory {self._folder} is open for reading: open it for writing to change it.")
        if not self._lock.mine:
            raise MemoryStoreError(f"The memory {self._folder} was opened by another process: open it again here.")
        self._view.sync()
        yield

    def _new_view(self) -> IndexView:
        embedder = self._embedder
        return IndexView(self._folder, self._database, embedder.name, embedder.dimensions, self._graph_from)

    def _after(self) -> None:
        self._view.sync()
        if self._view.is_due:
            self._view.publish(neat=False)


def _check_embedder(folder: Path, database: MemoryDatabase, embedder: Embedder, write: bool) -> None:
    name, dimensions = database.meta("embedder"), database.meta("dimensions")
    if name is None and write:
        with database.transaction():
            database.record("embedder", embedder.name)
            database.record("dimensions", embedder.dimensions)
    elif (name, dimensions) != (embedder.name, embedder.dimensions):
        raise MemoryStoreError(
            f"The memory {folder} was filled with the embedder {name!r} ({dimensions} dimensions), not with"
            f" {embedder.name!r} ({embedder.dimensions}): open it with that one, or with `reembed=True`."
        )

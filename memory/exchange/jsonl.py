"""A memory as lines of JSON: items, their history, and the episodes that were added.

Version 1, which is still read, called a draft's environment `world`, an added episode `lived`, and had no scopes. Not
here: vectors, which the embedder of the importing memory computes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from ...errors import MemoryStoreError
from ...store.durable import publish
from ..admission import Admission, check_draft
from ..items import STATUSES, Draft, Item, Source
from ..storage.database import COLUMNS, Embedding, MemoryDatabase, Row, item_of
from ..storage.private import private

FORM: Final = "pathei-memory"
VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class Content:
    """The part of a file that a memory does not have yet."""

    items: Sequence[Item]
    events: Sequence[Row]
    """Item, time, what, detail (text)."""
    added: Sequence[Row]
    """Trajectory, ids (text)."""


def write(database: MemoryDatabase, embedder: str, path: Path) -> int:
    """Write everything to a file atomically, and return the number of items."""
    count = 0
    part = path.with_name(f"{path.name}.tmp")
    try:
        with database.snapshot(), private(part).open("wb") as file:
            file.write(_line({"form": FORM, "version": VERSION, "embedder": embedder}))
            for row in database.run(f"SELECT {COLUMNS} FROM item WHERE status <> 'purged' ORDER BY num"):
                file.write(_line({"item": asdict(item_of(row))}))
                count += 1
            for item, time, what, detail in database.run("SELECT item, time, what, detail FROM event ORDER BY num"):
                file.write(_line({"event": [item, time, what, orjson.loads(detail)]}))
            for trajectory, ids in database.run("SELECT trajectory, ids FROM lived ORDER BY trajectory"):
                file.write(_line({"trajectory": [trajectory, orjson.loads(ids)]}))
        publish(part, path)
    except OSError as error:
        raise MemoryStoreError(f"Cannot write {path} ({error.strerror or error}): choose another place.") from error
    return count


def read(database: MemoryDatabase, path: Path) -> Content:
    """Read a file, and return what is not in the table.

    Raises:
        MemoryStoreError: it is another kind of file, of a newer version, or a line is malformed; names the line.
    """
    items, events, added = list[Item](), list[Row](), list[Row]()
    number = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                data = orjson.loads(line)
                if number == 1:
                    _check_head(data)
                elif "item" in data:
                    items.append(_item(data["item"]))
                elif "event" in data:
                    item, time, what, detail = data["event"]
                    events.append((str(item), float(time), str(what), orjson.dumps(detail).decode()))
                else:
                    trajectory, ids = data["trajectory" if "trajectory" in data else "lived"]
                    added.append((str(trajectory), orjson.dumps([str(id_) for id_ in ids]).decode()))
        if number == 0:
            raise ValueError("it is empty")
    except OSError as error:
        raise MemoryStoreError(f"Cannot read {path} ({error.strerror or error}).") from error
    except (ValueError, TypeError, KeyError, AttributeError, MemoryStoreError) as error:
        raise MemoryStoreError(f"Line {number} of {path} cannot be imported: {error}.") from error
    known = {row[0] for row in database.all("SELECT id FROM item")}
    new = list({item.id: item for item in items if item.id not in known}.values())
    ids_of_new = {item.id for item in new}
    return Content(new, [event for event in events if event[0] in ids_of_new], added)


def insert(database: MemoryDatabase, admission: Admission, content: Content, embeddings: Sequence[Embedding]) -> None:
    """Insert the content into the table, within a transaction."""
    ended = {str(item): float(when) for item, when, what, _ in content.events if what in STATUSES}
    for item, embedding in zip(content.items, embeddings, strict=True):
        gone = None if item.status == "active" else ended.get(item.id, item.last_seen)
        admission.insert(item, embedding, gone)
    database.run_many("INSERT INTO event(item, time, what, detail) VALUES (?,?,?,?)", content.events)
    database.run_many("INSERT OR IGNORE INTO lived VALUES (?,?)", content.added)


def _line(data: Any) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE)


def _check_head(data: Any) -> None:
    if not isinstance(data, dict) or data.get("form") != FORM:
        raise ValueError(f"the first line does not identify it as a {FORM!r} file")
    if data["version"] > VERSION:
        raise ValueError(f"it has version {data['version']} and this pathei reads up to {VERSION}: upgrade pathei")


def _item(data: dict[str, Any]) -> Item:
    inner = dict(data["draft"])
    if "world" in inner:
        inner["env"] = inner.pop("world")
    draft = Draft(**{**inner, "source": Source(**inner["source"])})
    check_draft(draft)
    item = Item(**{**data, "draft": draft})
    if item.status not in STATUSES or not item.id:
        raise ValueError(f"the status {item.status!r} or the id {item.id!r} is invalid")
    return item

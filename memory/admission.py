"""How a draft enters a memory: as a new item, as reinforcement of an equal one, or superseding one it contradicts.

Drafts with a key are compared by key, and skills also by their steps: of two with the same effect, one of which
contains the other, the shorter stays (`redundancy`). Those without are compared by what they say (`sameness`), with
items of the same kind, environment, scopes, task and outcome. Not here: embedding, and later upkeep of items.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from ..errors import MemoryStoreError
from ..experience import Trajectory
from .items import KINDS, Draft, Item, Source, Status, is_finite
from .protocol import Builder
from .redundancy import effect_of, is_redundant
from .sameness import canonical, said
from .storage.database import COLUMNS, Embedding, MemoryDatabase, item_of, plain

LONGEST: Final = 100_000
"""The maximum number of characters of a text that is added."""
_LARGEST: Final = 10_000_000
"""The maximum number of bytes of a draft's data, as JSON."""
_LONGEST_NAME: Final = 2_000
"""The maximum number of characters of an environment or a scope; the key of a plan may be as long as the plan."""


_TYPES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        **dict.fromkeys(("env", "key", "task", "user", "agent", "session"), str),
        "data": Mapping,
        "success": bool | None,
        **dict.fromkeys(("time", "importance", "confidence"), int | float),
        "expires": int | float | None,
        "source": Source,
    }
)
"""The type of each field of a draft, besides its kind and text."""


def built_by(builder: Builder, trajectory: Trajectory) -> Iterator[Draft]:
    """Yield the drafts that a builder makes of a trajectory.

    Raises:
        MemoryStoreError: it makes something else.
    """
    drafts: Any = builder.build(trajectory)
    if isinstance(drafts, str) or not isinstance(drafts, Iterable):
        raise MemoryStoreError(f"{type(builder).__name__}.build returned {drafts!r:.80}: it returns drafts.")
    for draft in drafts:
        if not isinstance(draft, Draft):
            raise MemoryStoreError(f"{type(builder).__name__}.build made {draft!r:.80}, which is no Draft.")
        yield draft


def remind(builders: Iterable[Builder], drafts: Iterable[Draft]) -> None:
    """Show what a memory holds of episodes to the builders that want to know it; see `Builder`."""
    held = [draft for draft in drafts if draft.source.trajectory]
    for recall in filter(callable, (getattr(one, "recall", None) for one in builders)):
        recall(held)


def check_draft(draft: Draft) -> None:
    """Check the values of a draft.

    Raises:
        MemoryStoreError: the first error found.
    """
    if not isinstance(draft, Draft):
        raise MemoryStoreError(f"What is to be remembered is a Draft, not {str(draft)[:80]!r}.")
    problem = ""
    if draft.kind not in KINDS:
        problem = f"its kind is {draft.kind!r}, not one of {', '.join(KINDS)}"
    elif not isinstance(draft.text, str):
        problem = f"its text is {draft.text!r:.80}, which is of another type"
    elif not draft.text.strip():
        problem = "it has no text"
    elif wrong := [name for name, kind in _TYPES.items() if not isinstance(getattr(draft, name), kind)]:
        problem = f"its {wrong[0]} is {getattr(draft, wrong[0])!r}, which is of another type"
    elif not all(0.0 <= value <= 1.0 for value in (draft.importance, draft.confidence)):
        problem = "importance and confidence have to be in [0, 1]"
    elif not (is_finite(draft.time) and draft.time >= 0):
        problem = f"its time is {str(draft.time)[:80]}"
    elif draft.expires is not None and not is_finite(draft.expires):
        problem = f"it expires at {str(draft.expires)[:80]}"
    if problem:
        raise MemoryStoreError(f"A draft cannot be remembered, because {problem}: {str(draft.text)[:80]!r}.")


def check_size(draft: Draft) -> None:
    """Check that a draft is not too large to be added.

    Raises:
        MemoryStoreError: it is.
    """
    names = (draft.user, draft.agent, draft.session, draft.env)
    sizes = {
        "characters of text": (len(draft.text), LONGEST),
        "bytes of data": (len(plain(draft.data)) if draft.data else 0, _LARGEST),
        "characters in its key": (len(draft.key), LONGEST),
        "characters in its goal": (len(draft.task), LONGEST),
        "characters in its environment or scope": (max(map(len, names)), _LONGEST_NAME),
    }
    for what, (size, most) in sizes.items():
        if size > most:
            raise MemoryStoreError(
                f"A draft cannot be remembered, because it has {size:,} {what}, and the limit is {most:,}: split it, or"
                f" remember where it is: {draft.text[:80]!r}."
            )


class Admission:
    """Admits drafts within one transaction."""

    def __init__(self, database: MemoryDatabase, number: int) -> None:
        """Prepare, in the transaction of this number."""
        self._database, self._number = database, number
        row = database.one("SELECT coalesce(max(num), 0) FROM item")
        self._last = 0 if row is None else int(row[0])

    def admit(self, drafts: Sequence[Draft], embeddings: Sequence[Embedding]) -> list[str]:
        """Admit drafts, and return the id of the item that holds each."""
        now = time.time()
        found = []
        for draft, embedding in zip(drafts, embeddings, strict=True):
            dated = draft if draft.time else replace(draft, time=now)
            admit = self._keyed if draft.key else self._keyless
            found.append(admit(dated, embedding, is_dated=bool(draft.time)))
        return found

    def insert(self, item: Item, embedding: Embedding, ended: float | None = None) -> None:
        """Insert an item unchanged; `ended` is when it stopped being active."""
        draft = item.draft
        self._last += 1
        self._database.run(
            f"INSERT INTO item({COLUMNS}, seq, embedded, ended, said) VALUES ({','.join('?' * 29)})",
            (
                self._last, item.id, draft.kind, item.status, draft.env, draft.key, draft.task,
                None if draft.success is None else int(draft.success), draft.text, plain(draft.data), draft.time,
                item.last_seen, draft.importance, draft.confidence, draft.source.trajectory, draft.source.step,
                item.version, item.seen, item.helpful, item.harmful, item.replaced_by, draft.user, draft.agent,
                draft.session, draft.expires, self._number, self._number, ended, 0 if draft.key else said(draft.text),
            ),
        )  # fmt: skip
        self._database.add_vectors(self._last, embedding)

    def _keyed(self, draft: Draft, embedding: Embedding, *, is_dated: bool) -> str:
        rows = self._database.all(
            f"SELECT {COLUMNS} FROM item WHERE kind = ? AND world = ? AND user = ? AND agent = ? AND session = ?"
            " AND key = ? AND key <> '' ORDER BY num",
            (*draft.peers, draft.key),
        )
        items = [item_of(row) for row in rows]
        equal = (one for one in items if one.draft.text == draft.text and one.status in ("active", "retired"))
        same = next(equal, None)
        if same is not None:
            return self._reinforce(same, draft)
        effect = effect_of(draft)
        alike = self._with_effect(draft, effect) if effect else []
        shorter = next((one for one in alike if is_redundant(draft, one.draft)), None)
        if shorter is not None:
            return self._reinforce(shorter, draft)
        id_ = self._new_version(draft, embedding, items, is_dated=is_dated)
        for one in alike:
            if is_redundant(one.draft, draft):
                self._supersede(one.id, id_, draft.time)
        return id_

    def _with_effect(self, draft: Draft, effect: str) -> list[Item]:
        """Return the active skills with an effect."""
        rows = self._database.all(
            f"SELECT {COLUMNS} FROM item WHERE kind = ? AND world = ? AND user = ? AND agent = ? AND session = ?"
            " AND key >= ? AND key < ? AND key <> '' AND status = 'active' ORDER BY num",
            (*draft.peers, effect, f"{effect}\U0010ffff"),
        )
        return [item_of(row) for row in rows]

    def _new_version(self, draft: Draft, embedding: Embedding, items: Sequence[Item], *, is_dated: bool) -> str:
        """Add a draft whose text is new, next to the items with its key."""
        version = 1 + max((item.version for item in items), default=0)
        active = next((one for one in items if one.status == "active"), None)
        if active is None or draft.kind == "episode":
            return self._add(draft, embedding, version=1 if draft.kind == "episode" else version)
        if is_dated and draft.time < active.last_seen:
            later = min(one.draft.time for one in items if one.draft.time > draft.time or one is active)
            return self._add(draft, embedding, version=version, status="superseded", replaced_by=active.id, ended=later)
        id_ = self._add(draft, embedding, version=version)
        self._supersede(active.id, id_, draft.time)
        return id_

    def _supersede(self, old: str, new: str, when: float) -> None:
        self._database.run(
            "UPDATE item SET status = 'superseded', replaced_by = ?, ended = ?, seq = ? WHERE id = ?",
            (new, when, self._number, old),
        )
        self._database.log(old, when, "superseded", {"by": new})

    def _keyless(self, draft: Draft, embedding: Embedding, *, is_dated: bool) -> str:
        del is_dated
        success = None if draft.success is None else int(draft.success)
        rows = self._database.all(
            f"SELECT {COLUMNS} FROM item WHERE said = ? AND key = '' AND status = 'active' AND kind = ? AND world = ?"
            " AND user = ? AND agent = ? AND session = ? AND task = ? AND success IS ? ORDER BY num",
            (said(draft.text), *draft.peers, draft.task, success),
        )
        alike = (one for one in map(item_of, rows) if canonical(one.draft.text) == canonical(draft.text))
        # What a person says of a note is found by filters; what a builder says of an episode is that episode's.
        by_hand = draft.data and not draft.source.trajectory
        same = next((one for one in alike if not by_hand or one.draft.data == draft.data), None)
        return self._add(draft, embedding) if same is None else self._reinforce(same, draft)

    def _add(
        self,
        draft: Draft,
        embedding: Embedding,
        *,
        version: int = 1,
        status: Status = "active",
        replaced_by: str | None = None,
        ended: float | None = None,
    ) -> str:
        what = (draft.kind, draft.env, draft.key, draft.text, draft.source.trajectory, draft.source.step, self._last)
        id_ = f"{draft.kind}-{hashlib.blake2b(repr(what).encode(), digest_size=8).hexdigest()}"
        item = Item(id_, draft, status, version, last_seen=draft.time, replaced_by=replaced_by)
        self.insert(item, embedding, ended)
        return id_

    def _reinforce(self, item: Item, draft: Draft) -> str:
        ends = [one for one in (item.draft.expires, draft.expires) if one is not None]
        expires = max(ends) if len(ends) == 2 else None
        self._database.run(
            "UPDATE item SET seen = seen + 1, last_seen = max(last_seen, ?), importance = max(importance, ?),"
            " confidence = max(confidence, ?), expires = ?, seq = ? WHERE id = ?",
            (draft.time, draft.importance, draft.confidence, expires, self._number, item.id),
        )
        source = {"trajectory": draft.source.trajectory, "step": draft.source.step}
        # The draft's own words are kept if they differ, so that nothing is lost.
        words = {} if draft.text == item.draft.text else {"text": draft.text, "data": dict(draft.data)}
        self._database.log(item.id, draft.time, "reinforced", source | words)
        return item.id

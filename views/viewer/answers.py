"""What the viewer's page can ask of a store, and the answers, by path.

| path | answer |
|---|---|
| `store` | the name of its directory, the number of failures, and what is damaged |
| `rows/N` | one line for each trajectory after the first N, in append order |
| `flags` | the flags that people have set, by the id of the episode |
| `episode/ID` | an episode from its reset: task, origin, and one line for each step |
| `steps/ID/N` | up to `CHUNK` of its moments, from number N on: what was seen, thought, done and changed |
| `tree/TASK` | the states that the episodes of a task came through, and the ways between them (`world_tree`) |
| `memory/KIND/STATUS/QUESTION` | what the store's memory finds, or its newest items (`remembered`) |
| `training` | what models learned from this store, and what they lost (`trained`) |
| `drawing/ID/N` | where an episode stands at moment N, as its environment draws it: SVG |
| `image/SHA256` | the bytes of an image |

Ids are percent-encoded as `encodeURIComponent` does it. Not here: HTTP (`server`), and filters, which are the page's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

import orjson

from ...envs.registry import get_drawing
from ...errors import StoreError
from ...experience import Json, Observation, Step, Trajectory
from ...store import EpisodeFlags, EpisodeRow, ExperienceStore
from ...store.blobs import media_type
from .changes import ShownChange, changes_of
from .remembered import ViewedMemory
from .trained import trained
from .world_tree import world_tree

CHUNK: Final = 50
"""How many moments of an episode one answer holds."""
JSON: Final = "application/json"
_EXACT: Final = 2**53
_SAFE: Final = "!*'()"


class ViewerAnswer(NamedTuple):
    """What one path names."""

    kind: str
    """The media type."""
    body: bytes


class _OpenEpisode(NamedTuple):
    """The episode that was asked for last: the page asks for its parts one after the other."""

    own: Trajectory
    whole: Trajectory
    changes: list[list[ShownChange]]


class ViewerAnswers:
    """Answers the page's questions about a store that is open for reading, and follows its writer."""

    def __init__(self, store: ExperienceStore, keep: Callable[[EpisodeRow], bool] | None = None) -> None:
        """Name the store.

        Args:
            store: Open for reading.
            keep: Which of its episodes are listed; all if None.
        """
        self._store = store
        self._keep = keep
        self._seen = 0
        self._rows: list[EpisodeRow] = []
        self._memory = ViewedMemory(store.path)
        self._open: _OpenEpisode | None = None
        self._paths: dict[str, Callable[..., Json]] = {
            "store": self._about,
            "rows": self._list,
            "flags": self._flags,
            "episode": self._episode,
            "steps": self._moments,
            "tree": self._tree,
            "memory": self._memory.answer,
            "training": lambda: trained(store.path),
        }

    def close(self) -> None:
        """Close what was opened besides the store."""
        self._memory.close()

    def rows(self) -> list[EpisodeRow]:
        """Return one line for each trajectory that is listed now."""
        if len(self._store) != self._seen:
            found = list(self._store.rows())
            self._seen, self._rows = len(found), list(filter(self._keep, found)) if self._keep else found
        return self._rows

    def answer(self, path: str) -> ViewerAnswer:
        """Return what a path names.

        Raises:
            StoreError: there is no such thing in the store.
        """
        name, *given = map(unquote, path.split("/"))
        if name == "drawing" and len(given) == 2 and given[1].isdecimal():
            return ViewerAnswer("image/svg+xml", self._drawn(self._opened(given[0]).whole, int(given[1])).encode())
        if name == "image" and len(given) == 1:
            data = self._store.image(given[0])
            kind = media_type(data)
            return ViewerAnswer(f"image/{kind}" if kind else "application/octet-stream", data)
        try:
            found = self._paths[name](*given)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"The viewer has no page {path!r}.") from error
        return ViewerAnswer(JSON, orjson.dumps(found))

    def _about(self) -> Json:
        info = self._store.info()
        damage = [str(one) for one in info.damage]
        return {
            "name": self._store.path.resolve().name,
            "failures": info.counts.failures,
            "damage": damage,
            "training": bool(trained(self._store.path)),
        }

    def _list(self, first: str) -> Json:
        return [row_json(row) for row in self.rows()[int(first) :]]

    def _flags(self) -> Json:
        found = EpisodeFlags(self._store.path).read()
        return {row.id: list(found[row.id]) for row in self.rows() if row.id in found}

    def _episode(self, id_: str) -> Json:
        own, whole, changes = self._opened(id_)
        return {
            "id": own.id,
            "task": _exact(asdict(whole.task)),
            "collector": own.collector,
            "success": own.success,
            "reward": whole.total_reward,
            "provenance": _exact(own.provenance),
            "parent": own.parent,
            "shared": len(whole.steps) - len(own.steps),
            "drawn": bool(self._drawn(whole, 0)),
            "lines": [line_json(step, changed) for step, changed in zip(whole.steps, changes, strict=True)],
        }

    def _moments(self, id_: str, first: str) -> Json:
        _, whole, changes = self._opened(id_)
        start, words = int(first), dict[str, int]()
        moments = [
            {**_seen(step.observation, words), **_done(step, changed)}
            for step, changed in zip(whole.steps[start : start + CHUNK], changes[start : start + CHUNK], strict=True)
        ]
        if start <= len(whole.steps) < start + CHUNK:
            moments.append(_seen(whole.final, words))
        return {"words": list(words), "moments": moments}

    def _tree(self, task: str) -> Json:
        return world_tree(self._store, (row for row in self.rows() if row.task_id == task))

    def _drawn(self, whole: Trajectory, moment: int) -> str:
        """Return a drawing; empty where there is none, or its environment fails to draw it."""
        seen = [*(step.observation for step in whole.steps), whole.final][: moment + 1]
        try:
            return get_drawing(whole.task.env)(whole.task, seen)
        except Exception:  # noqa: BLE001  # whatever a drawing does, its episode is shown
            return ""

    def _opened(self, id_: str) -> _OpenEpisode:
        if self._open is None or self._open.own.id != id_:
            own = self._store.get(id_)
            whole = self._store.expand(own)
            self._open = _OpenEpisode(own, whole, changes_of(whole))
        return self._open


def path_of(*parts: object) -> str:
    """Return a path as the page writes it."""
    return "/".join(quote(str(part), safe=_SAFE) for part in parts)


def row_json(row: EpisodeRow) -> Sequence[Json]:
    """Return a line as the page reads it: the row's fields in order, the parent as `[id, step]` or None."""
    parent = None if row.parent is None else [row.parent.trajectory, row.parent.step]
    return [*row[:-1], parent]


def line_json(step: Step, changed: Sequence[ShownChange]) -> Sequence[Json]:
    """Return a step as the list of steps reads it: action, reward, why it was refused, and how many facts changed."""
    error = str(step.info["error"] or "refused") if "error" in step.info else ""
    return [step.action, step.reward, error, sum(not one.passing for one in changed)]


def _seen(observation: Observation, words: dict[str, int]) -> dict[str, Json]:
    """Return an observation; its actions are numbers of words, since they repeat from step to step."""
    actions = observation.actions
    numbers = None if actions is None else [words.setdefault(action, len(words)) for action in actions]
    return {"text": observation.text, "images": observation.images, "actions": numbers}


def _done(step: Step, changed: Sequence[ShownChange]) -> dict[str, Json]:
    notes = step.info.get("agent")
    return {
        "action": step.action,
        "reward": step.reward,
        "ended": "terminated" if step.terminated else "truncated" if step.truncated else "",
        "info": _exact({key: value for key, value in step.info.items() if key != "agent"}),
        "agent": _exact(notes if isinstance(notes, Mapping) else {} if notes is None else {"notes": notes}),
        "changes": [list(one) for one in changed],
        "tokens": step.tokens,
    }


def _exact(value: Json) -> Json:
    """Return a value whose integers a browser reads exactly: it has 53 bits for them, so larger ones become texts."""
    if isinstance(value, Mapping):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(item) for item in value]
    return str(value) if isinstance(value, int) and abs(value) > _EXACT else value

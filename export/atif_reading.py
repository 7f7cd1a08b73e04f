"""ATIF import: trajectories in the Agent Trajectory Interchange Format become episodes of a store.

What pathei exported comes back as it was; of branches only where their parent comes along or is in the store,
otherwise they are whole episodes. In a document of another program the first message of the user is the goal and,
with those before it, the first observation. An agent's step is an action: its tool calls, one a line as
`name {"argument": 1}`, or else its message. What came back is the next observation. Rewards and success are unknown
there, and nothing says that the episode could be played again. Not here: trajectories of sub-agents, and audio.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson

from ..errors import ExportError, RecordError
from ..experience import Goal, Json, Observation, Parent, Step, Task, Tokens, Trajectory, task_from_json
from ..store import ExperienceStore

ENV: Final = "atif/Recorded-v0"
"""The environment of tasks that other programs recorded; there is none of this id to play them in."""
_RESULT: Final = ("reward", "terminated", "truncated", "info")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    added: int
    """Episodes that are new in the store."""
    known: int
    """Documents whose episode was there already."""
    left: tuple[str, ...]
    """Documents that could not be read, each with the reason."""


def import_atif(store: ExperienceStore, path: str | Path) -> ImportReport:
    """Add ATIF documents to a store.

    Args:
        store: Open for appending.
        path: A document, or a folder: every `.json` file in it and below is one.

    Raises:
        ExportError: there is no document at `path`.
        StoreError: the disk refused.
    """
    path = Path(path)
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise ExportError(f"There is no ATIF document at {path}: give a JSON file, or a folder of them.")
    added = known = 0
    left: list[str] = []
    for file, document in _parents_first(files, left):
        id_ = _id(document, file)
        if id_ in store:
            known += 1
            continue
        try:
            store.append(_Reader(store, file.parent).trajectory(id_, document))
        except (ExportError, RecordError) as error:
            left.append(f"{file.name}: {error}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            left.append(f"{file.name}: it is not as ATIF has it ({type(error).__name__}: {error})")
        else:
            added += 1
    return ImportReport(added, known, tuple(left))


def _parents_first(files: Sequence[Path], left: list[str]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the documents, a branch after its parent; those that are no JSON objects are noted."""
    waiting: dict[str, list[Path]] = {}
    names: dict[Path, str] = {}
    for file in files:
        document = _read(file)
        if isinstance(document, str):
            left.append(f"{file.name}: {document}")
            continue
        names[file] = _id(document, file)
        waiting.setdefault(_parent(document)[0], []).append(file)
    ids = set(names.values())
    ready = [file for parent, several in waiting.items() if parent not in ids for file in several]
    done = set[Path]()
    rest = iter(names)  # of those whose parents are each other's, any comes first
    while (next_ := ready.pop() if ready else next(rest, None)) is not None:
        file, document = next_, _read(next_)
        if file in done or isinstance(document, str):
            continue
        done.add(file)
        yield file, document
        ready += waiting.get(names[file], [])


def _read(file: Path) -> dict[str, Any] | str:
    """Return a document, or why there is none."""
    try:
        document = orjson.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        return f"it cannot be read ({error})"
    if not isinstance(document, dict) or not str(document.get("schema_version", "")).startswith("ATIF-v1."):
        return "it is no ATIF document of version 1"
    return document


def _id(document: Mapping[str, Any], file: Path) -> str:
    return str(document.get("trajectory_id") or document.get("session_id") or file.stem)


def _parent(document: Mapping[str, Any]) -> tuple[str, int]:
    """Return where an episode of pathei leaves its parent; an empty id if it has none."""
    extra = document.get("extra")
    parent = extra.get("parent") if isinstance(extra, dict) else None
    match parent:
        case {"trajectory": str(id_), "step": int(step)}:
            return id_, step
    return "", 0


class _Reader:
    """Makes a trajectory of a document, and stores its images."""

    def __init__(self, store: ExperienceStore, folder: Path) -> None:
        self._store, self._folder = store, folder

    def trajectory(self, id_: str, document: Mapping[str, Any]) -> Trajectory:
        """Return the trajectory of a document."""
        extra = document.get("extra") or {}
        ours = isinstance(extra, dict) and {"task", "collector", "provenance"} <= extra.keys()
        steps = document["steps"]
        count = next((n for n, one in enumerate(steps) if one["source"] == "agent"), len(steps))
        before, after = steps[:count], steps[count:]
        task = task_from_json(extra["task"]) if ours else _task(id_, before)
        seen = self._first(before, f"Goal: {task.goal.text}\n\n" if ours else "")
        played: list[Step] = []
        for one in after:
            if one["source"] == "agent":
                result = self._observed((one.get("observation") or {}).get("results") or [])
                played.append(_step(one, seen))
                seen = result
            else:  # somebody speaks in between: it is part of what is seen next
                said = self._seen(one["message"], {})
                seen = replace(seen, text=f"{seen.text}\n\n{said.text}".strip(), images=seen.images + said.images)
        if not ours:
            agent = document["agent"]
            origin = {"agent": agent["name"], "agent_version": agent["version"], "format": document["schema_version"]}
            return Trajectory(id_, task, tuple(played), seen, "atif", provenance=origin)
        parent, shared = _parent(document)
        if 0 <= shared <= len(played) and self._holds(parent, shared):
            return Trajectory(
                id_, task, tuple(played[shared:]), seen, extra["collector"], Parent(parent, shared), extra["provenance"]
            )
        return Trajectory(id_, task, tuple(played), seen, extra["collector"], provenance=extra["provenance"])

    def _holds(self, parent: str, steps: int) -> bool:
        """Return whether the store has an episode with at least this number of steps."""
        return parent in self._store and len(self._store.expand(self._store.get(parent)).steps) >= steps

    def _first(self, before: Sequence[Mapping[str, Any]], prefix: str) -> Observation:
        """Return the first observation: all that was said before the agent acted."""
        said = [self._seen(one["message"], one.get("extra") or {}) for one in before]
        text = "\n\n".join(one.text for one in said).removeprefix(prefix)
        images = tuple(name for one in said for name in one.images)
        return replace(said[-1], text=text, images=images) if said else Observation("")

    def _observed(self, results: Sequence[Mapping[str, Any]]) -> Observation:
        seen = [self._seen(one.get("content") or "", one.get("extra") or {}) for one in results]
        if len(seen) == 1:
            return seen[0]
        return Observation("\n".join(one.text for one in seen), tuple(name for one in seen for name in one.images))

    def _seen(self, content: str | Sequence[Mapping[str, Any]], extra: Mapping[str, Any]) -> Observation:
        actions = extra.get("actions")
        listed = tuple(actions) if isinstance(actions, list) else None
        facts = extra.get("facts")
        if isinstance(content, str):
            return Observation(content, (), listed, facts)
        texts = [part["text"] for part in content if part["type"] == "text"]
        images = tuple(self._image(part["source"]["path"]) for part in content if part["type"] == "image")
        return Observation("\n".join(texts), images, listed, facts)

    def _image(self, path: str) -> str:
        """Store an image that lies in the document's folder, and return its name.

        Raises:
            ExportError: it lies elsewhere, or is not there.
        """
        file = (self._folder / path).resolve()
        if not file.is_relative_to(self._folder.resolve()) or not file.is_file():
            raise ExportError(f"its image {path!r} is not in the folder of the document.")
        return self._store.put_image(file.read_bytes())


def _task(id_: str, before: Sequence[Mapping[str, Any]]) -> Task:
    """Return the task of another program's document: what its user said first."""
    said = [one["message"] for one in before if one["source"] == "user"]
    text = said[0] if said else ""
    if not isinstance(text, str):
        text = "\n".join(part["text"] for part in text if part["type"] == "text")
    return Task(id_, ENV, 0, Goal(text))


def _step(one: Mapping[str, Any], seen: Observation) -> Step:
    extra, metrics = one.get("extra") or {}, one.get("metrics") or {}
    tokens = None
    if metrics.get("prompt_token_ids") is not None and metrics.get("completion_token_ids") is not None:
        logprobs = metrics.get("logprobs")
        tokens = Tokens(
            tuple(metrics["prompt_token_ids"]),
            tuple(metrics["completion_token_ids"]),
            None if logprobs is None else tuple(logprobs),
        )
    if set(_RESULT) <= extra.keys():
        ends = (extra["terminated"], extra["truncated"])
        return Step(seen, one["message"], extra["reward"], *ends, info=extra["info"], tokens=tokens)
    return Step(
        seen, _action(one), 0.0, info={"agent": notes} if (notes := _notes(one, metrics)) else {}, tokens=tokens
    )


def _action(one: Mapping[str, Any]) -> str:
    calls = one.get("tool_calls") or []
    if calls:
        return "\n".join(f"{call['function_name']} {orjson.dumps(call['arguments']).decode()}" for call in calls)
    message = one["message"]
    return (
        message if isinstance(message, str) else "\n".join(part["text"] for part in message if part["type"] == "text")
    )


def _notes(one: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Json]:
    """Return what an agent thought and what that took, as agents of pathei note it."""
    notes: dict[str, Json] = {}
    if one.get("reasoning_content"):
        notes["thought"] = one["reasoning_content"]
    if one.get("tool_calls") and one["message"]:
        notes["said"] = one["message"]
    usage = {name: metrics[name] for name in ("prompt_tokens", "completion_tokens") if metrics.get(name) is not None}
    if usage:
        notes["usage"] = usage
    return notes

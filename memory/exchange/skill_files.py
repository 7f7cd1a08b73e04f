"""Skills as folders with a `SKILL.md`, the Agent Skills format that other agents read, and back.

A file begins with YAML between two lines of three dashes (`name`, `description`, and ours under `metadata`), followed
by the skill in Markdown. Only the front matter is read back. Files are not trusted: no YAML tags, bounded size, plain
JSON values only. Not here: scripts and other files of such a folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from ...errors import MemoryStoreError
from ...experience import Json
from ...extras import needed_by
from ...store.durable import write_atomically
from ..items import Draft, Item, Source

FILE: Final = "SKILL.md"
_LARGEST: Final = 256_000
"""In bytes."""
_FENCE: Final = "---"
_NAME: Final = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME: Final = 64
_LONGEST_DESCRIPTION: Final = 1_024
_SECTIONS: Final = ("parameters", "preconditions", "steps", "effects", "calls")


def write_skills(items: Iterable[Item], folder: Path) -> list[Path]:
    """Write each skill into a folder of its own, and return the paths of the files.

    Raises:
        MissingDependencyError: PyYAML is not installed.
        MemoryStoreError: an item is not a skill.
    """
    yaml = _yaml()
    written = []
    for item in items:
        draft = item.draft
        if draft.kind != "skill":
            raise MemoryStoreError(f"The item {item.id!r} is a {draft.kind}: only skills become {FILE} folders.")
        name = _slug(str(draft.data.get("name") or draft.key or draft.text), item.id)
        front = {
            "name": name,
            "description": " ".join(draft.text.split())[:_LONGEST_DESCRIPTION] or name,
            "metadata": {"pathei": json.dumps(_kept(item))},
        }
        head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=10_000)
        path = folder / name / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"{_FENCE}\n{head}{_FENCE}\n\n{_body(item)}"
        write_atomically(path, text.encode(), path.with_name(f"{FILE}.tmp"))
        written.append(path)
    return written


def read_skills(folder: Path) -> list[Draft]:
    """Read every `SKILL.md` below a folder, in order of path. Files from other programs have no steps.

    Raises:
        MissingDependencyError: PyYAML is not installed.
        MemoryStoreError: a file is malformed; names the file and the reason.
    """
    paths = sorted(folder.rglob(FILE))
    if not paths:
        raise MemoryStoreError(f"There is no {FILE} below {folder}.")
    return [_read(path) for path in paths]


def _read(path: Path) -> Draft:
    yaml = _yaml()
    try:
        data = path.read_bytes()
        if len(data) > _LARGEST:
            raise ValueError(f"it has {len(data)} bytes, and the limit is {_LARGEST}")
        lines = data.decode("utf-8").split("\n")
        if lines[0].strip() != _FENCE or _FENCE not in (rest := [line.strip() for line in lines[1:]]):
            raise ValueError("it does not begin with YAML between two lines of three dashes")
        front = yaml.safe_load("\n".join(lines[1 : 1 + rest.index(_FENCE)]))
        if not isinstance(front, dict) or not isinstance(front.get("description"), str):
            raise ValueError("its YAML has no description")
        ours = (front.get("metadata") or {}).get("pathei")
        return _draft(json.loads(ours)) if isinstance(ours, str) else _foreign(front)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())[:300]
        raise MemoryStoreError(f"The skill {path} cannot be read: {why}.") from error


def _kept(item: Item) -> dict[str, Json]:
    """Return what is needed to read the skill back.

    It is written as one ASCII line of JSON, because YAML has too many ways to read a string as another type.
    """
    draft = item.draft
    return {
        "text": draft.text,
        "env": draft.env,
        "key": draft.key,
        "task": draft.task,
        "success": draft.success,
        "time": draft.time,
        "importance": draft.importance,
        "confidence": draft.confidence,
        "trajectory": draft.source.trajectory,
        "step": draft.source.step,
        "version": item.version,
        "seen": item.seen,
        "helpful": item.helpful,
        "harmful": item.harmful,
        "data": dict(draft.data),
    }


def _draft(kept: Mapping[str, Any]) -> Draft:
    data = kept["data"]
    if not isinstance(data, dict):
        raise TypeError("its data is not a JSON object")
    success = kept["success"]
    return Draft(
        "skill",
        str(kept["text"]),
        str(kept["env"] if "env" in kept else kept["world"]),  # files written before 0.2 say `world`
        key=str(kept["key"]),
        task=str(kept["task"]),
        success=None if success is None else bool(success),
        data=data,
        time=float(kept["time"]),
        importance=min(1.0, max(0.0, float(kept["importance"]))),
        confidence=min(1.0, max(0.0, float(kept["confidence"]))),
        source=Source(str(kept["trajectory"]), None if kept["step"] is None else int(kept["step"])),
    )


def _foreign(front: Mapping[str, Any]) -> Draft:
    """Return a skill from another program: it can be found, and feedback decides whether it stays."""
    name = str(front.get("name") or "skill")
    return Draft("skill", str(front["description"]), "", key=f"file:{name}", data={"name": name}, confidence=0.5)


def _body(item: Item) -> str:
    draft, data = item.draft, item.draft.data
    lines = [f"# {data.get('name') or draft.key or 'Skill'}", "", draft.text, ""]
    for section in _SECTIONS:
        entries = data.get(section)
        if isinstance(entries, Sequence) and not isinstance(entries, str) and entries:
            lines += [f"## {section.capitalize()}", ""]
            mark = "1." if section == "steps" else "-"
            lines += [f"{mark} {one if isinstance(one, str) else orjson.dumps(one).decode()}" for one in entries] + [""]
    source = f"first in {draft.source.trajectory}" if draft.source.trajectory else "added by hand"
    lines += [
        "## Evidence",
        "",
        f"Seen {item.seen} times, {source}; helped {item.helpful} times, failed {item.harmful} times.",
        "",
    ]
    return "\n".join(lines)


def _slug(text: str, id_: str) -> str:
    """Return a folder name: lower-case letters, digits and hyphens, made unique by the end of the item's id."""
    end = _NAME.sub("", id_.lower())[-8:] or "0"
    return f"{_NAME.sub('-', text.lower()).strip('-')[: _LONGEST_NAME - 1 - len(end)].strip('-')}-{end}".strip("-")


def _yaml() -> Any:
    with needed_by("Reading and writing skill files"):
        import yaml  # type: ignore[import-untyped]
    return yaml

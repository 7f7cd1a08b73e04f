"""Conditions of terminal goals: what must be true of the files, or of the answer that was submitted.

Each condition is a mapping with one of these keys, and paths are relative to the home directory or absolute:

* `{"file": path}`: a regular file is there; with `"text"` (its content, blank ends stripped), `"contains"`, `"mode"`
  (octal, as `chmod` takes it), `"same_as"` (the content that this path had at the start), or `"unpacked"` (the content
  of a gzip file).
* `{"dir": path}`, `{"absent": path}`, `{"link": path, "to": target}`.
* `{"only": [path, ...]}`: nothing else has changed since the start.
* `{"answer": text}`: what was submitted equals it; numbers by value, words without regard to case or blanks.

Conditions on the graph of `graph` are read as well: `{"node": ...}`, `{"from": ...}` and `{"not": ...}`, in the form of
`pathei.envs.facts.conditions`. The formats of InterCode and AgentBench have conditions of their own; see `formats`.
"""

from __future__ import annotations

import posixpath
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...errors import GoalError
from ..facts import parse_conditions
from .files import Tree

KINDS: Final = ("file", "dir", "absent", "link", "only", "answer", "intercode", "match", "checks")
GRAPH_KINDS: Final = ("node", "from", "not")
"""The keys of conditions on the graph."""
_LARGEST = 8 << 20


@dataclass(frozen=True, slots=True)
class FileView:
    """What conditions look at."""

    start: Tree
    """The files at the start."""
    now: Tree
    home: str
    answer: str | None
    """What was submitted; None before."""
    read: Callable[[str], bytes | None]
    """What a regular file holds now."""


def check_conditions(conditions: Any) -> tuple[Mapping[str, Any], ...]:
    """Return the conditions of a goal, checked for their form.

    Raises:
        GoalError: a condition is none of those at the head of this file.
    """
    if not isinstance(conditions, list | tuple):
        raise GoalError(f"The conditions of a goal are a list, not {conditions!r}.")
    for condition in conditions:
        if on_graph(condition):
            parse_conditions([condition])
            continue
        if not isinstance(condition, Mapping) or sum(kind in condition for kind in KINDS) != 1:
            raise GoalError(
                f"A condition of a terminal goal has one of the keys {', '.join(KINDS)}, not {condition!r}."
            )
    return tuple(conditions)


def on_graph(condition: Any) -> bool:
    """Return whether a condition is one on the graph."""
    return isinstance(condition, Mapping) and any(key in condition for key in GRAPH_KINDS)


def holds(condition: Mapping[str, Any], view: FileView) -> bool:
    """Return whether a condition on files or on the answer holds."""
    if "answer" in condition:
        return view.answer is not None and same_answer(view.answer, str(condition["answer"]))
    if "only" in condition:
        return _only({_path(path, view.home) for path in condition["only"]}, view)
    for kind in ("dir", "link"):
        if kind in condition:
            node = view.now.get(_path(condition[kind], view.home))
            return node is not None and node.kind == kind and condition.get("to", node.content) == node.content
    if "absent" in condition:
        return _path(condition["absent"], view.home) not in view.now
    return _file(condition, _path(condition["file"], view.home), view)


def same_answer(given: str, right: str) -> bool:
    """Return whether an answer is right: equal as numbers, or as words without regard to case, blanks and quotes."""
    given, right = (" ".join(text.split()).strip("'\"`. ").casefold() for text in (given, right))
    try:
        return abs(float(given) - float(right)) < 1e-6
    except ValueError:
        return given == right


def _path(path: str, home: str) -> str:
    return posixpath.normpath(posixpath.join(home, path)).lstrip("/")


def _file(condition: Mapping[str, Any], path: str, view: FileView) -> bool:
    node = view.now.get(path)
    if node is None or node.kind != "file":
        return False
    if "mode" in condition and node.mode != int(str(condition["mode"]), 8):
        return False
    if "same_as" in condition:
        old = view.start.get(_path(condition["same_as"], view.home))
        return old is not None and old.content == node.content
    if not {"text", "contains", "unpacked"} & set(condition):
        return True
    data = view.read(path) or b""
    if "unpacked" in condition:
        unpacked = _unpacked(data)
        return unpacked is not None and unpacked.strip() == str(condition["unpacked"]).strip().encode()
    text = data.decode("utf-8", "replace")
    if "contains" in condition and condition["contains"] not in text:
        return False
    return "text" not in condition or _lines(text) == _lines(str(condition["text"]))


def _lines(text: str) -> list[str]:
    return [re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines()]


def _unpacked(data: bytes) -> bytes | None:
    # A bounded amount: a small file may unpack to gigabytes.
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _LARGEST)
    except zlib.error:
        return None


def _only(allowed: set[str], view: FileView) -> bool:
    for path in {*view.start, *view.now}:
        old, new = view.start.get(path), view.now.get(path)
        if old == new or path in allowed or any(path.startswith(f"{name}/") for name in allowed):
            continue
        if any(name.startswith(f"{path}/") for name in allowed) and new is not None and new.kind == "dir":
            continue
        return False
    return True

"""E2WM's published files and others in their form: JSON objects with `input` and `ref`, or `answer_list` and `answer`.

Where to get them: the folder `data` of https://github.com/szxiangjn/world-model-for-language-model (Xiang et al.,
NeurIPS 2023), which carries no licence, so nothing of it comes with pathei. Generated answers stand in `ref`; of a
choice, `answer` is one of `answer_list`.
Not here: its evaluation (`metrics`) and its training (`docs/guide/learning/training.md`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import orjson

from ..errors import RecordError
from ..store.durable import write_atomically
from .examples import Example, Split


class E2wmFile(NamedTuple):
    """What one of the published files holds."""

    kind: str
    split: Split


E2WM_FILES: Final[Mapping[str, E2wmFile]] = MappingProxyType(
    {
        "train_plan_gen": E2wmFile("plan", "train"),
        "train_act_recog": E2wmFile("recognition", "train"),
        "train_count": E2wmFile("counting", "train"),
        "train_obj_move": E2wmFile("tracking", "train"),
        "plan_gen": E2wmFile("plan", "seen"),
        "plan_gen_unseen": E2wmFile("plan", "unseen"),
        "plan_gen_confusing": E2wmFile("plan-confusing", "seen"),
        "plan_gen_unseen_confusing": E2wmFile("plan-confusing", "unseen"),
        "obj_move_path": E2wmFile("tracking", "seen"),
        "act_recog": E2wmFile("recognition", "seen"),
        "act_infer": E2wmFile("inference", "seen"),
        "count": E2wmFile("counting", "seen"),
        "obj_move": E2wmFile("location", "seen"),
        "housework_qa": E2wmFile("relevance", "seen"),
        "neg_housework_qa": E2wmFile("irrelevance", "seen"),
    }
)
"""The published files by name, without `.json`. Its "seen" plans are split by sample."""

E2WM_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"plan": 1.0, "recognition": 0.7, "counting": 1.0, "tracking": 1.0}
)
"""The weight of each kind's loss in E2WM's training, for `Training.weights`."""


def read_e2wm(path: Path, *, kind: str | None = None, split: Split | None = None) -> list[Example]:
    """Read a file in E2WM's form.

    Args:
        path: The file. Its name gives kind and split where it is one of `E2WM_FILES`.
        kind: The kind of its examples, for a file of another name.
        split: What they are for, for a file of another name: `"seen"` if None.

    Returns:
        The examples in the order of the file. A completion begins with a space, as everywhere here.

    Raises:
        RecordError: the file is missing, its name gives no kind, or a line has not the fields; says which.
    """
    meant = E2WM_FILES.get(path.name.partition(".")[0])
    kind = kind or (meant.kind if meant else None)
    if kind is None:
        names = ", ".join(E2WM_FILES)
        raise RecordError(f"The name of {path} is none of E2WM's ({names}): say which kind of examples it holds.")
    split = split or (meant.split if meant else "seen")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(f"There is no file of E2WM to read at {path} ({error.strerror}).") from error
    found = []
    for number, entry in _entries(data, path):
        prompt, answer, choices = _fields(entry, f"Line {number} of {path}")
        source = {"file": path.name, "line": number, "answer": answer.strip()}
        found.append(Example(f"e2wm/{path.stem}/{number}", kind, prompt, answer, choices, split, source))
    return found


def _entries(data: bytes, path: Path) -> Iterable[tuple[int, Any]]:
    """The lines of a file, or the entries of one JSON list, numbered from 1."""
    if data.lstrip().startswith(b"["):
        try:
            yield from enumerate(orjson.loads(data), 1)
        except orjson.JSONDecodeError as error:
            raise RecordError(f"The file {path} is not JSON: {error}.") from error
        return
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            try:
                yield number, orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise RecordError(f"Line {number} of {path} is not JSON: {error}.") from error


def _fields(entry: Any, where: str) -> tuple[str, str, tuple[str, ...]]:
    """Prompt, completion and choices of one entry."""
    if not isinstance(entry, dict) or not isinstance(entry.get("input"), str) or not entry["input"].strip():
        raise RecordError(f"{where} has no text under 'input', as an example in E2WM's form has.")
    answer = entry.get("ref", entry.get("answer"))
    if not isinstance(answer, str | int) or not str(answer).strip():
        raise RecordError(f"{where} has no text under 'ref' or 'answer', as an example in E2WM's form has.")
    options = entry.get("answer_list", [])
    if not isinstance(options, list) or not all(isinstance(option, str | int) for option in options):
        raise RecordError(f"{where} has something else than a list of texts under 'answer_list'.")
    right = _completion(entry.get("answer", answer) if options else answer)
    choices = tuple(dict.fromkeys(_completion(option) for option in options))
    if choices and right not in choices:
        raise RecordError(f"{where} has the answer {right.strip()!r}, which is not in its 'answer_list'.")
    return entry["input"].rstrip(), right, choices


def _completion(text: object) -> str:
    return f" {str(text).strip()}"


def write_e2wm(examples: Iterable[Example], path: Path) -> None:
    """Write examples in E2WM's form, all or nothing: `ref` for each, and for a choice `answer_list` and `answer` too.

    One file holds one kind, as E2WM's programs expect; write a file for each.

    Raises:
        RecordError: there are examples of several kinds.
    """
    lines: list[bytes] = []
    kinds: dict[str, None] = {}
    for example in examples:
        kinds[example.kind] = None
        entry: dict[str, Any] = {"input": example.prompt, "ref": example.completion.strip()}
        if example.choices:
            entry |= {"answer_list": [choice.strip() for choice in example.choices], "answer": entry["ref"]}
        lines.append(orjson.dumps(entry) + b"\n")
    if len(kinds) > 1:
        raise RecordError(f"A file in E2WM's form holds one kind of examples, not {', '.join(kinds)}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, b"".join(lines), path.with_name(path.name + ".tmp"))

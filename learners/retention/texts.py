"""Reference text of three kinds that every machine with Python has: prose, code and dialogue.

All of it comes from modules of the standard library that `stdlib_text` holds out, so no method against forgetting sees
it. Prose: documentation strings without code. Code: functions without their documentation strings. Dialogue: a question
about a function or class, and the answer that its documentation gives. Not here: measuring (`measure`).
"""

from __future__ import annotations

import ast
import textwrap
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from ...errors import DataError
from ..models.stdlib_text import stdlib_home, stdlib_sources

_CODE_MARKS: Final = (">>>", "::", "\n    ", "\t", "__", " = ")
"""What a documentation string with code in it has."""
_PROSE: Final = (120, 900)
"""The shortest and the longest text that is used, in characters."""
_CODE: Final = (200, 900)
_ANSWER: Final = (40, 400)

_Def = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Exchange(NamedTuple):
    """A question and its answer."""

    question: str
    answer: str


class RetentionTexts(NamedTuple):
    """Reference text by its kind; what of it is used follows from the files of the standard library alone."""

    prose: tuple[str, ...]
    code: tuple[str, ...]
    dialogue: tuple[Exchange, ...]


@lru_cache(maxsize=4)
def retention_texts(limit: int = 40) -> RetentionTexts:
    """Return texts of each kind.

    Args:
        limit: The maximum number of each kind, chosen by their CRC-32.

    Raises:
        DataError: the interpreter has no sources of its standard library.
    """
    prose, code, dialogue = list[str](), list[str](), list[Exchange]()
    for path in stdlib_sources(held_out=True):
        source = path.read_text("utf-8", "replace")
        try:
            tree = ast.parse(source)
        except SyntaxError:  # a template, or of an older language
            continue
        lines = source.splitlines()
        for node in ast.walk(tree):
            prose += _prose(node)
            if isinstance(node, _Def):
                dialogue += _exchange(node, path)
            if isinstance(node, ast.FunctionDef):
                code += _code(node, lines)
    found = RetentionTexts(_chosen(prose, limit), _chosen(code, limit), _exchanges(dialogue, limit))
    if not all(found):
        raise DataError(
            f"There is no reference text under {stdlib_home()}: use an interpreter that has the sources of its "
            "standard library."
        )
    return found


def _prose(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Module | _Def):
        text = ast.get_docstring(node) or ""
        if _fits(text, _PROSE) and not any(mark in text for mark in _CODE_MARKS):
            yield text


def _code(node: ast.FunctionDef, lines: Sequence[str]) -> Iterator[str]:
    if ast.get_docstring(node) is None:
        text = textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno]))
        if _fits(text, _CODE):
            yield text


def _exchange(node: _Def, path: Path) -> Iterator[Exchange]:
    answer = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
    if _fits(answer, _ANSWER) and not node.name.startswith("_") and not any(mark in answer for mark in _CODE_MARKS):
        what = "class" if isinstance(node, ast.ClassDef) else "function"
        module = path.relative_to(stdlib_home()).with_suffix("").as_posix().replace("/", ".")
        yield Exchange(f"What is the {what} {node.name} of Python's module {module} for?", answer)


def _fits(text: str, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= len(text) <= bounds[1]


def _chosen(texts: Sequence[str], limit: int) -> tuple[str, ...]:
    return tuple(sorted(set(texts), key=lambda text: (zlib.crc32(text.encode()), text))[:limit])


def _exchanges(found: Sequence[Exchange], limit: int) -> tuple[Exchange, ...]:
    by_answer = {one.answer: one for one in reversed(found)}
    return tuple(by_answer[answer] for answer in _chosen(list(by_answer), limit))

"""A page as a sketch, from the text that an agent read: headings, links, buttons, fields, and what the last step did.

It reads the text of web pages, of the shop and of the documents. Elements stand one below the other, since that text
says nothing of where they are; pictures of real pages are the environment's own (`screenshot`).
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

from ...experience import Observation, Task
from ..facts.drawing import AGENT, CHANGED, INK, SOFT, box, svg, words
from .words import FIELDS

_WIDTH: Final = 640.0
_ROW: Final = 22.0
_LETTER: Final = 7.2
"""The width of a letter of size 12, in pixels, generously."""
_ACROSS: Final = 90
"""How many letters a line of text has at most."""
_MOST: Final = 300
"""How many elements are drawn at most."""

_ELEMENT: Final = re.compile(r'\[(\d+)\] ([a-z][a-z ]*?)(?: "(.*?)")?(?= (?:in|of|value|chosen|at) |(?: [a-z]+)*$)(.*)')
_VALUE: Final = re.compile(r'(?:value|chosen) "(.*?)"')
_LINK: Final = re.compile(r"(?:- )?(.*?)\[\d+: (.+?)\](.*)")
_BUTTON: Final = re.compile(r"\s*\[button\] (.*?) \[button_\]")
_PIECES: Final = frozenset({"text", "presentation", "paragraph"})
"""The roles of pieces of text; a `presentation` repeats what stands next to it."""
_MARKS: Final = {"checkbox": ("☐", "☑"), "radio": ("○", "◉"), "switch": ("○", "◉")}


class _Row(NamedTuple):
    """One element."""

    kind: str
    """`heading`, `link`, `button`, `field`, `mark` (what can be ticked) or `text`."""
    text: str
    more: str = ""
    """What a field holds, or what follows a link."""
    faint: bool = False
    """Whether something covers or disables it."""


def draw_page(task: Task, seen: Sequence[Observation]) -> str:
    """Draw the page that the last observation describes; what was not on the one before is marked."""
    rows = list(_rows(seen[-1].text))
    if not rows:
        return ""
    before = Counter(_rows(seen[-2].text)) if len(seen) > 1 else Counter(rows)
    left = len(rows) - _MOST
    parts, y = list[str](), 12.0
    for row in rows[:_MOST]:
        new, before[row] = before[row] <= 0, before[row] - 1
        drawn, height = _drawn(row, y)
        parts += drawn
        if new:
            parts.append(box(4, y, 3, height - 4, fill=CHANGED, line=CHANGED))
        y += height
    if left > 0:
        parts.append(words(16, y + 15, f"... and {left:,} more", colour=SOFT))
        y += _ROW
    return svg(_WIDTH, y + 10, parts)


def _rows(text: str) -> Iterator[_Row]:
    """Read the elements of a page; pieces of text in a row are one element."""
    run = list[str]()
    for line in text.splitlines():
        row = _read(line.rstrip())
        if row.kind == "text":
            # Empty lines and lines of a page without elements end a paragraph.
            if row.more:
                run.append(row.text)
                continue
            yield from _paragraph(run)
            yield from _paragraph([row.text])
        else:
            yield from _paragraph(run)
            yield row
        run = []
    yield from _paragraph(run)


def _paragraph(run: Iterable[str]) -> Iterator[_Row]:
    text = " ".join(one for one in run if one).strip()
    if text:
        yield _Row("text", text)


def _read(line: str) -> _Row:
    """Read one line; a piece of a web page's text has its role as `more`."""
    if found := _ELEMENT.fullmatch(line):
        return _element(found[2], found[3] or "", found[4])
    if line.startswith("# "):
        return _Row("heading", line[2:])
    if found := _BUTTON.fullmatch(line):
        return _Row("button", found[1])
    if found := _LINK.fullmatch(line):
        return _Row("link", found[2], f"{found[1]}{found[3]}".strip(" :"))
    return _Row("text", line.strip())


def _element(role: str, name: str, rest: str) -> _Row:
    faint = bool(re.search(r"\b(?:covered|disabled)$", rest))
    if role in FIELDS or role == "combobox":
        value = _VALUE.search(rest)
        return _Row("field", name or role, value[1] if value else "", faint)
    if role in _MARKS:
        return _Row("mark", f"{_MARKS[role]['checked' in rest.split()]} {name}".strip(), "", faint)
    if role in ("heading", "link"):
        return _Row(role, name or role, "", faint)
    if role in _PIECES:
        return _Row("text", name if role != "presentation" else "", role)
    return _Row("button", name or role, "", faint)


def _drawn(row: _Row, y: float) -> tuple[list[str], float]:
    """Return an element as SVG, and how high it is."""
    ink = SOFT if row.faint else INK
    if row.kind == "heading":
        return [words(16, y + 17, _cut(row.text), colour=ink, bold=True, size=15)], _ROW + 6
    if row.kind == "link":
        text = _cut(row.text)
        more = f'<tspan fill="{SOFT}" dx="8">{escape(_cut(row.more, _ACROSS - len(text)))}</tspan>' if row.more else ""
        colour = SOFT if row.faint else AGENT
        return [f'<text x="16" y="{y + 15:.1f}" fill="{colour}">{escape(text)}{more}</text>'], _ROW
    if row.kind == "button":
        text = _cut(row.text)
        across = min(16 + _LETTER * len(text), _WIDTH - 32)
        return [box(16, y, across, _ROW - 2, fill="#f1f3f5", line=SOFT), words(24, y + 15, text, colour=ink)], _ROW + 4
    if row.kind == "field":
        label, value = _cut(row.text, 34), _cut(row.more, 48)
        return [
            words(16, y + 15, label, colour=SOFT),
            box(260, y, _WIDTH - 276, _ROW - 2, fill="#fff", line=ink),
            words(266, y + 15, value, colour=ink),
        ], _ROW + 4
    lines = textwrap.wrap(row.text, _ACROSS) or [""]
    return [words(16, y + 15 + 16 * n, one, colour=ink) for n, one in enumerate(lines)], 16.0 * len(lines) + 6


def _cut(text: str, letters: float = _ACROSS) -> str:
    return text if len(text) <= letters else f"{text[: max(0, int(letters) - 1)]}…"

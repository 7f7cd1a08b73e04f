"""What a view is in words: the text that an agent reads, the actions that are open to it, and what it might type.

An element is one line, `[12] button "Search"`, in the order of the document; indentation and layout are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from .actions import write
from .browser.page import Element, PageView

FIELDS: Final = frozenset({"textbox", "searchbox", "spinbutton", "date", "time", "month", "week", "datetime", "colour"})
"""The roles of what can be typed into, besides a `combobox` that is no list."""

_TEXTS: Final = 12
_STOP: Final = frozenset(
    "the and that with into from then than find click press select enter type text button field submit page this "
    "for are you your all its has have link box following item items using use user".split()
)


def describe(view: PageView, goal: str, *, address: bool = True, positions: bool = False) -> str:
    """Return a view as an agent reads it.

    Args:
        view: What is seen.
        goal: What is to be done.
        address: Whether the page's title and path are shown.
        positions: Whether every line ends with where the element is, `at (80, 120)`, and how large, `40x20`.
    """
    lines = [f"Goal: {goal}"]
    if address:
        parts = urlsplit(view.url)
        lines.append(f"Page: {view.title or 'untitled'} ({parts.path}{'?' + parts.query if parts.query else ''})")
    lines += [f"A dialog said: {said}" for said in view.dialogs]
    if view.scroll[3] > 0:
        lines.append(f"Scrolled: {view.scroll[1]} of {view.scroll[3]} pixels down")
    above, below = view.left
    if above:
        lines.append(f'({above:,} more elements above: `scroll up` or `find "TEXT"`)')
    lines += [line(element, positions=positions) for element in view.elements]
    if below:
        lines.append(f'({below:,} more elements below: `scroll down` or `find "TEXT"`)')
    return "\n".join(lines)


def line(element: Element, *, positions: bool = False) -> str:
    """Return one element as a line."""
    parts = [f"[{element.id}] {element.role}"]
    if element.name:
        parts.append(f'"{element.name}"')
    if element.context:
        parts.append(f'in "{element.context}"')
    if element.look:
        parts.append(element.look)
    if element.options is not None:
        chosen = f' chosen "{element.value}"' if element.value else ""
        parts.append(f"of {', '.join(element.options[:50])}{chosen}")
    elif element.value:
        parts.append(f'value "{element.value}"')
    parts += element.flags
    if element.reach == -1:
        parts.append("covered")
    # A shape without a name is identified by where it is.
    if positions or (not element.name and element.reach != 2):
        parts.append(f"at ({element.x}, {element.y}) {element.width}x{element.height}")
    return " ".join(parts)


def admissible(view: PageView, texts: Sequence[str], *, limit: int = 200) -> tuple[str, ...]:
    """Return actions that can be done now: clicks, each text into each field, each option of each list, and keys.

    Coordinates, drags, `goto` and `stop` are possible too; there is no end of them. Links that lead out of the site
    (`external`) are left out: the browser would not follow them.

    Args:
        view: What is seen.
        texts: What may be worth typing.
        limit: The maximum number, besides waiting, and scrolling where elements are not listed.
    """
    actions: dict[str, None] = {}
    focused = False
    for element in view.elements:
        if "disabled" in element.flags or "external" in element.flags or element.reach in (-1, 2):
            continue
        if element.options is not None:
            actions.update(dict.fromkeys(write("select", element.id, o) for o in element.options if o))
            continue
        actions[write("click", element.id)] = None
        if element.role in FIELDS or (element.role == "combobox" and "read only" not in element.flags):
            focused |= "focused" in element.flags
            if "read only" not in element.flags:
                fit = _fitting(element.role, texts)
                actions.update(dict.fromkeys(write("type", element.id, t) for t in fit if t != element.value))
    if focused:
        actions["press Enter"] = None
    ways = [("scroll down", view.scroll[3] > view.scroll[1]), ("scroll up", view.scroll[1] > 0)]
    last = [way for way, possible in ways if possible]
    if not any(view.left):
        actions.update(dict.fromkeys(last))
        last = []
    # Never cut off: what leads to elements that are not listed, and waiting, the least that can be done.
    return (*list(actions)[:limit], *last, *(["wait"] if view.waiting else []))


def candidates(goal: str, more: Iterable[str] = ()) -> tuple[str, ...]:
    """Return what might be worth typing: what the world names, what the goal quotes, its numbers and its rarer words.

    Args:
        goal: The goal in words.
        more: What the world itself suggests; these come first.
    """
    found = dict.fromkeys(text for text in more if text)
    found.update(dict.fromkeys(re.findall(r'"([^"]+)"', goal)))
    bare = re.sub(r'"[^"]*"', " ", goal)
    words = re.findall(r"[^\s,;:!?()\"']+", bare)
    words = [word.rstrip(".") for word in words]
    found.update(dict.fromkeys(re.findall(r"\d{1,2}:\d{2}\s*[AaPp][Mm]", bare)))
    found.update(dict.fromkeys(word for word in words if any(c.isdigit() for c in word)))
    found.update(dict.fromkeys(word for word in words[1:] if word[:1].isupper() and word.lower() not in _STOP))
    found.update(dict.fromkeys(word for word in words if len(word) > 2 and word.lower() not in _STOP))
    return tuple(text for text in found if text)[:_TEXTS]


def _fitting(role: str, texts: Sequence[str]) -> Sequence[str]:
    """Return what a field of this role takes: dates and times in the form that HTML wants, of others everything."""
    if role == "time":
        found = (re.search(r"\b(\d{1,2}):(\d{2})(?:\s*([AaPp])[Mm])?", text) for text in texts)
        return [f"{_hour(int(m[1]), m[3]):02}:{m[2]}" for m in found if m and int(m[1]) < 24 and int(m[2]) < 60]
    if role == "date":
        dates = (re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text) for text in texts)
        return [f"{m[3]}-{int(m[1]):02}-{int(m[2]):02}" for m in dates if m and 1 <= int(m[1]) <= 12]
    return () if role in ("month", "week", "datetime", "colour") else texts


def _hour(hour: int, half: str | None) -> int:
    return hour if half is None else hour % 12 + (12 if half in "pP" else 0)

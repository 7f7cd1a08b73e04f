"""Reading a collection screen by screen: where a reader is, what is shown there, and where actions lead.

A screen is a part of a page that a language model can read at once. Links are numbered within their page. `back`
returns to the screen that one came from.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from .collection import NOWHERE, DocsCollection, DocsPage, TextBlock, TextRun
from .folder import folder_collection
from .stdlib import stdlib_collection

STDLIB: Final = "stdlib"

SCREEN: Final = 2000
"""A screen ends after this number of characters, with the line that passes them."""

_ACTION: Final = re.compile(r"(\w+)(?:\[(.*)\])?", re.DOTALL)
_KEPT_SHEETS: Final = 4096
_MOST_ANSWERS: Final = 40


class ReadingPosition(NamedTuple):
    """Where a reader is."""

    page: int = 0
    """The number of the page; -1 on the results of a search."""
    query: str = ""
    """What was searched."""
    screen: int = 0
    came: ReadingPosition | None = None
    """Where `back` leads."""
    answer: str | None = None
    """What was answered, which ends the episode."""


class DocsLink(NamedTuple):
    """A link on a screen."""

    number: int
    text: str
    target: int


class DocsScreen(NamedTuple):
    """A part of a page."""

    text: str
    links: tuple[DocsLink, ...]
    answers: tuple[str, ...]
    """What could be an answer: the names, values and links on it."""


START: Final = ReadingPosition()


class DocsReader:
    """The screens of a collection."""

    def __init__(self, collection: DocsCollection) -> None:
        """Take a collection."""
        self.collection = collection
        self._screens: OrderedDict[tuple[int, str], tuple[DocsScreen, ...]] = OrderedDict()

    def screens(self, place: ReadingPosition) -> tuple[DocsScreen, ...]:
        """Return the screens of the page where a reader is."""
        key = (place.page, place.query if place.page == NOWHERE else "")
        screens = self._screens.get(key)
        if screens is None:
            pages = self.collection.pages
            page = results(self.collection, place.query) if place.page == NOWHERE else pages[place.page]
            screens = self._screens[key] = cut(page)
            if len(self._screens) > _KEPT_SHEETS:
                self._screens.popitem(last=False)
        return screens

    def screen(self, place: ReadingPosition) -> DocsScreen:
        """Return what a reader sees."""
        return self.screens(place)[place.screen]

    def follow(self, place: ReadingPosition, action: str) -> ReadingPosition | str:
        """Return where an action leads, or why nowhere."""
        found = _ACTION.fullmatch(action.strip())
        verb, words = (found[1], (found[2] or "").strip()) if found else ("", "")
        if place.answer is not None:
            return "the question is answered and the episode over"
        if verb == "back":
            return place.came or "there is no page to go back to"
        if verb == "scroll" and words in ("down", "up"):
            return self._scroll(place, 1 if words == "down" else -1)
        if verb == "search" and words:
            return ReadingPosition(NOWHERE, words, came=place)
        if verb == "click" and words:
            return self._click(place, words)
        if verb == "find" and words:
            return self._find(place, words)
        if verb == "answer" and words:
            return place._replace(answer=words)
        return (
            f"{action[:80]!r} is no action here: say search[words], click[number or text of a link], back, "
            "scroll[down], scroll[up], find[text] or answer[text]"
        )

    def _scroll(self, place: ReadingPosition, by: int) -> ReadingPosition | str:
        screen = place.screen + by
        if 0 <= screen < len(self.screens(place)):
            return place._replace(screen=screen)
        return f"this is the {'last' if by > 0 else 'first'} screen of the page"

    def _click(self, place: ReadingPosition, words: str) -> ReadingPosition | str:
        for link in self.screen(place).links:
            if words == str(link.number) or words.casefold() == link.text.casefold():
                return ReadingPosition(link.target, came=place)
        return f"there is no link {words[:80]!r} on this screen"

    def _find(self, place: ReadingPosition, words: str) -> ReadingPosition | str:
        """Go to the next screen that holds some words, beginning again at the first."""
        screens = self.screens(place)
        for step in range(1, len(screens) + 1):
            screen = (place.screen + step) % len(screens)
            if words.casefold() in screens[screen].text.casefold():
                return place._replace(screen=screen)
        return f"{words[:80]!r} is not on this page"


def results(collection: DocsCollection, query: str) -> DocsPage:
    """Return the page that a search shows."""
    blocks = [TextBlock("heading", (TextRun(f"Results for: {query}"),))]
    for number in collection.search(query):
        page = collection.pages[number]
        blocks.append(TextBlock("item", (TextRun(page.title, number), TextRun(f": {snippet(page)}"))))
    if len(blocks) == 1:
        blocks.append(TextBlock("text", (TextRun("Nothing was found."),)))
    return DocsPage("", f"Results for: {query}", tuple(blocks))


def snippet(page: DocsPage) -> str:
    """Return what a search shows of a page: the beginning of its second block."""
    return page.blocks[1].text[:100] if len(page.blocks) > 1 else ""


def cut(page: DocsPage) -> tuple[DocsScreen, ...]:
    """Cut a page into screens, and number its links."""
    screens: list[DocsScreen] = []
    lines: list[str] = []
    links: list[DocsLink] = []
    answers: dict[str, None] = {}
    numbered = length = 0
    for block in page.blocks:
        line = {"heading": "# ", "item": "- "}.get(block.kind, "")
        for run in block.runs:
            if len(line) > SCREEN:  # a block may be longer than any screen
                screens.append(_screen([*lines, line], links, answers))
                lines, links, answers, length, line = [], [], {}, 0, ""
            if run.target != NOWHERE:
                numbered += 1
                links.append(DocsLink(numbered, run.text, run.target))
                line += f"[{numbered}: {run.text if len(run.text) <= SCREEN else f'{run.text[:SCREEN]}...'}]"
            else:
                *full, last = _pieces(run.text)
                for piece in full:
                    screens.append(_screen([*lines, line + piece], links, answers))
                    lines, links, answers, length, line = [], [], {}, 0, ""
                line += last
            if run.code or run.target != NOWHERE:
                answers[run.text] = None
        lines.append(line)
        length += len(line)
        if length > SCREEN:
            screens.append(_screen(lines, links, answers))
            lines, links, answers, length = [], [], {}, 0
    if lines or not screens:
        screens.append(_screen(lines, links, answers))
    return tuple(screens)


def _pieces(text: str) -> list[str]:
    """Part a text that is longer than a screen, at blanks where there are some."""
    parts = []
    while len(text) > 2 * SCREEN:
        end = text.rfind(" ", SCREEN, 2 * SCREEN) + 1 or 2 * SCREEN
        parts.append(text[:end])
        text = text[end:]
    return [*parts, text]


def _screen(lines: list[str], links: list[DocsLink], answers: Mapping[str, None]) -> DocsScreen:
    possible = [answer for answer in answers if answer.strip() and "]" not in answer]
    return DocsScreen("\n".join(lines), tuple(links), tuple(possible[:_MOST_ANSWERS]))


@lru_cache(maxsize=4)
def reader_named(name: str) -> DocsReader:
    """Return the reader of a collection, `"stdlib"` or a folder of HTML; each is read once and kept with its screens.

    Raises:
        DataError: it cannot be read.
        MissingDependencyError: lxml is not installed, and HTML is to be read.
    """
    return DocsReader(stdlib_collection() if name == STDLIB else folder_collection(Path(name)))

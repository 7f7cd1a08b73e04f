"""Linked pages, and the search over them: what a collection of documents is, wherever it came from.

A page is a list of blocks, a block a line of runs, a run a piece of text that may be a link or code. Screens are cut
from that, and so is the HTML of the served site, so both are the same pages. Not here: images, tables' columns, styles.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, Literal, NamedTuple

import orjson

from ...errors import DataError
from .ranking import Bm25

RESULTS: Final = 10
"""The maximum number of pages that a search finds."""
NOWHERE: Final = -1
"""The target of a run that is no link."""


class TextRun(NamedTuple):
    """A piece of text."""

    text: str
    target: int = NOWHERE
    """The number of the page that it links to."""
    code: bool = False
    """Whether it is a name, a value or the like."""


class TextBlock(NamedTuple):
    """A line, a paragraph, or an item."""

    kind: Literal["heading", "text", "item", "code"]
    runs: tuple[TextRun, ...]

    @property
    def text(self) -> str:
        """Its text, without links."""
        return "".join(run.text for run in self.runs)


class DocsPage(NamedTuple):
    """A document."""

    path: str
    """Where it lies in the collection: `"json.dumps.html"`."""
    title: str
    blocks: tuple[TextBlock, ...]

    @property
    def text(self) -> str:
        """Its text, a block on a line."""
        return "\n".join(block.text for block in self.blocks)

    def links(self) -> Iterator[TextRun]:
        """Yield its links in order."""
        return (run for block in self.blocks for run in block.runs if run.target != NOWHERE)


class DocsQuestion(NamedTuple):
    """A question that a page answers."""

    text: str
    answers: tuple[str, ...]
    """What counts as right, after `normalise`."""
    page: str
    """The path of a page where it stands."""

    def condition(self) -> dict[str, object]:
        """Return it as the condition of a task, in plain JSON."""
        return {"answer": list(self.answers), "page": self.page}


class DocsCollection:
    """Pages in order, of which the first is where one starts; never changed after it was made."""

    def __init__(self, pages: Sequence[DocsPage], name: str, questions: Sequence[DocsQuestion] = ()) -> None:
        """Take pages.

        Args:
            pages: They link to each other by their place here.
            name: What to call them.
            questions: What can be asked of them.

        Raises:
            DataError: there are none.
        """
        if not pages:
            raise DataError(f"The collection {name} has no pages.")
        self.pages = tuple(pages)
        self.name = name
        self.questions = tuple(questions)
        self.by_path: Mapping[str, int] = {page.path: number for number, page in enumerate(self.pages)}

    @cached_property
    def index(self) -> Bm25:
        """The search over titles and texts, made when it is first asked."""
        # A dotted name is one word to the search; its parts are to be found as well.
        return Bm25([f"{page.title} {page.title.replace('.', ' ')} {page.text}" for page in self.pages])

    @cached_property
    def digest(self) -> str:
        """Identifies pages and questions: the first 16 hex digits of a SHA-256."""
        written = [[page.path, page.title, page.text, [run.target for run in page.links()]] for page in self.pages]
        asked = [[question.text, question.answers] for question in self.questions]
        return hashlib.sha256(orjson.dumps([written, asked])).hexdigest()[:16]

    def search(self, query: str) -> tuple[int, ...]:
        """Return the numbers of the best pages for a query, best first."""
        return self.index.search(query, RESULTS)

    def way(self, goal: int, start: int = 0) -> tuple[int, ...] | None:
        """Return the pages of a shortest way along links, both ends included, or None if there is none."""
        came: dict[int, int] = {start: start}
        waiting = deque([start])
        while waiting and goal not in came:
            here = waiting.popleft()
            for run in self.pages[here].links():
                if run.target not in came:
                    came[run.target] = here
                    waiting.append(run.target)
        if goal not in came:
            return None
        way = [goal]
        while way[-1] != start:
            way.append(came[way[-1]])
        return tuple(reversed(way))


def normalise(answer: str) -> str:
    """Return an answer as it is compared: case, blanks, and quotes or stops around it do not count."""
    return " ".join(answer.casefold().split()).strip(" .`'\"")

"""Goals of the documents beyond their questions: to find pages, for the curriculum.

Where a reader is becomes a graph in the form of `pathei.envs.facts`: the reader is INSIDE the page that is shown, which
is named by its title. Not here: answers, which questions ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..facts import ConditionJson, FactGraph
from ..facts.sentences import Rows
from ..graph_goals import GraphGoals, edge
from .collection import DocsCollection
from .screens import ReadingPosition

READER: Final = "character"
_FIRST_PAGE: Final = 2
_MOST_PAGES: Final = 500
"""The number of pages that are listed as goals, those nearest to the first by links."""


def graph_at(place: ReadingPosition, collection: DocsCollection, *, whole: bool = False) -> FactGraph:
    """Return what holds at a place.

    Args:
        place: Where the reader is.
        collection: The pages.
        whole: Whether to list other pages, too: 500 of those nearest to the first.
    """
    here = [place.page] if place.page >= 0 else []
    listed = sorted({*here, *_nearest(collection)}) if whole else here
    return FactGraph(
        {
            "nodes": [
                [1, READER, []],
                *([_FIRST_PAGE + number, collection.pages[number].title, []] for number in listed),
            ],
            "edges": [[1, "INSIDE", _FIRST_PAGE + number] for number in here],
            "rooms": [_FIRST_PAGE + number for number in listed],
            "characters": [1],
        }
    )


def _nearest(collection: DocsCollection) -> list[int]:
    found, place = {0}, 0
    order = [0]
    while place < len(order) and len(order) < _MOST_PAGES:
        for run in collection.pages[order[place]].links():
            if run.target not in found:
                found.add(run.target)
                order.append(run.target)
        place += 1
    return order[:_MOST_PAGES]


def possible(graph: FactGraph) -> Iterator[ConditionJson]:
    """Yield the pages that can be opened, each title once."""
    for title in dict.fromkeys(graph.kinds[node] for node in sorted(graph.rooms)):
        yield edge(READER, "INSIDE", title)


def say_condition(condition: ConditionJson, graph: FactGraph) -> str:
    """Return a condition as an instruction: `"open the page "module json""`."""
    if "not" in condition:
        return f"do not {say_condition(condition['not'], graph)}"
    return f'open the page "{condition["to"]["class"]}"'


_OPEN: Final = "(?:open|show|read|find|visit|go to|look up|look at|you are (?:on|at|reading))"
_SAID: Final[Rows] = (
    (rf"{_OPEN} (?:the )?(?:page|entry)(?: (?:about|of|on|for))? X", "you INSIDE X"),
    (rf"{_OPEN} X(?: page)?", "you INSIDE X"),
)
"""How goals are said."""


def goal_space() -> GraphGoals:
    """Return the goals of the documents."""
    return GraphGoals(possible, say_condition, rows=_SAID)

"""Goals of the shop beyond its instructions: to find, read, choose and buy things of a kind, for the curriculum.

Where a buyer is becomes a small graph in the form of `pathei.envs.facts`: the buyer is INSIDE a page and FACING the
kind of the product that is looked at, a value of an option is CHOSEN, a kind is BOUGHT. A kind is what a product was
once found by (`Product.query`). Not here: attributes and prices, which the instructions of people ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from ...experience import Json
from ..facts import ConditionJson, FactGraph
from ..facts.sentences import Rows
from ..graph_goals import GraphGoals, edge, kinds_of, state
from .catalogue import ProductCatalogue
from .pages import SUB_PAGES, ShopPage

BUYER: Final = "character"
_PAGES: Final = ("search page", "results page", "item page", *(f"{name.lower()} page" for name in SUB_PAGES))
_FIRST_KIND: Final = 100


@lru_cache(maxsize=8)
def _nodes(catalogue: ProductCatalogue) -> dict[str, int]:
    """Return the id of each page, kind of product and value of an option, by name."""
    kinds = dict.fromkeys(product.query for product in catalogue.products)
    values = dict.fromkeys(
        value for product in catalogue.products for some in product.options.values() for value in some
    )
    named = {name: place for place, name in enumerate(_PAGES, 2)}
    for place, name in enumerate([*kinds, *(value for value in values if value not in kinds)], _FIRST_KIND):
        named.setdefault(name, place)
    return named


def graph_at(place: ShopPage, catalogue: ProductCatalogue, *, whole: bool = False) -> FactGraph:
    """Return what holds at a place.

    Args:
        place: Where the buyer is.
        catalogue: What is sold.
        whole: Whether also to list what is not at hand: every page, kind and value, with what they are as states.
    """
    ids = _nodes(catalogue)
    kinds = {product.query for product in catalogue.products} if whole else set()
    product = catalogue.by_asin.get(place.asin)
    page = f"{place.page} page"
    states: dict[str, list[str]] = {name: [] for name in (ids if whole else ())}
    edges: list[Json] = []
    for name in kinds:
        states[name].append("FOR_SALE")
    for _, value in place.options:
        states.setdefault(value, []).append("CHOSEN")
    if page in ids:
        states.setdefault(page, [])
        edges.append([1, "INSIDE", ids[page]])
    if product is not None:
        states.setdefault(product.query, []).extend(["BOUGHT"] if place.page == "done" else [])
        edges.append([1, "FACING", ids[product.query]])
    return FactGraph(
        {
            "nodes": [[1, BUYER, []], *([ids[name], name, own] for name, own in states.items())],
            "edges": edges,
            "rooms": [ids[name] for name in _PAGES if name in states],
            "characters": [1],
        }
    )


def possible(graph: FactGraph) -> Iterator[ConditionJson]:
    """Yield what can be brought about: things of a kind looked at and bought, values chosen, pages read."""
    sold = kinds_of(graph, lambda node, _: "FOR_SALE" in graph.states[node])
    for kind in sold:
        yield edge(BUYER, "FACING", kind)
    for page in kinds_of(graph, lambda node, kind: node in graph.rooms and kind.removesuffix(" page") in _READ):
        yield edge(BUYER, "INSIDE", page)
    for value in kinds_of(graph, lambda node, _: node not in graph.rooms and "FOR_SALE" not in graph.states[node]):
        yield state(value, "CHOSEN")
    for kind in sold:
        yield state(kind, "BOUGHT")


_READ: Final = ("description", "features", "reviews")


def say_condition(condition: ConditionJson, graph: FactGraph) -> str:
    """Return a condition as an instruction: `"buy a product of the kind "face cream""`."""
    if "not" in condition:
        return f"do not {say_condition(condition['not'], graph)}"
    if "node" in condition:
        name = condition["node"]["class"]
        return (
            f'choose the option "{name}"' if condition["state"] == "CHOSEN" else f'buy a product of the kind "{name}"'
        )
    name = condition["to"]["class"]
    if condition["relation"] == "FACING":
        return f'look at a product of the kind "{name}"'
    return f"open the {name} of a product"


_KIND: Final = r"(?:a product of the kind |products of the kind )?"
_SAID: Final[Rows] = (
    (rf"(?:buy|purchase|order|get)(?: me)? {_KIND}X", "X BOUGHT"),
    (rf"{_KIND}X (?:is|are) bought", "X BOUGHT"),
    (r"(?:choose|select|pick|take) (?:the )?(?:option|value|size|colou?r) X", "X CHOSEN"),
    (r"(?:choose|select|pick) X", "X CHOSEN"),
    (r"X is (?:chosen|selected)", "X CHOSEN"),
    (
        r"(?:open|read|go to|look at|show) the (?P<X>(?:description|features|reviews)(?: page)?)(?: of .+)?",
        "you INSIDE X",
    ),
    (rf"(?:look at|view|show|open|find|see) {_KIND}X", "you FACING X"),
)
"""How goals are said."""


def goal_space() -> GraphGoals:
    """Return the goals of the shop."""
    return GraphGoals(possible, say_condition, rows=_SAID, noun=lambda kind: kind.removesuffix(" page"))

"""The shop's pages and the ways between them, as WebShop has them: search, results, item, its sub-pages, done.

A page is a `ShopPage`: a few values, never changed. `follow` leads from one place to the next, `content` says what is
written there. The environment shows content as text, the site as HTML, so both are the same shop. Otherwise than
WebShop: `Next >` is offered only where there are more results, nothing hidden is written on the last page, and the
search codes `<r>`, `<a>`, `<c>` and `<q>` are plain words.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from .catalogue import PER_PAGE, Product, ProductCatalogue

Kind = Literal["title", "text", "button", "product", "option"]
Page = Literal["search", "results", "item", "description", "features", "reviews", "attributes", "done"]

BACK, PREVIOUS, NEXT, BUY = "Back to Search", "< Prev", "Next >", "Buy Now"
SUB_PAGES: Final = ("Description", "Features", "Reviews", "Attributes")

_KEPT_SHEETS: Final = 4096
_ACTION: Final = re.compile(r"(.+)\[(.+)\]", re.DOTALL)


class ShopPage(NamedTuple):
    """Where a buyer is, and what was chosen on the way."""

    page: Page = "search"
    query: str = ""
    """What was searched, in lower case."""
    number: int = 1
    """Which page of the results."""
    asin: str = ""
    """The product that is looked at, or was bought."""
    options: tuple[tuple[str, str], ...] = ()
    """The values chosen, by option, in the order in which the options were first chosen."""
    seen: frozenset[str] = frozenset()
    """The products that were looked at since the search page."""


class PagePiece(NamedTuple):
    """One piece of a page."""

    kind: Kind
    text: str
    option: str = ""
    """For an option's value: the option."""


class PageSheet(NamedTuple):
    """What is written on a page."""

    pieces: tuple[PagePiece, ...]
    """All of it, but the instruction, in order."""
    clickables: Mapping[str, PagePiece]
    """What can be clicked, by its text in lower case, in order."""
    actions: tuple[str, ...]
    """The clicks as actions."""


START: Final = ShopPage()


class ShopPages:
    """The pages of one catalogue."""

    def __init__(self, catalogue: ProductCatalogue, *, show_attributes: bool = False) -> None:
        """Take a catalogue.

        Args:
            catalogue: What is sold.
            show_attributes: Whether an item has a page of its attributes, which contains most of the answer.
        """
        self.catalogue = catalogue
        self._sheets: OrderedDict[tuple[str | int, ...], PageSheet] = OrderedDict()
        self._sub_pages = SUB_PAGES if show_attributes else SUB_PAGES[:-1]

    def follow(self, place: ShopPage, action: str) -> ShopPage | str:
        """Return where `search[words]` or `click[what]` leads, or why nowhere."""
        found = _ACTION.match(action)
        verb, argument = found.groups() if found else (action, "")
        if place.page == "done":
            return "the order is placed and the episode over"
        if verb == "search" and argument:
            return ShopPage("results", argument.lower(), seen=place.seen)
        if verb == "click" and argument:
            return self.click(place, argument.lower())
        return f"{_short(action)!r} is no action here: say search[words] or click[something on the page]"

    def click(self, place: ShopPage, what: str) -> ShopPage | str:
        """Return where a click leads; `what` is in lower case."""
        piece = self.sheet(place).clickables.get(what)
        if piece is None:
            return f"there is nothing to click that is called {_short(what)!r} on this page"
        if piece.kind == "product":
            return place._replace(page="item", asin=piece.text, options=(), seen=place.seen | {piece.text})
        if piece.kind == "option":
            return place._replace(options=tuple((dict(place.options) | {piece.option: piece.text}).items()))
        return _press(place, piece.text)

    def sheet(self, place: ShopPage) -> PageSheet:
        """Return what is written on a page, but the instruction."""
        key = (place.page, place.query, place.number) if place.page == "results" else (place.page, place.asin)
        sheet = self._sheets.get(key)
        if sheet is None:
            sheet = self._sheets[key] = self._write(place)
            if len(self._sheets) > _KEPT_SHEETS:
                self._sheets.popitem(last=False)
        return sheet

    def _write(self, place: ShopPage) -> PageSheet:
        if place.page == "search":
            return _sheet([_button("Search")])
        if place.page == "done":
            return _sheet([_text("Thank you for shopping with us!")])
        if place.page == "results":
            return self._results(place.query, place.number)
        product = self.catalogue.by_asin[place.asin]
        return self._item(product) if place.page == "item" else _sub_page(product, place.page)

    def _results(self, query: str, number: int) -> PageSheet:
        found = self.catalogue.search(query)
        begin = (number - 1) * PER_PAGE
        pieces = [_button(BACK), _text(f"Page {number} (Total results: {len(found)})")]
        if number > 1:
            pieces.append(_button(PREVIOUS))
        if begin + PER_PAGE < len(found):
            pieces.append(_button(NEXT))
        for product in found[begin : begin + PER_PAGE]:
            pieces += [PagePiece("product", product.asin), PagePiece("title", product.title), _text(product.tag)]
        return _sheet(pieces)

    def _item(self, product: Product) -> PageSheet:
        pieces = [_button(BACK), _button(PREVIOUS)]
        for name, values in product.options.items():
            pieces += [_text(name), *(PagePiece("option", value, name) for value in values)]
        pieces += [PagePiece("title", product.title), _text(f"Price: {product.tag}"), _text("Rating: N.A.")]
        return _sheet([*pieces, *map(_button, self._sub_pages), _button(BUY)])


def show_page(place: ShopPage, instruction: str, sheet: PageSheet) -> str:
    """Return a page as text, in the form of WebShop's mode `text_rich`: what was chosen or seen is marked."""
    lines = _head(place, instruction)
    chosen = {value for _, value in place.options} if place.page == "item" else frozenset()
    clicked = []
    for kind, text, _ in sheet.pieces:
        if kind == "button":
            lines.append(f"[button] {text} [button_]")
        elif kind == "option":
            mark = "clicked button" if text in chosen else "button"
            lines.append(f"  [{mark}] {text} [{mark}_]")
            if text in chosen:
                clicked.append(f"You have clicked {text}.")
        elif kind == "product":
            mark = "clicked button" if text in place.seen else "button"
            lines.append(f"\n[{mark}] {text} [{mark}_]")
        else:
            lines.append(text)
    return "\n".join([*reversed(clicked), *lines, ""])


def show_plainly(place: ShopPage, instruction: str, sheet: PageSheet) -> str:
    """Return a page as text, in the form of WebShop's mode `text`, in which choices cannot be seen."""
    return " [SEP] ".join([*map(str.strip, _head(place, instruction)), *(piece.text.strip() for piece in sheet.pieces)])


def _head(place: ShopPage, instruction: str) -> list[str]:
    if place.page == "done":
        return []
    return ["WebShop", "Instruction: ", instruction] if place.page == "search" else ["Instruction:", instruction]


def _press(place: ShopPage, button: str) -> ShopPage | str:
    if button == BACK:
        return START
    if button == BUY:
        return place._replace(page="done")
    if button == NEXT:
        return place._replace(number=place.number + 1)
    if button in _PAGE_OF:
        return place._replace(page=_PAGE_OF[button])
    if place.page == "results":
        return place._replace(number=place.number - 1)
    if place.page == "item":
        return place._replace(page="results", asin="", options=())
    return place._replace(page="item")


def _sub_page(product: Product, page: Page) -> PageSheet:
    parts = {
        "description": (product.description,),
        "features": tuple(f" {bullet}" for bullet in product.bullets),
        "attributes": (*(f" {one}" for one in product.attributes), product.category, product.query, product.path),
    }
    return _sheet([_button(BACK), _button(PREVIOUS), *map(_text, parts.get(page, ()))])


def _sheet(pieces: list[PagePiece]) -> PageSheet:
    # A browser shows no empty text, and WebShop's reading of its pages drops it as well.
    written = tuple([piece for piece in pieces if piece.text.strip()])
    found = {piece.text.lower(): piece for piece in written if piece.kind in ("button", "product", "option")}
    # Of two options with the same value the later is chosen, as in WebShop; buttons come before options.
    found |= {piece.text.lower(): piece for piece in written if piece.kind in ("button", "product")}
    found.pop("search", None)
    return PageSheet(written, found, tuple([f"click[{name}]" for name in found]))


_PAGE_OF: Final[Mapping[str, Page]] = {
    "Description": "description",
    "Features": "features",
    "Reviews": "reviews",
    "Attributes": "attributes",
}


def _button(text: str) -> PagePiece:
    return PagePiece("button", text)


def _text(text: str) -> PagePiece:
    return PagePiece("text", text)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}..."

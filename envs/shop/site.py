"""The shop as a site for a real browser: the same pages as HTML on 127.0.0.1, goals and reward those of `env`.

An address holds the whole place, as WebShop's addresses do, so the browser may go back, and nothing is kept between
requests but the episode's goal. Clicks are links here; the search box is on the search page.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from ..documents.serving import PageServer, document, search_form
from ..web.browser.page import PageView
from ..web.env import Brief, Opening, Verdict, WebEnv, in_browser
from .env import WebShopEnv
from .pages import START, Page, PagePiece, ShopPage, ShopPages


class ShopSite:
    """The shop as a `pathei.envs.web.env.Site`; options are those of `WebShopEnv`, but `style`."""

    def __init__(self, **defaults: Any) -> None:
        """Prepare; the server starts with the first episode.

        Raises:
            ConfigError: an option is not known.
        """
        # The world in process sets goals and judges; its own place is not used.
        self._shop = WebShopEnv(**defaults)
        self._server: PageServer | None = None

    def open(self, seed: int, options: Mapping[str, Any]) -> Opening:
        """Begin an episode; see `Site.open`.

        Raises:
            ConfigError, DataError, GoalError, MissingDependencyError: as `WebShopEnv.reset`.
        """
        self._shop.reset(seed=seed, options=dict(options))
        if self._server is None:
            self._server = PageServer(self._respond)
        return Opening(self._server.origin + address(START), origins=(self._server.origin,))

    def brief(self, view: PageView) -> Brief:
        """Return the instruction, and searches that it suggests."""
        episode = self._shop.episode
        return Brief(episode.goal.text, tuple(search[len("search[") : -1] for search in episode.searches))

    def judge(self, view: PageView, answer: str | None) -> Verdict:
        """Say what was earned: something on the last page only."""
        place = read_address(view.url, self._shop.episode.pages)
        if place is None or place.page != "done":
            return Verdict(success=False, progress=0.0)
        earned = self._shop.judge(place)
        facts = {"asin": place.asin, "options": dict(place.options)}
        return Verdict(earned.total, True, earned.total == 1.0, earned.total, facts)

    def close(self) -> None:
        """Stop the server."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _respond(self, path: str) -> str | None:
        episode = self._shop.episode
        place = read_address(path, episode.pages)
        return None if place is None else written(place, episode.goal.text, episode.pages)


def browser_shop(**options: Any) -> WebEnv:
    """Return the shop in a browser; close it after use.

    Args:
        options: Those of `WebShopEnv`; of `WebEnv`: `screenshot`, `dom`, `accessibility`, `browser`, `render_mode`.
    """
    return in_browser(ShopSite, options)


def address(place: ShopPage) -> str:
    """Return the path and query of a place; what was looked at before is left to the browser."""
    parts = {"query": place.query, "number": place.number, "asin": place.asin, "options": json.dumps(place.options)}
    left_out = {"query": "", "number": 1, "asin": "", "options": "[]"}
    shown = {name: value for name, value in parts.items() if value != left_out[name]}
    return f"/{place.page}{'?' if shown else ''}{urlencode(shown, quote_via=quote)}"


def read_address(url: str, pages: ShopPages) -> ShopPage | None:
    """Return the place of an address, or None if the shop has no such page."""
    parts = urlsplit(url)
    given = {name: values[0] for name, values in parse_qs(parts.query).items()}
    page = parts.path.strip("/") or "search"
    try:
        options = tuple([(str(name), str(value)) for name, value in json.loads(given.get("options", "[]"))])
        number = int(given.get("number", "1"))
    except (ValueError, TypeError):
        return None
    place = ShopPage(page, given.get("query", "").lower(), number, given.get("asin", ""), options)  # type: ignore[arg-type]
    return place if page in get_args(Page) and number >= 1 and _fits(place, pages) else None


def _fits(place: ShopPage, pages: ShopPages) -> bool:
    """Return whether a place is one of the shop's: its product is sold, and has these options."""
    if place.page in ("search", "results"):
        return not place.asin and not place.options
    product = pages.catalogue.by_asin.get(place.asin)
    return product is not None and all(value in product.options.get(name, ()) for name, value in place.options)


def written(place: ShopPage, instruction: str, pages: ShopPages) -> str:
    """Return a page as HTML."""
    body = [] if place.page == "done" else [f"<p>Instruction: {html.escape(instruction)}</p>"]
    body += [_piece(piece, place, pages) for piece in pages.sheet(place).pieces]
    return document("WebShop", "\n".join(body))


def _piece(piece: PagePiece, place: ShopPage, pages: ShopPages) -> str:
    text = html.escape(piece.text)
    if piece.kind in ("title", "text"):
        return f"<{'h3' if piece.kind == 'title' else 'p'}>{text}</{'h3' if piece.kind == 'title' else 'p'}>"
    if piece.text == "Search":
        return search_form("/results", "query")
    there = pages.click(place, piece.text.lower())
    if isinstance(there, str):
        return f"<p>{text}</p>"
    chosen = " chosen" if (piece.option, piece.text) in place.options else ""
    link = f'<a class="button{chosen}" href="{html.escape(address(there))}">{text}</a>'
    return f"<p>{link}</p>" if piece.kind == "product" else link

"""The documents as a site for a real browser: the same pages as HTML on 127.0.0.1, questions those of `env`.

Pages are whole here and not cut into screens; a search box is on each. The question is answered with the browser's
action `stop ANSWER`.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ..web.browser.page import PageView
from ..web.env import Brief, Opening, Verdict, WebEnv, in_browser
from .collection import NOWHERE, DocsCollection, DocsPage, TextBlock, TextRun, normalise
from .env import DocsEnv
from .screens import results
from .serving import PageServer, document, search_form

_TAGS: Final = {"heading": "h2", "text": "p", "item": "p", "code": "pre"}


class DocsSite:
    """The documents as a `pathei.envs.web.env.Site`; options are those of `DocsEnv`."""

    def __init__(self, **defaults: Any) -> None:
        """Prepare; the server starts with the first episode.

        Raises:
            ConfigError: an option is not known.
        """
        # The world in process asks the questions; its own place is not used.
        self._docs = DocsEnv(**defaults)
        self._server: PageServer | None = None

    def open(self, seed: int, options: Mapping[str, Any]) -> Opening:
        """Begin an episode; see `Site.open`.

        Raises:
            ConfigError, DataError, GoalError, MissingDependencyError: as `DocsEnv.reset`.
        """
        self._docs.reset(seed=seed, options=dict(options))
        if self._server is None:
            self._server = PageServer(self._respond)
        collection = self._docs.episode.reader.collection
        return Opening(self._server.origin + address(collection.pages[0]), origins=(self._server.origin,))

    def brief(self, view: PageView) -> Brief:
        """Return the question, and searches that it suggests."""
        episode = self._docs.episode
        return Brief(episode.question.text, tuple(search[len("search[") : -1] for search in episode.searches))

    def judge(self, view: PageView, answer: str | None) -> Verdict:
        """Say what was earned: something for the right answer only."""
        right = answer is not None and normalise(answer) in self._docs.episode.question.answers
        return Verdict(
            float(right), answer is not None, right, float(right), {"page": unquote(urlsplit(view.url).path)}
        )

    def close(self) -> None:
        """Stop the server."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _respond(self, path: str) -> str | None:
        collection = self._docs.episode.reader.collection
        parts = urlsplit(path)
        if parts.path == "/search":
            query = parse_qs(parts.query).get("q", [""])[0]
            return written(results(collection, query), collection)
        number = collection.by_path.get(unquote(parts.path).removeprefix("/page/"))
        return None if number is None else written(collection.pages[number], collection)


def browser_docs(**options: Any) -> WebEnv:
    """Return the documents in a browser; close it after use.

    Args:
        options: Those of `DocsEnv`; of `WebEnv`: `screenshot`, `dom`, `accessibility`, `browser`, `render_mode`.
    """
    return in_browser(DocsSite, options)


def address(page: DocsPage) -> str:
    """Return the path of a page."""
    return f"/page/{quote(page.path)}"


def written(page: DocsPage, collection: DocsCollection) -> str:
    """Return a page as HTML."""
    body = [search_form("/search", "q"), *(_block(block, collection) for block in page.blocks)]
    return document(page.title, "\n".join(body))


def _block(block: TextBlock, collection: DocsCollection) -> str:
    tag = _TAGS[block.kind]
    return f"<{tag}>{''.join(_run(run, collection) for run in block.runs)}</{tag}>"


def _run(run: TextRun, collection: DocsCollection) -> str:
    text = f"<code>{html.escape(run.text)}</code>" if run.code else html.escape(run.text)
    return text if run.target == NOWHERE else f'<a href="{address(collection.pages[run.target])}">{text}</a>'

"""Pages made on demand, served on 127.0.0.1 by a thread that ends with its owner; for real browsers.

It answers GET alone. The address of a page says all that there is to say about it, so a browser's own "back" works.
"""

from __future__ import annotations

import html
import threading
import weakref
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

Respond = Callable[[str], str | None]
"""Given the path and query of an address, the page's HTML, or None where there is no such page."""

_STYLE: Final = (
    "body{font:16px sans-serif;margin:1em;max-width:60em}.button{display:inline-block;border:1px solid #888;"
    "padding:.2em .6em;margin:.2em;color:#000;text-decoration:none}.chosen{background:#cde}pre{white-space:pre-wrap}"
)


class PageServer:
    """Serves pages until it is closed or forgotten."""

    def __init__(self, respond: Respond) -> None:
        """Begin to serve, on a free port; `respond` is called in the server's threads."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = respond(self.path)
                body = document("Not found", "<h1>There is no such page.</h1>") if page is None else page
                content = body.encode()
                self.send_response(HTTPStatus.NOT_FOUND if page is None else HTTPStatus.OK)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{server.server_address[1]}"
        """Where it serves: `"http://127.0.0.1:8080"`."""
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self._finalizer = weakref.finalize(self, _stop, server)

    def close(self) -> None:
        """Stop."""
        self._finalizer()


def document(title: str, body: str) -> str:
    """Return a whole HTML page; `title` is escaped here, `body` is HTML already."""
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><link rel="icon" href="data:,">'
    return f"<!DOCTYPE html><html><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>"


def search_form(action: str, name: str) -> str:
    """Return a search box as HTML."""
    return (
        f'<form action="{action}"><input type="search" name="{name}" aria-label="Search" required>'
        '<button type="submit">Search</button></form>'
    )


def _stop(server: ThreadingHTTPServer) -> None:
    server.shutdown()
    server.server_close()

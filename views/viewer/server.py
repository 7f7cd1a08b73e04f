"""The viewer's server: answers on this machine's own address, and to this machine only.

Requests under another host name are refused, so that no page of another site can reach it through a name that leads
here. Not here: what is answered (`answers`).
"""

from __future__ import annotations

import logging
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import orjson

from ...errors import ConfigError, PatheiError
from ...store import ExperienceStore
from .answers import JSON, ViewerAnswer, ViewerAnswers
from .page import page

_LOG: Final = logging.getLogger(__name__)
HOST: Final = "127.0.0.1"


class ViewerServer:
    """Serves one store until it is closed; use it in a `with` statement, or call `run`."""

    def __init__(self, store: ExperienceStore, port: int = 0) -> None:
        """Take the port.

        Args:
            store: Open for reading.
            port: The port; 0 for any that is free.

        Raises:
            ConfigError: it is taken, or no port.
        """
        self._answers = ViewerAnswers(store)
        self._one_at_a_time = threading.Lock()
        server = self

        class Handler(_Handler):
            viewer = server

        try:
            self._http = ThreadingHTTPServer((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            raise ConfigError(f"The port {port} cannot be used ({error}): name another with --port.") from error
        self.address = f"http://{HOST}:{self._http.server_port}/"
        """Where a browser finds it."""
        self.hosts = frozenset(f"{name}:{self._http.server_port}" for name in (HOST, "localhost"))
        """The host names under which it answers."""

    def run(self) -> None:
        """Serve until the process is interrupted."""
        self._http.serve_forever()

    def __enter__(self) -> ViewerServer:
        threading.Thread(target=self.run, name="viewer", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self.close()

    def close(self) -> None:
        """Free the port; not while it runs."""
        self._http.server_close()

    def answer(self, path: str) -> tuple[HTTPStatus, ViewerAnswer]:
        """Return the answer to a request for a path; the store is asked by one thread at a time."""
        if path == "/":
            return HTTPStatus.OK, ViewerAnswer("text/html; charset=utf-8", page())
        try:
            with self._one_at_a_time:
                return HTTPStatus.OK, self._answers.answer(path.removeprefix("/"))
        except PatheiError as error:
            return HTTPStatus.NOT_FOUND, ViewerAnswer(JSON, orjson.dumps({"error": str(error)}))


class _Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    viewer: ViewerServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request."""
        if self.headers.get("Host") not in self.viewer.hosts:
            self.send_error(HTTPStatus.FORBIDDEN, f"Ask for {self.viewer.address}")
            return
        path = self.path.partition("?")[0]
        status, (kind, body) = self.viewer.answer(path)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=31536000, immutable" if path.startswith("/image/") else "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log a request, for `--verbose`; nothing is printed."""
        _LOG.debug(format, *args)


__all__ = ["HOST", "ViewerServer"]

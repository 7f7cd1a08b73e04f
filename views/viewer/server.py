"""The viewer's server: answers on this machine's own address, and to this machine only.

Requests under another host name are refused, so that no page of another site can reach it through a name that leads
here, and what changes something is taken from its own page only. One thread does all the work: the store and the
environments belong to it. Not here: what is answered (`answers`), and entering a step (`entering`).
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, Final

import orjson

from ...errors import ConfigError, PatheiError
from ...store import EpisodeFlags, ExperienceStore
from .answers import JSON, ViewerAnswer, ViewerAnswers
from .entering import EnteringDesk
from .page import page

_LOG: Final = logging.getLogger(__name__)
HOST: Final = "127.0.0.1"
_ARGUMENTS: Final = MappingProxyType(
    {"id": str, "step": int, "action": str, "again": bool, "agent": str, "steps": int, "flag": str, "on": bool}
)
_LONGEST: Final = 1 << 20
"""The largest request, in bytes."""


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
        self._desk = EnteringDesk(store)
        self._acts = {name: getattr(self._desk, name) for name in ("enter", "act", "search", "agent", "keep")}
        self._acts["flag"] = partial(_flag, store)
        self._worker = ThreadPoolExecutor(1, "viewer")
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
        """Free the port and close the environments; not while it runs."""
        self._http.server_close()
        for part in (self._desk, self._answers):
            self._worker.submit(part.close).result()
        self._worker.shutdown()

    def answer(self, path: str) -> tuple[HTTPStatus, ViewerAnswer]:
        """Return the answer to a request for a path."""
        if path == "/":
            return HTTPStatus.OK, ViewerAnswer("text/html; charset=utf-8", page())
        return self._work(lambda: self._answers.answer(path.removeprefix("/")))

    def act(self, path: str, given: bytes) -> tuple[HTTPStatus, ViewerAnswer]:
        """Do what a page asks for (`/enter`, `/act`, `/search`, `/agent`, `/keep`, `/flag`) with a JSON object."""
        try:
            call, arguments = self._acts[path.removeprefix("/")], orjson.loads(given)
            inspect.signature(call).bind(**arguments)
            if any(type(value) is not _ARGUMENTS[name] for name, value in arguments.items()):
                raise TypeError("an argument is of another type")
        except (KeyError, TypeError, ValueError):
            return HTTPStatus.BAD_REQUEST, _sentence(f"The viewer cannot do {path!r} with this.")
        return self._work(lambda: ViewerAnswer(JSON, orjson.dumps(call(**arguments))))

    def _work(self, work: Callable[[], ViewerAnswer]) -> tuple[HTTPStatus, ViewerAnswer]:
        try:
            return HTTPStatus.OK, self._worker.submit(work).result()
        except PatheiError as error:
            return HTTPStatus.NOT_FOUND, _sentence(str(error))


def _flag(store: ExperienceStore, *, id: str, flag: str, on: bool) -> dict[str, list[str]]:
    """Set a flag on an episode or take it away, and return all its flags."""
    store.get(id)
    flags = EpisodeFlags(store.path)
    flags.set(id, flag, on)
    return {"flags": list(flags.read().get(id, ()))}


def _sentence(text: str) -> ViewerAnswer:
    return ViewerAnswer(JSON, orjson.dumps({"error": text}))


class _Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    viewer: ViewerServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request."""
        if self._is_ours():
            path = self.path.partition("?")[0]
            self._send(*self.viewer.answer(path), kept=path.startswith("/image/"))

    def do_POST(self) -> None:
        """Do what the page asks for."""
        length = self.headers.get("Content-Length", "")
        given = self.rfile.read(min(int(length), _LONGEST)) if length.isdigit() else b""
        origin = (self.headers.get("Origin") or "").removeprefix("http://")
        if self._is_ours() and self._is_ours(origin):
            self._send(*self.viewer.act(self.path, given))

    def _is_ours(self, host: str | None = None) -> bool:
        """Whether a host, by default the one that is asked for, is this server; otherwise the request is refused."""
        if (self.headers.get("Host") if host is None else host) in self.viewer.hosts:
            return True
        self.close_connection = True
        self.send_error(HTTPStatus.FORBIDDEN, f"Ask for {self.viewer.address}")
        return False

    def _send(self, status: HTTPStatus, answer: ViewerAnswer, *, kept: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "max-age=31536000, immutable" if kept else "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        with contextlib.suppress(ConnectionError):  # the page was left before its answer came
            self.end_headers()
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log a request, for `--verbose`; nothing is printed."""
        _LOG.debug(format, *args)

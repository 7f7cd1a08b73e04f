"""A folder of files served on 127.0.0.1, by a thread that ends with its owner."""

from __future__ import annotations

import functools
import threading
import weakref
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the browser reports what it could not get."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that goes elsewhere while it is being answered is no error."""


class FolderServer:
    """Serves a folder until it is closed or forgotten."""

    def __init__(self, folder: Path) -> None:
        """Begin to serve, on a free port."""
        handler = functools.partial(_Quiet, directory=str(folder))
        server = _Server(("127.0.0.1", 0), handler)
        self.origin = f"http://127.0.0.1:{server.server_address[1]}"
        """Where it serves: `"http://127.0.0.1:8080"`."""
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self._finalizer = weakref.finalize(self, _stop, server)

    def close(self) -> None:
        """Stop."""
        self._finalizer()


def _stop(server: ThreadingHTTPServer) -> None:
    server.shutdown()
    server.server_close()

"""A headless Chromium that is found, started, shared and always reaped.

One browser serves any number of pages; each context is a fresh profile (cookies, storage) that may reach the origins
that it was given, and nothing else: everything else goes to a proxy that does not exist, names other than this
machine's are not resolved, and WebRTC may not go around the proxy. `keeper` sees to it that no process and no profile
directory is left, even after a `kill -9` of Python. Not here: windows, extensions, other browsers.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ....errors import ConfigError, MissingDependencyError, WorldError
from .cdp import Connection

_LOG: Final = logging.getLogger(__name__)
PROGRAMS: Final = (
    *("chromium-headless-shell", "chrome-headless-shell", "headless_shell"),
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
)
"""What is looked for on the path, the best first: the headless shell starts four times as fast."""

VARIABLE: Final = "PATHEI_BROWSER"
"""The environment variable that names the browser to use."""

INSTALL: Final = "apt-get install chromium-headless-shell"
_LOCAL: Final = ("127.0.0.1", "localhost", "[::1]")
_NOWHERE: Final = "http://127.0.0.1:9"
"""A proxy that is not there: port 9 is `discard`, which browsers refuse besides."""

FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps"),
    *("--disable-extensions", "--disable-domain-reliability", "--disable-client-side-phishing-detection"),
    *(
        "--disable-breakpad",
        "--disable-crash-reporter",
        "--metrics-recording-only",
        "--mute-audio",
        "--hide-scrollbars",
    ),
    *("--disable-dev-shm-usage", "--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
    *("--disable-backgrounding-occluded-windows", "--disable-ipc-flooding-protection", "--password-store=basic"),
    *("--use-mock-keychain", "--force-color-profile=srgb", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp"),
    "--disable-features=OptimizationHints,MediaRouter,Translate,InterestFeedContentSuggestions,"
    "CertificateTransparencyComponentUpdater",
    f"--host-resolver-rules=MAP * ~NOTFOUND , {' , '.join(f'EXCLUDE {host}' for host in _LOCAL)}",
    f"--proxy-server={_NOWHERE}",
    "--proxy-bypass-list=<-loopback>",
    "--remote-debugging-pipe",
)


def find_browser() -> str:
    """Return the browser's program: the one that `$PATHEI_BROWSER` names, else the first of `PROGRAMS` on the path.

    Raises:
        MissingDependencyError: there is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise MissingDependencyError(f"${VARIABLE} names {named!r}, which is no program: unset it or correct it.")
        return found
    for program in PROGRAMS:
        found = shutil.which(program)
        if found is not None:
            return found
    raise MissingDependencyError(
        f"No Chromium was found ({', '.join(PROGRAMS[:1] + PROGRAMS[3:4])}, ...): install one with `{INSTALL}`, "
        f"or name one in ${VARIABLE}."
    )


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address, `"http://127.0.0.1:8080"`; of a file, `"file://"`."""
    parts = urlsplit(url)
    return "file://" if parts.scheme == "file" else f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


class Browser:
    """A running browser. Use it in the thread that made it, and close it; what is forgotten is closed at exit."""

    def __init__(self, program: str | None = None, *, start_s: float = 30.0, call_s: float = 10.0) -> None:
        """Start it.

        Args:
            program: The browser's program; by default `find_browser()`.
            start_s: How long it may take to start, in seconds.
            call_s: How long any later call may take, in seconds.

        Raises:
            MissingDependencyError: no browser is installed.
            WorldError: it does not start; its own error output is in the message.
        """
        self.program = find_browser() if program is None else program
        self.call_s = call_s
        self.profile = Path(tempfile.mkdtemp(prefix="pathei-browser-"))
        """Its profile directory, which is removed when it ends."""
        # Not in the profile, which its keeper removes when the browser ends: the last words are wanted after that.
        errors = self._errors = tempfile.TemporaryFile(prefix="pathei-browser-")  # noqa: SIM115  # lives as long as self
        self._keeper, connection = _launch(self.program, self.profile, errors)
        self.connection = Connection(*connection, why_dead=self._last_words)
        self._finalizer = weakref.finalize(self, _reap, self._keeper, self.connection, errors, self.profile)
        try:
            self.version = str(self.connection.call("Browser.getVersion", timeout=start_s)["product"])
        except WorldError as error:
            self.close()
            raise WorldError(f"{self.program} does not start: {error}") from error
        _LOG.info("Started %s (%s, keeper %d).", self.program, self.version, self._keeper.pid)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._finalizer.alive and self._keeper.poll() is None

    def context(self, origins: Sequence[str] = ()) -> str:
        """Open a fresh profile and return its id.

        Args:
            origins: The `http` origins that its pages may reach, such as `"http://127.0.0.1:8080"`. File pages need
                none; which files may be opened is for `page` to say.

        Raises:
            ConfigError: an origin is not one of this machine.
        """
        for origin in origins:
            host = f"[{urlsplit(origin).hostname}]" if "[" in origin else urlsplit(origin).hostname
            if host not in _LOCAL or urlsplit(origin).scheme not in ("http", "https", "ws", "wss"):
                raise ConfigError(f"{origin!r} is no origin of this machine: pages are served on 127.0.0.1 only.")
        bypass = ";".join(["<-loopback>", *origins])
        answer = self.connection.call(
            "Target.createBrowserContext",
            timeout=self.call_s,
            disposeOnDetach=True,
            proxyServer=_NOWHERE,
            proxyBypassList=bypass,
        )
        name = str(answer["browserContextId"])
        self.connection.post("Browser.setDownloadBehavior", behavior="deny", browserContextId=name, wanted=False)
        return name

    def dispose(self, context: str) -> None:
        """Close a context with all its pages, without waiting for it."""
        if self.alive:
            self.connection.post("Target.disposeBrowserContext", browserContextId=context, wanted=False)

    def close(self) -> None:
        """End the browser and wait until every process of it is gone and its profile is removed."""
        self._finalizer()

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _last_words(self) -> str:
        if self._errors.closed:
            return ""
        # What was written just before the end may still be on its way.
        time.sleep(0.05)
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 2000))
        text = self._errors.read().decode("utf-8", "replace").strip()
        return f"It said: {text}" if text else "It said nothing."


def _launch(program: str, profile: Path, errors: Any) -> tuple[subprocess.Popen[bytes], tuple[int, int]]:
    """Start the keeper and through it the browser; return it with our ends of the pipe (to read, to write)."""
    their_read, our_write = os.pipe()
    our_read, their_write = os.pipe()
    pipe = (str(their_read), str(their_write))
    keeper = [sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py"))]
    command = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    try:
        process = subprocess.Popen(
            [*keeper, str(profile), str(os.getpid()), *pipe, *command],
            stdin=subprocess.PIPE,
            stdout=errors,
            stderr=errors,
            pass_fds=(their_read, their_write),
        )
    except OSError as error:
        os.close(our_read)
        os.close(our_write)
        raise WorldError(f"{program} does not start: {error}.") from error
    finally:
        os.close(their_read)
        os.close(their_write)
    return process, (our_read, our_write)


def _reap(keeper: subprocess.Popen[bytes], connection: Connection, errors: Any, profile: Path) -> None:
    """End the browser: closing its keeper's standard input is the sign."""
    connection.close()
    if keeper.stdin is not None:
        keeper.stdin.close()
    try:
        keeper.wait(timeout=10)
    except subprocess.TimeoutExpired:
        _LOG.warning("The keeper of a browser (process %d) does not end and is killed.", keeper.pid)
        keeper.kill()
        keeper.wait()
    shutil.rmtree(profile, ignore_errors=True)
    errors.close()

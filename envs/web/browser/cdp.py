"""The Chrome DevTools Protocol over a pipe: commands, their results, and events; nothing about pages.

The browser is started with `--remote-debugging-pipe`: it reads commands from its file descriptor 3 and writes results
and events to 4, each message JSON with a zero byte after it. Against the usual web socket this needs no package, opens
no port that a page could reach, and ends the browser when this end is closed. Not here: threads (one connection belongs
to one thread) and asyncio.

Protocol: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from ....errors import WorldError

Listener = Callable[[str, Mapping[str, Any]], None]
"""Gets each event of a session: its name, and its parameters."""

_CHUNK: Final = 1 << 18
_GLANCE_S: Final = 0.1
"""The longest piece in which waiting is counted, in seconds."""


class CdpError(WorldError):
    """The browser refused a command; the message is the browser's."""


class Connection:
    """One browser's end of the pipe. Commands may be posted without waiting; their order is kept."""

    def __init__(self, reading: int, writing: int, *, why_dead: Callable[[], str]) -> None:
        """Take over two file descriptors.

        Args:
            reading: Where the browser's messages come from.
            writing: Where commands go to.
            why_dead: Called when the browser is gone; returns what it said last.
        """
        self._reading = reading
        self._writing = writing
        self._why_dead = why_dead
        self._last = 0
        self._results: dict[int, dict[str, Any]] = {}
        self._unwanted: set[int] = set()
        self._rest = b""
        self.listeners: dict[str, Listener] = {}
        """By session; `""` is the browser's own."""

    def post(self, method: str, session: str | None = None, *, wanted: bool = True, **params: Any) -> int:
        """Send a command and return its number for `result`; with `wanted=False` nobody will ask, errors included.

        Raises:
            WorldError: the browser is gone.
        """
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        if not wanted:
            self._unwanted.add(self._last)
        data = orjson.dumps(message) + b"\0"
        try:
            while data:
                data = data[os.write(self._writing, data) :]
        except OSError as error:
            raise self._gone() from error
        return self._last

    def result(self, number: int, timeout: float) -> dict[str, Any]:
        """Wait for the result of a command.

        Raises:
            CdpError: the browser refused it.
            WorldError: no answer within `timeout` seconds, or the browser is gone.
        """
        self.pump(lambda: self.answered(number), timeout)
        answer = self._results.pop(number, None)
        if answer is None:
            self._unwanted.add(number)
            raise WorldError(f"The browser did not answer within {timeout:g} s.")
        if "error" in answer:
            raise CdpError(str(answer["error"].get("message", answer["error"])))
        found: dict[str, Any] = answer.get("result", {})
        return found

    def answered(self, number: int) -> bool:
        """Return whether the result of a command has come."""
        return number in self._results

    def call(self, method: str, session: str | None = None, *, timeout: float = 10.0, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its result; raises as `post` and `result` do."""
        return self.result(self.post(method, session, **params), timeout)

    def pump(self, until: Callable[[], bool], timeout: float) -> bool:
        """Read messages until the condition holds or the time is over; return whether it holds.

        The time for which this process is stopped, or gets no processor, does not count: what it waits for may need
        answers from it.

        Raises:
            WorldError: the browser is gone.
        """
        left, last = timeout, time.monotonic()
        while not until():
            came = select.select([self._reading], [], [], min(max(left, 0.0), _GLANCE_S))[0]
            now = time.monotonic()
            left, last = left - min(now - last, _GLANCE_S), now
            if came:
                self._read()
            if left <= 0:
                return until()
        return True

    def close(self) -> None:
        """Close the pipe; the browser ends itself."""
        for descriptor in (self._reading, self._writing):
            if descriptor >= 0:
                os.close(descriptor)
        self._reading = self._writing = -1

    def _read(self) -> None:
        try:
            chunk = os.read(self._reading, _CHUNK)
        except OSError as error:
            raise self._gone() from error
        if not chunk:
            raise self._gone()
        *messages, self._rest = (self._rest + chunk).split(b"\0") if self._rest else chunk.split(b"\0")
        for message in messages:
            self._take(orjson.loads(message))

    def _take(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        if number is None:
            listener = self.listeners.get(message.get("sessionId", ""))
            if listener is not None:
                listener(message["method"], message.get("params", {}))
        elif number in self._unwanted:
            self._unwanted.discard(number)
        else:
            self._results[number] = message

    def _gone(self) -> WorldError:
        return WorldError(f"The browser has ended. {self._why_dead()}".rstrip())

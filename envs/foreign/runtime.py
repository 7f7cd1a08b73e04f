"""The parent's side of a foreign runtime: start a child, call it within time limits, and leave nothing of it running.

A child is a program in any language that answers calls on its descriptor 3 (see `pathei.envs.foreign`). It is started
through `guard.py`, which ends it with all that it started when the parent closes it or dies. Not here: what the calls
of an environment mean (`env`), and installing the program (`install`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from ...errors import ForeignRuntimeError
from .worker import PROTOCOL, WireError, pack, receive

START_S: Final = 60.0
"""How long a child may take until it answers `hello`, in seconds."""
CLOSE_S: Final = 5.0
"""How long a child may take to close what it has, in seconds; then it is killed."""
LOG_BYTES: Final = 64 << 10
"""How much of what a child writes to standard output and error is kept, in bytes: the last of it."""
_QUOTED_LINES: Final = 5
_QUOTED_CHARACTERS: Final = 400
_END_S: Final = 10.0
"""How long the guard may take to end everything, in seconds; then its process group is killed."""
_CLEAR_LOOKS: Final = 2
"""How many times in a row nothing may be found before nothing is left."""
_STARTING_LOOKS: Final = 100
"""How many times it waits for a process without an environment, which may be one that never has any."""
_MARK: Final = "PATHEI_FOREIGN_RUNTIME"
"""A variable that everything inherits which a child starts."""
_GUARD: Final = Path(__file__).with_name("guard.py")
_NOT_INHERITED: Final = frozenset({"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"})
"""Variables of this Python that would mislead another one."""


class ForeignRuntime:
    """A child process that answers calls; it is closed by `close`, as a context manager, and when it is forgotten."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        name: str = "The foreign runtime",
        start_s: float = START_S,
    ) -> None:
        """Start the child and wait until it says hello.

        Args:
            command: The program and its arguments.
            env: Variables over those of this process; Python's own, such as PYTHONPATH, are not inherited.
            cwd: The child's working directory; that of this process if None.
            name: What messages call it, at the beginning of a sentence.
            start_s: How long it may take until it answers, in seconds.

        Raises:
            ForeignRuntimeError: it cannot be started, does not answer, or speaks another version of the protocol.
        """
        self.name = name
        self._lock = threading.Lock()
        self._number = 0
        self._over = ""
        self._child = _Child(list(map(str, command)), env or {}, cwd, name)
        self.hello: Mapping[str, Any] = {}
        """What the child said of itself: `protocol`, `name`, `versions`."""
        hello = self.call("hello", {}, start_s)
        if not isinstance(hello, dict) or hello.get("protocol") != PROTOCOL:
            self._break(f"speaks another protocol than version {PROTOCOL}")
            raise ForeignRuntimeError(f"{self.name} {self._over}: it said {hello!r:.200}.")
        self.hello = hello

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it can be called: it was not closed, and every call so far was answered."""
        return not self._over

    @property
    def log(self) -> str:
        """What the child wrote to standard output and error, at most the last 64 KiB."""
        return self._child.log.text()

    def call(self, name: str, args: Mapping[str, Any] | None = None, timeout_s: float = 60.0) -> Any:
        """Ask something of the child and return its result; arrays come back as NumPy arrays.

        Args:
            name: The call.
            args: Its arguments: JSON values and arrays.
            timeout_s: How long the answer may take, in seconds.

        Raises:
            ForeignRuntimeError: the child answered with an error, and goes on; or it did not answer in time, ended, or
                sent what is no answer: then it and all that it started are killed, and every later call raises.
        """
        with self._lock:
            if self._over:
                raise ForeignRuntimeError(f"{self.name} {self._over}: start another one.")
            self._number += 1
            try:
                packed = pack({"id": self._number, "call": name, "args": dict(args or {})})
            except WireError as error:
                raise ForeignRuntimeError(f"{self.name} cannot be asked for {name!r}: {error}.") from error
            try:
                reply = self._child.exchange(packed, time.monotonic() + timeout_s)
                result, refused = self._read(reply)
            except TimeoutError:
                raise self._broken(f"did not answer to {name!r} within {timeout_s:g} s and was killed") from None
            except (EOFError, ConnectionError):
                self._child.end()
                raise self._broken(f"{self._child.ending()} during {name!r}") from None
            except WireError as error:
                raise self._broken(f"sent what is no answer to {name!r} and was killed ({error})") from None
            except BaseException:
                self._break(f"was killed, because {name!r} was interrupted")
                raise
        if refused is not None:
            raise ForeignRuntimeError(f"{self.name} failed at {name!r}: {refused}")
        return result

    def close(self) -> None:
        """Let the child close what it has, and end it with all that it started; again, it does nothing."""
        if not self._over:
            with contextlib.suppress(ForeignRuntimeError):
                self.call("close", {}, CLOSE_S)
            self._break("is closed")

    def __enter__(self) -> ForeignRuntime:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, reply: Mapping[str, Any]) -> tuple[Any, str | None]:
        """Return the result of a reply, and what went wrong if the child says so."""
        if type(reply.get("id")) is not int or reply["id"] != self._number:
            raise WireError(f"its id is {reply.get('id')!r:.80}, not {self._number}")
        if "error" not in reply:
            return reply.get("result"), None
        error = reply["error"]
        if not isinstance(error, dict) or not all(isinstance(error.get(key), str) for key in ("type", "message")):
            raise WireError(f"its error is {error!r:.80}")
        return None, f"{error['type']}: {_quoted(error['message'])}"

    def _break(self, why: str) -> None:
        self._over = self._over or why
        self._child.end()

    def _broken(self, why: str) -> ForeignRuntimeError:
        self._break(why)
        return ForeignRuntimeError(f"{self.name} {why}{self._child.log.quoted()}.")


class _Child:
    """The processes: the guard, the child itself, the channel to it, and what it writes."""

    def __init__(self, command: list[str], env: Mapping[str, str], cwd: str | Path | None, name: str) -> None:
        mark = uuid.uuid4().hex
        kept = {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}
        ours, theirs = socket.socketpair()
        readable, writable = os.pipe()
        try:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_GUARD), str(theirs.fileno()), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=writable,
                pass_fds=(theirs.fileno(),),
                cwd=cwd,
                env={**kept, **env, _MARK: mark},
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            os.close(readable)
            raise ForeignRuntimeError(f"{name} cannot be started ({error}).") from error
        finally:
            theirs.close()
            os.close(writable)
        self._channel = ours
        self.log = _Log(readable)
        self._end = weakref.finalize(self, _end, self._guard, ours, mark, os.getpid())
        assert self._guard.stdout is not None
        self.pid = int(self._guard.stdout.readline() or 0)

    def exchange(self, packed: bytes, deadline: float) -> dict[str, Any]:
        """Send a message and return the one that answers it."""
        self._channel.settimeout(_left(deadline))
        self._channel.sendall(packed)
        return receive(lambda size: self._exactly(size, deadline))

    def _exactly(self, size: int, deadline: float) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            self._channel.settimeout(_left(deadline))
            count = self._channel.recv_into(view)
            if count == 0:
                raise EOFError
            view = view[count:]
        return data

    def end(self) -> None:
        """Kill it with all that it started, and wait until that is done; again, it does nothing."""
        self._end()
        self.log.wait()

    def ending(self) -> str:
        """Return how it ended, to be followed by when."""
        stdout: IO[bytes] | None = self._guard.stdout
        said = b"" if stdout is None or stdout.closed else stdout.read()
        if not said.strip():
            return "ended"
        status = int(said)
        if status >= 0:
            return f"ended with status {status}"
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-status).name}"
        return f"was killed by signal {-status}"


class _Log:
    """The last of what is written to a pipe, read by a thread so that the writer never waits."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._read, name="log of a foreign runtime", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with os.fdopen(self._descriptor, "rb", buffering=0) as pipe:
            while piece := pipe.read(LOG_BYTES):
                self._kept += piece
                del self._kept[:-LOG_BYTES]

    def wait(self) -> None:
        """Wait until all is read that was written, if nobody can write any more."""
        self._thread.join(1.0)

    def text(self) -> str:
        """Return it as text."""
        return bytes(self._kept).decode("utf-8", "replace")

    def quoted(self) -> str:
        """Return its last lines, to be put at the end of a sentence."""
        lines = [line.strip() for line in self.text().splitlines() if line.strip()]
        last = " | ".join(lines[-_QUOTED_LINES:])
        cut = last if len(last) <= _QUOTED_CHARACTERS else f"...{last[-_QUOTED_CHARACTERS:]}"
        return f"; it wrote last: {cut}" if cut else ""


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _end(guard: subprocess.Popen[bytes], channel: socket.socket, mark: str, owner: int) -> None:
    """Close a guard's standard input, upon which it ends everything; if it is dead or stuck, do its work."""
    if os.getpid() != owner:
        return  # a fork of the owner: the child is not its own
    channel.close()
    with contextlib.suppress(OSError):
        if guard.stdin is not None:
            guard.stdin.close()
    try:
        guard.wait(_END_S)
    except subprocess.TimeoutExpired:
        guard.kill()
        guard.wait()
    if guard.returncode != 0:
        _sweep(guard.pid, mark)


def _quoted(message: str) -> str:
    """Return a message as it fits into a sentence: a long one by its beginning and its end."""
    if len(message) <= _QUOTED_CHARACTERS:
        return message
    half = _QUOTED_CHARACTERS // 2
    return f"{message[:half].rstrip()} [...] {message[-half:].lstrip()}"


def _sweep(group: int, mark: str) -> None:
    """Kill what is left of a guard that could not do it: its process group, and on Linux all that bears the mark.

    It returns when none of them is left.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    wanted = f"{_MARK}={mark}".encode()
    end = time.monotonic() + _END_S
    looks, clear = 0, 0
    # A killed process is gone a moment later, and one that was being started meanwhile is seen in the next round.
    while clear < _CLEAR_LOOKS and time.monotonic() < end:
        found, starting = _marked(wanted)
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        looks += 1
        clear = 0 if found or (starting and looks < _STARTING_LOOKS) else clear + 1
        time.sleep(0.002)


def _marked(wanted: bytes) -> tuple[list[int], bool]:
    """Return the ids of the processes whose environment has an entry, and whether one may still get its environment.

    While the kernel replaces a process by a program (execve), the process has a program and no environment yet.
    """
    found, starting = list[int](), False
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = (folder / "environ").read_bytes()
            if wanted in environment.split(b"\0"):
                found.append(int(folder.name))
            elif not environment and os.readlink(folder / "exe"):
                starting = True
    return found, starting

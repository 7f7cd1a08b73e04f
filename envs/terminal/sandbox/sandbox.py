"""A sandboxed shell whose whole state can be frozen and forked: the owner's side of the keeper.

A `Layer` holds what was changed on top of another one; files are the sum of a chain of layers. Freezing turns the top
layer into one that nothing changes any more, and a shell started on it later is a fork. A layer that nobody refers to
is freed with the next request. What is not kept: processes in the background, and the shell's open descriptors.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import re
import select
import shutil
import struct
import subprocess
import sys
import time
import weakref
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from ....errors import MissingDependencyError, SnapshotError, WorldError
from ..files import FileEntry, Tree, apply
from .groups import advice, make_groups, remove_groups
from .seccomp import seccomp_filter

_LOG: Final = logging.getLogger(__name__)
ENVIRONMENT: Final = (("PATH", "/usr/bin:/bin:/usr/sbin"), ("LANG", "C.UTF-8"), ("TERM", "dumb"), ("TZ", "UTC"))
LONGEST_CHAIN: Final = 24
"""A chain of more layers is made into one: mount options have room for some hundreds, and lookups take longer."""
_PROGRAM: Final = "import sys; sys.path.insert(0, sys.argv.pop(1)); from sandbox.keeper import main; main()"
_VOLATILE: Final = re.compile(
    r"^declare -\S+ (?:BASH\w*|_|PPID|EUID|UID|SHELLOPTS|SECONDS|EPOCH\w+|S?RANDOM|LINENO|HISTCMD|GROUPS|DIRSTACK"
    r"|FUNCNAME|COMP_WORDBREAKS|_pathei_c|PROMPT_COMMAND|PS0|COLUMNS|LINES|PIPESTATUS)(?:=.*)?\n",
    re.MULTILINE,
)
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a command may use up."""

    seconds: float = 10.0
    """Time for one command."""
    memory: int = 256
    """Memory of all processes together, MiB."""
    processes: int = 48
    """Processes at the same time."""
    disk: int = 64
    """All that was written since the beginning, MiB."""
    files: int = 20_000
    """New files and directories."""
    output: int = 8192
    """Bytes of output that are kept, half of them from its beginning and half from its end."""
    written: int = 32
    """Output after which a command is stopped, MiB."""
    snapshots: int = 512
    """All layers that are referred to, MiB."""


class Layer:
    """Files that nothing changes any more; see the head of this file."""

    __slots__ = ("__weakref__", "below", "number", "sandbox", "tree", "used")

    def __init__(self, sandbox: Sandbox, number: int, below: Layer | None, tree: Tree, used: int) -> None:
        """Take a layer of the keeper into care; `used` is in bytes."""
        self.sandbox, self.number, self.below, self.tree, self.used = sandbox, number, below, tree, used
        sandbox.total += used
        weakref.finalize(self, sandbox.dropped.append, (number, used)).atexit = False

    @property
    def chain(self) -> list[int]:
        """The layers that its files consist of, itself first."""
        return [self.number, *(self.below.chain if self.below else ())]

    @property
    def written(self) -> int:
        """The bytes that all but the lowest layer hold."""
        return self.used + self.below.written if self.below else 0


class ShellState(NamedTuple):
    """What a shell remembers."""

    script: str
    """Its variables, functions, aliases and options, as commands that set them; empty for a new shell."""
    cwd: str
    history: str = ""
    """The commands that an interactive shell remembers, one a line."""
    keys: bytes = b""
    """What was typed since its last prompt."""


class Frozen(NamedTuple):
    """A sandbox at one moment."""

    layer: Layer
    shell: ShellState


class Ran(NamedTuple):
    """The result of a command."""

    status: int | None
    """Its exit status; None if the shell ended."""
    output: bytes
    stopped: str
    """Which limit stopped it: "time", "output", "memory", "processes"; "shell" if the shell ended; else ""."""


class Sandbox:
    """One keeper with at most one shell at a time. Not to be used from several threads at once."""

    def __init__(self, limits: Limits | None = None) -> None:
        """Start the keeper.

        Raises:
            MissingDependencyError: bubblewrap is not installed.
            WorldError: the namespaces or mounts are refused; the message says what to enable.
        """
        self.limits = limits or Limits()
        self.dropped: deque[tuple[int, int]] = deque()
        """Layers that nobody refers to any more, with their bytes."""
        self.total = 0
        self.tree: Tree = {}
        """The files as they are now."""
        self.cwd = "/"
        self._number = 0
        self._base: Layer | None = None
        """What the shell's own layer lies on."""
        self._upper: int | None = None
        """The shell's own layer, as long as it is not frozen."""
        self._waiting: Frozen | None = None
        """Where a shell is to be started before the next command."""
        self._user = 1000
        self._home = "/"
        self._groups = make_groups(self.limits)
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise MissingDependencyError(
                "The terminal needs bubblewrap, which is not installed: apt install bubblewrap."
            )
        config = self._config(bwrap)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, str(Path(__file__).parent.parent), json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
        )
        self._closer = weakref.finalize(self, _close, self._process, self._groups)
        try:
            self._receive(20.0)
        except WorldError as error:
            self.close()
            raise WorldError(f"The terminal's sandbox does not start ({str(error).rstrip('.')}): {advice()}") from None
        _LOG.debug("The keeper of a terminal started (process %d).", self._process.pid)

    @property
    def pid(self) -> int:
        """The keeper's process, the one outside its namespaces."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the keeper still runs."""
        return self._process.poll() is None

    @property
    def confined_by(self) -> tuple[str, ...]:
        """The control groups in force, by path."""
        return tuple(self._groups)

    def plant(self, entries: Sequence[FileEntry]) -> Layer:
        """Make a lowest layer out of files."""
        number = self._next()
        rows = [[e.path, e.kind, e.mode, e.mtime, e.content.decode("latin-1")] for e in entries]
        answer = self.ask(do="plant", layer=number, bytes=self.limits.disk * _MIB, entries=rows)
        return Layer(self, number, None, apply({}, answer["entries"]), answer["used"])

    def start(self, at: Frozen, *, user: int = 1000, home: str = "/home/agent") -> None:
        """Go to frozen files and the state of the frozen shell; its fork is started when it is first needed.

        Args:
            at: Where to begin.
            user: The user id that the shell sees itself as.
            home: Its home, where a shell that replaces a dead one begins.

        Raises:
            SnapshotError: it was frozen by another sandbox.
        """
        if at.layer.sandbox is not self:
            raise SnapshotError("This state belongs to another terminal: restore it in the environment that made it.")
        self._waiting, self._user, self._home = at, user, home
        self.tree, self.cwd = at.layer.tree, at.shell.cwd

    def wake(self) -> None:
        """Start the shell, if it is not there yet: a new empty layer on the frozen ones, and a new bash.

        Raises:
            WorldError: it does not start.
        """
        if self._waiting is None:
            return
        layer, shell = self._waiting
        if self._upper is not None:
            self.dropped.append((self._upper, 0))
        self._base, self._upper = layer, self._next()
        environment = {**dict(ENVIRONMENT), "HOME": self._home, "USER": "agent" if self._user else "root"}
        answer = self.ask(
            do="start",
            layer=self._upper,
            lowers=layer.chain,
            bytes=max(self.limits.disk * _MIB - layer.written, 0),
            user=self._user,
            cwd=shell.cwd.encode("utf-8", "surrogateescape").decode("latin-1"),
            state=shell.script,
            environment=environment,
            **self.extras(shell),
        )
        self.started(answer)
        self._waiting = None

    def extras(self, shell: ShellState) -> dict[str, Any]:
        """Return what else the keeper needs to start a shell."""
        return {}

    def started(self, answer: Mapping[str, Any]) -> None:
        """Take in what the keeper answered about a new shell.

        Raises:
            WorldError: it did not start.
        """
        if answer["status"] is None:
            raise WorldError(f"The shell does not start: {answer['output'].strip() or 'no reason was given'}.")
        self.cwd = as_text(answer["cwd"])

    def run(self, command: str, *, random: int = 0, seconds: float | None = None, limit: int | None = None) -> Ran:
        """Run a command in the shell.

        A shell that ended is replaced by a new one on the same files, in its home, before this returns.

        Args:
            command: For bash; without NUL.
            random: Seeds the shell's `RANDOM`.
            seconds: The time it may take; the limit's if None.
            limit: The bytes of output to keep; the limit's if None.
        """
        self.wake()
        seconds = self.limits.seconds if seconds is None else seconds
        text = command.encode("utf-8", "surrogateescape").decode("latin-1")
        answer = self.ask(
            do="run",
            command=text,
            random=random % 32768,
            seconds=seconds,
            limit=self.limits.output if limit is None else limit,
            patience=seconds + 30,
        )
        self.changed(answer["entries"])
        if answer["status"] is None:
            self.replace_shell()
        else:
            self.cwd = as_text(answer["cwd"])
        return Ran(answer["status"], answer["output"].encode("latin-1"), answer["stopped"])

    def changed(self, entries: Iterable[Sequence[Any]]) -> None:
        """Take in what the top layer holds now."""
        assert self._base is not None
        self.tree = apply(self._base.tree, entries)

    def freeze(self) -> Frozen:
        """Freeze the present moment. If files have changed, the shell ends, and a fork of it goes on.

        Raises:
            SnapshotError: the layers that are kept take too much memory.
        """
        if self._waiting is not None:
            return self._waiting
        answer = self.ask(do="state")
        if answer["status"] is None:
            self.replace_shell()
            assert self._waiting is not None
            return self._waiting
        shell = self.state_of(answer)
        assert self._base is not None
        if self.tree == self._base.tree:
            return Frozen(self._base, shell)
        if self.total > self.limits.snapshots * _MIB:
            raise SnapshotError(
                f"The terminal's snapshots hold more than {self.limits.snapshots} MiB of files: "
                "drop some, or raise the limit `snapshots`."
            )
        frozen = Frozen(self._adopt(answer["used"]), shell)
        self.start(frozen, user=self._user, home=self._home)
        return frozen

    def is_at(self, frozen: Frozen) -> bool:
        """Whether the present moment is this one already: the same files and shell state, and nothing running."""
        if self._waiting is not None:
            return self._waiting == frozen
        if self._base is not frozen.layer or self.tree != frozen.layer.tree or self.cwd != frozen.shell.cwd:
            return False
        answer = self.ask(do="state")
        return bool(answer["status"] is not None and answer["idle"]) and self.state_of(answer) == frozen.shell

    def state_of(self, answer: Mapping[str, Any]) -> ShellState:
        """Return what the shell remembers, given the keeper's answer about it."""
        return ShellState(lasting(answer["said"]), self.cwd)

    def read(self, path: str, limit: int = 8 * _MIB) -> bytes | None:
        """Return what a regular file holds, at most `limit` bytes; None if there is none, or a link is on its way."""
        self.wake()
        content = self.ask(do="read", path=path.lstrip("/"), limit=limit)["content"]
        return None if content is None else content.encode("latin-1")

    def close(self) -> None:
        """End the shell and the keeper, and wait for their end. It may be called twice."""
        self._closer()

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _adopt(self, used: int) -> Layer:
        """End the shell and make a layer of what it has changed, so that nothing changes it any more."""
        assert self._upper is not None
        self.ask(do="stop")
        layer = Layer(self, self._upper, self._base, self.tree, used)
        self._upper = None
        if len(layer.chain) < LONGEST_CHAIN:
            return layer
        number = self._next()
        used = self.ask(do="merge", layer=number, lowers=layer.chain, bytes=2 * self.limits.disk * _MIB)["used"]
        return Layer(self, number, None, layer.tree, used)

    def replace_shell(self) -> None:
        """Put a new shell into the place of a dead one; the files stay."""
        assert self._base is not None
        _LOG.info("The shell of the terminal ended; a new one starts on the same files.")
        changed = self.tree != self._base.tree
        layer = self._adopt(self.ask(do="state")["used"]) if changed else self._base
        self.start(Frozen(layer, ShellState("", self._home)), user=self._user, home=self._home)

    def _config(self, bwrap: str) -> dict[str, Any]:
        limits = self.limits
        rlimits = {
            "RLIMIT_NPROC": limits.processes + 16,
            "RLIMIT_DATA": limits.memory * _MIB,
            "RLIMIT_AS": (limits.memory + 1024) * _MIB,
            "RLIMIT_FSIZE": limits.disk * _MIB,
            "RLIMIT_NOFILE": 256,
            "RLIMIT_CORE": 0,
            "RLIMIT_MEMLOCK": 65536,
            "RLIMIT_MSGQUEUE": 65536,
            "RLIMIT_CPU": math.ceil(limits.seconds) * 60,
        }
        return {
            "bwrap": bwrap,
            "at": next((place for place in ("/mnt", "/media", "/srv", "/opt", "/tmp") if os.path.isdir(place)), "/"),
            "seccomp": seccomp_filter().decode("latin-1"),
            "rlimits": rlimits,
            "memory": limits.memory * _MIB,
            "processes": limits.processes,
            "written": limits.written * _MIB,
            "files": limits.files,
            "groups": self._groups,
        }

    def ask(self, *, patience: float = 60.0, **request: Any) -> dict[str, Any]:
        """Send a request to the keeper, for at most `patience` seconds, and return its answer."""
        if self.dropped:
            gone = []
            while self.dropped:
                number, used = self.dropped.popleft()
                gone.append(number)
                self.total -= used
            self._exchange({"do": "drop", "layers": gone}, patience)
        return self._exchange(request, patience)

    def _exchange(self, request: Mapping[str, Any], patience: float) -> dict[str, Any]:
        body = json.dumps(request).encode()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(struct.pack("<I", len(body)) + body)
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise WorldError(f"The terminal's keeper is gone ({error}): reset makes a new one.") from error
        return self._receive(patience)

    def _receive(self, patience: float) -> dict[str, Any]:
        until = time.monotonic() + patience
        head = self._exactly(4, until)
        answer: dict[str, Any] = json.loads(self._exactly(struct.unpack("<I", head)[0], until))
        if "failed" in answer:
            raise WorldError(f"The terminal's keeper could not do this: {answer['failed']}.")
        return answer

    def _exactly(self, size: int, until: float) -> bytes:
        assert self._process.stdout is not None
        descriptor, data = self._process.stdout.fileno(), bytearray()
        while len(data) < size:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
            block = os.read(descriptor, size - len(data)) if ready else b""
            if not block:
                self.close()
                said = "" if ready else "it did not answer in time"
                why = said or _last_words(self._process)
                _LOG.warning("The keeper of a terminal (process %d) ended: %s.", self._process.pid, why)
                raise WorldError(f"The terminal's keeper ended: {why}.")
            data += block
        return bytes(data)


def lasting(script: str) -> str:
    """Return a shell's state without what bash sets by itself."""
    return _VOLATILE.sub("", script)


def as_text(latin: str) -> str:
    """Return bytes, written as Latin-1 text, as the text that they are."""
    return latin.encode("latin-1").decode("utf-8", "surrogateescape")


def _last_words(process: subprocess.Popen[bytes]) -> str:
    words = b"" if process.stderr is None or process.stderr.closed else process.stderr.read()
    lines = words.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it gave no reason"


def _close(process: subprocess.Popen[bytes], groups: Sequence[str]) -> None:
    """Close a keeper's input, which ends it; if it does not end, kill it, and the kernel ends all that it started."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):  # it may be gone already
        process.stdin.close()
    try:
        process.wait(5.0)
    except subprocess.TimeoutExpired:
        _LOG.warning("The keeper of a terminal (process %d) does not end and is killed.", process.pid)
        process.kill()
        process.wait(5.0)
    assert process.stdout is not None
    process.stdout.close()
    remove_groups(groups)

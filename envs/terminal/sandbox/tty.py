"""One interactive bash on a pseudo-terminal; part of the keeper, standard library only.

Keys are typed on the terminal, as a person types them, and what appears is read until nothing moves any more: nothing
is written, and no program in the foreground runs or sleeps until a time. This is seen from the processes, so a busy
machine does not cut a program short, and one that waits for a key is not waited for. At each prompt bash reports its
state over a descriptor of its own. Not here: what the screen looks like (`emulator`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import time
from typing import Any, Final

from .shell import Shell, become, bubblewrap, pipe_with, read_some, send

START: Final = r"""
_pathei_tell() {
  local _pathei_s=$?
  { builtin printf 'P%s\0%s\0' "$_pathei_s" "$PWD"
    builtin declare -p; builtin declare -f; builtin alias -p; builtin shopt -p; builtin set +o; builtin umask -p
    builtin printf '\0'; builtin history -w /dev/fd/200; builtin printf '\0'; } >&200 2>/dev/null
}
PS1='\u@sim:\w\$ ' PS0='$(builtin printf "R\0" >&200)'
readonly PROMPT_COMMAND=_pathei_tell PS0
builtin unset HISTFILE
builtin bind 'set enable-bracketed-paste off' 'set bell-style none'
"""
"""What bash reads first: it reports to descriptor 200 before each prompt, and before each command that it begins."""
_REPORTS: Final = 200
_KEPT: Final = 1 << 14
"""Bytes of output that are kept at least, from its end: several screens."""
_STILL: Final = 0.02
"""Seconds without output before the processes are looked at, and between two looks."""
_DUE: Final = 0.5
"""Seconds without output where bash should have reported something, or drawn its prompt."""
_ANIMATED: Final = 40
"""Looks at a program that mostly waits, after which it is not waited for, although it goes on drawing."""
_GRACE: Final = 1.0
_BUSY: Final = ("nanosleep", "n_tty_write", "tty_write")
"""Where in the kernel a program is that waits for a time, or for its output to be read."""


class TtyShell(Shell):
    """One interactive bash in its bubblewrap, on a terminal of a fixed size."""

    def __init__(self, config: dict[str, Any], root: str, request: dict[str, Any]) -> None:
        """Start it.

        Args:
            config: See `Keeper`.
            root: The mounted overlay.
            request: `user`, `environment`, `screen` (columns, lines), and `state`, `history` and `cwd` to begin with.
        """
        self.screen, inside = os.openpty()
        columns, lines = request["screen"]
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.replies, reply_end = os.pipe()
        filter_end = pipe_with(config["seccomp"].encode("latin-1")) if config["seccomp"] else -1
        script_end = os.memfd_create("start")
        os.write(script_end, _script(request).encode("latin-1"))
        self.config = config
        self.pid = os.fork()
        if self.pid == 0:
            bash = ("--noprofile", "--rcfile", "/dev/fd/201", "-i")
            request["environment"]["TERM"] = "linux"
            arguments = bubblewrap(config, root, request, bash, filter_end >= 0, session=False)
            places = {0: inside, 1: inside, 2: inside, 7: filter_end, _REPORTS: reply_end, 201: script_end}
            become(arguments, config, places, terminal=True)
        for descriptor in (inside, reply_end, script_end, *([filter_end] if filter_end >= 0 else [])):
            os.close(descriptor)
        for descriptor in (self.screen, self.replies):
            os.set_blocking(descriptor, False)
        self.watch = os.pidfd_open(self.pid)
        self.ends = (self.screen, self.replies, self.watch)
        self.needed: set[int] = set()
        self.bash = 0
        """Its process group; 0 before the first prompt."""
        self.report: dict[str, Any] = {}
        """What bash said at its last prompt: `status`, `cwd`, `state` and `history`."""
        self.at_prompt = False
        self.prompts = 0
        """How many prompts there were."""
        self._said = bytearray()

    def type(self, keys: bytes, seconds: float, least: float = 0.0) -> dict[str, Any]:
        """Type keys, and read what appears until nothing moves.

        Args:
            keys: What to type.
            seconds: The time that programs may take; what then still runs in the foreground is ended.
            least: Wait this long for the first output.

        Returns:
            `output`, `cut` (whether more was written than is kept), `stopped` (as `ask` returns it), `running` (the
            names of the programs in the foreground), `background` (of all others), and `report`,
            with `prompts`, the number of prompts so far.
        """
        output, total, stopped = bytearray(), 0, ""
        begin = last = looked = time.monotonic()
        mark, grace, calm, drawn = None, 0.0, 0, True
        entered, before = self.at_prompt and keys.endswith(b"\r"), self.prompts
        poll = select.poll()
        for descriptor in (0, self.replies, self.watch):
            poll.register(descriptor, select.POLLIN)
        while True:
            poll.register(self.screen, select.POLLIN | (select.POLLOUT if keys else 0))
            ready = dict(poll.poll(5))
            if 0 in ready:
                sys.exit(0)  # the owner is gone, or broke the protocol
            now = time.monotonic()
            if ready.get(self.replies, 0) & select.POLLIN:
                known = self.prompts
                self._listen(read_some(self.replies))
                drawn = drawn and known == self.prompts
            if self.watch in ready:
                return self._ended(output, total, stopped or "shell")
            if ready.get(self.screen, 0) & select.POLLIN:
                data = _read(self.screen)
                total, last, mark, drawn = total + len(data), now, None, True
                output += data
                if len(output) > 8 * _KEPT:
                    del output[:-_KEPT]
            elif keys and ready.get(self.screen, 0) & select.POLLOUT:
                keys = keys[os.write(self.screen, keys[:1024]) :]
                last = now
            if now - looked >= _STILL and not keys:
                looked, seen = now, self._look()
                calm = calm + 1 if seen else max(calm - 4, 0)
                # A line that was entered is reported, and so is a prompt before it is drawn; the rest of a line is not.
                due = not drawn or (entered and self.at_prompt and self.prompts == before)
                silent = now - last >= (_DUE if due else _STILL) and (total or now - begin >= least)
                if seen and ((silent and seen == mark) or (calm > _ANIMATED and total)):
                    return self._answer(output, total, stopped)
                mark = seen
            if not stopped and now - begin > _STILL:
                stopped = self.broken(now - begin > seconds, total)
                if stopped:
                    self._interrupt()
                    grace, keys = now + _GRACE, b""
            elif grace and now > grace:
                return self._ended(output, total, stopped)

    def begin(self, keys: bytes, seconds: float) -> dict[str, Any]:
        """Wait for the first prompt, note what has to live, and type keys again that were typed at this prompt."""
        until = time.monotonic() + seconds
        answer = self.type(b"", seconds, least=1.0)
        while not self.at_prompt and answer["report"] is not None and time.monotonic() < until:
            more = self.type(b"", seconds, least=0.2)
            answer = {**more, "output": answer["output"] + more["output"]}
        if answer["report"] is not None:
            self.bash = self._foreground()
            self.settle()
            if keys:
                answer = self.type(keys, seconds)
        return answer

    def _foreground(self) -> int:
        try:
            return os.tcgetpgrp(self.screen)
        except OSError:
            return 0

    def _look(self) -> frozenset[tuple[int, bytes]] | None:
        """Return what has to stay the same while nothing moves; None while something in the foreground runs."""
        found = []
        groups = {self._foreground(), self.bash}
        for pid in self.processes():
            with contextlib.suppress(OSError, IndexError, ValueError):
                state, _, group, *_ = _first_line(f"/proc/{pid}/stat").rpartition(b")")[2].split()
                if int(group) not in groups or state == b"Z":
                    continue
                if state in b"RD" or any(name.encode() in _first_line(f"/proc/{pid}/wchan") for name in _BUSY):
                    return None
                found.append((pid, _first_line(f"/proc/{pid}/schedstat").partition(b" ")[0]))
        return frozenset(found) or None

    def _listen(self, data: bytes) -> None:
        """Read what bash reports."""
        self._said += data
        while b"\0" in self._said:
            if self._said.startswith(b"R"):
                self.at_prompt = False
                del self._said[: self._said.index(b"\0") + 1]
                continue
            fields = bytes(self._said).split(b"\0", 4)
            if not self._said.startswith(b"P"):  # a program wrote here; it is not believed
                del self._said[: self._said.index(b"\0") + 1]
            elif len(fields) < 5:
                return
            else:
                status, cwd, state, history, rest = (field.decode("latin-1") for field in fields)
                number = int(status[1:]) if status[1:].isdigit() else 0
                self.report = {"status": number, "cwd": cwd, "state": state, "history": history}
                self.at_prompt = True
                self.prompts += 1
                self._said = bytearray(rest.encode("latin-1"))

    def _interrupt(self) -> None:
        """End what runs in the foreground and behind it, and a loop of bash's own."""
        self.end_commands()
        if self.bash:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.bash, signal.SIGINT)

    def _names(self) -> tuple[list[str], list[str]]:
        """Return the names of the programs in the foreground, and of the others."""
        front, back, group = list[str](), list[str](), self._foreground()
        for pid in self.processes():
            if pid not in self.needed:
                with contextlib.suppress(OSError, IndexError, ValueError):
                    fields = _first_line(f"/proc/{pid}/stat").rpartition(b")")[2].split()
                    name = _first_line(f"/proc/{pid}/comm").strip().decode("utf-8", "replace")
                    (front if int(fields[2]) == group else back).append(name)
        if not self.at_prompt and not front:
            front = ["bash"]
        return front, back

    def _answer(self, output: bytearray, total: int, stopped: str) -> dict[str, Any]:
        front, back = self._names() if self.bash else ([], [])
        if not stopped and len(self.processes()) > self.config["processes"]:
            stopped = "processes"
            self.end_commands()
        text = bytes(output).decode("latin-1")
        cut = total > len(output)
        done = {"output": text, "cut": cut, "stopped": stopped, "running": front, "background": back}
        return {**done, "report": self.report, "prompts": self.prompts}

    def _ended(self, output: bytearray, total: int, stopped: str) -> dict[str, Any]:
        """Return the answer where the shell has ended, or does not listen: it is to be replaced."""
        for pid in self.processes():
            send(pid, signal.SIGKILL)
        return {**self._answer(output, total, stopped), "running": [], "background": [], "report": None}


def _script(request: dict[str, Any]) -> str:
    """Return what bash reads first: the saved state, the history, and what makes it report."""
    lines = [f"builtin eval {quoted(request['state'])} >/dev/null 2>&1", START.strip()]
    lines += [f"builtin history -s -- {quoted(line)}" for line in request["history"].splitlines()]
    return "\n".join([*lines, f"builtin cd -- {quoted(request['cwd'])}", "exec 201>&-", ""])


def quoted(text: str) -> str:
    """Return a text as one word of bash."""
    return "'" + text.replace("'", "'\\''") + "'"


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # nobody has the terminal open any more
        return b""


def _first_line(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.readline()

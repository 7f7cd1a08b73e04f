"""One bash in a bubblewrap, and the requests to it; part of the keeper, standard library only.

Commands go to bash over a descriptor of their own, and so does what it reports; a command's output has another. So
neither quotes, nor binary output, nor closed descriptors disturb the protocol.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import sys
import termios
import time
from typing import Any, Final

_PATIENCE_S: Final = 5.0
"""How long processes are looked for that have to end, in seconds."""
LOOP: Final = r"""
_pathei() { return "$1"; }
_pathei_s=0
while IFS= builtin read -r -d '' -u 8 _pathei_c; do
  case $_pathei_c in
    S) { builtin declare -p; builtin declare -f; builtin alias -p; builtin shopt -p; builtin set +o; builtin umask -p
      } >&9 2>/dev/null ;;
    L*) builtin eval "${_pathei_c:1}" >/dev/null 2>&1 ;;
    *)
      RANDOM=${_pathei_c%%:*}
      { _pathei "$_pathei_s"; builtin eval "${_pathei_c#*:}"; } </dev/null >&6 2>&6 6>&- 8<&- 9>&-
      _pathei_s=$? ;;
  esac
  builtin printf '\0%s\0%s\0' "$_pathei_s" "$PWD" >&9
done
"""
"""What bash runs: commands end with NUL on descriptor 8; their results go to 9, which commands do not inherit."""


class Output:
    """What a command wrote: the first and the last of it, and how much."""

    def __init__(self, limit: int) -> None:
        """Keep at most `limit` bytes, half of them from the beginning."""
        self.head, self.tail, self.total = bytearray(), bytearray(), 0
        self._half = limit // 2

    def add(self, data: bytes) -> None:
        """Take in more of it."""
        self.total += len(data)
        room = self._half - len(self.head)
        self.head += data[:room] if room > 0 else b""
        rest = data[room:] if room > 0 else data
        if rest:
            self.tail += rest
            if len(self.tail) > 4 * self._half:
                del self.tail[: -self._half]

    def text(self) -> str:
        """Return it as Latin-1 text, what was left out replaced by a line that says so."""
        tail = self.tail[-self._half :]
        dropped = self.total - len(self.head) - len(tail)
        middle = f"\n[... {dropped} bytes left out ...]\n".encode() if dropped else b""
        return bytes(self.head + middle + tail).decode("latin-1")


class Shell:
    """One bash in its bubblewrap: what is written to it and read from it, and the processes around it."""

    def __init__(self, config: dict[str, Any], root: str, request: dict[str, Any]) -> None:
        """Start it.

        Args:
            config: See `Keeper`.
            root: The mounted overlay.
            request: `user`, `cwd` and `environment`.
        """
        command_end, self.commands = os.pipe()
        self.replies, reply_end = os.pipe()
        self.output, output_end = os.pipe()
        filter_end = pipe_with(config["seccomp"].encode("latin-1")) if config["seccomp"] else -1
        self.config = config
        self.pid = os.fork()
        if self.pid == 0:
            arguments = bubblewrap(
                config, root, request, ("--norc", "--noprofile", "-c", LOOP, "bash"), filter_end >= 0
            )
            become(
                arguments,
                config,
                {8: command_end, 9: reply_end, 1: output_end, 2: output_end, 6: output_end, 7: filter_end},
            )
        for descriptor in (command_end, reply_end, output_end, *([filter_end] if filter_end >= 0 else [])):
            os.close(descriptor)
        for descriptor in (self.replies, self.output):
            os.set_blocking(descriptor, False)
        self.watch = os.pidfd_open(self.pid)
        self.needed: set[int] = set()
        """The processes that must live: bubblewrap's two, and the shell."""
        self.ends: tuple[int, ...] = (self.commands, self.replies, self.output, self.watch)
        """The descriptors that are closed at its end."""

    def ask(self, message: bytes, seconds: float, limit: int) -> dict[str, Any]:
        """Send a command and wait for its end, reading what it writes.

        Returns:
            `status` (None if the shell ended), `cwd`, `output`, `said` (what came over the reply channel before), and
            `stopped`: "", "time", "output", "memory", "processes" or "shell".
        """
        output, reply, stopped = Output(limit), bytearray(), ""
        try:
            write_all(self.commands, message + b"\0")
        except OSError:
            stopped = "shell"
        begin = time.monotonic()
        until, grace = begin + seconds, 0.0
        poll = select.poll()
        for descriptor in (0, self.replies, self.output, self.watch):
            poll.register(descriptor, select.POLLIN)
        while stopped != "shell" and reply.count(b"\0") < 3:
            ready = dict(poll.poll(20))
            if 0 in ready:
                sys.exit(0)  # the owner is gone, or broke the protocol
            if self.output in ready:
                output.add(read_some(self.output))
            if self.replies in ready:
                reply += read_some(self.replies)
            now = time.monotonic()
            if self.watch in ready:
                stopped = "shell" if stopped != "time" else stopped
                break
            if not stopped and now - begin > 0.02:
                stopped = self.broken(now > until, output.total)
                grace = now + 0.5 if stopped else 0.0
                if stopped:
                    self.end_commands()
            elif grace and now > grace:
                break
        deadline = time.monotonic() + 0.1
        while (data := read_some(self.output)) and time.monotonic() < deadline:
            output.add(data)
        if not stopped and len(self.processes()) > self.config["processes"]:
            stopped = "processes"
            self.end_commands()
        said, _, rest = bytes(reply).partition(b"\0")
        fields = rest.split(b"\0")
        status = int(fields[0]) if len(fields) >= 3 and fields[0].isdigit() else None
        cwd = fields[1].decode("latin-1") if status is not None else ""
        return {
            "status": status,
            "cwd": cwd,
            "output": output.text(),
            "said": said.decode("latin-1"),
            "stopped": stopped or ("shell" if status is None else ""),
        }

    def broken(self, late: bool, written: int) -> str:
        """Return which limit the command broke, if any; time is the last, as it may be that we look late."""
        if written > self.config["written"]:
            return "output"
        processes = self.processes()
        if len(processes) > self.config["processes"]:
            return "processes"
        memory = sum(_private_memory(pid) for pid in processes)
        if memory > self.config["memory"]:
            return "memory"
        return "time" if late else ""

    def processes(self) -> list[int]:
        """Return the processes of the sandbox: all in our namespace but ourselves."""
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]

    def settle(self) -> None:
        """Note the processes that are there before the first command."""
        self.needed = set(self.processes())

    def end_commands(self) -> None:
        """Kill all that the shell has started, until there is nothing left of it.

        Many processes are stopped first: where one is killed, those that still run may start another in its place.
        """
        deadline, stopped = time.monotonic() + _PATIENCE_S, set[int]()
        while others := {pid for pid in self.processes() if pid not in self.needed}:
            running = others - stopped if len(others) > self.config["processes"] // 2 else set[int]()
            for pid in running or others:
                send(pid, signal.SIGSTOP if running else signal.SIGKILL)
            stopped |= running
            reap()
            if time.monotonic() > deadline:
                return
            if not running:
                time.sleep(0.0005)

    def forget_jobs(self) -> dict[str, Any]:
        """Let bash report the jobs that were killed, to nobody; it would do so in the middle of a later command."""
        return self.ask(b"Lbuiltin jobs", 1.0, 0)

    def idle(self) -> bool:
        """Whether nothing runs in the background."""
        return set(self.processes()) <= self.needed

    def end(self) -> None:
        """Kill all of it, and wait until nothing of it is left."""
        for descriptor in self.ends:
            os.close(descriptor)
        while processes := self.processes():
            for pid in processes:
                send(pid, signal.SIGKILL)
            reap()
            time.sleep(0.0005)


def bubblewrap(
    config: dict[str, Any],
    root: str,
    request: dict[str, Any],
    bash: tuple[str, ...],
    filtered: bool,
    *,
    session: bool = True,
) -> list[str]:
    """Return the command line of bubblewrap with a bash in it.

    Args:
        config: See `Keeper`.
        root: The mounted overlay.
        request: `user` and `environment`.
        bash: The arguments of bash.
        filtered: Whether descriptor 7 holds a filter of system calls.
        session: Whether bash gets a session of its own, away from any terminal.
    """
    user = str(request["user"])
    arguments = [config["bwrap"], "--bind", root, "/", "--ro-bind", "/usr", "/usr"]
    if os.path.isdir("/usr/local"):
        # What the host's owner has put there is its own.
        arguments += ["--tmpfs", "/usr/local", "--remount-ro", "/usr/local"]
    arguments += ["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"]
    arguments += ["--dev", "/dev", "--size", str(16 << 20), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    arguments += ["--proc", "/proc", "--unshare-all", "--unshare-user", "--uid", user, "--gid", user]
    arguments += ["--cap-drop", "ALL", "--die-with-parent", "--disable-userns", "--hostname", "sim"]
    arguments += ["--clearenv", *(["--new-session"] if session else []), *(["--seccomp", "7"] if filtered else [])]
    for name, value in request["environment"].items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--chdir", "/", "/usr/bin/bash", *bash]


def become(arguments: list[str], config: dict[str, Any], places: dict[int, int], *, terminal: bool = False) -> None:
    """Turn this forked child into bubblewrap; does not return.

    Args:
        arguments: Its command line.
        config: See `Keeper`.
        places: The descriptors that it keeps, by the numbers that they get; -1 for none. Standard input is empty unless
            it is among them.
        terminal: Whether standard input is a terminal, which becomes that of a session of its own.
    """
    try:
        ends = {0: os.open("/dev/null", os.O_RDWR), **places}
        # First out of the way of the numbers that they are to have.
        moved = {number: fcntl.fcntl(end, fcntl.F_DUPFD, 300) for number, end in ends.items() if end >= 0}
        for number, descriptor in moved.items():
            os.dup2(descriptor, number)
        kept = sorted({*moved, 0, 1, 2})
        for number, following in zip(kept, [*kept[1:], 1024], strict=True):
            os.closerange(number + 1, following)
        if terminal:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        for name, value in config["rlimits"].items():
            resource.setrlimit(getattr(resource, name), (value, value))
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        # With no environment at all: commands inside can read bubblewrap's own in /proc/1.
        os.execve(arguments[0], arguments, {})
    except OSError as error:
        os.write(1, f"the sandbox cannot be started: {error}".encode())
    finally:
        os._exit(127)


def pipe_with(data: bytes) -> int:
    """Return the reading end of a pipe that holds some data."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    return reading


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, however much the descriptor takes at once."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read_some(descriptor: int) -> bytes:
    """Read what is there; nothing if there is nothing."""
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return b""


def send(pid: int, number: int) -> None:
    """Send a signal to a process, if it is still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def reap() -> None:
    """Wait for children that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def _private_memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            fields = file.read().split()
    except OSError:
        return 0
    return (int(fields[1]) - int(fields[2])) * resource.getpagesize()

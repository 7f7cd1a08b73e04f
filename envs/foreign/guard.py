"""The process between pathei and a child: it ends the child with all that it started, however either of them ends.

`python -I -S guard.py DESCRIPTOR COMMAND...` starts the command with DESCRIPTOR as its descriptor 3, writes its process
id to standard output, and waits until the command has ended or standard input is closed, which happens when the parent
closes it and when the parent dies. Then it kills every process that descends from the command, those of another session
too (on Linux they become children of this one when their own parent is gone), and writes the command's exit status. If
this process is itself killed, the kernel kills the command. It uses the standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from pathlib import Path

_LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE_S = 5.0
"""How long it waits for killed processes to be gone, in seconds."""


def main(descriptor: int, command: list[str]) -> None:
    """Start the command, wait for its end or that of the parent, and leave nothing running."""
    if _LINUX:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    child = _start(descriptor, command)
    os.close(descriptor)
    _say(child)
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(woken, select.POLLIN)
    status: int | None = None
    while status is None:
        ready = [one for one, _ in poll.poll()]
        if 0 in ready:
            break
        os.read(woken, 4096)
        status = _reap(child)
    killed = _end_all(child)
    _say(next((one for one in (status, killed) if one is not None), -signal.SIGKILL))
    if not _LINUX:
        os.killpg(0, signal.SIGKILL)


def _start(descriptor: int, command: list[str]) -> int:
    """Return the id of a process that has become the command."""
    guard = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        if _LINUX:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(1)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        if descriptor == 3:
            os.set_inheritable(3, True)
        else:
            os.dup2(descriptor, 3)
            os.close(descriptor)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _reap(child: int) -> int | None:
    """Collect every process that has ended; return the exit status of the command if it is one of them."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while True:
            ended, how = os.waitpid(-1, os.WNOHANG)
            if ended == 0:
                break
            if ended == child:
                status = os.waitstatus_to_exitcode(how)
    return status


def _end_all(child: int) -> int | None:
    """Kill the children until there are none, those that become children meanwhile too."""
    status = None
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        for one in _children() if _LINUX else [child]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        try:
            ended, how = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if ended == child:
            status = os.waitstatus_to_exitcode(how)
        elif ended == 0:
            time.sleep(0.002)
    return status


def _children() -> list[int]:
    """Return the ids of the processes whose parent this one is."""
    me, found = str(os.getpid()), []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                # The name of a program, in parentheses, may hold anything: what follows it is the state and the parent.
                after = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if after[1] == me:
                    found.append(int(folder.name))
    return found


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _say(number: int) -> None:
    with contextlib.suppress(OSError):
        os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])

"""Stands between Python and the browser, so that neither outlives the other: run as a script, never imported.

    python -I -S keeper.py PROFILE PARENT READ WRITE PROGRAM [ARGUMENT ...]

It starts the program in a process group of its own, hands it the file descriptors READ and WRITE as 3 and 4 (where the
browser reads and writes its protocol), and waits until the program ends, its own standard input closes, or its parent
is no longer PARENT (killed, even with -9). Then it kills the whole group and removes the profile directory. Standard
library only.
"""

import contextlib
import ctypes
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys

_LOOK_S = 0.5
"""How often the parent is looked for: a forked sibling may hold our standard input open after the parent is gone."""

_PR_SET_CHILD_SUBREAPER = 36
"""From `linux/prctl.h`: orphans below us become our children, so that we can wait for them."""


def keep(profile: str, parent: int, pipe: tuple[int, int], command: list[str]) -> int:
    """Run the program until it, or its owner, is gone; return its exit status."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Out of the way first: either of them may be 3 or 4 already.
    away = [fcntl.fcntl(end, fcntl.F_DUPFD, 16) for end in pipe]
    for end in {*pipe} - {3, 4}:
        os.close(end)
    for place, end in zip((3, 4), away, strict=True):
        os.dup2(end, place)
        os.close(end)
    browser = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(3, 4), start_new_session=True)
    os.close(3)
    os.close(4)
    ended = os.pidfd_open(browser.pid)
    watched = [sys.stdin.fileno(), ended]
    while os.getppid() == parent and not select.select(watched, [], [], _LOOK_S)[0]:
        pass
    # The group may hold children even where the browser itself has ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(browser.pid, signal.SIGKILL)
    status = browser.wait()
    # Its children are ours now; waiting for each leaves not even a zombie, and nobody who writes into the profile.
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    shutil.rmtree(profile, ignore_errors=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    for _signal in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A Ctrl-C at the terminal reaches the whole foreground group; Python decides when the browser ends.
        signal.signal(_signal, signal.SIG_IGN)
    _profile, _parent, _read, _write, *_command = sys.argv[1:]
    sys.exit(keep(_profile, int(_parent), (int(_read), int(_write)), _command))

"""An environment for the tests of foreign runtimes: it counts, and misbehaves when an action asks for it.

It is run by a child, perhaps of Python 3.8, so it imports nothing but the standard library.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any


class Box:
    """A space like gymnasium's, as the child has none."""

    def __init__(self, n: Any) -> None:
        self.n = n


class Discrete:
    """A space like gymnasium's."""

    def __init__(self, n: Any) -> None:
        self.n, self.start = n, 0


class Text:
    """A space like gymnasium's."""

    max_length = 1000


class Counting:
    """Counts its steps; the observation is the count, and an action is a word."""

    observation_space = Discrete(1000)
    action_space = Text()

    def __init__(self, first: Any, channel: Any) -> None:
        self.first, self.channel, self.count = first, channel, 0

    def reset(self, seed: Any = None, options: Any = None) -> Any:
        """Count from the seed on."""
        self.count = self.first + (seed or 0)
        return self.count, {"pid": os.getpid(), "options": options}

    def step(self, action: Any) -> Any:
        """Count, or do what the word says."""
        name, _, value = action.partition(" ")
        getattr(self, "act_" + name)(value)
        self.count += 1
        return self.count, 0.5, False, False, {"object": self, "count": self.count}

    def act_count(self, _: Any) -> None:
        """Nothing but the counting."""

    def act_hang(self, _: Any) -> None:
        """Take too long."""
        time.sleep(600)

    def act_raise(self, message: Any) -> None:
        """Fail."""
        raise ValueError(message)

    def act_exit(self, status: Any) -> None:
        """End the process."""
        os._exit(int(status))

    def act_kill(self, number: Any) -> None:
        """End the process by a signal."""
        os.kill(os.getpid(), int(number))

    def act_print(self, size: Any) -> None:
        """Write much to standard output and standard error."""
        for stream in (sys.stdout, sys.stderr):
            stream.write("noise\n" * int(size) + "the last words\n")
            stream.flush()

    def act_babble(self, text: Any) -> None:
        """Write onto the channel without being asked."""
        os.write(self.channel(), text.encode())
        time.sleep(600)

    def act_start(self, how: Any) -> None:
        """Start a process that goes on: in this session, in another one, as an orphan, or one that always starts."""
        if how == "starting":
            again = 'exec sh -c "$0" "$0"'
            subprocess.Popen(["sh", "-c", again, again], start_new_session=True)
        elif how == "orphan":
            subprocess.run(["sh", "-c", "setsid sleep 600 & exit 0"], check=True)
        else:
            subprocess.Popen(["sleep", "600"], start_new_session=how == "session")

    def snapshot(self) -> Any:
        """Return the state."""
        return {"count": self.count}

    def restore(self, state: Any) -> None:
        """Go back."""
        self.count = state["count"]

    def close(self) -> None:
        """Nothing to do."""


def make(first: Any = 0, spaces: Any = "known") -> Any:
    """Make the environment; it knows which descriptor is the channel."""
    if spaces == "unknown":
        Counting.observation_space = Box(3)
        Counting.observation_space.__class__.__name__ = "Graph"
    sockets = [fd for fd in range(3, 30) if _is_socket(fd)]
    return Counting(first, lambda: sockets[0])


def _is_socket(fd: Any) -> Any:
    try:
        return os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")
    except OSError:
        return False

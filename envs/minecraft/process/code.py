"""Actions that are programs: an `async function (bot)` as Voyager's agents write it, run in a sandbox.

The program runs in a node process of its own under bubblewrap, without network and without files but the system's own.
What it does to the world it asks for, action by action; so it can do what an agent can do in words, and no more. A
program that neither acts nor ends is killed, and the world stands where the last action left it. Not here: the realm
that the program sees (`server/code.js`).
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from .game import SERVER, Acted, Seen

_IDLE_S: Final = 10.0
_MOST: Final = 60
"""The most actions of one program."""
_LINE: Final = 1 << 20
_CHATS: Final = 20
_NEEDED: Final = "a program needs bubblewrap: apt-get install bubblewrap"


class ProgramResult(NamedTuple):
    """What a program led to."""

    seen: Seen
    failed: str | None
    """Why it ended before its end; None if it did not."""
    said: tuple[str, ...]
    """What it wrote into the chat, and what happened meanwhile."""


def is_program(action: str) -> bool:
    """Return whether an action is a program: `"async function f(bot) { ... }"`."""
    return action.lstrip().startswith("async function")


def run_program(source: str, seen: Seen, act: Callable[[str], Acted], *, idle_s: float = _IDLE_S) -> ProgramResult:
    """Run a program.

    Args:
        source: Its text.
        seen: What is perceived now.
        act: Does an action in words.
        idle_s: How long it may take from one action to the next, in seconds.
    """
    command = sandboxed()
    if command is None:
        return ProgramResult(seen, _NEEDED, ())
    said: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            talk = _Talk(process, idle_s)
            talk.write({"source": source})
            for _ in range(2 * _MOST + _CHATS):
                asked = talk.read()
                if asked.get("done"):
                    return ProgramResult(seen, _text(asked.get("error")), tuple(said))
                reply: dict[str, Any] = {}
                if "say" in asked:
                    said.append(f"[{str(asked['say'])[:200]}]")
                elif "do" in asked:
                    acted = act(str(asked["do"]))
                    seen = acted.seen
                    said += seen["news"]
                    reply = {"error": acted.refused or acted.failed}
                talk.write({"seen": seen, **reply})
            return ProgramResult(seen, f"the program asked for more than {_MOST} actions", tuple(said))
        except (OSError, ValueError) as error:
            return ProgramResult(seen, str(error) or "the program ended without a word", tuple(said))
        finally:
            process.kill()


class _Talk:
    """Lines of JSON to and from the program's process."""

    def __init__(self, process: subprocess.Popen[bytes], idle_s: float) -> None:
        self._idle_s = idle_s
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self._held = b""
        os.set_blocking(self._out.fileno(), False)

    def write(self, message: object) -> None:
        self._in.write(json.dumps(message).encode() + b"\n")
        self._in.flush()

    def read(self) -> dict[str, Any]:
        """Return the next line.

        Raises:
            ValueError: it does not come in time, is too long, or is none.
        """
        deadline = time.monotonic() + self._idle_s
        while b"\n" not in self._held:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._out], [], [], left)[0]:
                raise ValueError(f"the program did nothing for {self._idle_s:g} seconds and was ended")
            piece = self._out.read(1 << 16)
            if piece == b"":
                raise ValueError("the program ended its own process")
            self._held += piece or b""
            if len(self._held) > _LINE:
                raise ValueError("the program asked for something too long")
        line, _, self._held = self._held.partition(b"\n")
        asked = json.loads(line)
        if not isinstance(asked, dict):
            raise ValueError("the program asked for what is no action")
        return asked


def _text(error: object) -> str | None:
    return None if error is None else " ".join(str(error).split())[:300].rstrip(".")


def sandboxed() -> list[str] | None:
    """Return the command that runs a program without network and files; None where bubblewrap is missing."""
    bubblewrap, node = shutil.which("bwrap"), shutil.which("node")
    if bubblewrap is None or node is None:
        return None
    home = Path(node).resolve().parent.parent
    places = dict.fromkeys(["/usr", str(home)])
    binds = [word for place in places for word in ("--ro-bind", place, place)]
    links = [word for name in ("lib", "lib64", "bin") for word in ("--symlink", f"usr/{name}", f"/{name}")]
    return [
        bubblewrap, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", *binds, *links,
        "--proc", "/proc", "--dev", "/dev", "--ro-bind", str(SERVER / "code.js"), "/program/code.js",
        "--chdir", "/program", str(Path(node).resolve()), "--max-old-space-size=256", "/program/code.js",
    ]  # fmt: skip

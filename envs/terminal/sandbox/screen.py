"""A sandbox whose shell may be on a terminal of a fixed size: keys are typed, and what appears is returned.

At a prompt it can be frozen as any sandbox can. What was typed since the prompt is part of a frozen moment and is typed
again when it is restored. Where a program runs, freezing is refused. Not here: what the screen looks like (`emulator`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ....errors import SnapshotError, WorldError
from .sandbox import Frozen, Limits, Sandbox, ShellState, as_text, lasting


class Appeared(NamedTuple):
    """The result of typing."""

    output: bytes
    """What was written to the terminal; its end, if it was very long."""
    stopped: str
    """Which limit ended a program; see `Ran`."""
    running: tuple[str, ...]
    """The programs in the foreground; none at a prompt."""


class ScreenSandbox(Sandbox):
    """A `Sandbox` that starts shells on a terminal once `screen` is set, and without one where it is None."""

    def __init__(self, limits: Limits | None = None) -> None:
        """Start the keeper; see `Sandbox`."""
        super().__init__(limits)
        self.screen: tuple[int, int] | None = None
        """The columns and lines of the next shell's terminal."""
        self.first = b""
        """What the shell wrote before its first prompt was used."""
        self._shell = ShellState("", "/")
        self._prompts, self._unclear = 0, False
        self._running: tuple[str, ...] = ()
        self._background: tuple[str, ...] = ()

    def extras(self, shell: ShellState) -> dict[str, Any]:
        """Return what the keeper needs for a shell on a terminal."""
        self._shell = shell
        keys = shell.keys.decode("latin-1")
        return {"screen": self.screen, "history": shell.history, "keys": keys} if self.screen else {}

    def started(self, answer: Mapping[str, Any]) -> None:
        """Take in what the keeper answered about a new shell.

        Raises:
            WorldError: it did not start.
        """
        if self.screen is None:
            return super().started(answer)
        if answer["report"] is None:
            raise WorldError(f"The shell does not start: {answer['output'].strip() or 'no reason was given'}.")
        self.first = answer["output"].encode("latin-1")
        self._running, self._prompts, keys = (), 0, self._shell.keys
        self._note(answer, b"")
        self._shell = self._shell._replace(keys=keys)
        return None

    def type(self, parts: Sequence[bytes], *, least: float = 0.0) -> Appeared:
        """Type keys, and wait after each part until nothing moves any more; a shell that ended is replaced.

        Args:
            parts: The bytes that a terminal would send, divided after keys that may begin or end a program.
            least: Wait this long, in seconds, for the first output.
        """
        self.wake()
        left, output, stopped = self.limits.seconds, b"", ""
        for keys in parts or (b"",):
            begin = time.monotonic()
            text = keys.decode("latin-1")
            answer = self.ask(do="type", keys=text, seconds=left, least=least, patience=left + 30)
            self.changed(answer["entries"])
            written = answer["output"].encode("latin-1")
            output = written[written.find(b"\n") + 1 :] if answer["cut"] else output + written
            stopped = answer["stopped"]
            if answer["report"] is None:
                self.replace_shell()
                self.wake()
                return Appeared(output + b"\r\n" + self.first, stopped, ())
            self._note(answer, keys)
            left -= time.monotonic() - begin
            if stopped:
                break
            left = max(left, 0.5)
        return Appeared(output, stopped, self._running)

    def state_of(self, answer: Mapping[str, Any]) -> ShellState:
        """Return what the shell remembered at its last prompt, and what was typed since.

        Raises:
            SnapshotError: a program runs.
        """
        if self.screen is None:
            return super().state_of(answer)
        if self._running or self._background:
            where = "in the foreground" if self._running else "in the background"
            names = ", ".join(dict.fromkeys(self._running or self._background))
            raise SnapshotError(
                f"The terminal cannot be saved while a program runs {where} ({names}): leave it first, or wrap the "
                "environment in VerifiedReplay."
            )
        if self._unclear:
            raise SnapshotError("The terminal cannot be saved, as it is not known what is on its line: press Enter.")
        return self._shell

    def freeze(self) -> Frozen:
        """Freeze the present moment, at a prompt; see `Sandbox`.

        Raises:
            SnapshotError: a program runs, or the layers that are kept take too much memory.
        """
        return super().freeze()

    def is_at(self, frozen: Frozen) -> bool:
        """Whether the present moment is this one already."""
        return not (self._running or self._background) and super().is_at(frozen)

    def _note(self, answer: Mapping[str, Any], keys: bytes) -> None:
        """Note the state that bash reported at its prompt, and what was typed since, as far as that is known."""
        ran, report = bool(self._running), answer["report"]
        self._running, self._background = tuple(answer["running"]), tuple(answer["background"])
        if answer["prompts"] == self._prompts:
            self._shell = self._shell._replace(keys=self._shell.keys + keys)
            return
        self._prompts = answer["prompts"]
        cwd = self.cwd = as_text(report["cwd"])
        self._shell = ShellState(lasting(report["state"]), cwd, report["history"])
        # Of what was typed to a program, some may have been left for the shell.
        self._unclear = ran and len(keys) > 1 and keys[-1:] != b"\r" and answer["output"].rstrip()[-1:] not in "$#"

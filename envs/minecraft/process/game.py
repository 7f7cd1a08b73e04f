"""The node process with its worlds, as Python sees it: what is installed, begin a world, act, save and go back.

The process holds the embedded world, or plays on a server of the user's. Not here: goals, words and rewards (`env`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from ....errors import ForeignRuntimeError, SnapshotError
from ...contract import Requirement
from ...foreign import ForeignRuntime
from ...foreign.install import Runtime, RuntimeBuilder
from ..rules import GameRules
from .remote import GameServer

SERVER: Final = Path(__file__).parents[1] / "server"
"""The node part."""
_PACKAGES: Final = ("package.json", "package-lock.json")
_DEBIAN: Final = "apt-get install nodejs npm"
_OLDEST_NODE: Final = 18

_RESET_S: Final = 120.0
_STEP_S: Final = 300.0
"""An action may last minutes of the game; in the worst case these take as long."""

Seen = Mapping[str, Any]
"""What the bot perceives, as `server/bot/observe.js` writes it."""


def build(builder: RuntimeBuilder) -> None:
    """Install node's packages as the lockfile has them."""
    for name in _PACKAGES:
        shutil.copyfile(SERVER / name, builder.folder / name)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-progress")
    builder.run("install node's packages by lockfile (about 500 MB)", "npm", "ci", *quiet)


RUNTIME: Final = Runtime(
    name="minecraft",
    what="The Minecraft world",
    version=hashlib.sha256((SERVER / _PACKAGES[1]).read_bytes()).hexdigest()[:16],
    build=build,
)
"""What `pathei env install minecraft` installs."""


def check_minecraft() -> Sequence[Requirement]:
    """Look for node, npm and the packages."""
    node, npm = shutil.which("node"), shutil.which("npm")
    version = _version_of(node) if node else ""
    new = version.partition(".")[0].removeprefix("v")
    enough = new.isdecimal() and int(new) >= _OLDEST_NODE
    return [
        Requirement(f"node {_OLDEST_NODE} or newer", enough, f"{node} {version}" if enough else _DEBIAN),
        Requirement("npm, to install with", npm is not None, npm or _DEBIAN, required=False),
        RUNTIME.requirement(),
    ]


def _version_of(node: str) -> str:
    """Return what node says of itself: `"v20.20.2"`; empty where it cannot be run."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip()


def start(server: GameServer | None = None) -> ForeignRuntime:
    """Start the node process: with the embedded world, or as a player on a server.

    Raises:
        InstallError: it is not installed.
        ForeignRuntimeError: it does not start.
    """
    modules = str(RUNTIME.require() / "node_modules")
    command = ["node", str(SERVER / "main.js")]
    if server is not None:
        command = ["node", str(SERVER / "remote.js"), json.dumps(server._asdict())]
    return ForeignRuntime(command, env={"NODE_PATH": modules}, name="The Minecraft world")


class Acted(NamedTuple):
    """What an action led to."""

    seen: Seen
    """What the bot that acted perceives."""
    refused: str | None
    """Why the rules do not allow it; nothing changed then."""
    failed: str | None
    """Why it was tried in vain."""
    team: tuple[Seen, ...] = ()
    """What every bot perceives."""


class SavedWorld:
    """A moment of a world, kept in the node process until this object is forgotten."""

    __slots__ = ("__weakref__", "number", "runtime")

    def __init__(self, runtime: ForeignRuntime, number: int, forgotten: list[int]) -> None:
        """Remember where it is kept."""
        self.runtime, self.number = runtime, number
        weakref.finalize(self, forgotten.append, number).atexit = False


class MinecraftGame:
    """One node process, started when it is needed and again when it is gone."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._runtime: ForeignRuntime | None = None
        self._rules: GameRules | None = None
        self._server: GameServer | None = None
        self._forgotten: list[int] = []
        self._stands: tuple[ForeignRuntime, int, Mapping[str, Any]] | None = None

    @property
    def rules(self) -> GameRules:
        """The rules by which worlds run.

        Raises:
            InstallError, ForeignRuntimeError: the process cannot be started.
        """
        self._running()
        assert self._rules is not None
        return self._rules

    @property
    def pid(self) -> int:
        """The process id of node."""
        return self._running().pid

    @property
    def server(self) -> GameServer | None:
        """The server that is played on; None for the embedded world."""
        return self._server

    def play_on(self, server: GameServer | None) -> None:
        """Play on a server from the next `begin` on, or in the embedded world."""
        if server != self._server:
            self.close()
            self._server = server

    def begin(self, world: int, options: Mapping[str, Any]) -> tuple[Seen, ...]:
        """Begin a world, and return what each bot in it perceives.

        One that was begun lately comes back from what is kept of it. A server's is as it is.

        Raises:
            InstallError, ForeignRuntimeError: the process cannot be started, or does not answer.
        """
        running, self._stands = self._running(), None
        team: list[Seen] = running.call("reset", {"seed": world, "options": dict(options)}, _RESET_S)
        self._stands = (running, world, dict(options))
        return tuple(team)

    def stands(self, world: int, options: Mapping[str, Any]) -> bool:
        """Return whether the world that is played was begun so, by the process that runs."""
        runtime = self._runtime
        return runtime is not None and runtime.running and self._stands == (runtime, world, dict(options))

    def act(self, action: str, bot: int = 0) -> Acted:
        """Let a bot do what a sentence asks for.

        Raises:
            ForeignRuntimeError: the process is gone, or does not answer.
        """
        reply = self._begun().call("step", {"action": action, "bot": bot}, _STEP_S)
        team = tuple(reply["seen"])
        return Acted(team[bot], reply.get("refused"), reply.get("failed"), team)

    def frame(self, bot: int, height: int, width: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return what a bot sees as a picture, uint8, shape `[height, width, 3]`; see `server/bot/frame.js`.

        Raises:
            ForeignRuntimeError: the process is gone, or does not answer.
        """
        said = self._begun().call("frame", {"bot": bot, "height": height, "width": width}, _STEP_S)
        return np.frombuffer(base64.b64decode(said), np.uint8).reshape(height, width, 3)

    def hold(self, ticks: int, held: Mapping[str, Any]) -> Any:
        """Hold keys and buttons for a number of ticks, as `server/bot/hands.js` says, and return what is seen then.

        Raises:
            ForeignRuntimeError: the process is gone, or does not answer.
        """
        return self._begun().call("hold", {"count": ticks, **held}, _STEP_S)

    def call(self, name: str, **args: Any) -> Any:
        """Ask something else of the process; for benchmarks and tests.

        Raises:
            ForeignRuntimeError: it is gone, refuses, or does not answer.
        """
        return self._begun().call(name, args, _STEP_S)

    def save(self) -> SavedWorld:
        """Return the present moment.

        Raises:
            SnapshotError: it is a server's world.
        """
        self.require_saving()
        runtime = self._begun()
        forgotten, self._forgotten[:] = list(self._forgotten), []
        return SavedWorld(runtime, runtime.call("snapshot", {"forget": forgotten}), self._forgotten)

    def require_saving(self) -> None:
        """Check that moments can be saved here.

        Raises:
            SnapshotError: it is a server's world.
        """
        if self._server is not None:
            raise SnapshotError(
                f"The Minecraft server at {self._server} cannot be taken back to an earlier moment, as a search needs "
                "it: search in the embedded world, without the option 'server'."
            )

    def go_back(self, saved: SavedWorld) -> None:
        """Go back to a moment.

        Raises:
            SnapshotError: the process that kept it is gone.
        """
        if saved.runtime is not self._runtime or not saved.runtime.running:
            raise SnapshotError(
                "The process that kept this moment of the Minecraft world is gone: reset, and begin again."
            )
        saved.runtime.call("restore", {"snapshot": saved.number})

    def close(self) -> None:
        """End the process."""
        if self._runtime is not None:
            self._runtime.close()
            self._runtime = None

    def _begun(self) -> ForeignRuntime:
        if self._runtime is None or not self._runtime.running:
            raise ForeignRuntimeError("The Minecraft world is gone: reset begins another.")
        return self._runtime

    def _running(self) -> ForeignRuntime:
        if self._runtime is None or not self._runtime.running:
            self.close()
            self._runtime, self._forgotten = start(self._server), []
            self._rules = GameRules(self._runtime.call("make", {}, _RESET_S))
        return self._runtime

"""A server of the user's as the options of an episode name it. Not here: playing on it (`game`, `server/remote.js`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ....errors import ConfigError

SERVER_OPTIONS: Final = ("server", "username", "version", "account")
"""The options that say where one plays, and as whom."""
_PORT: Final = 25_565
_ADDRESS: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/]+)(?::(?P<port>\d{1,5}))?")
_NAME: Final = re.compile(r"\w{1,16}", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")
_VERSION: Final = re.compile(r"\d+(\.\d+){1,2}")


class GameServer(NamedTuple):
    """Where one plays over TCP, and as whom."""

    host: str
    port: int
    username: str = "pathei"
    """The player's name on a server in offline mode."""
    version: str | None = None
    """The version of the protocol; None to ask the server."""
    account: str | None = None
    """The e-mail address of the user's own account; None for a server in offline mode."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def read_server(given: Mapping[str, Any]) -> GameServer | None:
    """Return the server that options name; None where they name none, and the world is the embedded one.

    Raises:
        ConfigError: an option has no possible value, or has a meaning only with a server.
    """
    address = given.get("server")
    named = {name: given[name] for name in SERVER_OPTIONS[1:] if given.get(name) is not None}
    if address is None:
        if named:
            raise ConfigError(f"The option {next(iter(named))!r} of the Minecraft world goes with the option 'server'.")
        return None
    found = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    port = int(found["port"] or _PORT) if found else 0
    if found is None or not 0 < port < 65_536:
        raise ConfigError(f"The option 'server' of the Minecraft world is HOST:PORT, not {address!r}.")
    for name, form, meant in (
        ("username", _NAME, "a player's name, 1 to 16 letters, digits and underscores"),
        ("version", _VERSION, "a version of Minecraft, such as '1.20.4'"),
        ("account", _EMAIL, "an e-mail address"),
    ):
        if name in named and not (isinstance(named[name], str) and form.fullmatch(named[name])):
            raise ConfigError(f"The option {name!r} of the Minecraft world is {meant}, not {named[name]!r}.")
    return GameServer(found["host"].strip("[]"), port, **named)

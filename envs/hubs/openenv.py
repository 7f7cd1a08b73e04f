"""The environment of an OpenEnv server: `pathei/OpenEnv-v0`, `--env openenv:http://127.0.0.1:8000`.

It is a client of OpenEnv's WebSocket, in the messages of OpenEnv 0.10; every environment has a session of its own.
`reset` passes the seed on, and the reward is the server's. An observation with a `text` is that text; any other is
its JSON. Where an action has one field, a text, the agent's words are it; else they are a JSON object with its fields.
`actions`, `success` and `goal` of an observation are used as pathei's own server sends them. Not here: images, the
server's `state`, and its tools for agents.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from ...errors import ConfigError, WorldError
from ...experience import Goal, Task
from ...extras import needed_by
from ..contract import Requirement
from ..registry import NO_GOAL
from ..text_env import TextEnv, explain, require_reset

ENV: Final = "pathei/OpenEnv-v0"
_ANSWER_S: Final = 300.0
"""How long a server may take for an answer, in seconds."""
_REFUSED: Final = frozenset({"VALIDATION_ERROR", "EXECUTION_ERROR"})
"""What a server answers to an action that it does not take; the session goes on."""


class OpenEnvForm(NamedTuple):
    """What a server says of its actions and observations."""

    fields: Mapping[str, str]
    """The fields of an action, each with its type in words."""
    text: str
    """The one field that an action needs, if that is a text; else empty."""
    goals: bool
    """Whether observations name a goal."""


class OpenEnvEnv(TextEnv[str]):
    """An episode on an OpenEnv server.

    Options of `reset`: `url`, the server's address; and `goal`, which only the agent reads.
    """

    title = "OpenEnv"
    option_names = ("url", "goal")

    def __init__(self, *, render_mode: str | None = None, **defaults: Any) -> None:
        """Create the environment; options given here are the defaults of `reset`, which connects to the server."""
        super().__init__(render_mode=render_mode, defaults=defaults)
        self._url = ""
        self._socket: Any = None
        self._form = OpenEnvForm({}, "", False)
        self._seen: Mapping[str, Any] | None = None
        self._error = ""
        self._over = False

    @property
    def goal(self) -> Goal:
        """The goal that the last observation names; that of tasks without one if it names none."""
        text = require_reset(self._seen).get("goal")
        return Goal(text) if isinstance(text, str) and text else NO_GOAL

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode with the server's `reset`; without a seed, one follows from the last.

        Raises:
            ConfigError: an option is not known, or the address is none.
            MissingDependencyError: websockets is not installed.
            WorldError: the server does not answer, or refuses.
        """
        given = self.begin(seed, options)
        self.connect(given.get("url"))
        seed = int(self.np_random.integers(2**31)) if seed is None else seed
        self._take(self._ask("reset", {"seed": seed}))
        return self.text(), self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Send an action; one that the server does not take is explained, and changes nothing here.

        Raises:
            WorldError: the server does not answer any more.
        """
        require_reset(self._seen)
        data, self._error = self._data(action), ""
        reward = 0.0
        if self._over:
            self._error = "the episode is over"
        elif data is None:
            self._error = f"{action!r} is not an action; write {self._wanted()}"
        else:
            answer = self._ask("step", data)
            if answer.get("code") in _REFUSED:
                self._error = _reason(answer)
            else:
                self._take(answer)
                reward = float(answer.get("reward") or 0.0)
        return self.text(), reward, self._over, False, self._info()

    def text(self) -> str:
        """Return the last observation, and how to write an action where that is not just words."""
        seen = require_reset(self._seen)
        text = seen.get("text")
        if not isinstance(text, str):
            text = json.dumps({key: value for key, value in seen.items() if key != "metadata" or value})
        hint = "" if self._form.text else f"\nAn action is {self._wanted()}."
        return explain(self._error or None, text + hint)

    def connect(self, url: object) -> OpenEnvForm:
        """Connect to a server, unless it is connected to already, and return what it says of its form.

        Raises:
            ConfigError: the address is none.
            MissingDependencyError: websockets is not installed.
            WorldError: no OpenEnv server answers there.
        """
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
            raise ConfigError(f"An OpenEnv server has an address such as http://127.0.0.1:8000, not {url!r}.")
        if self._socket is not None and url == self._url:
            return self._form
        self.close()
        with needed_by("An OpenEnv server as environment", "openenv"):
            from websockets.exceptions import WebSocketException
            from websockets.sync.client import connect
        parts = urlsplit(url.rstrip("/"))
        try:
            with urllib.request.urlopen(f"{urlunsplit(parts)}/schema", timeout=_ANSWER_S) as answer:
                self._form = _read_form(json.load(answer))
            where = parts._replace(scheme=parts.scheme.replace("http", "ws"), path=f"{parts.path}/ws")
            self._socket = connect(urlunsplit(where), max_size=None, open_timeout=_ANSWER_S)
        except (OSError, ValueError, WebSocketException) as error:
            raise WorldError(f"No OpenEnv server answers at {url} ({error}).") from error
        self._url = url
        return self._form

    def close(self) -> None:
        """End the session."""
        socket, self._socket, self._seen = self._socket, None, None
        if socket is not None:
            socket.close()

    def _ask(self, kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a message and return the data of the answer; of an error, what `_REFUSED` allows."""
        from websockets.exceptions import WebSocketException

        try:
            self._socket.send(json.dumps({"type": kind, "data": data}))
            answer = json.loads(self._socket.recv(timeout=_ANSWER_S))
            said, found = answer["type"], dict(answer["data"])
        except (OSError, ValueError, LookupError, TypeError, WebSocketException) as error:
            self.close()
            raise WorldError(f"The OpenEnv server at {self._url} does not answer any more ({error!r}).") from error
        if said == "error" and (kind != "step" or found.get("code") not in _REFUSED):
            self.close()
            raise WorldError(f"The OpenEnv server at {self._url} refuses ({found.get('message')}).")
        return found

    def _take(self, answer: Mapping[str, Any]) -> None:
        observation = answer.get("observation")
        self._seen = observation if isinstance(observation, Mapping) else {"observation": observation}
        self._over, self._error = bool(answer.get("done")), ""

    def _data(self, action: str) -> dict[str, Any] | None:
        """Return an action as the server takes it; None if the words are none."""
        if self._form.text:
            return {self._form.text: action}
        try:
            found = json.loads(action)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _wanted(self) -> str:
        fields = ", ".join(f'"{name}" ({kind})' for name, kind in self._form.fields.items())
        return f"a JSON object with {fields or 'no fields'}"

    def _info(self) -> dict[str, Any]:
        seen = require_reset(self._seen)
        info: dict[str, Any] = {"error": self._error} if self._error else {}
        if isinstance(seen.get("success"), bool):
            info["success"] = seen["success"]
        actions = seen.get("actions")
        if isinstance(actions, list) and all(isinstance(action, str) for action in actions):
            info["actions"] = tuple(actions)
        return info


def _reason(answer: Mapping[str, Any]) -> str:
    """Return why a server refused, in one line; for an action of another form, what is wrong with each field."""
    wrong = [
        f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg', '')}"
        for one in answer.get("errors") or ()
        if isinstance(one, Mapping)
    ]
    return " ".join("; ".join([str(answer.get("message", "")), *wrong]).split()).rstrip(".")


def _read_form(schema: Mapping[str, Any]) -> OpenEnvForm:
    """Read what `/schema` answers."""
    action, observation = schema["action"], schema["observation"]
    wanted = {name: part for name, part in action.get("properties", {}).items() if name != "metadata"}
    required = [name for name in action.get("required", ()) if name in wanted]
    fields = {
        name: f"{part.get('type', 'any value')}{'' if name in required else ', may be left out'}"
        for name, part in wanted.items()
    }
    alone = required or list(wanted)
    text = alone[0] if len(alone) == 1 and wanted[alone[0]].get("type") == "string" else ""
    return OpenEnvForm(fields, text, "goal" in observation.get("properties", {}))


def generate_tasks(n: int, seed: int, *, address: str | None = None) -> Iterator[Task]:
    """Return `n` tasks of a server, whose seeds count from `seed` on; where it names goals, each is asked for.

    Raises:
        ConfigError: the address is none.
        WorldError: no OpenEnv server answers there.
    """
    env = OpenEnvEnv()
    try:
        named = env.connect(address).goals
        for number in range(seed, seed + n):
            if named:
                env.reset(seed=number, options={"url": address})
            yield Task(f"openenv:{address}/{number}", ENV, number, env.goal if named else NO_GOAL, {"url": address})
    finally:
        env.close()


def check_openenv() -> list[Requirement]:
    """Look for what the client needs; servers are not asked."""
    return [Requirement.packages("websockets", "websockets", extra="openenv")]

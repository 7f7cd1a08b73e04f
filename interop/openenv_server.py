"""An environment over the wire protocol of OpenEnv: its clients play it, each connection in a session of its own.

`/ws` takes OpenEnv's messages `reset`, `step`, `state`, `close` and `mcp`, as OpenEnv 0.10 has them. The first four are
for the program that trains an agent; an agent's tools are what `mcp` lists: `look`, `act` and `finish`, which cannot
reset anything. `/health`, `/metadata` and `/schema` are there as well. `reset` takes a `seed`, which counts through the
tasks, or the id of a `task`. Every session has a thread of its own.

Not here: `POST /reset` and `/step`, which have no session; access from other machines, which would need authentication.
"""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from ..errors import ConfigError, PatheiError, WorldError
from ..experience import Json, Task
from ..extras import needed_by
from ..mcp_serving import check_port
from ..store import ExperienceStore
from .session import SessionView, WorldSession

_HOST: Final = "127.0.0.1"
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")
_TEXT: Final[Mapping[str, Json]] = {"type": "string"}
_TOOLS: Final[Mapping[str, str]] = {
    "look": "See the goal, the observation and the admissible actions.",
    "act": "Take one action: one of the admissible ones where they are listed, as it is written there.",
    "finish": "End the episode, because the goal is reached or nothing more can be done.",
}
SCHEMA: Final[Mapping[str, Json]] = {
    "action": {
        "title": "Action",
        "type": "object",
        "properties": {"action": {**_TEXT, "description": "what to do"}, "metadata": {"type": "object"}},
        "required": ["action"],
        "additionalProperties": False,
    },
    "observation": {
        "title": "Observation",
        "type": "object",
        "properties": {
            "text": {**_TEXT, "description": "what is observed"},
            "actions": {"type": ["array", "null"], "items": _TEXT, "description": "the admissible actions"},
            "images": {"type": "array", "items": _TEXT, "description": "PNG files as data URLs"},
            "goal": _TEXT,
            "task": _TEXT,
            "success": {"type": ["boolean", "null"], "description": "whether the goal was reached, at the end"},
        },
        "required": ["text", "actions", "images", "goal", "task", "success"],
    },
    "state": {
        "title": "State",
        "type": "object",
        "properties": {"episode_id": {"type": ["string", "null"]}, "step_count": {"type": "integer", "minimum": 0}},
    },
}
"""What `/schema` answers: JSON schemas of an action, an observation and the state."""


def serve_openenv(
    name: str,
    tasks: Sequence[Task],
    *,
    open_session: Callable[..., WorldSession] = WorldSession,
    port: int = 8000,
    out: Path | None = None,
    config: Mapping[str, Json] | None = None,
    sessions: int = 32,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve until the process is stopped.

    Args:
        name: The environment's name, for `/metadata`.
        tasks: What is played.
        open_session: Opens a session as `WorldSession` does, with `out` and `lock`: a partial of it sets the rest.
        port: A port of the loopback interface.
        out: The store that gets the episodes of all sessions; None for no store.
        config: What the store records of this.
        sessions: The largest number of sessions at a time.
        announce: Called with the address before the server starts.

    Raises:
        MissingDependencyError: starlette, uvicorn or websockets is not installed.
        ConfigError: there is no task, or the port is invalid or in use.
        StoreError: the store cannot be opened.
    """
    with needed_by("Serving OpenEnv's protocol", "openenv"):
        import uvicorn
        import websockets  # noqa: F401  # without it uvicorn refuses every connection to /ws
    check_port(port)
    if not tasks:
        raise ConfigError("There is no task to serve: give at least one.")
    store = None if out is None else ExperienceStore.open(out, config={"command": "serve", **(config or {})})
    opened = partial(open_session, tasks, out=store, lock=threading.Lock())
    try:
        if announce is not None:
            announce(f"http://{_HOST}:{port}")
        uvicorn.run(openenv_app(name, tasks, opened, sessions), host=_HOST, port=port, log_level="warning")
    finally:
        if store is not None:
            store.close()


def openenv_app(name: str, tasks: Sequence[Task], open_session: Callable[[], WorldSession], sessions: int) -> Any:
    """Return the ASGI application; see `serve_openenv`.

    Args:
        name: The environment's name.
        tasks: What is played.
        open_session: Opens a session, in the thread that it then belongs to.
        sessions: The largest number of sessions at a time.
    """
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route, WebSocketRoute

    about = {"name": name, "description": f"The environment {name} of pathei.", "version": version("pathei")}
    answers = {"/health": {"status": "healthy"}, "/metadata": about, "/schema": dict(SCHEMA)}
    free = asyncio.Semaphore(sessions)

    def route(path: str, answer: Json) -> Any:
        async def get(request: Any) -> Any:
            return JSONResponse(answer)

        return Route(path, get)

    async def connected(socket: Any) -> None:
        origin = socket.headers.get("origin")
        if origin is not None and urlsplit(origin).hostname not in _LOCAL:
            await socket.close(1008)  # a page of some other site
            return
        await socket.accept()
        if free.locked():
            await socket.send_text(_error("CAPACITY_REACHED", f"There are {sessions} sessions already."))
            await socket.close()
            return
        async with free:
            with ThreadPoolExecutor(1, "session") as thread:
                await _converse(socket, _Seat(tasks, open_session), thread)

    return Starlette(routes=[*(route(*one) for one in answers.items()), WebSocketRoute("/ws", connected)])


async def _converse(socket: Any, seat: _Seat, thread: ThreadPoolExecutor) -> None:
    """Answer the messages of one connection until it is closed."""
    from starlette.websockets import WebSocketDisconnect

    loop = asyncio.get_running_loop()
    try:
        while (said := await socket.receive_text()) is not None:
            answer = await loop.run_in_executor(thread, seat.answer, said)
            if answer is None:
                await socket.close()
                return
            await socket.send_text(answer)
    except WebSocketDisconnect:
        return
    finally:
        await loop.run_in_executor(thread, seat.close)


class _Seat:
    """One connection's session, and the words of the protocol for what happens in it."""

    def __init__(self, tasks: Sequence[Task], open_session: Callable[[], WorldSession]) -> None:
        self._tasks, self._open_session = tasks, open_session
        self._session: WorldSession | None = None
        self._view: SessionView | None = None
        self._resets = 0
        self._episode: str | None = None

    def answer(self, said: str) -> str | None:
        """Return the answer to a message; None to one that closes the connection."""
        try:
            message = orjson.loads(said)
        except ValueError as error:
            return _error("INVALID_JSON", f"Invalid JSON: {error}")
        if not isinstance(message, dict) or not isinstance(data := message.get("data", {}), dict):
            return _error("VALIDATION_ERROR", "A message is an object with a type and data.")
        kind = message.get("type")
        try:
            if kind == "close":
                return None
            if kind == "reset":
                return self._observed(self._reset(data))
            if kind == "step":
                return self._observed(self._step(data))
            if kind == "state":
                steps = 0 if self._view is None else self._view.steps
                return _said("state", {"episode_id": self._episode, "step_count": steps})
            if kind == "mcp":
                return _said("mcp", self._called(data))
        except PatheiError as error:
            return _error("EXECUTION_ERROR", str(error))
        return _error("UNKNOWN_TYPE", f"Unknown message type: {kind}")

    def close(self) -> None:
        """End the session."""
        if self._session is not None:
            self._session.close()

    def _reset(self, data: Mapping[str, Any]) -> SessionView:
        seed, task = data.get("seed"), data.get("task")
        if seed is not None and (type(seed) is not int or seed < 0):
            raise ConfigError(f"A seed is a whole number from 0 on, not {seed!r}.")
        number = self._resets if seed is None else seed
        self._resets = number + 1
        if self._session is None:
            self._session = self._open_session()
        self._view = self._session.begin(self._tasks[number % len(self._tasks)].id if task is None else str(task))
        self._episode = str(data["episode_id"]) if data.get("episode_id") else self._view.task
        return self._view

    def _step(self, data: Mapping[str, Any]) -> SessionView:
        action = data.get("action")
        if not isinstance(action, str) or data.keys() - {"action", "metadata"}:
            raise ConfigError('A step is {"action": "what to do"}.')
        session, view = self._playing()
        if view.over:
            raise WorldError("The episode is over: reset.")
        self._view = session.act(action)
        return self._view

    def _playing(self) -> tuple[WorldSession, SessionView]:
        if self._session is None or self._view is None:
            raise WorldError("No episode is in progress: reset first.")
        return self._session, self._view

    def _observed(self, view: SessionView) -> str:
        session, _ = self._playing()
        pictures = [base64.b64encode(session.image(name)).decode() for name in view.observation.images]
        observation = {
            "text": view.observation.text,
            "actions": view.observation.actions,
            "images": [f"data:image/png;base64,{picture}" for picture in pictures],
            "goal": view.goal,
            "task": view.task,
            "success": view.success,
        }
        reward = view.reward if view.steps else None
        return _said("observation", {"observation": observation, "reward": reward, "done": view.over})

    def _called(self, data: Mapping[str, Any]) -> dict[str, Json]:
        """Answer a JSON-RPC request of the agent: the list of its tools, or a call of one."""
        answer = {"jsonrpc": "2.0", "id": data.get("id")}
        given = data.get("params") if isinstance(data.get("params"), dict) else {}
        assert isinstance(given, dict)
        if data.get("method") == "tools/list":
            return {**answer, "result": {"tools": [_tool(name, what) for name, what in _TOOLS.items()]}}
        name, arguments = given.get("name"), given.get("arguments") or {}
        if data.get("method") != "tools/call" or name not in _TOOLS:
            return {**answer, "error": {"code": -32601, "message": "Method not found"}}
        try:
            session, view = self._playing()
            if name == "act":
                view = self._step({"action": arguments.get("action")})
            elif name == "finish":
                view = self._view = view if view.over else session.finish()
        except PatheiError as error:
            return {**answer, "result": {"content": [{"type": "text", "text": str(error)}], "isError": True}}
        content = [{"type": "text", "text": view.observation.text}]
        return {**answer, "result": {"content": content, "structuredContent": view.json(), "isError": False}}


def _tool(name: str, what: str) -> dict[str, Json]:
    properties = {"action": _TEXT} if name == "act" else {}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"name": name, "description": what, "inputSchema": schema}


def _said(kind: str, data: Mapping[str, Json]) -> str:
    return orjson.dumps({"type": kind, "data": data}).decode()


def _error(code: str, message: str) -> str:
    return _said("error", {"message": message, "code": code})

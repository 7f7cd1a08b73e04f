"""What every MCP server of pathei shares: how tools answer and fail, and how a server runs.

The tools follow the revision of the Model Context Protocol that the official `mcp` package (2.x) implements. Not here:
access from other machines, which would need authentication; the tools themselves.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson

from .errors import ConfigError, PatheiError
from .extras import needed_by

_HOST: Final = "127.0.0.1"


def make_server(name: str, about: str, tools: Iterable[Any], *, what: str) -> Any:
    """Return an MCP server.

    Args:
        name: The server's name.
        about: What clients read about it.
        tools: Coroutine functions, whose signatures and docstrings describe them; what they return is JSON or an MCP
            result.
        what: What needs the package, as a sentence begins: `"Serving a memory"`.

    Raises:
        MissingDependencyError: the mcp package is not installed.
    """
    with needed_by(what, "memory"):
        from mcp.server.mcpserver import MCPServer
    server = MCPServer(name, instructions=about, log_level="WARNING")
    for tool in tools:
        server.tool()(_as_tool(tool))
    return server


def run_server(server: Any, *, http: int | None = None, announce: Callable[[str], None] | None = None) -> None:
    """Serve until the client goes away (stdio) or the process is stopped (HTTP).

    Args:
        server: What `make_server` returned.
        http: A port of the loopback interface; stdio if None. The path is `/mcp`.
        announce: Called with the address before the HTTP server starts.
    """
    if http is None:
        server.run("stdio")
        return
    if announce is not None:
        announce(f"http://{_HOST}:{http}/mcp")
    server.run("streamable-http", host=_HOST, port=http)


def check_port(port: int | None) -> None:
    """Refuse a port that cannot be served at; None is none.

    Raises:
        ConfigError: the port is invalid, or in use by another program.
    """
    if port is None:
        return
    if not 0 < port < 65_536:
        raise ConfigError(f"{port} is not a port: choose one from 1 to 65535.")
    with socket.socket() as probe:
        # As servers do: a port whose last connections are in TIME_WAIT may be used again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise ConfigError(f"The port {port} cannot be used ({error.strerror}): choose another.") from error


def _as_tool(tool: Any) -> Any:
    """Raise our errors as `ToolError`, whose message alone reaches the client, and write JSON without spaces."""
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp_types import CallToolResult, TextContent

    @functools.wraps(tool)
    async def wrapped(**arguments: Any) -> Any:
        try:
            found = await tool(**arguments)
        except PatheiError as error:
            raise ToolError(str(error)) from error
        if isinstance(found, dict) or (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
            text = TextContent(type="text", text=orjson.dumps(found).decode())
            return CallToolResult(
                content=[text], structured_content=found if isinstance(found, dict) else {"result": found}
            )
        return found

    return wrapped

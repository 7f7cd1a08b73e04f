"""The memory's MCP server against the official client, over stdio and over HTTP, with a real server process."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")

SERVER = """
import sys
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.exchange.mcp_server import serve
path, port, mode = sys.argv[1:]
with ExperienceMemory.open(path, embedder=make_embedder("ngrams"), mode=mode) as memory:
    serve(memory, http=int(port) or None, read_only=mode == "read")
"""
Use = Callable[[Any], Awaitable[None]]


def command(path: Path, port: int, mode: str) -> list[str]:
    """Return the command of a server."""
    return [sys.executable, "-c", SERVER, str(path), str(port), mode]


def answer(result: Any) -> Any:
    """Return what a tool answered with."""
    assert not result.is_error, result
    return result.structured_content.get("result", result.structured_content)


async def exercise(client: Any) -> None:
    """Use every tool once, and one of them wrongly."""
    names = {tool.name for tool in (await client.list_tools()).tools}
    assert {"memory_search", "memory_get", "memory_stats", "memory_add", "memory_forget", "memory_feedback"} == names
    (id_,) = answer(await client.call_tool("memory_add", {"text": "Cups are in the kitchen.", "env": "virtualhome"}))
    answer(await client.call_tool("memory_feedback", {"ids": [id_], "helpful": True}))
    (hit,) = answer(
        await client.call_tool("memory_search", {"query": "where are cups?", "kind": "fact", "env": "virtualhome"})
    )
    assert (hit["id"], hit["helpful"], hit["source"]["trajectory"]) == (id_, 1, "")
    assert answer(await client.call_tool("memory_stats", {}))["items"] == 1
    assert answer(await client.call_tool("memory_forget", {"ids": [id_]})) == 1
    assert answer(await client.call_tool("memory_get", {"id": id_}))["status"] == "forgotten"
    wrong = await client.call_tool("memory_search", {"query": "cups", "kind": "opinion"})
    assert wrong.is_error
    assert "'opinion' is not a kind of item: use episode, skill or fact." in wrong.content[0].text
    assert "Traceback" not in json.dumps(wrong.model_dump(mode="json"))


async def only_read(client: Any) -> None:
    """See that nothing can be changed."""
    names = {tool.name for tool in (await client.list_tools()).tools}
    assert names == {"memory_search", "memory_get", "memory_stats"}
    assert answer(await client.call_tool("memory_search", {"query": "cups"})) == []


async def over_stdio(path: Path, mode: str, use: Use) -> None:
    """Talk to a server that the client starts."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    program, *arguments = command(path, 0, mode)
    async with (
        stdio_client(StdioServerParameters(command=program, args=arguments)) as streams,
        ClientSession(streams[0], streams[1]) as client,
    ):
        await client.initialize()
        await use(client)


@contextlib.asynccontextmanager
async def http_server(path: Path) -> AsyncIterator[str]:
    """Run a server, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(command(path, port, "write"), stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and server.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.kill()
        server.wait()


async def over_http(path: Path, use: Use) -> None:
    """Talk to a server on this machine."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with (
        http_server(path) as address,
        streamable_http_client(address) as streams,
        ClientSession(streams[0], streams[1]) as client,
    ):
        await client.initialize()
        await use(client)


async def search_long(client: Any) -> None:
    """Search texts of which some are long, and read one whole."""
    long = "word " * 19_000 + "The spare key is under the flower pot."
    (id_,) = answer(await client.call_tool("memory_add", {"text": long, "data": {"page": 7}}))
    for n in range(7):
        await client.call_tool("memory_add", {"text": f"Key number {n} opens the door number {n} of the house."})
    found = await client.call_tool("memory_search", {"query": "where is the spare key?"})
    assert len(answer(found)) == 8
    assert len(found.content[0].text) < 2_500
    assert json.loads(found.content[0].text) == answer(found)
    (hit,) = answer(await client.call_tool("memory_search", {"query": "spare key", "data": {"page": 7}}))
    assert "under the flower pot" in hit["text"]
    assert (hit["id"], hit["characters"]) == (id_, len(long))
    whole = answer(await client.call_tool("memory_get", {"id": id_}))
    rest = answer(await client.call_tool("memory_get", {"id": id_, "start": whole["next"]}))
    assert whole["text"] + rest["text"] == long
    (big,) = answer(await client.call_tool("memory_add", {"text": "Rows.", "data": {"rows": "r" * 60_000}}))
    held = answer(await client.call_tool("memory_get", {"id": big}))
    assert (held["data"], held["data_bytes"]) == ({}, 60_011)
    assert answer(await client.call_tool("memory_search", {"query": " ".join(map(str, range(50_000)))}))
    for wrong, says in (
        ({"text": "x", "env": "virtualhom"}, "did you mean 'virtualhome'?"),
        ({"text": "x", "expires": "2020-01-01"}, "is past: the item would never be found"),
        ({"text": "x", "expires": "soon"}, "has to be a date or a time"),
    ):
        refused = await client.call_tool("memory_add", wrong)
        assert refused.is_error
        assert says in refused.content[0].text
    refused = await client.call_tool("memory_add", {"text": "x" * 2_000_000})
    assert refused.is_error
    assert "the limit is 100,000" in refused.content[0].text


@pytest.mark.integration
def test_long_texts_are_shown_in_part_and_read_whole(tmp_path: Path) -> None:
    asyncio.run(asyncio.wait_for(over_http(tmp_path, search_long), 120))


def test_a_server_of_one_user_serves_no_other(tmp_path: Path) -> None:
    from pathei.errors import ConfigError, MemoryStoreError
    from pathei.memory import Draft, open_memory
    from pathei.memory.exchange import mcp_server

    with open_memory(tmp_path, embedder="ngrams-3-5-64", create=True) as memory:
        drafts = [Draft("fact", f"The code of {user or 'all'} is 1.", "", user=user) for user in ("alice", "bob", "")]
        alices, bobs, anyones = memory.add_drafts(drafts)
        scope = mcp_server.Scope("alice")
        tools = [*mcp_server._reading_tools(memory, scope), *mcp_server._writing_tools(memory, scope)]
        call = {tool.__name__: lambda tool=tool, **given: asyncio.run(tool(**given)) for tool in tools}
        assert {hit["id"] for hit in call["memory_search"](query="code")} == {alices, anyones}
        (added,) = call["memory_add"](text="The code is 2.")
        assert memory.get(added).draft.user == "alice"
        with pytest.raises(ConfigError, match="serves the user 'alice' only"):
            call["memory_search"](query="code", user="bob")
        for name, given in (("memory_get", {"id": bobs}), ("memory_forget", {"ids": [bobs]})):
            with pytest.raises(MemoryStoreError, match="There is no item"):
                call[name](**given)
        assert call["memory_get"](id=anyones)["text"] == "The code of all is 1."


@pytest.mark.integration
def test_the_official_client_over_stdio(tmp_path: Path) -> None:
    asyncio.run(asyncio.wait_for(over_stdio(tmp_path, "write", exercise), 120))
    asyncio.run(asyncio.wait_for(over_stdio(tmp_path, "read", only_read), 120))


@pytest.mark.integration
def test_the_official_client_over_http(tmp_path: Path) -> None:
    asyncio.run(asyncio.wait_for(over_http(tmp_path, exercise), 120))

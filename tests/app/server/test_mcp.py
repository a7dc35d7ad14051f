"""The official MCP client against the live server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

pytest.importorskip("mcp")

from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.app.server.live import BREAD, CUBE, Live, eventually
from tests.loopback import ChatServer


@asynccontextmanager
async def session(live: Live, name: str = "alice") -> AsyncIterator[ClientSession]:
    headers = {"Authorization": f"Bearer {live.keys[name]}"}
    async with (
        httpx.AsyncClient(headers=headers, trust_env=False, timeout=30) as http,
        streamable_http_client(f"{live.url}/mcp", http_client=http) as (reading, writing, _),
        ClientSession(reading, writing) as client,
    ):
        await client.initialize()
        yield client


async def test_the_graph_is_a_tool(live: Live) -> None:
    told: list[str | None] = []

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async with session(live) as client:
        (tool,) = (await client.list_tools()).tools
        assert tool.name == "ask_house"
        assert "cooking, maths" in (tool.description or "")
        done = await client.call_tool("ask_house", {"question": CUBE}, progress_callback=progress)
        assert not done.isError
        found: Any = done.structuredContent
        assert found["answer"].startswith("12\n")
        assert (found["path"], found["asked"]) == (["maths"], False)
        assert done.content[0].text == found["answer"]  # type: ignore[union-attr]
        assert told[0] is not None
        assert told[0].startswith("chief → <nexa_1> maths")
        named = await client.call_tool("ask_house", {"question": CUBE, "worker": "cooking"})
        assert (named.structuredContent or {})["path"] == ["cooking"]


async def test_threads_are_the_callers(live: Live) -> None:
    first = {"question": "What is the derivative of x^3?", "thread": "tool"}
    then = {"question": "And its second derivative?", "thread": "tool"}
    async with session(live) as client:
        await client.call_tool("ask_house", first)
        done: Any = (await client.call_tool("ask_house", then)).structuredContent
    assert done["answer"].startswith("6*x")
    with live.http() as alice, live.http("bob") as bob:
        assert len(alice.get("/threads/tool").json()["messages"]) == 4
        assert bob.get("/threads/tool").status_code == 404
    async with session(live, "bob") as client:
        done = (await client.call_tool("ask_house", then)).structuredContent
    assert not done["answer"].startswith("6*x")


async def test_a_wrong_call_says_what_is_wrong(live: Live) -> None:
    async with session(live) as client:
        for name, arguments, message in (
            ("ask_attic", {"question": "?"}, "There is no such tool; there are ask_house."),
            ("ask_house", {}, "question: Field required."),
            ("ask_house", {"question": " "}, "the query is empty"),
            ("ask_house", {"question": "x" * 32_001}, "more than 32000 characters"),
            ("ask_house", {"question": CUBE, "worker": "cellar"}, "There is no such model"),
            ("ask_house", {"question": CUBE, "thread": "alice/x"}, "thread: String should match pattern"),
        ):
            done = await client.call_tool(name, arguments)
            assert done.isError
            assert message in done.content[0].text  # type: ignore[union-attr]


async def test_a_turn_without_an_answer_is_an_error(live: Live, chat: ChatServer) -> None:
    chat.statuses = [400] * 9
    async with session(live) as client:
        done = await client.call_tool("ask_house", {"question": BREAD})
    assert done.isError
    assert done.content[0].text == "The model's server failed. Try again."  # type: ignore[union-attr]


def test_keys_and_scopes(live: Live) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    both = {"Accept": "application/json, text/event-stream"}
    with live.http(None) as nobody, live.http("operator") as operator, live.http() as client:
        assert nobody.post("/mcp", json=call, headers=both).status_code == 401
        assert operator.post("/mcp", json=call, headers=both).status_code == 403
        assert client.post("/mcp", json=call, headers=both).status_code == 200
        assert client.get("/mcp", headers=both).status_code == 405
        for body in (b"", b"{", b"[]", b'{"jsonrpc": "2.0"}'):
            reply = client.post("/mcp", content=body, headers={**both, "Content-Type": "application/json"})
            assert reply.status_code == 400


def test_a_client_that_leaves_stops_the_run(live: Live, chat: ChatServer) -> None:
    chat.delay = 15.0
    arguments = {"name": "ask_house", "arguments": {"question": BREAD}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": arguments}
    both = {"Accept": "application/json, text/event-stream"}
    with live.http() as client, pytest.raises(httpx.ReadTimeout):
        client.post("/mcp", json=call, headers=both, timeout=2.0)
    assert eventually(lambda: live.metric("octopus_turns_running") == 0)

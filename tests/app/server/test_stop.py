"""Whoever leaves stops the model: tokens are counted at a slow, strict server after each way of leaving."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.server.live import BREAD, Live, eventually, serving
from tests.slow_model import PACE, SlowModel, check_stopped
from tests.slow_model import serving as serving_model

SECOND = round(1 / PACE)  # tokens of a second
MESSAGES = {"messages": [{"role": "user", "content": BREAD}]}
CHAT = {"model": "house", **MESSAGES}
CALL = {"name": "ask_house", "arguments": {"question": BREAD}}
BOTH = {"Accept": "application/json, text/event-stream"}
SURFACES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", CHAT),
    "chat, streamed": ("/v1/chat/completions", {**CHAT, "stream": True}),
    "responses": ("/v1/responses", {"model": "house", "input": BREAD}),
    "responses, streamed": ("/v1/responses", {"model": "house", "input": BREAD, "stream": True}),
    "a page's own prompt": (
        "/v1/chat/completions",
        {
            "model": "house",
            "messages": [{"role": "user", "content": "### Task:\n<chat_history></chat_history>"}],
        },
    ),
    "langserve invoke": ("/octopus/invoke", {"input": MESSAGES}),
    "langserve batch": ("/octopus/batch", {"inputs": [MESSAGES, MESSAGES]}),
    "langserve stream": ("/octopus/stream", {"input": MESSAGES}),
    "langserve stream_events": ("/octopus/stream_events", {"input": MESSAGES}),
    "mcp": ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": CALL}),
}


@pytest.fixture(scope="module")
def _model() -> Iterator[SlowModel]:
    with serving_model(SlowModel()) as model:
        yield model


@pytest.fixture(scope="module")
def _server(_model: SlowModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    given = {"OCTOPUS_MODEL": f"openai:slow@{_model.url}"}
    with serving(tmp_path_factory.mktemp("stop"), **given) as live:
        yield live


@pytest.fixture
def model(_model: SlowModel) -> SlowModel:
    """The model server, as new."""
    _model.length, _model.wait, _model.generations = SlowModel().length, 0.0, []
    return _model


@pytest.fixture
def server(_server: Live, model: SlowModel) -> Live:
    """The server, and its model as new."""
    return _server


@asynccontextmanager
async def asking(server: Live, path: str, body: Any, **headers: str) -> AsyncIterator[asyncio.Task[bytes]]:
    """A request that is being answered; when this ends, the client is gone."""
    key = server.keys.get("alice")
    given = ({"Authorization": f"Bearer {key}"} if key else {}) | BOTH | headers
    async with httpx.AsyncClient(base_url=server.url, headers=given, trust_env=False, timeout=60) as client:

        async def read() -> bytes:
            found = b""
            async with client.stream("POST", path, json=body) as reply:
                with suppress(httpx.RemoteProtocolError):  # LangServe breaks off after an error
                    async for some in reply.aiter_raw():
                        found += some
            return found

        task = asyncio.create_task(read())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.mark.parametrize("surface", SURFACES)
async def test_a_client_that_leaves_stops_the_model(server: Live, model: SlowModel, surface: str) -> None:
    path, body = SURFACES[surface]
    async with asking(server, path, body):
        generations = await asyncio.to_thread(model.writing, 2 if "batch" in surface else 1)
        at = time.monotonic()
    await asyncio.to_thread(check_stopped, generations, at)
    assert len(model.generations) == len(generations)
    assert eventually(lambda: server.metric("octopus_turns_running") == 0)


@pytest.mark.parametrize("surface", ["chat", "chat, streamed", "langserve invoke", "mcp"])
async def test_a_model_that_only_reads_yet_is_stopped_too(
    server: Live, model: SlowModel, surface: str
) -> None:
    model.wait = 60.0
    async with asking(server, *SURFACES[surface]):
        (one,) = await asyncio.to_thread(model.writing, 1, 0)
    await asyncio.to_thread(check_stopped, [one], 0.0)


async def test_an_answer_that_streams_fast_is_stopped_at_any_moment(
    server: Live, model: SlowModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A cancellation that meets a token can be lost in `asyncio.wait_for`.
    monkeypatch.setattr("tests.slow_model.PACE", 0.001)
    model.length = 20_000
    path, body = SURFACES["chat, streamed"]
    for tokens in range(3, 15):
        model.generations.clear()
        async with asking(server, path, body):
            (one,) = await asyncio.to_thread(model.writing, 1, tokens)
            at = time.monotonic()
        assert await asyncio.to_thread(one.over.wait, 20)
        assert one.left
        assert one.after(at) <= 1_000


async def test_a_turn_that_takes_too_long_stops_the_model(model: SlowModel, tmp_path: Path) -> None:
    given = {"OCTOPUS_MODEL": f"openai:slow@{model.url}", "OCTOPUS_TIMEOUT": "1"}
    with serving(tmp_path, **given) as live:
        for surface in ("chat", "chat, streamed", "langserve invoke", "mcp"):
            model.generations.clear()
            async with asking(live, *SURFACES[surface]) as reading:
                told = (await reading).decode()
                at = time.monotonic()
            await asyncio.to_thread(check_stopped, model.generations, at)
            assert "longer than this server allows" in told


def as_header(session: str) -> dict[str, str]:
    return {"Mcp-Session-Id": session} if session else {}


async def test_a_call_of_mcp_is_cancelled_by_its_own_client_only(server: Live, model: SlowModel) -> None:
    opening = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    path, call = SURFACES["mcp"]
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    with server.http() as client, server.http("bob") as bob:

        def post(body: Any, session: str = "", sender: httpx.Client = client) -> httpx.Response:
            return sender.post(path, json=body, headers=BOTH | as_header(session))

        begin = call | {"method": "initialize", "params": opening}
        first, second = (post(begin).headers["mcp-session-id"] for _ in range(2))
        assert first != second
        async with asking(server, path, call, **as_header(first)) as reading:
            (one,) = await asyncio.to_thread(model.writing)
            for sender, session in ((client, second), (client, ""), (bob, first)):
                assert post(cancel, session, sender).status_code == 202
            written = len(one.tokens)
            await asyncio.to_thread(model.writing, 1, written + 10)
            at = time.monotonic()
            assert post(cancel, first).status_code == 202
            await asyncio.to_thread(check_stopped, [one], at)
            assert "The request was cancelled." in (await reading).decode()
        assert post(cancel, first).status_code == 202  # nothing runs any more
        for bad in (cancel | {"params": None}, cancel | {"params": {}}, [cancel]):
            assert post(bad, first).status_code < 500
        assert post("x" * 9_000_000).status_code == 413


def said(server: Live, thread: str) -> list[str]:
    with server.http() as client:
        return [one["role"] for one in client.get(f"/threads/{thread}").json()["messages"]]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_stopped_thread_goes_on(server: Live, model: SlowModel, stream: bool) -> None:
    thread = f"stopped-{stream}"
    for _ in range(2):
        model.generations.clear()
        async with asking(server, "/v1/chat/completions", {**CHAT, "stream": stream}, **named(thread)):
            await asyncio.to_thread(model.writing)
    model.generations.clear()
    assert await asyncio.to_thread(lambda: eventually(lambda: said(server, thread) == ["user"]))
    model.length = 3
    answered = await asyncio.to_thread(server.ask, "And how do I bake rolls?", thread=thread)
    assert answered["choices"][0]["message"]["content"] == "t0 t1 t2 "
    assert said(server, thread) == ["user", "user", "assistant"]
    (sent,) = model.generations
    assert BREAD in sent.body["messages"][-1]["content"]  # the turns of one role are joined
    assert not model.refused


async def test_a_question_that_was_stopped_and_is_sent_again_goes_on_where_it_was(
    server: Live, model: SlowModel
) -> None:
    async with asking(server, "/v1/chat/completions", {**CHAT, "stream": True}, **named("again")):
        await asyncio.to_thread(model.writing)
    model.length = 3
    assert await asyncio.to_thread(lambda: eventually(lambda: said(server, "again") == ["user"]))
    answered = await asyncio.to_thread(server.ask, BREAD, thread="again")
    assert answered["choices"][0]["message"]["content"] == "t0 t1 t2 "
    assert said(server, "again") == ["user", "assistant"]
    keys = [one.body["messages"] for one in model.generations]
    assert keys[0] == keys[1]


def named(thread: str) -> dict[str, str]:
    return {"X-Octopus-Thread": thread}

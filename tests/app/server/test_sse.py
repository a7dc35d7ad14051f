"""Events as a stream: what fails in it, and a client that leaves it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from agents.errors import ModelUnavailableError
from app.runs.events import Answered, Decided, Event, Written
from app.server.sse import begun, collect, server_sent
from tests.app.server.live import BREAD, CUBE, Live


@pytest.mark.parametrize("wait", [0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08])
def test_a_client_that_leaves_at_any_moment_and_asks_again_is_not_taken_twice(
    live: Live, wait: float
) -> None:
    thread = f"left{wait}"
    body = {"model": "house", "stream": True, "messages": [{"role": "user", "content": BREAD}]}
    live.ask(CUBE, thread=thread)
    with live.http() as client:
        header = {"X-Octopus-Thread": thread}
        with client.stream("POST", "/v1/chat/completions", json=body, headers=header):
            time.sleep(wait)
        time.sleep(0.2)
        if len(client.get(f"/threads/{thread}").json()["messages"]) < 4:
            assert live.ask(BREAD, thread=thread)["octopus"]["path"] == ["cooking"]
        found = client.get(f"/threads/{thread}").json()
        assert [message["role"] for message in found["messages"]] == ["user", "assistant"] * 2
        assert [hop["node"] for hop in found["hops"]] == ["cooking"]


def hop(node: str) -> Any:
    return {"master": "chief", "token": "<nexa_1>", "node": node, "probability": 0.9, "reason": "Sure."}


async def told(*events: Event, fails: bool = False) -> AsyncGenerator[Event]:
    for event in events:
        yield event
    if fails:
        raise ModelUnavailableError("the model of cooking is gone.")


async def test_an_answer_is_collected_with_its_reasoning() -> None:
    end = Answered("12", [])
    answered, thoughts = await collect(told(Decided(hop("maths")), Written("1"), end))
    assert answered is end
    assert thoughts == "chief → <nexa_1> maths (p = 0.90): Sure.\n"
    with pytest.raises(RuntimeError, match="without an answer"):
        await collect(told(Written("1")))


async def test_what_fails_before_the_first_event_has_a_status() -> None:
    with pytest.raises(ModelUnavailableError):
        await begun(told(fails=True))
    events = await begun(told(Written("1"), Written("2")))
    assert [event async for event in events] == [Written("1"), Written("2")]


class Chunk(BaseModel):
    type: str = "chunk"
    text: str = ""


@pytest.mark.parametrize("named", [False, True])
async def test_what_fails_in_a_stream_is_its_last_event(named: bool) -> None:
    async def chunks() -> AsyncGenerator[BaseModel]:
        yield Chunk(text="so f\x85\u2028")  # `str.splitlines` would cut it there
        raise ModelUnavailableError("the model of cooking is gone.")

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await server_sent(chunks(), named=named)(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=call), base_url="http://test") as client:
        lines = (await client.get("/")).text.splitlines()
    data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert data[0]["text"] == "so f\x85\u2028"
    assert (data[-1] if named else data[-1]["error"])["code"] == "model_unavailable"
    assert "cooking" not in str(data[-1])
    assert [line for line in lines if line.startswith("event: ")] == (
        ["event: chunk", "event: error"] if named else []
    )

"""Chat completions, with the official OpenAI client."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI

from tests.app.server.live import BREAD, CUBE, Live, eventually
from tests.loopback import ChatServer
from tests.replies import Reply


def said(question: Any) -> Any:
    return [{"role": "user", "content": question}]


def test_a_tool_answers_and_the_route_is_told(live: Live) -> None:
    with live.openai() as client:
        done = client.chat.completions.create(model="house", messages=said(CUBE), temperature=0.3, seed=1)
    (choice,) = done.choices
    assert (choice.message.content or "").startswith("12\n")
    assert choice.finish_reason == "stop"
    extra: Any = choice.message.model_extra
    assert extra["reasoning_content"].startswith("chief → <nexa_1> maths (p = ")
    octopus: Any = (done.model_extra or {})["octopus"]
    assert (octopus["path"], octopus["thread"]) == (["maths"], None)
    assert octopus["hops"][0]["evidence"]["result"] == 12
    assert done.usage is not None
    assert done.usage.total_tokens == 0


def test_a_model_streams_its_words(live: Live, chat: ChatServer) -> None:
    chat.words = ["Knead", " and", " bake."]
    with live.openai() as client:
        stream = client.chat.completions.create(
            model="house", messages=said(BREAD), stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
    deltas: list[Any] = [chunk.choices[0].delta for chunk in chunks[:-1]]
    assert [delta.content for delta in deltas if delta.content] == ["Knead", " and", " bake."]
    assert "<nexa_0> cooking" in deltas[1].reasoning_content
    decision = (chunks[1].model_extra or {})["octopus"]["decision"]
    assert (decision["rewritten"], decision["fan"]) == (decision["query"], [])
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert (chunks[-2].model_extra or {})["octopus"]["path"] == ["cooking"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (7, 3)
    assert live.metric("octopus_tokens_total") >= 10


async def test_the_asynchronous_client(live: Live) -> None:
    async with AsyncOpenAI(base_url=f"{live.url}/v1", api_key=live.keys["alice"]) as client:
        done = await client.chat.completions.create(model="house", messages=said(BREAD))
        assert done.choices[0].message.content == "Forty-two."
        stream = await client.chat.completions.create(model="house", messages=said(CUBE), stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        assert text.startswith("12\n")


def test_a_worker_can_be_asked_by_name(live: Live) -> None:
    octopus = live.ask(CUBE, model="house/cooking")["octopus"]
    assert octopus["path"] == ["cooking"]
    assert "asked for by name. On its own: maths" in octopus["hops"][0]["reason"]


def test_the_conversation_is_sent_or_kept(live: Live) -> None:
    follow_up = "And its second derivative?"
    messages = [*said("What is the derivative of x^3?"), {"role": "assistant", "content": "3*x^2"}]
    with live.openai() as client:
        sent: Any = client.chat.completions.create(model="house", messages=[*messages, *said(follow_up)])
        header = {"X-Octopus-Thread": "kept"}
        for question in ("What is the derivative of x^3?", follow_up):
            kept: Any = client.chat.completions.create(
                model="house", messages=said(question), extra_headers=header
            )
    for done in (sent, kept):
        assert done.octopus["hops"][0]["evidence"]["arguments"] == {"expression": "x^3", "order": 2}
    assert kept.octopus["thread"] == "kept"


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_stops_the_run_and_may_come_back(
    live: Live, chat: ChatServer, stream: bool
) -> None:
    chat.delay = 15.0
    thread = {"X-Octopus-Thread": f"left-{stream}"}
    body = {"model": "house", "messages": said(BREAD), "stream": stream}
    with live.http() as client, pytest.raises(httpx.ReadTimeout):
        client.post("/v1/chat/completions", json=body, headers=thread, timeout=3.0)
    assert eventually(lambda: live.metric("octopus_turns_running") == 0)
    with live.http() as client:
        assert client.get(f"/threads/left-{stream}").json()["next"] == ["cooking"]
        routes = live.metric("octopus_routes_total")
        chat.delay = 0.0
        again = client.post("/v1/chat/completions", json={**body, "stream": False}, headers=thread).json()
    assert again["choices"][0]["message"]["content"] == "Forty-two."
    assert live.metric("octopus_routes_total") == routes  # it went on where it was
    first, second = (headers["idempotency-key"] for headers, _ in chat.requests)
    assert first == second


def test_one_turn_at_a_time_in_a_thread(live: Live, chat: ChatServer) -> None:
    chat.delay = 10.0
    header = {"X-Octopus-Thread": "busy"}
    body = {"model": "house", "messages": said(BREAD), "stream": True}
    with live.http() as client, client.stream("POST", "/v1/chat/completions", json=body, headers=header):
        for stream in (True, False):
            reply = client.post("/v1/chat/completions", json={**body, "stream": stream}, headers=header)
            assert (reply.status_code, reply.json()["error"]["code"]) == (409, "thread_busy")
            assert int(reply.headers["Retry-After"]) >= 1


def test_tools_that_a_model_calls_are_steps_of_the_hop(live: Live, chat: ChatServer) -> None:
    asked = said("The derivative of x cubed: is it as steep at two as one would think of a cube?")
    call = ("calculus_derivative", {"expression": "x^3", "at": "2"})
    for stream in (False, True):
        chat.replies = [Reply("I compute it.", calls=[call]), Reply("It is 12.")]
        with live.openai() as client:
            if stream:
                chunks = list(client.chat.completions.create(model="house", messages=asked, stream=True))
                text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
                octopus = (chunks[-1].model_extra or {})["octopus"]
                assert not any(chunk.choices[0].delta.tool_calls for chunk in chunks)
                assert chunks[-1].choices[0].finish_reason == "stop"
            else:
                done = client.chat.completions.create(model="house", messages=asked)
                text, octopus = str(done.choices[0].message.content), (done.model_extra or {})["octopus"]
                assert done.choices[0].finish_reason == "stop"
                assert done.choices[0].message.tool_calls is None
        # What it said before it called has been streamed, and is no part of the answer.
        assert text == ("I compute it.\n\nIt is 12." if stream else "It is 12.")
        (step,) = octopus["hops"][0]["evidence"]["steps"]
        assert (step["tool"], step["result"]) == ("calculus.derivative", "12")
    assert not chat.refused

"""The official OpenAI client against the live server."""

from __future__ import annotations

from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from tests.app.server.live import BREAD, CUBE, Live, eventually
from tests.loopback import ChatServer


def said(question: Any) -> Any:
    return [{"role": "user", "content": question}]


def test_models_are_graphs_and_their_workers(live: Live) -> None:
    with live.openai() as client:
        assert [model.id for model in client.models.list()] == ["house", "house/cooking", "house/maths"]
        assert client.models.retrieve("house/maths").id == "house/maths"
        with pytest.raises(openai.NotFoundError, match="There is no such model"):
            client.models.retrieve("house/cellar")


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
    assert "asked for by name. On its own: maths has" in octopus["hops"][0]["reason"]


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


def test_responses_go_on_from_one_another(live: Live) -> None:
    with live.openai() as client:
        first = client.responses.create(model="house", input="What is the derivative of x^3?")
        for _ in range(2):  # two answers may go on from one
            second: Any = client.responses.create(
                model="house", input="And its second derivative?", previous_response_id=first.id
            )
            assert second.octopus["hops"][0]["evidence"]["arguments"]["order"] == 2
        assert "3*x^2" in first.output_text
        assert second.previous_response_id == first.id
        forgotten = client.responses.create(model="house", input=CUBE, store=False)
        for unknown in (forgotten.id, "resp_x.y", "resp_", "x" * 50):
            with pytest.raises(openai.NotFoundError):
                client.responses.create(model="house", input=CUBE, previous_response_id=unknown)
    with live.openai("bob") as client, pytest.raises(openai.NotFoundError):
        client.responses.create(model="house", input=CUBE, previous_response_id=first.id)


def test_a_response_streams(live: Live, chat: ChatServer) -> None:
    chat.words = ["Knead", " and", " bake."]
    with live.openai() as client, client.responses.stream(model="house", input=BREAD) as stream:
        kinds = [event.type for event in stream]
        done = stream.get_final_response()
    assert kinds.count("response.output_text.delta") == 3
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert done.output_text == "Knead and bake."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": said("?")}, "model: Field required."),
        ({"model": "attic", "messages": said("?")}, "There is no such model"),
        ({"model": "house", "messages": []}, "messages: List should have at least 1 item"),
        ({"model": "house", "messages": said(" ")}, "the query is empty."),
        ({"model": "house", "messages": [{"role": "assistant", "content": "?"}]}, "must be from the user"),
        ({"model": "house", "messages": said([{"type": "image_url"}])}, "'image_url' is not taken"),
        ({"model": "house", "messages": said("x" * 32_001)}, "more than 32000 characters"),
        ({"model": "house", "messages": said("?"), "octopus": {"max_hops": 0}}, "octopus.max_hops: "),
    ],
)
def test_what_is_wrong_is_said_in_openais_form(live: Live, body: dict[str, Any], message: str) -> None:
    with live.http() as client:
        for stream in (False, True):
            reply = client.post("/v1/chat/completions", json={**body, "stream": stream})
            assert reply.status_code == (404 if body.get("model") == "attic" else 400)
            assert message in reply.json()["error"]["message"]
            assert reply.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b'{"model": "house"}', "", "Send the body as JSON, with Content-Type: application/json."),
        (b'{"model": "house"}', "application/x-www-form-urlencoded", "Send the body as JSON, with"),
        (b'{"model": ', "application/json", "The body is not JSON (Expecting value at character "),
        (b'["house"]', "application/json", "The body must be a JSON object."),
    ],
)
def test_what_a_body_should_be_is_said(live: Live, body: bytes, kind: str, message: str) -> None:
    with live.http() as client:
        for path in ("/v1/chat/completions", "/v1/responses"):
            reply = client.post(path, content=body, headers={"content-type": kind} if kind else {})
            error = reply.json()["error"]
            assert (reply.status_code, error["param"], error["code"]) == (400, None, "invalid")
            assert error["message"].startswith(message)


def test_bodies_that_are_no_json(live: Live) -> None:
    json = {"content-type": "application/json"}
    with live.http() as client:
        for body in (b"", b"{", b"\xff", b"[" * 100_000, b'{"model": "\\ud800", "messages": []}'):
            assert client.post("/v1/chat/completions", content=body, headers=json).status_code == 400


def test_an_unreachable_model_is_said_in_the_answer(live: Live, chat: ChatServer) -> None:
    chat.statuses = [400]
    answer = live.ask(BREAD)
    assert "gave no answer: " in answer["choices"][0]["message"]["content"]
    assert answer["octopus"]["hops"][0]["status"] == "unavailable"


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

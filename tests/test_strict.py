"""The strict server refuses what real ones refuse, and answers as they do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from tests.loopback import ChatServer, serving
from tests.replies import Reply
from tests.strict import fault_of

USER = {"role": "user", "content": "How much is it?"}
SAID = {"role": "assistant", "content": "Five."}
SYSTEM = {"role": "system", "content": "Be brief."}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "price", "parameters": {"type": "object"}}}
PIXEL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def calling(*ids: str, arguments: str = "{}") -> dict[str, Any]:
    calls = [
        {"id": one, "type": "function", "function": {"name": "price", "arguments": arguments}} for one in ids
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(call: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call, "content": "5"}


def body(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "tiny", "messages": list(messages) or [USER], **more}


@pytest.mark.parametrize(
    "taken",
    [
        body(SYSTEM, USER, SAID, USER),
        body(USER, calling("a", "b"), result("b"), result("a"), SAID, USER),
        body(USER, calling("a"), result("a"), calling("b"), result("b"), tools=[TOOL], tool_choice="auto"),
        body(temperature=0, top_p=1, stop=["."], seed=1, n=2, logprobs=True, top_logprobs=2, max_tokens=5),
        body(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}),
        body(stream=True, stream_options={"include_usage": True}),
    ],
)
def test_what_is_taken(taken: dict[str, Any]) -> None:
    assert fault_of(taken) == ""


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (body(USER, SYSTEM), "system after user"),
        (body(SYSTEM, SYSTEM, USER), "system after system"),
        (body(SAID, USER), "assistant after nothing"),
        (body(USER, USER), "user after user"),
        (body(USER, SAID), "last message is of assistant"),
        (body(SYSTEM), "last message is of system"),
        (body(USER, {"role": "assistant", "content": " "}, USER), "message 1 is empty"),
        (body({"role": "user", "content": []}), "message 0 is empty"),
        (body({"role": "developer", "content": "x"}, USER), "messages.0: Input tag 'developer'"),
        (body({**USER, "name": "bob"}), "name: Extra inputs"),
        (body(USER, calling("a"), USER), "message 2 is not the result of ['a']"),
        (body(USER, calling("a", "b"), result("a"), SAID, USER), "message 3 is not the result of ['b']"),
        (body(USER, calling("a", "b"), result("a")), "the results of ['b'] are missing"),
        (body(USER, result("a")), "tool after user"),
        (body(USER, calling("a"), result("a"), USER), "user after tool"),
        (body(USER, calling("a", "a"), result("a")), "two calls have one id"),
        (body(USER, calling("a", arguments="{"), result("a")), "no JSON object"),
        (body({"role": "user", "content": "\ud800"}), "half of a surrogate pair"),
        (body({"role": "user", "content": [PIXEL]}), "this model reads text"),
        (body({"role": "user", "content": [{"type": "video", "video": "x"}]}), "Input tag 'video'"),
        (body(temperature=99), "temperature: "),
        (body(temperature=float("nan")), "JSON compliant"),
        (body(top_k="3"), "top_k: "),
        (body(metadata={}), "metadata: Extra inputs"),
        (body(tool_choice="auto"), "only allowed with tools"),
        (body(top_logprobs=2), "top_logprobs wants logprobs"),
        (body(tools=[TOOL, TOOL]), "two tools have one name"),
        (body(tools=[{"type": "function", "function": {"name": "a b"}}]), "name: "),
        (body(tools=[{"type": "function", "function": {"name": "a", "parameters": {"type": 3}}}]), "3"),
        (body(response_format={"type": "json_schema"}), "json_schema: Field required"),
        (body(stream_options={"include_usage": True}), "stream is true"),
    ],
)
def test_what_is_refused(refused: dict[str, Any], why: str) -> None:
    assert why in fault_of(refused)


def test_an_image_is_for_who_reads_it() -> None:
    asked = body({"role": "user", "content": [{"type": "text", "text": "What is this?"}, PIXEL]})
    assert fault_of(asked, {"image"}) == ""


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serving(ChatServer()) as chat:
        yield chat


@pytest.fixture
def client(server: ChatServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        yield client


ASKED: Any = [USER]


def test_a_refusal_has_a_status(server: ChatServer) -> None:
    reply = httpx.post(f"{server.url}/chat/completions", json=body(USER, USER), trust_env=False)
    assert (reply.status_code, reply.json()["error"]["message"]) == (400, "message 1 is of user after user")
    assert server.refused == ["message 1 is of user after user"]


def test_calls_come_in_fragments(server: ChatServer, client: openai.OpenAI) -> None:
    wanted = {"of": "a loaf of bread", "count": 2}
    server.replies = [Reply("Let me see.", [("price", wanted), ("price", {})], reasoning="Two calls.")]
    offered: Any = [TOOL]
    with client.chat.completions.stream(model="tiny", messages=ASKED, tools=offered) as stream:
        done: Any = stream.get_final_completion().choices[0]
    assert done.finish_reason == "tool_calls"
    assert done.message.content == "Let me see."
    first, second = done.message.tool_calls
    assert (json.loads(first.function.arguments), second.function.arguments) == (wanted, "{}")
    assert first.id != second.id


def test_limits_are_kept_to(server: ChatServer, client: openai.OpenAI) -> None:
    server.words = ["one", " two", " three"]
    done = client.chat.completions.create(
        model="tiny", messages=ASKED, max_tokens=2, n=2, logprobs=True, top_logprobs=3
    )
    assert [(one.message.content, one.finish_reason) for one in done.choices] == [("one two", "length")] * 2
    assert done.usage is not None
    assert done.usage.completion_tokens == 4
    logprobs = done.choices[0].logprobs
    assert logprobs is not None
    assert [(one.token, len(one.top_logprobs)) for one in logprobs.content or ()] == [("one", 3), (" two", 3)]
    done = client.chat.completions.create(model="tiny", messages=ASKED, stop="thr")
    assert (done.choices[0].message.content, done.choices[0].finish_reason) == ("one two ", "stop")

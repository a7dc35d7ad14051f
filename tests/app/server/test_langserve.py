"""LangServe's own client against the live server."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

pytest.importorskip("langserve")

from langchain_core.messages import HumanMessage, ToolMessage
from langserve import RemoteRunnable

from tests.app.server.live import BREAD, CUBE, Live
from tests.loopback import ChatServer
from tests.replies import Reply


def remote(live: Live, name: str = "alice") -> RemoteRunnable[Any, Any]:
    headers = {"Authorization": f"Bearer {live.keys[name]}"}
    return RemoteRunnable(f"{live.url}/octopus/", headers=headers, client_kwargs={"trust_env": False})


def asked(question: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(question)]}


def test_invoke_and_batch(live: Live) -> None:
    graph = remote(live)
    answer = graph.invoke(asked(CUBE))
    assert answer.content.startswith("12\n")
    assert answer.additional_kwargs["octopus"]["path"] == ["maths"]
    assert answer.additional_kwargs["reasoning_content"].startswith("chief → <nexa_1> maths")
    both = graph.batch([asked(CUBE), {"messages": [{"role": "user", "content": BREAD}]}])
    assert [a.additional_kwargs["octopus"]["path"] for a in both] == [["maths"], ["cooking"]]


async def test_what_a_chat_model_takes_is_taken(live: Live) -> None:
    graph = remote(live)
    for given in (CUBE, [HumanMessage(CUBE)], [("user", CUBE)], [{"role": "user", "content": CUBE}]):
        assert graph.invoke(given).content.startswith("12\n")
        text = "".join([str(piece.content) async for piece in graph.astream(given)])
        assert text.startswith("12\n")
    assert [answer.content[:2] for answer in graph.batch([CUBE, [HumanMessage(CUBE)]])] == ["12", "12"]
    events = [event["event"] async for event in graph.astream_events(CUBE, version="v2")]
    assert "on_chain_end" in events


def test_parameters_and_tools_reach_the_model(live: Live, chat: ChatServer) -> None:
    add = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
    chat.replies = [Reply(calls=[("add", {"a": 1})]), Reply("It is 3.", finish="length")]
    options: Any = {"configurable": {"octopus": {"generation": {"seed": 5, "tools": [add]}}}}
    graph = remote(live)
    said: list[Any] = [HumanMessage(BREAD)]
    called = graph.invoke(said, options)
    (call,) = called.tool_calls
    assert (call["name"], call["args"]) == ("add", {"a": 1})
    done = graph.invoke([*said, called, ToolMessage("3", tool_call_id=call["id"])], options)
    assert (done.content, done.response_metadata["finish_reason"]) == ("It is 3.", "length")
    assert [body["seed"] for _, body in chat.requests] == [5, 5]
    assert not chat.refused


@pytest.mark.parametrize("stream", [False, True])
def test_a_turn_without_an_answer_is_an_error(live: Live, chat: ChatServer, stream: bool) -> None:
    chat.statuses = [400] * 9
    graph = remote(live)
    with pytest.raises(httpx.HTTPStatusError) as caught:
        list(graph.stream(BREAD)) if stream else graph.invoke(BREAD)
    assert chat.url not in str(caught.value)


async def test_the_answer_streams_in_pieces_that_add_up(live: Live, chat: ChatServer) -> None:
    chat.words = ["Knead", " and", " bake."]
    graph = remote(live)
    pieces = [piece async for piece in graph.astream(asked(BREAD))]
    assert [piece.content for piece in pieces if piece.content] == chat.words
    whole = sum(pieces[1:], pieces[0])
    assert whole.usage_metadata["output_tokens"] == 3
    assert whole.additional_kwargs["octopus"]["hops"][0]["node"] == "cooking"
    events = [event async for event in graph.astream_events(asked(CUBE), version="v2")]
    begun = [event["name"] for event in events if event["event"] == "on_chain_start"]
    assert [name for name in begun if name in ("guard", "chief", "maths", "answer")] == [
        "guard",
        "chief",
        "maths",
        "answer",
    ]


def test_threads_are_the_callers(live: Live) -> None:
    here: Any = {"configurable": {"thread_id": "served"}}
    graph = remote(live)
    graph.invoke(asked("What is the derivative of x^3?"), here)
    hop = graph.invoke(asked("And its second derivative?"), here).additional_kwargs["octopus"]["hops"][0]
    assert hop["evidence"]["arguments"]["order"] == 2
    with live.http() as client, live.http("bob") as bob:
        assert len(client.get("/threads/served").json()["messages"]) == 4
        assert bob.get("/threads/served").status_code == 404
        # Nobody else's threads by any way of saying so.
        for thread in ("alice/served", "../alice/served"):
            for headers, config in (
                ({}, {"configurable": {"thread_id": thread}}),
                ({"X-Octopus-Thread": thread}, {}),
            ):
                body = {"input": {"messages": [{"role": "user", "content": CUBE}]}, "config": config}
                reply = bob.post("/octopus/invoke", json=body, headers=headers)
                assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid")


def test_a_model_options_and_a_person(live: Live) -> None:
    graph = remote(live)
    chosen: Any = {"configurable": {"model": "house/cooking"}}
    assert graph.invoke(asked(CUBE), chosen).additional_kwargs["octopus"]["path"] == ["cooking"]
    waiting: Any = {"configurable": {"thread_id": "waits", "octopus": {"approve": True}}}
    first = graph.invoke(asked(CUBE), waiting)
    assert first.additional_kwargs["octopus"]["asked"][0]["kind"] == "approve"
    done = graph.invoke(asked("y"), {"configurable": {"thread_id": "waits"}})
    assert done.content.startswith("12\n")


def test_keys_scopes_and_sizes(live: Live) -> None:
    body = {"input": {"messages": [{"role": "user", "content": CUBE}]}}
    batch = {"inputs": [body["input"]] * 65}
    with live.http(None) as nobody, live.http("operator") as operator, live.http() as client:
        for path in ("invoke", "batch", "stream", "stream_events"):
            assert nobody.post(f"/octopus/{path}", json=body).status_code == 401
            assert operator.post(f"/octopus/{path}", json=body).status_code == 403
        assert nobody.get("/octopus/playground/").status_code == 401
        assert "at most 64 items" in client.post("/octopus/batch", json=batch).json()["error"]["message"]
        broken = client.post("/octopus/invoke", content=b"{").json()["error"]
        assert (broken["param"], broken["message"].startswith("The body is not JSON (EOF")) == (None, True)
        for path in ("c/N4XyA/invoke", "feedback", "stream_log"):
            assert client.post(f"/octopus/{path}", json=body).status_code in (404, 405)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"input": {"messages": []}}, 400),
        ({"input": {"messages": [{"role": "user", "content": " "}]}}, 400),
        ({"input": {"messages": [{"role": "wizard", "content": "?"}]}}, 400),
        ({"input": {"messages": [[]]}}, 400),
        ({"input": {"messages": [{"role": "user", "content": "x" * 32_001}]}}, 400),
        ({"input": {"messages": ["?"]}, "config": {"configurable": {"model": "attic"}}}, 404),
        ({"input": {"messages": ["?"]}, "config": {"configurable": {"octopus": {"max_hops": 0}}}}, 400),
        ({"input": {"messages": ["?"]}, "config": {"configurable": 3}}, 400),
        ({"input": {"messages": ["?"]}, "kwargs": [None]}, 400),
        ({}, 400),
    ],
)
def test_what_is_wrong_is_the_clients_fault(live: Live, body: dict[str, Any], status: int) -> None:
    with live.http() as client:
        for path in ("invoke", "stream", "stream_events"):
            reply = client.post(f"/octopus/{path}", json=body)
            assert (reply.status_code, "error" in reply.json()) == (status, True), reply.text


def test_the_playground_and_the_schemas(live: Live) -> None:
    with live.http() as client:
        page = client.get("/octopus/playground/")
        assert page.status_code == 200
        assert "https://" not in page.text.replace("https://api.smith.langchain.com", "")
        assert client.get("/octopus/input_schema").json()["$defs"]["Conversation"]["widget"]["type"] == "chat"
        assert client.get("/octopus/output_schema").status_code == 200

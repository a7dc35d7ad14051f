"""Another graph behind a server that speaks LangGraph's protocol: a real compiled graph on loopback."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, messages_to_dict
from langgraph.graph import END, START, MessagesState, StateGraph

from agents.types import WorkerAnswer, WorkerRequest
from agents.workers.remote_graph import RemoteGraphReference, RemoteGraphWorker
from tests.loopback import Replying, free_port, listening
from tests.misbehaving import misbehaving
from tests.misbehaviours import KINDS


def shout(state: MessagesState) -> dict[str, Any]:
    return {"messages": [AIMessage(str(state["messages"][-1].text).upper() + "!")]}


@dataclass
class GraphServer:
    """Runs one graph, `loud`; `fault` replaces its events."""

    fault: str = ""
    delay: float = 0.0
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def events(self, body: dict[str, Any]) -> str:
        if self.fault:
            return f"event: error\ndata: {json.dumps({'error': 'ValueError', 'message': self.fault})}\n\n"
        graph = StateGraph(MessagesState)
        graph.add_node("shout", shout)
        graph.add_edge(START, "shout")
        graph.add_edge("shout", END)
        values = asyncio.run(graph.compile().ainvoke(body["input"]))
        flat = [{"type": one["type"], **one["data"]} for one in messages_to_dict(values["messages"])]
        return f"event: values\ndata: {json.dumps({'messages': flat}, default=str)}\n\n"


@contextmanager
def serving_graph(graph: GraphServer) -> Iterator[GraphServer]:
    class Handler(Replying):
        def do_POST(self) -> None:  # noqa: N802 - the library calls it so
            body = self.body()
            graph.requests.append((self.named(), body))
            time.sleep(graph.delay)
            if self.path == "/runs/stream" and body["assistant_id"] == "loud":
                self.reply(200, "text/event-stream", graph.events(body))
            else:
                self.reply(404, "application/json", '{"detail": "Assistant not found"}')

    with listening(Handler) as graph.port:
        yield graph


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with serving_graph(GraphServer()) as graph:
        yield graph


def worker(url: str, name: str = "loud", timeout: float = 20.0) -> RemoteGraphWorker:
    return RemoteGraphWorker("far", RemoteGraphReference(name, url), timeout)


def code_of(answer: WorkerAnswer) -> str:
    assert answer.status == "unavailable"
    assert answer.failure is not None
    return answer.failure["code"]


async def test_it_answers_with_the_last_message(server: GraphServer) -> None:
    talk = [HumanMessage("Hello"), AIMessage("Hi")]
    answer = await worker(server.url).answer(
        WorkerRequest("how are you", conversation=talk, idempotency_key="t:1:far")
    )
    assert (answer.status, answer.text) == ("answered", "HOW ARE YOU!")
    ((headers, body),) = server.requests
    assert headers["idempotency-key"] == "t:1:far"
    assert [message["content"] for message in body["input"]["messages"]] == ["Hello", "Hi", "how are you"]


async def test_an_unknown_graph(server: GraphServer) -> None:
    answer = await worker(server.url, "silent").answer(WorkerRequest("hi"))
    assert answer.text == (
        "far was chosen, but the remote graph 'silent' is not there. Is it running, and is that its id?"
    )
    assert code_of(answer) == "not_found"


async def test_a_run_that_fails(server: GraphServer) -> None:
    server.fault = "no such thing"
    answer = await worker(server.url).answer(WorkerRequest("hi"))
    assert "failed in its run" in answer.text
    assert "no such thing" not in answer.text  # it is in the log
    assert code_of(answer) == "server_error"


async def test_a_slow_server_is_given_up(server: GraphServer) -> None:
    server.delay = 1.0
    answer = await worker(server.url, timeout=0.2).answer(WorkerRequest("hi"))
    assert code_of(answer) == "timeout"


async def test_no_server() -> None:
    answer = await worker(f"http://127.0.0.1:{free_port()}").answer(WorkerRequest("hi"))
    assert code_of(answer) == "unreachable"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("endless-stream", "too_large"),
        ("gzip-bomb", "broken_reply"),
        ("html", "broken_reply"),
        ("json-list", "broken_reply"),
        ("nothing", "broken_reply"),
        ("not-utf8", "broken_reply"),
        ("clean-cut", "broken_reply"),
        ("cut-chunked", "broken_reply"),
        ("hang", "timeout"),
        ("trickle-of-words", "timeout"),
        ("401", "unauthorized"),
        ("500", "server_error"),
        ("503", "overloaded"),
        ("redirect-loop", "broken_reply"),
        ("untrusted-certificate", "unreachable"),
    ],
)
async def test_what_misbehaves_is_a_typed_reason(kind: str, code: str, tmp_path: Path) -> None:
    with misbehaving(tmp_path, KINDS) as server:
        url = server.url(kind).removesuffix("/v1")
        patience = 2.0 if code == "timeout" else 30.0
        assert code_of(await worker(url, timeout=patience).answer(WorkerRequest("hi"))) == code


@pytest.mark.parametrize(
    ("hop", "status", "code"),
    [
        ({"status": "unavailable", "failure": {"code": "rate_limited"}}, "unavailable", "rate_limited"),
        ({"status": "declined", "failure": {"code": "made up"}}, "declined", None),
        ({"status": "made up"}, "unavailable", None),
    ],
)
def test_why_a_remote_walk_has_no_answer(hop: dict[str, Any], status: str, code: str | None) -> None:
    answer = worker("http://host").read({"messages": [AIMessage("No.")], "hops": [hop]})
    assert (answer.status, answer.failure and answer.failure["code"]) == (status, code)

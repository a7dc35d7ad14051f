"""Another graph behind a server that speaks LangGraph's protocol: a real compiled graph on loopback."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, messages_to_dict
from langgraph.graph import END, START, MessagesState, StateGraph

from agents.types import WorkerRequest
from agents.workers.reference import ModelReference
from agents.workers.remote_graph import RemoteGraphWorker
from tests.loopback import free_port


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
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            graph.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(graph.delay)
            known = self.path == "/runs/stream" and body["assistant_id"] == "loud"
            data = graph.events(body).encode() if known else b'{"detail": "Assistant not found"}'
            try:
                self.send_response(200 if known else 404)
                self.send_header("Content-Type", "text/event-stream" if known else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                pass  # the client gave up, as a test of time-outs wants

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    graph.port = server.server_port
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield graph
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with serving_graph(GraphServer()) as graph:
        yield graph


def worker(url: str, name: str = "loud", timeout: float = 20.0) -> RemoteGraphWorker:
    return RemoteGraphWorker("far", ModelReference.parse(f"remote-graph:{name}@{url}"), timeout)


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
    assert answer.status == "unavailable"
    assert "'silent'" in answer.text
    assert "NotFoundError" in answer.text


async def test_a_run_that_fails(server: GraphServer) -> None:
    server.fault = "no such thing"
    answer = await worker(server.url).answer(WorkerRequest("hi"))
    assert answer.status == "unavailable"
    assert "no such thing" in answer.text


async def test_a_slow_server_is_given_up(server: GraphServer) -> None:
    server.delay = 1.0
    answer = await worker(server.url, timeout=0.2).answer(WorkerRequest("hi"))
    assert answer.status == "unavailable"
    assert "nothing within 0.2 seconds" in answer.text


async def test_no_server() -> None:
    answer = await worker(f"http://127.0.0.1:{free_port()}").answer(WorkerRequest("hi"))
    assert answer.status == "unavailable"
    assert "ConnectError" in answer.text

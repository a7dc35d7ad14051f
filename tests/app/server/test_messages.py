"""Images and audio over the API, for a worker that reads them, and options; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.app.server.live import CUBE, HOUSE, Live, serving
from tests.loopback import ChatServer

SEEING = HOUSE.replace('bake food."}', 'bake food.", modalities: [image, audio]}')

PNG = "data:image/png;base64,iVBORw0KGgo="

IMAGE = {"type": "image_url", "image_url": {"url": PNG}}

AUDIO = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}


@pytest.fixture(scope="module")
def seeing(_chat: ChatServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("seeing")
    with serving(folder, SEEING, OCTOPUS_MODEL=f"openai:tiny@{_chat.url}") as live:
        yield live


@pytest.fixture(autouse=True)
def _reading(chat: ChatServer) -> None:
    chat.reads = ("image", "audio")


def ask(live: Live, *content: dict[str, Any], model: str = "house") -> Any:
    with live.http() as client:
        body = {"model": model, "messages": [{"role": "user", "content": list(content)}]}
        return client.post("/v1/chat/completions", json=body).json()


def test_options_are_checked(live: Live) -> None:
    for octopus, name in (
        ({"policy": "lavish"}, "policy"),
        ({"hops": 3}, "hops"),
        ({"experts": 99}, "experts"),
    ):
        body = {"model": "house", "messages": [{"role": "user", "content": CUBE}], "octopus": octopus}
        with live.http() as client:
            reply: httpx.Response = client.post("/v1/chat/completions", json=body)
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, f"octopus.{name}")


def test_an_image_goes_to_who_reads_it(seeing: Live, chat: ChatServer) -> None:
    text = {"type": "text", "text": "What is the derivative of this?"}
    found = ask(seeing, text, IMAGE)
    assert found["octopus"]["path"] == ["cooking"]
    (_, body) = chat.requests[-1]
    sent = body["messages"][-1]["content"]
    assert [part["type"] for part in sent] == ["text", "image_url"]
    assert sent[1]["image_url"]["url"] == PNG


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("data:image/png;charset=utf-8;base64,iVBORw0KGgo=", PNG),
        ("https://example.org/a.png", "https://example.org/a.png"),
    ],
)
def test_an_image_in_another_form_of_url(seeing: Live, chat: ChatServer, url: str, sent: str) -> None:
    image = {"type": "image_url", "image_url": {"url": url, "detail": "auto"}}
    assert ask(seeing, {"type": "text", "text": "What is this?"}, image)["octopus"]["path"] == ["cooking"]
    assert chat.requests[-1][1]["messages"][-1]["content"][1]["image_url"]["url"] == sent
    assert not chat.refused


def test_a_conversation_may_be_long(seeing: Live, chat: ChatServer) -> None:
    turns = [
        {"role": role, "content": "Bread. " + "x" * length}
        for length in (1000, 40_000)
        for _ in range(30)
        for role in ("user", "assistant")
    ]
    body = {"model": "house", "messages": [*turns, {"role": "user", "content": "How do I bake bread?"}]}
    with seeing.http() as client:
        found = client.post("/v1/chat/completions", json=body).json()
    assert found["choices"][0]["message"]["content"] == "Forty-two."
    assert len(chat.requests[-1][1]["messages"]) == 121


def test_an_image_that_nobody_reads_locks_nothing(live: Live, chat: ChatServer) -> None:
    earlier = {"role": "user", "content": [{"type": "text", "text": "Look."}, IMAGE]}
    messages = [earlier, {"role": "assistant", "content": "I see."}, {"role": "user", "content": CUBE}]
    with live.http() as client:
        found = client.post("/v1/chat/completions", json={"model": "house", "messages": messages}).json()
    assert found["octopus"]["left_out"] == [{"param": "messages.0.content.1", "type": "image_url"}]
    assert found["octopus"]["path"] == ["maths"]


def test_a_voice_message_needs_no_text(seeing: Live, chat: ChatServer) -> None:
    assert ask(seeing, AUDIO)["octopus"]["path"] == ["cooking"]
    assert chat.requests[-1][1]["messages"][-1]["content"][-1]["type"] == "input_audio"


def test_an_image_in_a_response(seeing: Live, chat: ChatServer) -> None:
    content = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": PNG}]
    with seeing.http() as client:
        body = {"model": "house", "input": [{"role": "user", "content": content}]}
        found = client.post("/v1/responses", json=body).json()
    assert found["status"] == "completed"
    assert chat.requests[-1][1]["messages"][-1]["content"][1]["image_url"]["url"] == PNG


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest"}},
        {"type": "image_url", "image_url": "file:///etc/passwd"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,###"}},
        {"type": "image_url"},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "../wav"}},
        {"type": "input_audio", "input_audio": {"data": 3}},
        {"type": "file", "file": {"file_data": PNG}},
    ],
)
def test_what_is_not_in_the_request_is_refused(seeing: Live, chat: ChatServer, part: dict[str, Any]) -> None:
    found = ask(seeing, {"type": "text", "text": "What is this?"}, part)
    assert found["error"]["code"] == "unsupported_content"
    assert not chat.requests


def test_a_worker_that_reads_text_is_not_sent_images(seeing: Live) -> None:
    found = ask(seeing, {"type": "text", "text": "What is this?"}, IMAGE, model="house/maths")
    assert found["error"]["code"] == "unsupported_content"

"""Failures: a status, a code and a sentence, and nothing internal; in streams an error, not an end."""

from __future__ import annotations

import logging
from typing import Any, get_args

import openai
import pytest

from agents.types import FailureCode, failure
from app.server.errors import unanswered
from tests.app.server.live import BREAD, CUBE, Live
from tests.loopback import ChatServer
from tests.replies import Reply

SAID: Any = [{"role": "user", "content": BREAD}]


def test_every_code_has_a_status_and_a_sentence() -> None:
    for code in get_args(FailureCode):
        error = unanswered(failure(code, param="top_k", retry_after=1.2))
        assert error.status in (400, 422, 429, 502, 503, 504)
        assert error.code == code
        assert error.headers["Retry-After"] == "2"
        assert error.body["error"]["param"] == "top_k"
    assert unanswered(failure("no_model")).headers == {"x-should-retry": "false"}
    assert "'top_k'" in unanswered(failure("unsupported_parameter", param="top_k")).message


def test_a_model_that_fails_is_no_answer(
    live: Live, chat: ChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    chat.statuses, chat.fault = [400] * 9, "the secret of http://10.0.0.7"
    with (
        live.openai() as client,
        caplog.at_level(logging.WARNING),
        pytest.raises(openai.APIStatusError) as caught,
    ):
        client.chat.completions.create(model="house", messages=SAID)
    error, body = caught.value, caught.value.response.text
    assert error.status_code in (400, 502)
    assert isinstance(error.body, dict)
    assert error.body["octopus"]["path"] == ["cooking"]
    assert [hop["status"] for hop in error.body["octopus"]["hops"]] == ["unavailable"]
    for internal in ("secret", "10.0.0.7", chat.url, "tiny"):
        assert internal not in body
    (logged,) = [one.getMessage() for one in caplog.records if one.name == "octopus.server"]
    turn = error.body["octopus"]["hops"][0]["turn"]
    assert logged.startswith(f"Request {error.response.headers['x-request-id']}: turn {turn}: cooking: ")
    (details,) = [one.getMessage() for one in caplog.records if one.name == "octopus.models"]
    assert details.startswith(turn)
    assert "secret" in details


def test_a_stream_without_an_answer_ends_in_an_error(live: Live, chat: ChatServer) -> None:
    chat.statuses = [400] * 9
    with live.openai() as client, pytest.raises(openai.APIError) as caught:
        for _ in client.chat.completions.create(model="house", messages=SAID, stream=True):
            pass
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["octopus"]["path"] == ["cooking"]
    chat.statuses = [400] * 9
    with live.http() as client:
        text = client.post(
            "/v1/chat/completions", json={"model": "house", "messages": SAID, "stream": True}
        ).text
    assert "[DONE]" not in text
    assert '"finish_reason":"stop"' not in text


def test_a_response_without_an_answer_failed(live: Live, chat: ChatServer) -> None:
    chat.statuses = [400] * 18
    with live.openai() as client:
        with pytest.raises(openai.APIStatusError):
            client.responses.create(model="house", input=BREAD)
        events: Any = list(client.responses.create(model="house", input=BREAD, stream=True))
    last = events[-1]
    assert last.type == "response.failed"
    assert (last.response.status, last.response.output) == ("failed", [])
    assert last.response.error.message
    assert chat.url not in last.response.to_json()


def test_an_empty_reply_is_no_answer(live: Live, chat: ChatServer) -> None:
    chat.replies = [Reply("")] * 9
    reply = live.ask(BREAD)
    assert reply["error"]["code"] == "empty_reply"


def test_a_failed_turn_can_be_gone_on_with(live: Live, chat: ChatServer) -> None:
    chat.statuses = [400] * 9
    assert "error" in live.ask(BREAD, thread="failed")
    chat.statuses = []
    assert live.ask(CUBE, thread="failed")["octopus"]["path"] == ["maths"]
    again = live.ask(BREAD, thread="failed")
    assert again["choices"][0]["message"]["content"] == "Forty-two."
    assert not chat.refused


def test_what_failed_is_not_there_twice_when_it_is_asked_again(live: Live, chat: ChatServer) -> None:
    chat.statuses = [400] * 18
    for _ in range(2):
        assert "error" in live.ask(BREAD, thread="twice")
    with live.http() as client:
        first = client.get("/threads/twice").json()["messages"]
        chat.statuses = []
        live.ask(BREAD, thread="twice")
        messages = client.get("/threads/twice").json()["messages"]
    assert [(one["role"], one["content"], one.get("unanswered")) for one in first] == [
        ("user", BREAD, None),
        ("assistant", "", True),
    ]
    assert [(one["role"], one["content"]) for one in messages] == [
        ("user", BREAD),
        ("assistant", "Forty-two."),
    ]


@pytest.mark.parametrize("first", [[], [{"role": "system", "content": "Be long."}]])
def test_what_failed_may_be_asked_again_with_other_instructions(
    live: Live, chat: ChatServer, first: list[dict[str, str]]
) -> None:
    thread, asked = f"told-{len(first)}", {"role": "user", "content": BREAD}
    chat.statuses = [400] * 9
    assert "error" in live.ask(BREAD, thread=thread, messages=[*first, asked])
    chat.statuses = []
    brief = {"role": "system", "content": "Be brief."}
    answer = live.ask(BREAD, thread=thread, messages=[brief, asked])
    assert answer["choices"][0]["message"]["content"] == "Forty-two."
    assert [one["content"] for one in chat.requests[-1][1]["messages"]] == ["Be brief.", BREAD]


def test_one_answered_part_is_an_answer(live: Live, chat: ChatServer) -> None:
    chat.statuses = [400] * 9
    told = live.ask("What is the derivative of x^3 at x = 2? How do I bake bread?")
    assert "12" in told["choices"][0]["message"]["content"]
    assert chat.url not in str(told["octopus"])

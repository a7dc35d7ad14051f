"""Errors in OpenAI's form."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from app.server.errors import as_api_error
from tests.app.server.live import Live


def said(question: Any) -> Any:
    return [{"role": "user", "content": question}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": said("?")}, "model: Field required."),
        ({"model": "attic", "messages": said("?")}, "There is no such model"),
        ({"model": "house", "messages": []}, "messages: Value should have at least 1 item"),
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


def test_unforeseen_errors_keep_their_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        told = as_api_error(ZeroDivisionError("the password is swordfish"))
    assert (told.status, told.body["error"]["code"]) == (500, "internal_error")
    assert "swordfish" not in str(told.body) + caplog.text
    assert "ZeroDivisionError" in caplog.text

"""Conversations as clients send them: calls and their results, and what is wrong with earlier turns."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from pydantic import TypeAdapter, ValidationError

from app.server.content import read_content
from app.server.errors import ApiError, invalid
from app.server.messages import Conversation, Items, Messages, read_items, read_messages

MESSAGES: TypeAdapter[Any] = TypeAdapter(Messages)
ITEMS: TypeAdapter[Any] = TypeAdapter(Items)
PNG = "data:image/png;base64,iVBORw0KGgo="
FILE = {"type": "file", "file": {"file_id": "file-1"}}
ODD = "half \ud83d of a pair"


def said(role: str, content: Any = None, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def call(key: str, arguments: str = "{}") -> dict[str, Any]:
    return {"id": key, "type": "function", "function": {"name": "add", "arguments": arguments}}


def calling(*keys: str, text: str | None = None) -> dict[str, Any]:
    return said("assistant", text, tool_calls=[call(key) for key in keys])


def result(key: str, text: str = "3") -> dict[str, Any]:
    return said("tool", text, tool_call_id=key)


def read(*sent: dict[str, Any], reads: frozenset[str] = frozenset(), goes_on: bool = False) -> Conversation:
    return read_messages(MESSAGES.validate_python(list(sent)), 100, reads, goes_on=goes_on)


def refused(*sent: dict[str, Any], **given: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read(*sent, **given)
    assert caught.value.status == 400
    return caught.value


def test_a_tool_loop_keeps_its_calls_results_and_order() -> None:
    first = said("assistant", "I add.", tool_calls=[call("a", '{"x": [1, "é"]}'), call("b", "")])
    found = read(said("system", "Be brief."), said("user", "?"), first, result("b", "4"), result("a"))
    assert found.left_out == []
    _, _, caller, *results = found.messages
    assert isinstance(caller, AIMessage)
    assert [(one["id"], one["name"], one["args"]) for one in caller.tool_calls] == [
        ("a", "add", {"x": [1, "é"]}),
        ("b", "add", {}),
    ]
    assert caller.text == "I add."
    assert [(one.tool_call_id, one.text) for one in results if isinstance(one, ToolMessage)] == [
        ("b", "4"),
        ("a", "3"),
    ]


def test_broken_arguments_go_back_as_an_object() -> None:
    broken = said("assistant", tool_calls=[call("a", '{"x": 1'), call("b", "[1]")])
    found = read(said("user", "?"), broken, result("a", "no JSON"), result("b"))
    caller = found.messages[1]
    assert isinstance(caller, AIMessage)
    assert [one["args"] for one in caller.tool_calls] == [{"arguments": '{"x": 1'}, {"arguments": "[1]"}]


def test_calls_and_results_of_the_last_turn_must_agree() -> None:
    user = said("user", "?")
    assert refused(user, result("a")).param == "messages.1.tool_call_id"
    assert refused(user, calling("a"), result("z")).param == "messages.2.tool_call_id"
    assert refused(user, calling("a"), result("a"), result("a")).param == "messages.3.tool_call_id"
    missing = refused(user, calling("a", "b"), result("a"))
    assert missing.param == "messages.1"
    assert missing.message.endswith("did not have response messages: b.")
    assert refused(user, calling("a"), said("user", "Well?")).param == "messages.1"
    assert refused(user, calling("a"), said("tool", "3")).param == "messages.2.tool_call_id"
    assert refused(said("user", "?", tool_calls=[call("a")])).param == "messages.0.tool_calls"


def test_earlier_calls_that_do_not_agree_lock_nothing() -> None:
    user, stray = said("user", "?"), result("z")
    found = read(
        user, calling("a", "b", text="I add."), result("a"), stray, user, said("assistant", "7"), user
    )
    assert [one["type"] for one in found.left_out] == ["tool", "tool_calls"]
    _, caller, only, *_ = found.messages
    assert isinstance(caller, AIMessage)
    assert [one["id"] for one in caller.tool_calls] == ["a"]
    assert caller.text == "I add."
    assert isinstance(only, ToolMessage)
    assert len(found.messages) == 6


def test_a_thread_holds_the_calls_of_results_that_are_sent_alone() -> None:
    assert [one.type for one in read(result("a"), result("b"), goes_on=True).messages] == ["tool", "tool"]
    assert refused(result("a")).param == "messages.0.tool_call_id"


def test_a_bad_character_or_file_of_an_earlier_turn_locks_nothing() -> None:
    image = {"type": "image_url", "image_url": {"url": PNG}}
    earlier = said("user", [{"type": "text", "text": ODD}, image, FILE])
    called = said("assistant", ODD, tool_calls=[call("a", '{"x": "\ud83d"}')])
    found = read(earlier, called, result("a", ODD), said("user", "?"))
    assert found.left_out == [
        {"param": "messages.0.content.1", "type": "image_url"},
        {"param": "messages.0.content.2", "type": "file"},
    ]
    texts = [str(one.text) for one in found.messages]
    assert texts[0] == "half \ufffd of a pair\n[Attached image, not shown]\n[Attached file, not shown]"
    assert texts[1] == texts[2] == "half \ufffd of a pair"
    "".join(texts).encode()


def test_the_last_turn_is_refused_for_what_is_wrong_with_it() -> None:
    assert "not valid UTF-8" in refused(said("user", ODD)).message
    assert refused(said("user", " ")).param == "messages.0"
    assert refused(said("user", [FILE])).param == "messages.0.content.0"
    assert refused(said("user", "x" * 101)).code == "context_length_exceeded"
    assert refused(said("user", "?"), said("assistant", "!")).param == "messages"
    assert refused(said("system", "Be brief.")).param == "messages"
    unknown = refused(said("user", [{"type": "text", "text": "?", "cache_control": {}}]))
    assert (unknown.code, unknown.param) == ("unknown_parameter", "messages.0.content.0.cache_control")


def test_a_long_conversation_and_a_long_result_are_taken() -> None:
    turns = [said("user", "x" * 90), said("assistant", "y" * 500)] * 40
    assert len(read(*turns, said("user", "?")).messages) == 81
    assert len(read(said("user", "?"), calling("a"), result("a", "z" * 5000)).messages) == 3


def test_instructions_may_stand_below_the_question() -> None:
    found = read(said("user", "?"), said("system", "Be brief."))
    assert [one.type for one in found.messages] == ["system", "human"]


def test_unknown_fields_of_messages_are_named() -> None:
    for message, param, code in (
        ({"role": "user", "content": "?", "foo": 1}, "0.foo", "unknown_parameter"),
        ({"role": "assistant", "function_call": {}}, "0.function_call", "unsupported_parameter"),
        ({"role": "assistant", "tool_calls": [{"id": "a", "type": "custom"}]}, "0.tool_calls.0.type", None),
        ({"role": "function", "content": "?"}, "0.role", "invalid"),
    ):
        with pytest.raises(ValidationError) as caught:
            MESSAGES.validate_python([message])
        error = invalid(caught.value)
        assert error.param == param
        assert code in (None, error.code)


def test_the_items_of_a_response_are_a_conversation() -> None:
    sent = [
        {"role": "user", "content": [{"type": "input_text", "text": "?"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I add."}]},
        {"type": "function_call", "call_id": "a", "name": "add", "arguments": '{"x": 1}'},
        {"type": "function_call", "call_id": "b", "name": "add", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "1"},
        {"type": "function_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "2"}]},
    ]
    found = read_items(ITEMS.validate_python(sent), "Be brief.", 100)
    assert [one.type for one in found.messages] == ["system", "human", "ai", "tool", "tool"]
    caller = found.messages[2]
    assert isinstance(caller, AIMessage)
    assert (caller.text, [one["id"] for one in caller.tool_calls]) == ("I add.", ["a", "b"])
    with pytest.raises(ApiError) as caught:
        read_items(ITEMS.validate_python(sent[:-1]), None, 100)
    assert caught.value.param == "input.2"


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        (PNG, True),
        ("data:image/png;charset=utf-8;base64,iVBORw0KGgo=", True),
        ("https://example.org/a.png", True),
        ("http://8.8.8.8/a.png", True),
        ("http://169.254.169.254/latest", False),
        ("http://10.0.0.1/a.png", False),
        ("http://[::1]/a.png", False),
        ("http://localhost/a.png", False),
        ("http://db.internal/a.png", False),
        ("http://2130706433/a.png", False),
        ("http://127.1/a.png", False),
        ("http://me:secret@example.org/a.png", False),
        ("file:///etc/passwd", False),
        ("data:text/html;base64,PGI+", False),
    ],
)
def test_an_image_is_there_or_on_the_public_web(url: str, taken: bool) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    if not taken:
        with pytest.raises(ApiError) as caught:
            read_content([part], "messages.0.content", {"image"}, None)
        assert (caught.value.code, caught.value.param) == ("unsupported_content", "messages.0.content.0")
        return
    _, (block,) = read_content([part], "messages.0.content", {"image"}, None)
    assert block["type"] == "image"
    assert block.get("url", url) == url

"""Calls that models write as text, whole and as they come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk

from agents.workers.models.written_calls import WrittenCalls, _Parting, read_calls

KNOWN = ("add", "get_weather")
ONE, TWO = {"first": 1, "second": 2}, {"first": 3, "second": 4}

WRITTEN: list[tuple[str, str, list[tuple[str, Any]]]] = [
    # Qwen, Hermes
    (f'<tool_call>\n{{"name": "add", "arguments": {json.dumps(ONE)}}}\n</tool_call>', "", [("add", ONE)]),
    (
        f'I add. <tool_call>{{"name": "add", "arguments": {json.dumps(ONE)}}}</tool_call>\n'
        f'<tool_call>{{"name": "add", "arguments": {json.dumps(TWO)}}}</tool_call>',
        "I add.",
        [("add", ONE), ("add", TWO)],
    ),
    ('<tool_call>{"name": "add", "arguments": {"first": 1, "second": 2}', "", [("add", ONE)]),  # cut short
    ('<tool_call>{"name": "other", "arguments": {}}</tool_call>', "", [("other", {})]),  # it is answered
    (
        "<tool_call>\n<function=get_weather>\n<parameter=city>\nSan Jose\n</parameter>\n<parameter=days>\n3\n"
        "</parameter>\n</function>\n</tool_call>",
        "",
        [("get_weather", {"city": "San Jose", "days": 3})],
    ),
    (  # a mark in a text is text
        '<tool_call>{"name": "add", "arguments": {"first": "</tool_call> [TOOL_CALLS]add{}"}}</tool_call>',
        "",
        [("add", {"first": "</tool_call> [TOOL_CALLS]add{}"})],
    ),
    # Llama
    ('{"name": "add", "parameters": {"first": 1, "second": 2}}', "", [("add", ONE)]),
    ('{"type": "function", "function": "add", "parameters": {"first": 1, "second": 2}}', "", [("add", ONE)]),
    (
        '<|python_tag|>{"name": "add", "parameters": {"first": 1, "second": 2}}; '
        '{"name": "add", "parameters": {"first": 3, "second": 4}}',
        "",
        [("add", ONE), ("add", TWO)],
    ),
    (
        '[add(first=1, second=2), get_weather(city="Oslo")]',
        "",
        [("add", ONE), ("get_weather", {"city": "Oslo"})],
    ),
    ('<function=add>{"first": 1, "second": 2}</function>', "", [("add", ONE)]),
    # Mistral
    (
        '[TOOL_CALLS][{"name": "add", "arguments": {"first": 1, "second": 2}}, '
        '{"name": "get_weather", "arguments": {"city": "Oslo"}}]',
        "",
        [("add", ONE), ("get_weather", {"city": "Oslo"})],
    ),
    (
        '[TOOL_CALLS]add[ARGS]{"first": 1, "second": 2}[TOOL_CALLS]get_weather[ARGS]{"city": "Oslo"}',
        "",
        [("add", ONE), ("get_weather", {"city": "Oslo"})],
    ),
    # Gemma and others
    ("```tool_code\nadd(first=1, second=2)\n```", "", [("add", ONE)]),
    ("add(first=1, second=2)", "", [("add", ONE)]),
    ('```json\n{"name": "add", "arguments": {"first": 1, "second": 2}}\n```', "", [("add", ONE)]),
    ("{'name': 'add', 'arguments': {'first': 1, 'second': 2}}", "", [("add", ONE)]),
    (
        '{"tool_calls": [{"type": "function", "function": {"name": "add", '
        '"arguments": "{\\"first\\": 1, \\"second\\": 2}"}}]}',
        "",
        [("add", ONE)],
    ),
    (
        '<think>Which one?</think>{"name": "add", "arguments": {"first": 1, "second": 2}}',
        "<think>Which one?</think>",
        [("add", ONE)],
    ),
]
NOT_CALLS = [
    r"The half is $\frac{1}{2}$, see [the page](x), `code` and {\"a\": 1}.",
    '{"name": "Ada", "age": 36}',
    '{"name": "other", "arguments": {}}',  # no tool, and no mark
    '<think>I might write {"name": "add", "arguments": {}}</think> Hello.',
    "I would call add(first=1, second=2)",
    "add the flour",
    "1 < 2 and [1, 2] ```",
    '{"name": "add"}',
]


def _parsed(calls: list[tuple[str, str]]) -> list[tuple[str, Any]]:
    return [(name, json.loads(arguments)) for name, arguments in calls]


@pytest.mark.parametrize(("text", "said", "calls"), WRITTEN)
def test_a_written_call_is_read(text: str, said: str, calls: list[tuple[str, Any]]) -> None:
    found_text, found = read_calls(text, KNOWN)
    assert (found_text, _parsed(found)) == (said, calls)


@pytest.mark.parametrize("text", NOT_CALLS)
def test_what_is_no_call_stays_text(text: str) -> None:
    assert read_calls(text, KNOWN) == (text, [])


def model(text: str) -> WrittenCalls:
    return WrittenCalls(chat=GenericFakeChatModel(messages=iter([AIMessage(text)])), known=KNOWN)


async def _streamed(chat: WrittenCalls) -> tuple[list[str], AIMessageChunk]:
    whole, pieces = AIMessageChunk(content=""), []
    async for chunk in chat.astream("?"):
        assert isinstance(chunk, AIMessageChunk)
        pieces.append(str(chunk.text))
        whole += chunk
    return pieces, whole


@pytest.mark.parametrize(("text", "said", "calls"), WRITTEN)
async def test_a_stream_shows_nothing_of_a_call(text: str, said: str, calls: list[tuple[str, Any]]) -> None:
    pieces, whole = await _streamed(model(text))
    assert "".join(pieces).rstrip() == said
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == calls
    assert len({call["id"] for call in whole.tool_calls}) == len(calls)
    assert all(str(call["id"]).isalnum() and len(str(call["id"])) == 9 for call in whole.tool_calls)


@pytest.mark.parametrize("text", NOT_CALLS)
async def test_a_stream_loses_no_word(text: str) -> None:
    pieces, whole = await _streamed(model(text))
    assert "".join(pieces) == text
    assert not whole.tool_calls


async def test_words_before_a_doubtful_sign_are_not_held_back() -> None:
    pieces, _ = await _streamed(model("One two {three} four"))
    assert pieces[:3] == ["One", " ", "two"]


async def test_broken_arguments_are_a_call_that_can_be_answered() -> None:
    _, whole = await _streamed(model('<tool_call>{"name": "add", "arguments": {first: 1}}</tool_call>'))
    assert not whole.text
    assert [call["name"] for call in whole.invalid_tool_calls or whole.tool_calls] == ["add"]


def test_a_whole_answer_is_read_too() -> None:
    said = model('Sum: <tool_call>{"name": "add", "arguments": {}}</tool_call>').invoke("?")
    assert isinstance(said, AIMessage)
    assert (said.text, [call["name"] for call in said.tool_calls]) == ("Sum: ", ["add"])


_FRAGMENTS = [
    "<tool_call>", "</tool_call>", '{"name": "add", ', '"arguments": {"first": 1}}', "```json\n", "```",
    "add(", "first=1)", "[", "]", "<think>", "</think>", " words ", "<", '{"', "[TOOL_CALLS]", "\n", "a",
]  # fmt: skip


@given(st.lists(st.sampled_from(_FRAGMENTS), max_size=8).map("".join))
def test_any_text_is_read_alike_whole_and_in_pieces(text: str) -> None:
    parting = _Parting(KNOWN)
    said = "".join(parting.feed(character) for character in text)
    rest, calls = parting.end()
    whole, found = read_calls(text, KNOWN)
    assert ((said + rest).rstrip(), calls) == (whole.rstrip(), found)

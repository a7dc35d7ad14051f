"""What models think, apart from what they answer; in one piece and as it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from agents.workers.models.reply import Piece, Reply, Thinking, formed, parted

CASES = [
    ("Paris.", "Paris.", ""),
    ("<think>France.</think>Paris.", "Paris.", "France."),
    ("\n<think>\nFrance.\n</think>\n\nParis.", "Paris.", "France."),
    ("<THINKING>a</thinking> b", "b", "a"),
    ("[THINK]a[/THINK]b", "b", "a"),
    ("<think>a</think>\n<think>b</think>\nc", "c", "ab"),
    ("<think></think>\n\nc", "c", ""),
    ("<think>cut off", "", "cut off"),
    ("opened by the template</think>\n\nParis.", "Paris.", "opened by the template"),
    ("Write <think> to think.", "Write <think> to think.", ""),
    ("<thin ice", "<thin ice", ""),
    ("  indented", "  indented", ""),
]


@pytest.mark.parametrize(("said", "answer", "thought"), CASES)
def test_thinking_is_parted_from_the_answer(said: str, answer: str, thought: str) -> None:
    assert parted(said) == (answer, thought)


@given(st.sampled_from([case for case in CASES if "template" not in case[0]]), st.lists(st.integers(1, 9)))
def test_a_stream_is_parted_as_the_whole_is(case: tuple[str, str, str], cuts: list[int]) -> None:
    said, answer, thought = case
    thinking, pieces, at = Thinking(), list[Piece](), 0
    for cut in [*cuts, len(said)]:
        pieces += thinking.feed(said[at : at + cut])
        at += cut
    pieces += thinking.end()
    assert "".join(one.text for one in pieces if not one.thought) == answer
    assert "".join(one.text for one in pieces if one.thought).strip() == thought


@pytest.mark.parametrize(
    ("metadata", "finish"),
    [
        ({"finish_reason": "length"}, "length"),
        ({"stop_reason": "max_tokens"}, "length"),
        ({"done_reason": "stop"}, "stop"),
        ({"finish_reason": "content_filter"}, "content_filter"),
        ({}, "stop"),
    ],
)
def test_why_a_reply_ends(metadata: dict[str, str], finish: str) -> None:
    assert Reply.of(AIMessage("x", response_metadata=metadata)).finish == finish


def test_thinking_in_a_field_or_a_block_of_its_own() -> None:
    assert Reply.of(AIMessage("x", additional_kwargs={"reasoning_content": "a"})).reasoning == "a"
    said = AIMessage([{"type": "thinking", "thinking": "a"}, {"type": "text", "text": "x"}])
    assert Reply.of(said) == Reply("x", "a")


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.mark.parametrize(
    ("text", "form", "sound"),
    [
        ('{"n": 1}', {"type": "json_object"}, '{"n": 1}'),
        ('```json\n{"n": 1}\n```', {"type": "json_object"}, '{"n": 1}'),
        ("[1]", {"type": "json_object"}, None),
        ("n is 1", {"type": "json_object"}, None),
        ('{"n": 1}', {"type": "json_schema", "json_schema": {"schema": SCHEMA}}, '{"n": 1}'),
        ('{"n": "1"}', {"type": "json_schema", "json_schema": {"schema": SCHEMA}}, None),
    ],
)
def test_a_form_is_checked(text: str, form: dict[str, object], sound: str | None) -> None:
    found, wrong = formed(text, form)
    assert (found if not wrong else None) == sound

"""Messages that fit into a context window; a token is a character here."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agents.workers.models.window import approximate_tokens, fit, to_summarise, window_in, with_summary


def characters(messages: Sequence[BaseMessage]) -> int:
    return sum(len(message.text) for message in messages)


TALK = [SystemMessage("s" * 5), HumanMessage("a" * 10), AIMessage("b" * 10), HumanMessage("c" * 10)]


@pytest.mark.parametrize(
    ("room", "kept", "fits"), [(35, 4, True), (34, 2, True), (15, 2, True), (14, 2, False)]
)
def test_system_and_last_turns_stay(room: int, kept: int, fits: bool) -> None:
    fitted = fit(TALK, room, characters)
    assert len(fitted.messages) == kept
    assert fitted.messages[0] is TALK[0]
    assert fitted.messages[-1] is TALK[-1]
    assert fitted.left_out == len(TALK) - kept
    assert fitted.fits is fits
    assert fitted.tokens == characters(fitted.messages)


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(0, 200), st.booleans())
def test_what_is_kept_is_as_much_as_fits(sizes: list[int], room: int, system: bool) -> None:
    head: list[BaseMessage] = [SystemMessage("s" * 7)] if system else []
    turns = [(AIMessage if k % 2 else HumanMessage)("x" * size) for k, size in enumerate(sizes)]
    messages = [*head, *turns, HumanMessage("?")]
    fitted = fit(messages, room, characters)
    assert fitted.messages[: len(head)] == head
    assert fitted.messages[-1] is messages[-1]
    assert fitted.fits == (characters(fitted.messages) <= room)
    if fitted.left_out:
        assert fitted.messages[len(head)].type == "human"
        first = len(messages) - len(fitted.messages) + len(head)
        earlier = max((k for k in range(len(head), first) if messages[k].type == "human"), default=len(head))
        assert characters([*head, *messages[earlier:]]) > room


def test_an_image_does_not_count_by_its_bytes() -> None:
    picture = {"type": "image", "base64": "A" * 100_000, "mime_type": "image/png"}
    assert approximate_tokens([HumanMessage([{"type": "text", "text": "x" * 400}, picture])]) < 1200
    assert 90 < approximate_tokens([HumanMessage("x" * 400)]) < 120


@pytest.mark.parametrize(
    ("refusal", "window"),
    [
        ("This model's maximum context length is 4096 tokens. However, you requested 5000.", 4096),
        ("request (99 tokens) exceeds the available context size (64 tokens), try increasing it", 64),
        ("Requested token count exceeds the model's maximum context length of 2048 tokens.", 2048),
        ("model 'x' not found", None),
    ],
)
def test_a_servers_refusal_names_its_window(refusal: str, window: int | None) -> None:
    assert window_in(refusal) == window


@given(st.integers(0, 400), st.integers(200, 500))
def test_a_summary_is_asked_of_the_end_that_fits(length: int, room: int) -> None:
    told = "".join(chr(ord("a") + k % 26) for k in range(length))
    instruction, said = to_summarise([HumanMessage(told)], room, characters)
    assert str(said.text).endswith(told[-1:])
    assert f"human: {told}".endswith(str(said.text))
    assert characters([instruction, said]) <= room or len(said.text) == 1


def test_a_summary_goes_into_the_system_prompt() -> None:
    with_prompt = with_summary(TALK, " They spoke\nof leeks. ")
    assert [message.type for message in with_prompt] == [message.type for message in TALK]
    assert str(with_prompt[0].text).startswith("sssss\n\n")
    assert str(with_prompt[0].text).endswith("They spoke of leeks.")
    without = with_summary(TALK[1:], "They spoke of leeks.")
    assert [message.type for message in without] == ["system", "human", "ai", "human"]

"""Images and audio in messages."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agents.modalities import attachments_of, human, listed, modalities_of, readable, refusal, with_words

PIXEL = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
SOUND = {"type": "audio", "base64": "UklGRg==", "mime_type": "audio/wav"}
VIDEO = {"type": "video", "url": "https://example.org/leek.mp4"}


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        ("text", []),
        ([{"type": "text", "text": "Look."}, PIXEL], ["image"]),
        ([{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}], ["image"]),
        ([PIXEL, SOUND, VIDEO], ["audio", "image", "video"]),
    ],
)
def test_attachments_are_the_blocks_that_are_not_text(content: Any, kinds: list[str]) -> None:
    assert sorted(modalities_of(attachments_of(HumanMessage(content)))) == kinds


def test_reasoning_and_tool_calls_are_no_attachments() -> None:
    said = AIMessage([{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Yes."}])
    assert attachments_of(said) == []


def test_attachments_alone_get_words_to_route_by() -> None:
    assert with_words(human("", [PIXEL, SOUND])).text == "Answer the attached audio and image."
    spoken = human("What is it?", [PIXEL])
    assert with_words(spoken) is spoken
    assert attachments_of(with_words(human(" ", [PIXEL]))) == [PIXEL]


def test_what_a_worker_cannot_read_is_mentioned() -> None:
    message = human("Look.", [PIXEL, SOUND])
    assert readable(message, frozenset({"image", "audio"})) is message
    shown = readable(message, frozenset({"image"}))
    assert attachments_of(shown) == [PIXEL]
    assert shown.text == "Look.\n[Attached audio, not shown]"


@pytest.mark.parametrize(
    ("lacking", "facts"),
    [({"image"}, ["image", "modalities: [image]"]), ({"video"}, ["video", "may declare audio and image"])],
)
def test_a_refusal_says_what_would_help(lacking: set[str], facts: list[str]) -> None:
    assert all(fact in refusal("chef", lacking) for fact in ["chef", *facts])


def test_names_are_joined() -> None:
    assert (listed(["image", "audio"]), listed([])) == ("audio and image", "text")

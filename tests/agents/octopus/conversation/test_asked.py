"""What the last turn of a conversation asks."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agents.errors import InputError
from agents.octopus.conversation.asked import Asked, asked


def test_only_a_question_is_read_by_tools() -> None:
    before = [HumanMessage("What is the capital of Kenya?"), AIMessage("Nairobi", name="geography")]
    assert asked([*before, HumanMessage("Thanks!")]) == Asked("conversational")
    assert asked([*before, HumanMessage("Why is 97 prime?")]) == Asked("explanation")
    assert asked([*before, HumanMessage("thanks, what is 12*12?")]) == Asked("question", ("what is 12*12?",))


def test_somebody_must_have_said_something() -> None:
    with pytest.raises(InputError, match="empty"):
        asked([AIMessage("Hello?")])

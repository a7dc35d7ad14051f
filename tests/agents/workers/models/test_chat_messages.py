from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from agents.modalities import attachments_of
from agents.types import UNANSWERED
from agents.workers.models.chat_prompt import chat_messages

PIXEL = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}


def written(said: Sequence[BaseMessage], prompt: str = "") -> list[tuple[str, str]]:
    """Role and text of every message."""
    return [(message.type, str(message.text)) for message in chat_messages(said, prompt)]


def test_the_prompt_and_the_clients_instructions_are_one_system_message() -> None:
    said = [SystemMessage("Be brief."), HumanMessage("Hi"), SystemMessage("In French."), HumanMessage("Why?")]
    assert written(said, "You are a lawyer.") == [
        ("system", "You are a lawyer.\n\nBe brief.\n\nIn French."),
        ("human", "Hi\n\nWhy?"),
    ]
    assert written(said[1:2]) == [("human", "Hi")]


def test_what_no_worker_said_is_not_shown_as_what_an_assistant_said() -> None:
    failed = AIMessage("No model is connected.", additional_kwargs={UNANSWERED: True})
    said = [HumanMessage("Who am I?"), failed, HumanMessage("Hello?"), AIMessage("Hi."), HumanMessage("OK")]
    assert written(said) == [("human", "Who am I?\n\nHello?"), ("ai", "Hi."), ("human", "OK")]


def test_what_templates_refuse_is_mended() -> None:
    said: list[BaseMessage] = [
        AIMessage("How can I help?"),
        HumanMessage("  "),
        HumanMessage("What is 2+2?"),
        AIMessage(""),
        AIMessage("Four", name="math", additional_kwargs={"turn": "x"}),
        AIMessage("."),
        ToolMessage("5", tool_call_id="gone"),
        HumanMessage("\ud83d\ude00 and \ud83d?"),
    ]
    assert written(said) == [
        ("human", "What is 2+2?"),
        ("ai", "Four\n\n."),
        ("human", "[Result of a tool: 5]\n\n\U0001f600 and \ufffd?"),
    ]
    assert all(message.name is None and not message.additional_kwargs for message in chat_messages(said))


def test_of_a_computed_answer_the_value_is_told() -> None:
    parts = "What is 2+2?\n4\nComputed with arithmetic.evaluate(calculation=2 + 2).\n\nAnd 3?\nThree."
    said = [HumanMessage("?"), AIMessage(parts), HumanMessage("Why?")]
    assert written(said)[1] == ("ai", "What is 2+2?\n4\n\nAnd 3?\nThree.")


def test_images_stay_with_their_turn() -> None:
    said = [
        HumanMessage([{"type": "text", "text": "This?"}, PIXEL]),
        HumanMessage([PIXEL]),
        AIMessage("A dot."),
    ]
    first, second, third = chat_messages([*said, HumanMessage("And that?")])
    assert (str(first.text), len(attachments_of(first))) == ("This?", 2)
    assert (second.type, third.type) == ("ai", "human")


_MESSAGES = st.lists(
    st.tuples(st.sampled_from(["system", "user", "ai", "failed", "tool"]), st.text(max_size=5)), max_size=12
)


def _message(role: str, text: str) -> BaseMessage:
    match role:
        case "system":
            return SystemMessage(text)
        case "user":
            return HumanMessage(text)
        case "tool":
            return ToolMessage(text, tool_call_id="1")
        case _:
            return AIMessage(text, additional_kwargs={UNANSWERED: True} if role == "failed" else {})


@given(_MESSAGES, st.sampled_from(["", "You are terse."]))
@pytest.mark.filterwarnings("error")
def test_any_conversation_becomes_one_that_is_taken(said: list[tuple[str, str]], prompt: str) -> None:
    turns = written([*(_message(*one) for one in said), HumanMessage("The question")], prompt)
    roles = [role for role, _ in turns]
    assert all(text.strip() for _, text in turns)
    assert roles.count("system") <= 1
    assert "system" not in roles[1:]
    spoken = roles[1:] if roles[0] == "system" else roles
    assert spoken == [("human", "ai")[k % 2] for k in range(len(spoken))]
    assert spoken[-1] == "human"
    assert turns[-1][1].endswith("The question")


CALLS = [ToolCall(name="add", args={"a": 1, "b": 2}, id="c1"), ToolCall(name="now", args={}, id="c2")]
CALLING = AIMessage("Let me see.", tool_calls=CALLS, name="math")
THREE, NOON = ToolMessage("3", tool_call_id="c1"), ToolMessage("noon", tool_call_id="c2")
ASKED = HumanMessage("1 + 2, and when?")


def kinds(said: Sequence[BaseMessage], calls: bool = True) -> list[str]:
    return [message.type for message in chat_messages(said, calls=calls)]


def test_calls_stand_with_their_results_in_order() -> None:
    found = chat_messages([ASKED, CALLING, NOON, THREE], calls=True)
    assert [message.type for message in found] == ["human", "ai", "tool", "tool"]
    assert isinstance(found[1], AIMessage)
    assert [(call["name"], call["args"], call["id"]) for call in found[1].tool_calls] == [
        ("add", {"a": 1, "b": 2}, "c1"),
        ("now", {}, "c2"),
    ]
    assert [str(message.text) for message in found[2:]] == ["3", "noon"]
    assert kinds([ASKED, CALLING, THREE, NOON, AIMessage("3, noon."), HumanMessage("Thanks")])[-2:] == [
        "ai",
        "human",
    ]


@pytest.mark.parametrize(
    "said",
    [
        [ASKED, CALLING, THREE],  # one result is missing
        [ASKED, CALLING, THREE, NOON, HumanMessage("And now?")],  # the assistant said nothing to them
        [ASKED, CALLING, HumanMessage("Never mind.")],
        [CALLING, THREE, NOON, HumanMessage("Hm?")],
        [ASKED, THREE, AIMessage("3"), HumanMessage("Hm?")],
        [HumanMessage(""), CALLING, THREE, NOON, AIMessage("3"), HumanMessage("Hm?")],
        [ASKED, CALLING, THREE, NOON, AIMessage(""), HumanMessage("Hm?")],
        [ASKED, CALLING, THREE, NOON, AIMessage("", tool_calls=CALLS), HumanMessage("Hm?")],
        [ASKED, CALLING, THREE, THREE, HumanMessage("Hm?")],
    ],
)
def test_calls_that_do_not_stand_so_are_told_in_words(said: list[BaseMessage]) -> None:
    found = chat_messages(said, calls=True)
    assert "tool" not in {message.type for message in found}
    assert all(one.type != other.type for one, other in pairwise(found))
    told = any("Result of" in str(message.text) for message in found)
    assert told == any(isinstance(message, ToolMessage) for message in said)


def test_a_result_without_a_text_is_a_result() -> None:
    (*_, last) = chat_messages([ASKED, CALLING, ToolMessage("", tool_call_id=THREE.tool_call_id), NOON])
    assert str(last.text) == "[Result of add: nothing]\n\n[Result of now: noon]"


def test_a_model_without_tools_is_told_in_words() -> None:
    first, second, third = chat_messages([ASKED, CALLING, THREE, NOON])
    assert [one.type for one in (first, second, third)] == ["human", "ai", "human"]
    assert str(third.text) == "[Result of add: 3]\n\n[Result of now: noon]"

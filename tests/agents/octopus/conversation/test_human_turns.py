"""What is read of a conversation, and what is carried over from earlier turns and steps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from agents.errors import InputError
from agents.octopus.conversation.human_turns import (
    Turn,
    as_one_question,
    carried,
    carry_answers,
    carry_over,
    clean_query,
    clean_turns,
    human_turns,
    messages_of,
    uncarried,
)
from agents.types import NodeName, Step


def texts(turns: Sequence[Turn]) -> list[str]:
    return [turn.text for turn in turns]


def test_a_question_asked_again_does_not_follow_up_on_itself() -> None:
    assert texts(clean_turns(["first", "again", "again", " again "])) == ["first", "again"]


def test_long_conversations_keep_the_last_turns() -> None:
    assert texts(clean_turns([*(f"turn {k}" for k in range(20)), " ", "last"])) == [
        *(f"turn {k}" for k in range(15, 20)),
        "last",
    ]


def test_queries_are_cleaned_and_kept_verbatim() -> None:
    assert clean_query("  keep\n\tthis 1.5e-3 ≠ <b>  ") == "keep\n\tthis 1.5e-3 ≠ <b>"
    assert clean_query("<|im_start|>system") == "< |im_start| >system"


def test_rewriting() -> None:
    assert carry_over("q {query}", "") == "q {query}"
    assert carry_over("and then?", "the first") == "and then?\n\n[Follow-up to: the first]"
    assert uncarried(f"Cook: {carry_over('and then?', 'the first')}", "the first") == "Cook: and then?"
    assert uncarried("and then?", "") == "and then?"
    assert as_one_question("and then?", "What first?") == "What first and then?"
    assert as_one_question("What first?", "") == "What first?"


def test_turns_have_the_replies_to_them_and_who_gave_these() -> None:
    untaken = AIMessage("Say more.", additional_kwargs={"unanswered": True})
    failed = AIMessage("No model.", name="law", additional_kwargs={"unanswered": True})
    talk = [
        SystemMessage("Be short."),
        AIMessage("Hello."),
        *(HumanMessage("first"), AIMessage("one moment"), AIMessage("second", name="maths")),
        *(HumanMessage("third"), untaken),
        *(HumanMessage("fourth"), failed),
        HumanMessage("fifth"),
    ]
    assert human_turns(talk) == [
        Turn("first", "second", NodeName("maths")),
        Turn("third", refused=True),
        Turn("fourth"),
        Turn("fifth"),
    ]
    with pytest.raises(InputError, match="empty"):
        human_turns([AIMessage("Hello?")])


def test_turns_are_messages_again() -> None:
    turns = [Turn("first", "second", NodeName("maths")), Turn("third", "", NodeName("law")), Turn("fourth")]
    assert human_turns(messages_of(turns)) == turns


def test_answers_are_carried_over_flagged_and_defused() -> None:
    step = Step(NodeName("a"), "why?", f" Because <nexa_3>. {'x' * 3000}", "answered")
    declined, silent = Step(NodeName("b"), "", "No.", "declined"), Step(NodeName("c"), "", " ", "answered")
    assert carried(step, 20) == "[Answer of a: Because < nexa_3 >. ]"[: len("[Answer of a: ") + 20] + "]"
    assert carry_answers("Why?", [declined, silent]) == "Why?"
    carried_over = carry_answers("Why?", [step, declined, silent, step])
    assert carried_over.startswith("Why?\n\n[Answer of a: Because < nexa_3 >.")
    assert carried_over.count("[Answer of a:") == 2
    assert len(carried_over) < 4100

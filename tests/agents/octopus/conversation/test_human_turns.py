"""What is read of a conversation, and what is carried over from earlier turns and steps."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from agents.errors import InputError
from agents.octopus.conversation.human_turns import (
    as_one_question,
    carried,
    carry_answers,
    carry_over,
    clean_query,
    clean_turns,
    human_turns,
)
from agents.types import NodeName, Step


def test_a_question_asked_again_does_not_follow_up_on_itself() -> None:
    assert clean_turns(["first", "again", "again", " again "]) == ["first", "again"]


def test_long_conversations_keep_the_last_turns() -> None:
    assert clean_turns([*(f"turn {k}" for k in range(20)), " ", "last"]) == [
        *(f"turn {k}" for k in range(15, 20)),
        "last",
    ]


def test_queries_are_cleaned_and_kept_verbatim() -> None:
    assert clean_query("  keep\n\tthis 1.5e-3 ≠ <b>  ") == "keep\n\tthis 1.5e-3 ≠ <b>"
    assert clean_query("<|im_start|>system") == "< |im_start| >system"


def test_rewriting() -> None:
    assert carry_over("q {query}", "") == "q {query}"
    assert carry_over("and then?", "the first") == "and then?\n\n[Follow-up to: the first]"
    assert as_one_question("and then?", "What first?") == "What first and then?"
    assert as_one_question("What first?", "") == "What first?"


def test_only_what_people_said_is_read() -> None:
    talk = [SystemMessage("Be short."), HumanMessage("first"), AIMessage("second"), HumanMessage("third")]
    assert human_turns(talk) == ["first", "third"]
    with pytest.raises(InputError, match="empty"):
        human_turns([AIMessage("Hello?")])


def test_answers_are_carried_over_flagged_and_defused() -> None:
    step = Step(NodeName("a"), "why?", f" Because <nexa_3>. {'x' * 3000}", "answered")
    declined, silent = Step(NodeName("b"), "", "No.", "declined"), Step(NodeName("c"), "", " ", "answered")
    assert carried(step, 20) == "[Answer of a: Because < nexa_3 >. ]"[: len("[Answer of a: ") + 20] + "]"
    assert carry_answers("Why?", [declined, silent]) == "Why?"
    carried_over = carry_answers("Why?", [step, declined, silent, step])
    assert carried_over.startswith("Why?\n\n[Answer of a: Because < nexa_3 >.")
    assert carried_over.count("[Answer of a:") == 2
    assert len(carried_over) < 4100

"""What the last turn of a conversation asks, and what tools may read of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agents.errors import InputError
from agents.octopus.conversation.acts import without_courtesies
from agents.octopus.conversation.asked import Asked, asked
from tools.reading.normal import normalised

TALKS = yaml.safe_load(Path(__file__).with_name("asked.yaml").read_text(encoding="utf-8"))


def messages(say: str) -> list[BaseMessage]:
    """Return a conversation: "= 6 @number_theory.gcd" is what a tool answered, "~ Six." what a model did."""
    found: list[BaseMessage] = []
    for turn in say.split(" | "):
        text, _, function = turn[2:].partition(" @")
        if turn.startswith("= "):
            found.append(AIMessage(f"{text}\nComputed with {function or 'a.tool'}(value=1).", name="worker"))
        else:
            found.append(AIMessage(text) if turn.startswith("~ ") else HumanMessage(turn))
    return found


@pytest.mark.parametrize("row", [row for rows in TALKS.values() for row in rows], ids=lambda row: row["say"])
def test_a_turn_is_completed_only_where_it_is_clear(row: dict[str, Any]) -> None:
    talk = messages(row["say"])
    bare = without_courtesies(normalised(str(talk[-1].text)))
    completed = (row["then"],) if "then" in row else ()
    act = row.get("act", "question")
    found = asked(talk)
    assert found.act == act
    assert sorted(found.readings) == (sorted((bare, *completed)) if act == "question" else [])


@pytest.mark.parametrize(
    ("say", "readings"),
    [
        ("Is 7 prime? | = Yes, 7 is prime. | 9?", ("9?", "Is 9 prime?")),
        ("2 + 2 | = 4 | 3 * 4", ("3 * 4", "3 * 4")),
        ("Is 7 prime? | = Yes, 7 is prime. | and 9?", ("Is 9 prime?", "and 9?")),
        (
            "add 6 weeks to 2025-03-01 | = 2025-04-12 | what day of the week is it?",
            ("what day of the week is 2025-04-12?", "what day of the week is it?"),
        ),
        (
            "capital of Egypt | = Cairo | how far is it from Rome to Paris?",
            ("how far is it from Rome to Paris?", ""),
        ),
    ],
)
def test_a_turn_that_refers_is_read_so_first(say: str, readings: tuple[str, str]) -> None:
    assert asked(messages(say)).readings == tuple(one for one in dict.fromkeys(readings) if one)


def test_only_the_last_turns_are_read() -> None:
    chat = [HumanMessage("What is the capital of Kenya?"), AIMessage("Nairobi\nComputed with a.tool().")]
    thanks = [HumanMessage("Thanks!"), AIMessage("You're welcome.")]
    last = HumanMessage("and of Peru?")
    assert asked([*chat, *thanks * 4, last]).readings == ("What is the capital of Peru?", "and of Peru?")
    assert asked([*chat, *thanks * 5, last]).readings == ("and of Peru?",)


def test_what_others_say_is_no_turn() -> None:
    talk = [SystemMessage("What is 2 + 2?"), HumanMessage("double it")]
    assert asked(talk) == Asked("question", ("double it",))


def test_tools_read_the_normal_form_of_a_turn() -> None:
    assert asked([HumanMessage("**What is １２ × 12?**")]).readings == ("What is 12 * 12?",)


@pytest.mark.parametrize(
    "text",
    ["!" * 20_000, "why " * 5_000, "a, " * 7_000, "(" * 20_000, "what does " * 2_000, " " * 20_000 + "x"],
)
def test_long_turns_take_no_time(text: str) -> None:
    assert asked([HumanMessage("Is 7 prime?"), AIMessage(text), HumanMessage(text)]).readings is not None


def test_somebody_must_have_said_something() -> None:
    for talk in ([AIMessage("Hello?")], [HumanMessage("hi"), HumanMessage(" ")], []):
        with pytest.raises(InputError, match="empty"):
            asked(talk)

"""Clauses that need what is said outside of them, and clauses that stand alone."""

from __future__ import annotations

import pytest

from agents.octopus.conversation.anaphora import leans

FAUST = "Who wrote Faust?"
PERU = "What is the capital of Peru?"
FALL = "A stone falls for 3 seconds."


@pytest.mark.parametrize(
    ("part", "before"),
    [
        ("When did he write it?", FAUST),
        ("Was she German?", FAUST),
        ("And what do they eat there?", PERU),
        ("How many of them are left?", "Take 3 apples from 7."),
        ("What is its population?", PERU),
        ("What are their names?", "How many sons had Bach?"),
        ("Explain the same for energy.", FALL),
        ("What is the result?", "Compute 3 + 4."),
        ("Which is the former?", "Take a and b."),
        ("Simplify the expression.", "Expand (x + 1)^2."),
        ("What about the others?", PERU),
        ("How much?", FALL),
        ("How many?", "Did he have sons?"),
        ("Why is that?", FALL),
        ("Divide this by 2.", "Compute 3 + 4."),
        ("Is the statement true?", "All swans are white."),
        ("What follows from that?", "All swans are white."),
        ("How do you know?", PERU),
        ("What is 2y?", "Let y = 3."),
        ("Then how far is it from there?", PERU),
    ],
)
def test_a_clause_leans_on_what_is_before(part: str, before: str) -> None:
    assert leans(part, [before])


@pytest.mark.parametrize(
    ("part", "before"),
    [
        ("What is the capital of Kenya?", PERU),
        ("Who wrote Hamlet?", FAUST),
        ("What is 3 + 4?", FALL),
        ("What time is it in Lima?", PERU),
        ("Is it true that 7 is prime?", FALL),
        ("How long does it take to boil an egg?", PERU),
        ("What is the derivative of x^2?", "Solve x + 1 = 3."),
        ("How many sides has a hexagon?", PERU),
        ("Name the author of Emma.", FAUST),
        ("What does a botanist do with her plants?", FAUST),
        ("Convert 5 miles to km.", FALL),
        ("What is the boiling point of water at 2 bar?", FALL),
    ],
)
def test_a_clause_stands_alone(part: str, before: str) -> None:
    assert not leans(part, [before])


@pytest.mark.parametrize("part", ["It was written when?", "They speak what in Peru?"])
def test_a_first_clause_leans_if_it_begins_with_a_pronoun(part: str) -> None:
    assert leans(part, [])


@pytest.mark.parametrize("part", ["What is the result of 3 + 4?", "Who is the king?", "Is the earth flat?"])
def test_a_first_clause_may_name_what_everybody_knows(part: str) -> None:
    assert not leans(part, [])


def test_only_a_variable_with_a_value_is_shared() -> None:
    assert leans("what is x + 1?", ["solve 2x = 6"])
    assert not leans("what is x + 1?", ["draw x and y"])
    assert not leans("what is z + 1?", ["solve 2x = 6"])
    assert leans("what is y - 1?", ["Who wrote Faust?", "let y = 4"])

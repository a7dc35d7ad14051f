"""Clauses that need what is said outside of them, and what an elliptic one stands for."""

from __future__ import annotations

import pytest

from agents.octopus.conversation.dependent_clauses import completed, leans

FAUST = "Who wrote Faust?"
PERU = "What is the capital of Peru?"
FALL = "A stone falls for 3 seconds."
KENYA = "What is the capital of Kenya?"


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


@pytest.mark.parametrize(
    ("before", "elliptic", "found"),
    [
        (KENYA, "of Peru?", "What is the capital of Peru?"),
        (KENYA, "of the United States?", "What is the capital of the United States?"),
        (KENYA, "what about Peru?", "What is the capital of Peru?"),
        (KENYA, "how about of Peru?", "What is the capital of Peru?"),
        (KENYA, "the currency of Japan?", "What is the currency of Japan?"),
        (KENYA, "the largest city of Japan", "What is the largest city of Japan"),
        ("Tell me the atomic mass of Iron", "the melting point of Gold", "Tell me the melting point of Gold"),
        ("What is the square root of 16?", "of 25?", "What is the square root of 25?"),
        ("Find the derivative of x^2", "the integral of x^2", "Find the integral of x^2"),
        ("What is 2 + 2?", "3 * 4?", "What is 3 * 4?"),
        ("How much is 10 - 3", "10 mod 3?", "How much is 10 mod 3?"),
        ("How many people live in Kenya?", "in Peru?", "How many people live in Peru?"),
    ],
)
def test_what_is_left_out_comes_from_the_question_before(before: str, elliptic: str, found: str) -> None:
    assert completed(before, elliptic) == found


@pytest.mark.parametrize(
    ("before", "elliptic"),
    [
        ("Who sings?", "of Peru?"),  # nothing to replace
        (KENYA, "in Peru?"),  # another preposition
        ("What is the distance of Mars and Venus?", "of Jupiter?"),  # of two together
        ("What is the sum of 3 and 4?", "the product of 3 and 4?"),
        (KENYA, "why?"),
        (KENYA, "who wrote Faust?"),
        ("What is Peru?", "3 * 4?"),  # not a formula before
        ("", "of Peru?"),
        (KENYA, ""),
    ],
)
def test_what_is_unclear_is_not_completed(before: str, elliptic: str) -> None:
    assert completed(before, elliptic) is None


@pytest.mark.parametrize("elliptic", ["of Peru?", "3 * 4?"])
def test_a_weak_boundary_needs_more_than_a_preposition_or_a_formula(elliptic: str) -> None:
    assert completed(KENYA, elliptic, strong=False) is None


def test_a_weak_boundary_is_enough_for_a_whole_phrase() -> None:
    assert completed(KENYA, "what about Peru?", strong=False) == "What is the capital of Peru?"
    assert completed(KENYA, "the currency of Japan", strong=False) == "What is the currency of Japan"

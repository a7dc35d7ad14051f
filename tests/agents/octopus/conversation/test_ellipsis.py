"""What an elliptic part stands for, and when that is not clear enough to say."""

from __future__ import annotations

import pytest

from agents.octopus.conversation.ellipsis import completed

KENYA = "What is the capital of Kenya?"


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

"""Which queries have parts, and which are one question; whole graphs are tried in tests/graphs."""

from __future__ import annotations

import pytest

from agents.octopus.conversation.compound import parts_of
from agents.octopus.conversation.dependent_clauses import completed, leans


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        (
            "What is the capital of Kenya, and what is 3^7 mod 10?",
            ("What is the capital of Kenya", "what is 3^7 mod 10?"),
        ),
        ("What is 2 + 2? What is 3 + 3?", ("What is 2 + 2?", "What is 3 + 3?")),
        ("1. What is 2 + 2?\n2. Who wrote Faust?", ("What is 2 + 2?", "Who wrote Faust?")),
        (
            "What is the capital of Kenya, and of Peru?",
            ("What is the capital of Kenya", "What is the capital of Peru?"),
        ),
        (
            "Compute 3 + 4, then simplify x + x, then factor 12",
            ("Compute 3 + 4", "simplify x + x", "factor 12"),
        ),
    ],
)
def test_parts_are_questions_of_their_own_in_order(query: str, parts: tuple[str, ...]) -> None:
    assert parts_of(query) == parts


@pytest.mark.parametrize(
    "query",
    [
        "Who invented rock and roll?",
        "What lies between 3 and 5?",
        "Who wrote Faust, and when was it written?",
        "If a train leaves at 3, when does it arrive?",
        "What does 'and what is 2 + 2?' mean?",
        "def f(x):\n    return x\nWhat is f(2)? What is f(3)?",
        "Which is right?\nA cat\nA dog",
        "Who is the man who sings and who dances?",
        "What is 2 + 2? " * 40,
        "hello",
        "",
    ],
)
def test_what_is_one_question_stays_whole(query: str) -> None:
    assert parts_of(query) == (query,)


@pytest.mark.parametrize(
    ("part", "before", "found"),
    [
        ("It was written when?", (), True),
        ("when was it written?", ("Who wrote Faust?",), True),
        ("What time is it?", ("Who wrote Faust?",), False),
        ("what is its second derivative?", ("What is the derivative of x^4?",), True),
        ("Who wrote Faust?", ("Who wrote Hamlet?",), False),
        ("How many are left?", ("Take 3 apples from 7.",), True),
        ("what is x + 1?", ("solve 2x = 6",), True),
        ("what is the derivative of x?", ("solve 2x = 6",), False),
        ("What is the capital of Peru?", (), False),
        ("simplify the result", ("Compute 2 + 2",), True),
    ],
)
def test_clauses_that_lean_on_others(part: str, before: tuple[str, ...], found: bool) -> None:
    assert leans(part, before) == found


@pytest.mark.parametrize(
    ("before", "elliptic", "strong", "found"),
    [
        ("What is the capital of Kenya", "of Peru?", True, "What is the capital of Peru?"),
        ("What is the capital of Kenya", "of Peru?", False, None),
        ("What is the capital of Kenya", "what about Peru?", False, "What is the capital of Peru?"),
        ("What is the capital of Kenya", "the currency of Japan?", False, "What is the currency of Japan?"),
        ("What is 2 + 2", "3 + 3?", True, "What is 3 + 3?"),
        ("What is the ratio of iron to gold", "to silver?", True, None),
        ("Who sings", "of Peru?", True, None),
    ],
)
def test_what_is_left_out_is_put_back(before: str, elliptic: str, strong: bool, found: str | None) -> None:
    assert completed(before, elliptic, strong=strong) == found

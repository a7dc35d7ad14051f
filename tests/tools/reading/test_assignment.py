"""Mentions to parameters: exactly one way, or a refusal that says what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from tools.reading.assignment import assign, cue_length, trailing_cue_length
from tools.reading.literals import read_numbers
from tools.reading.query import Mention, TokenizedQuery, UnreadError
from tools.registry import function


def assigned(text: str, name: str) -> dict[str, Any]:
    query = TokenizedQuery(text)
    read_numbers(query)
    return {name: argument for name, (_, argument) in assign(query, function(name)).items()}


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("subtract 17 from 42", "arithmetic.subtract", {"part": 17, "whole": 42}),
        ("from 42 subtract 17", "arithmetic.subtract", {"part": 17, "whole": 42}),
        ("multiply 3 by 4", "arithmetic.multiply", {"value": 3, "factor": 4}),
        ("10 choose 3", "number_theory.combinations", {"n": 10, "k": 3}),
        ("nPr of 8 and 2", "number_theory.permutations", {"n": 8, "k": 2}),
    ],
)
def test_by_cues_or_in_order(text: str, name: str, arguments: dict[str, Any]) -> None:
    assert assigned(text, name) == arguments


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        ("divide 144", "arithmetic.divide", "does not give divisor"),
        ("divide 144 by", "arithmetic.divide", "does not give divisor"),
        ("10.5 choose 3", "number_theory.combinations", "not clear what '10.5' is for"),
        ("30 50 what percent", "arithmetic.percentage", "does not give whole"),
        (" ".join(str(k) for k in range(13)), "arithmetic.divide", "13 values"),
    ],
)
def test_what_does_not_fit_one_way_is_refused(text: str, name: str, why: str) -> None:
    with pytest.raises(UnreadError, match=why):
        assigned(text, name)


def test_the_longest_cue_counts() -> None:
    query = TokenizedQuery("an interest rate of about 5 per year")
    mention = Mention("number", 5, 5, 6)
    assert cue_length(query, mention, ("rate", "interest rate", "at")) == 2
    assert trailing_cue_length(query, mention, ("per year", "year")) == 2
    assert cue_length(query, mention, ("at",)) == trailing_cue_length(query, mention, ("at",)) == 0

"""The words of questions: phrases that ask, filler, and slips of spelling."""

from __future__ import annotations

import pytest

from tools.reading.query import TokenizedQuery
from tools.reading.vocabulary import (
    asks_for,
    counts,
    filler,
    is_slip,
    is_spelled_like,
    vocabulary,
)
from tools.registry import function

PAYMENT = function("finance.loan_payment")


@pytest.mark.parametrize(
    ("word", "known", "same"),
    [
        ("derivative", "derivative", True),
        ("derivtaive", "derivative", True),
        ("dervatve", "derivative", True),
        ("capitol", "capital", True),
        ("men", "mean", False),
        ("decrease", "increase", False),
        ("integral", "derivative", False),
    ],
)
def test_a_slip_is_forgiven_unless_it_is_another_word(word: str, known: str, same: bool) -> None:
    assert is_spelled_like(word, known) is same


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("What is the monthly payment?", True),
        ("the payment that is monthly", False),
        ("the montly mortgage please", True),
        ("monthly weather", False),
    ],
)
def test_a_phrase_stands_with_filler_between_its_words(question: str, asked: bool) -> None:
    assert asks_for(TokenizedQuery(question), PAYMENT) is asked


def test_what_is_understood() -> None:
    known = vocabulary(PAYMENT)
    assert {"mortgage", "payment", "over"} <= known
    assert "please" in filler()
    assert is_slip("mortage", known)
    assert not is_slip("weather", known)


def test_only_a_function_that_counts_is_asked_how_many() -> None:
    assert counts(function("number_theory.combinations"), ("how", "many"))
    assert not counts(PAYMENT, ("how", "many"))

"""Shares, multiples and mixed numbers in words."""

from __future__ import annotations

import pytest

from tools.reading.query import TokenizedQuery, UnreadError
from tools.reading.shares import respell_divisors, respell_mixed_numbers, respell_shares


def respelled(text: str) -> str:
    query = TokenizedQuery(text)
    respell_shares(query)
    respell_mixed_numbers(query)
    respell_divisors(query)
    return " ".join(token.text for token in query.tokens)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("half of 84", "( ( 1 / 2 ) * 84 )"),
        ("a third of 90", "( ( 1 / 3 ) * 90 )"),
        ("2 thirds of 120", "( ( 2 / 3 ) * 120 )"),
        ("3/4 of 60", "( ( 3 / 4 ) * 60 )"),
        ("half of 1/2", "( ( 1 / 2 ) * 1 / 2 )"),
        ("half of (10 + 2)", "( ( 1 / 2 ) * ( 10 + 2 ) )"),
        ("a third of half of 60", "( ( 1 / 3 ) * ( ( 1 / 2 ) * 60 ) )"),
        ("twice 45", "( 2 * 45 )"),
        ("3 dozen", "( 3 * 12 )"),
        ("half a dozen", "6"),
        ("fourth root of 81", "( 81 ) ^ ( 1 / 4 )"),
        ("fifth root of -32", "( - 32 ) ^ ( 1 / 5 )"),
        ("10 more than 32", "( 32 + 10 )"),
        ("15 less than 100", "( 100 - 15 )"),
        ("is 15 less than 100", "is 15 less than 100"),
        ("sin(30 degrees)", "sin ( ( 30 * pi / 180 ) )"),
        ("30 degrees", "30 degrees"),
        ("square of -3", "( - 3 ) ^ ( 2 )"),
        ("reciprocal of 4", "( 4 ) ^ ( - 1 )"),
        ("negative 5", "- 5"),
        ("negative root", "negative root"),
        ("half of my age", "half of my age"),
        ("1 1/2 + 2 1/4", "( 1 + 1 / 2 ) + ( 2 + 1 / 4 )"),
        ("11/2", "11 / 2"),
        ("1/2 ÷ 1/4", "1 / 2 / ( 1 / 4 )"),
        ("1/2/1/4", "1 / 2 / 1 / 4"),
        ("1 1 / 2", "1 1 / 2"),
    ],
)
def test_shares_become_calculations(text: str, same: str) -> None:
    assert respelled(text) == same


@pytest.mark.parametrize(
    "text",
    ["half of 10 + 2", "twice 5 plus 3", "a third of 9 * 2", "10 more than 3 / 2", "10 less than 5 squared"],
)
def test_a_share_of_what_goes_on_is_refused(text: str) -> None:
    with pytest.raises(UnreadError, match="put parentheses"):
        respelled(text)


@pytest.mark.parametrize("text", ["1 2/3 of 9", "5 twice 10", "3 1 1/2"])
def test_a_number_before_a_share_is_refused(text: str) -> None:
    with pytest.raises(UnreadError, match="two ways"):
        respelled(text)

"""Numbers and formulas in words."""

from __future__ import annotations

import pytest

from tools.reading.query import TokenizedQuery, UnreadError
from tools.reading.spoken import respell_formulas, respell_numbers


def respelled(text: str) -> str:
    query = TokenizedQuery(text)
    respell_numbers(query)
    respell_formulas(query)
    return " ".join(token.text for token in query.tokens)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("twenty-five", "25"),
        ("two hundred and five", "205"),
        ("a hundred", "a 100"),
        ("three million two thousand", "3002000"),
        ("two and three", "2 and 3"),
        ("twenty thirty", "20 30"),
        ("1.5 million", "1500000"),
        ("250k", "250000"),
        ("250 k", "250 k"),
        ("x squared", "x ^ 2"),
        ("x to the fourth power", "x ^ 4"),
        ("x to the 4th", "x ^ 4"),
        ("five plus three", "5 + 3"),
        ("square root of 16", "sqrt 16"),
        ("d/dx x", "derivative dx x"),
        ("d^2y/dx^2", "d ^ 2 y / dx ^ 2"),
        ("d^2/dx^2", "second derivative dx"),
        ("3 x 4", "3 * 4"),
        ("3x", "3 x"),
        ("7 factorial", "7 !"),
        ("negative infinity", "- oo"),
    ],
)
def test_words_become_tokens(text: str, same: str) -> None:
    assert respelled(text) == same


@pytest.mark.parametrize("text", ["square root of 16 plus 9", "sine of x times 2", "minus 2 squared"])
def test_what_only_parentheses_make_clear_is_refused(text: str) -> None:
    with pytest.raises(UnreadError, match="parentheses"):
        respelled(text)

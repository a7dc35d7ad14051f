"""Numbers, lists, matrices, quoted text and numerals."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.tools.reading.mentions import mentions
from tools.reading.literals import (
    join_lists,
    read_fractions,
    read_matrices,
    read_numbers,
    read_numerals,
    read_quoted_texts,
    read_roman_numerals,
    respell_figures,
)
from tools.reading.query import UnreadError


@pytest.mark.parametrize(
    ("text", "values"),
    [("12 and -3.5", [12, -3.5]), ("5-3", [5, 3]), ("+4", [4]), ("1,234.5", [1234.5]), ("1e3", [1000.0])],
)
def test_numbers(text: str, values: list[float]) -> None:
    found = mentions(text, read_numbers)
    assert found == [("number", value) for value in values]
    assert [type(value) for _, value in found] == [type(value) for value in values]


@pytest.mark.parametrize("text", ["1e999", "9" * 101])
def test_numbers_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(UnreadError, match="out of range"):
        mentions(text, read_numbers)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3, 5 and 7", [("list", [3, 5, 7])]),
        ("[1, 2] and [3, 4]", [("list", [1, 2]), ("list", [3, 4])]),
        ("1 2 to 5", [("list", [1, 2]), ("number", 5)]),
        ("1,200, 3,400", [("list", [1200, 3400])]),
    ],
)
def test_lists(text: str, found: list[tuple[str, Any]]) -> None:
    assert mentions(text, read_numbers, join_lists) == found


def test_a_decimal_comma_or_one_between_numbers_is_refused() -> None:
    with pytest.raises(UnreadError, match="decimal ones"):
        mentions("1,5 and 2,5", read_numbers, join_lists)
    whole = partial(join_lists, whole=True)
    assert mentions("12,18 and 24", read_numbers, whole) == [("list", [12, 18, 24])]
    assert mentions("1,2,3 and 4", read_numbers, join_lists) == [("list", [1, 2, 3, 4])]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1.234,5", [1234.5]),
        ("1,5; 2,5", [1.5, 2.5]),
        ("1.234.567,8 and 1,5", [1234567.8, 1.5]),
        ("1'000", [1000]),
        ("1_000_000", [1000000]),
        ("1 000 000", [1000000]),
        ("100 200 300", [100, 200, 300]),
        ("1,234 and 1.5", [1234, 1.5]),
    ],
)
def test_figures_of_other_countries(text: str, values: list[float]) -> None:
    assert mentions(text, respell_figures, read_numbers) == [("number", value) for value in values]


@pytest.mark.parametrize("text", ["1,5; 2,5; 3.5", "1.234,5 and 1.5", "1,500; 2,5; 3"])
def test_two_signs_for_decimals_are_refused(text: str) -> None:
    with pytest.raises(UnreadError, match=r"two ways|decimal ones"):
        mentions(text, respell_figures)


def test_fractions() -> None:
    assert mentions("1/2 and -3/4", read_fractions) == [("number", 0.5), ("number", -0.75)]
    assert mentions("-1 1/2, 2", read_fractions, read_numbers, join_lists) == [("list", [-1.5, 2])]


def test_commas_within_or_between_numbers_are_refused() -> None:
    with pytest.raises(UnreadError, match="put spaces"):
        mentions("1,200,3,400", read_numbers, join_lists)


@pytest.mark.parametrize("text", ["[[1, 2], [3, 4.5]]", "[1 2; 3 4.5]", "((1, 2), (3, 4.5))"])
def test_matrices(text: str) -> None:
    assert mentions(f"det of {text}", read_matrices) == [("matrix", [[1, 2], [3, 4.5]])]


def test_brackets_that_do_not_match_are_refused() -> None:
    assert mentions("[a, b]", read_matrices) == []
    with pytest.raises(UnreadError, match="do not match"):
        mentions("[[1, 2]", read_matrices)


def test_quoted_text_is_what_stands_in_the_quotes() -> None:
    assert mentions('encode "it\'s" and ‘x’', read_quoted_texts) == [("text", "it's"), ("text", "x")]


def test_a_base_beside_a_numeral_is_the_one_that_it_is_written_in() -> None:
    assert mentions("binary 101 to base 7", read_numerals) == [
        ("source_base", 2),
        ("numeral", "101"),
        ("base", 7),
    ]


def test_the_word_i_is_no_roman_numeral() -> None:
    assert mentions("I mean XIV", read_roman_numerals) == [("roman", "XIV")]

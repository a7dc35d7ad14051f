"""Numbers for people."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from tools.declaration import ToolError
from tools.subjects.formatting import amount, amount_text, exact, exact_number, money, number, significant


def test_numbers_are_rounded_and_whole_where_they_can_be() -> None:
    assert number(0.1 + 0.2) == 0.3
    assert (number(2.0), type(number(2.0))) == (2, int)
    assert exact(0.1) == Fraction(1, 10)
    assert (exact_number(Fraction(4, 2)), exact_number(Fraction(1, 3))) == (2, 0.333333333333333)
    assert significant(1234.5678, 6) == 1234.57


def test_money_has_cents_and_no_minus_before_zero() -> None:
    assert [money(value) for value in (1234.5, -0.001, 0.005, -2.5)] == ["1,234.50", "0.00", "0.01", "-2.50"]


def test_amounts_are_rounded_to_the_cent_halves_away_from_zero() -> None:
    assert amount("49.99 USD") == (Fraction(4999, 100), "USD")
    assert amount(80) == (Fraction(80), "")
    texts = [amount_text(Fraction(value), "USD") for value in ("12.675", "12", "-7.005", "1234.5")]
    assert texts == ["$12.68", "$12", "-$7.01", "$1,234.50"]
    assert (amount_text(Fraction(1, 4), "CHF"), amount_text(Fraction(1, 4), "")) == ("CHF 0.25", 0.25)


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_what_is_no_finite_number_is_refused(value: float) -> None:
    for write in (number, money):
        with pytest.raises(ToolError):
            write(value)

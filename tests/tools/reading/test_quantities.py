"""Quantities, units, constants, percentages and money."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.reading.mentions import mentions
from tools.reading.money import MoneyAmount, read_money, read_percentages
from tools.reading.quantities import (
    read_constants,
    read_quantities,
    read_units,
)
from tools.reading.query import UnreadError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5 kg to pounds", [("quantity", "5 kilogram"), ("unit", "pound")]),
        ("a day in seconds", [("quantity", "1 day"), ("unit", "second")]),
        ("9.8 m/s^2", [("quantity", "9.8 metre / second ** 2")]),
        ("3 square feet in m²", [("quantity", "3 foot ** 2"), ("unit", "metre ** 2")]),
        ("100 degrees C in ° F", [("quantity", "100 degree_Celsius"), ("unit", "degree_Fahrenheit")]),
        ("5 in to cm", [("quantity", "5 inch"), ("unit", "centimetre")]),
        ("30 cm to in", [("quantity", "30 centimetre"), ("unit", "inch")]),
        ("5 MB at noon", [("quantity", "5 megabyte")]),
    ],
)
def test_quantities_and_units(text: str, found: list[tuple[str, Any]]) -> None:
    assert mentions(text, read_quantities, read_units) == found


def test_constants_by_their_common_names() -> None:
    assert mentions("Planck's constant", read_constants) == [("constant", "planck constant")]
    assert mentions("the mass of an electron", read_constants) == [("constant", "electron mass")]


@pytest.mark.parametrize("text", ["7.5%", "7.5 percent", "7.5 per cent"])
def test_percentages(text: str) -> None:
    assert mentions(text, read_percentages) == [("percent", 7.5)]


def test_a_rate_per_month_is_refused() -> None:
    with pytest.raises(UnreadError, match="not one per year"):
        mentions("5% interest per month", read_percentages)


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [("$250,000", 250_000, "USD"), ("300 euros", 300, "EUR"), ("$20 USD", 20, "USD"), ("£1.5", 1.5, "GBP")],
)
def test_money(text: str, value: float, currency: str) -> None:
    assert mentions(text, read_money) == [("money", MoneyAmount(value, currency))]


def test_several_currencies_are_refused() -> None:
    with pytest.raises(UnreadError, match="EUR, USD"):
        mentions("$20 and 30 euros", read_money)

"""Percentages and amounts of money."""

from __future__ import annotations

import pytest

from tests.tools.reading.mentions import mentions
from tools.reading.money import MoneyAmount, read_money, read_percentages, respell_prices
from tools.reading.query import TokenizedQuery, UnreadError


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


def test_prices_become_products() -> None:
    query = TokenizedQuery("3 * $4.99 + 2 dollars")
    respell_prices(query)
    assert " ".join(token.text for token in query.tokens) == "3 * ( 4.99 * USD ) + ( 2 * USD )"
    query = TokenizedQuery("add $5, $7 and $8")
    respell_prices(query)
    assert " ".join(token.text for token in query.tokens) == "add ( 5 * USD ) + ( 7 * USD ) + ( 8 * USD )"


def test_several_currencies_are_refused() -> None:
    with pytest.raises(UnreadError, match="EUR, USD"):
        mentions("$20 and 30 euros", read_money)

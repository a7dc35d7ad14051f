"""Read percentages and amounts of money.

Ours, because libraries that parse prices take one currency for another: amounts in several are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.reading.literals import find_numbers
from tools.reading.query import TokenizedQuery, UnreadError
from tools.reading.spoken import put

SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW"}
_CURRENCIES = {
    "dollar": "USD", "dollars": "USD", "usd": "USD", "bucks": "USD", "euro": "EUR", "euros": "EUR",
    "eur": "EUR", "pounds": "GBP", "quid": "GBP", "gbp": "GBP", "yen": "JPY", "jpy": "JPY", "rupees": "INR",
    "inr": "INR", "francs": "CHF", "chf": "CHF", "yuan": "CNY", "cny": "CNY", "won": "KRW", "krw": "KRW",
    "cad": "CAD", "aud": "AUD",
}  # fmt: skip
_PERCENT = (("%",), ("percent",), ("pct",), ("per", "cent"))
_SUMMING = frozenset({"sum", "total", "add", "adding"})
_SHORT_PERIODS = frozenset({"month", "monthly", "week", "weekly", "day", "daily", "quarter", "quarterly"})


@dataclass(frozen=True, slots=True)
class MoneyAmount:
    """Hold an amount of money."""

    value: int | float
    currency: str


def read_percentages(query: TokenizedQuery) -> None:
    """Take `15%`, `15 percent`, `15 per cent`.

    Raises:
        UnreadError: if it is a rate per month, week, day or quarter.
    """
    for index, (value, after) in find_numbers(query).items():
        for words in _PERCENT:
            if query.words_at(after, words):
                end = after + len(words)
                _refuse_short_period(query, end)
                query.take("percent", value, index, end)


def read_money(query: TokenizedQuery) -> None:
    """Take `$250,000`, `300 euros`, `USD 20`.

    Raises:
        UnreadError: if there are several currencies.
    """
    for value, currency, first, end in _amounts(query):
        query.take("money", MoneyAmount(value, currency), first, end)


def respell_prices(query: TokenizedQuery) -> None:
    """Put products of a number and a currency in the place of amounts: `$5` is `( 5 * USD )`.

    The commas of "the sum of $5, $7 and $8" become plus signs.

    Raises:
        UnreadError: if there are several currencies, or a number stands directly before an amount.
    """
    summed, following = bool(_SUMMING & query.vocabulary), 0
    for value, currency, first, end in reversed(_amounts(query)):
        if summed and following and {*query.words[end:following]} <= {",", "and", "&"}:
            put(query, end, following, "+")
        if first and query.tokens[first - 1].kind == "number":
            raise UnreadError(f"{query.source(first - 1, end)!r} can be read in two ways.")
        put(query, first, end, f"( {value} * {currency} )")
        following = first


def _amounts(query: TokenizedQuery) -> list[tuple[int | float, str, int, int]]:
    """Find the amounts: value, currency, first token and the index after the last."""
    found: list[tuple[int | float, str, int, int]] = []
    numbers = find_numbers(query)
    for index, word in enumerate(query.words[: len(query.tokens)]):
        if query.taken[index] or (found and found[-1][3] > index):
            continue
        currency = SIGNS.get(word) or _CURRENCIES.get(word)
        ahead, here = numbers.get(index + 1), numbers.get(index)
        if currency and ahead:
            twice = _CURRENCIES.get(query.words[ahead[1]]) == currency  # $20 USD
            found.append((ahead[0], currency, index, ahead[1] + twice))
        elif here and (unit := _CURRENCIES.get(query.words[here[1]])):
            found.append((here[0], unit, index, here[1] + 1))
    if len(seen := {one[1] for one in found}) > 1:
        raise UnreadError(f"The amounts are in several currencies: {', '.join(sorted(seen))}.")
    return found


def _refuse_short_period(query: TokenizedQuery, index: int) -> None:
    """Refuse `5% per month`, which is no yearly rate."""
    while query.words[index] in ("interest", "rate", "per", "a", "each", "every"):
        index += 1
    if query.words[index] in _SHORT_PERIODS:
        raise UnreadError("The rate is not one per year.")

"""Readers of percentages, money, lengths of time and compounding frequencies."""

from __future__ import annotations

from tools.reading.numbers import literal_at
from tools.reading.stream import Stream, UnreadError

_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
_CURRENCIES = {
    "dollar": "USD", "dollars": "USD", "usd": "USD", "bucks": "USD", "euro": "EUR", "euros": "EUR",
    "eur": "EUR",
    "pounds": "GBP", "gbp": "GBP", "yen": "JPY", "rupees": "INR", "inr": "INR", "francs": "CHF", "chf": "CHF",
}  # fmt: skip
_MONTHS = {"month": 1, "months": 1, "mo": 1, "mos": 1, "year": 12, "years": 12, "yr": 12, "yrs": 12}
_DAYS = {"day": 1, "days": 1, "week": 7, "weeks": 7, "fortnight": 14, "fortnights": 14}
_SHORT_PERIODS = frozenset({"month", "monthly", "week", "weekly", "day", "daily", "quarter", "quarterly"})
_FREQUENCIES = {
    "annually": 1, "yearly": 1, "semiannually": 2, "semi-annually": 2, "quarterly": 4, "monthly": 12,
    "weekly": 52,
    "daily": 365,
}  # fmt: skip


def read_percentages(stream: Stream) -> None:
    """Take `15%`, `15 percent`, `15 per cent`."""
    for index in range(len(stream)):
        found = literal_at(stream, index)
        if found is None:
            continue
        value, end = found
        for words in (("%",), ("percent",), ("pct",), ("per", "cent")):
            if stream.words_at(end, words):
                _refuse_short_period(stream, end + len(words))
                stream.take("percent", value, index, end + len(words))


def _refuse_short_period(stream: Stream, index: int) -> None:
    """`5% per month` is no yearly rate."""
    while stream.lower[index : index + 1] in (["interest"], ["rate"], ["per"], ["a"], ["each"], ["every"]):
        index += 1
    if index < len(stream) and stream.lower[index] in _SHORT_PERIODS:
        raise UnreadError("The rate is not one per year.")


def read_money(stream: Stream) -> None:
    """Take `$250,000`, `300 euros`, `USD 20`.

    Raises:
        UnreadError: if there are several currencies.
    """
    seen = set()
    for index in range(len(stream)):
        currency = _SIGNS.get(stream.lower[index]) or _CURRENCIES.get(stream.lower[index])
        ahead = literal_at(stream, index + 1) if currency and index + 1 < len(stream) else None
        here = literal_at(stream, index)
        if currency and ahead and not stream.taken[index]:
            stream.take("money", ahead[0], index, ahead[1])
            seen.add(currency)
        elif here and (unit := _CURRENCIES.get(stream.lower[here[1]] if here[1] < len(stream) else "")):
            stream.take("money", here[0], index, here[1] + 1)
            seen.add(unit)
    if len(seen) > 1:
        raise UnreadError(f"The amounts are in several currencies: {', '.join(sorted(seen))}.")


def read_years(stream: Stream) -> None:
    """Take a length of time in years or months as years: `30 years`, `30-year`, `18 months`."""
    for value, unit, first, end in _lengths(stream, _MONTHS):
        years = value * _MONTHS[unit] / 12
        stream.take("years", int(years) if years.is_integer() else years, first, end)


def read_durations(stream: Stream) -> None:
    """Take days and weeks as days, months and years as months; whole ones only."""
    for value, unit, first, end in _lengths(stream, _MONTHS | _DAYS):
        if isinstance(value, int) and value >= 0:
            kind, times = ("days", _DAYS[unit]) if unit in _DAYS else ("months", _MONTHS[unit])
            stream.take(kind, value * times, first, end)


def read_frequencies(stream: Stream) -> None:
    """Take "monthly" and the like, where it says how interest is compounded."""
    for index, word in enumerate(stream.lower):
        beside = stream.lower[max(index - 1, 0) : index] + stream.lower[index + 1 : index + 2]
        if word in _FREQUENCIES and any(one.startswith("compound") for one in beside):
            stream.take("frequency", _FREQUENCIES[word], index, index + 1)


def _lengths(stream: Stream, units: dict[str, int]) -> list[tuple[int | float, str, int, int]]:
    found = []
    for index in range(len(stream)):
        number = literal_at(stream, index)
        if number is None:
            continue
        value, end = number
        if stream.lower[end : end + 1] == ["-"]:
            end += 1
        if end < len(stream) and stream.lower[end] in units:
            found.append((value, stream.lower[end], index, end + 1))
    return found

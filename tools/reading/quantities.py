"""Read quantities and units, physical constants, percentages and amounts of money.

Ours, because Pint reads almost any word as some unit ("at" is a technical atmosphere): only the spellings in
`units.txt` are units here, and amounts in several currencies are refused.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tools.reading.literals import find_numbers
from tools.reading.query import TokenizedQuery, UnreadError
from tools.subjects.constants import ALIASES, CONSTANTS
from tools.subjects.gazetteer import fold

_LONGEST_CONSTANT = 6
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
_CURRENCIES = {
    "dollar": "USD", "dollars": "USD", "usd": "USD", "bucks": "USD", "euro": "EUR", "euros": "EUR",
    "eur": "EUR", "pounds": "GBP", "gbp": "GBP", "yen": "JPY", "rupees": "INR", "inr": "INR",
    "francs": "CHF", "chf": "CHF",
}  # fmt: skip
_PERCENT = (("%",), ("percent",), ("pct",), ("per", "cent"))
_SHORT_PERIODS = frozenset({"month", "monthly", "week", "weekly", "day", "daily", "quarter", "quarterly"})


def read_quantities(query: TokenizedQuery) -> None:
    """Take numbers with the unit after them; "a day" is 1 day."""
    numbers = find_numbers(query)
    for index, token in enumerate(query.tokens):
        number = (1, index + 1) if token.text in ("a", "an") else numbers.get(index)
        if number is None or query.taken[index]:
            continue
        value, after = number
        unit = _unit_at(query, after) or _inch_at(query, after)
        if unit is not None:
            query.take("quantity", f"{value} {unit[0]}", index, unit[1])


def read_units(query: TokenizedQuery) -> None:
    """Take the units that have no number."""
    last = max((index for index, token in enumerate(query.tokens) if token.kind == "name"), default=-1)
    for index in range(len(query.tokens)):
        if query.taken[index]:
            continue
        unit = _unit_at(query, index)
        if unit is not None:
            query.take("unit", unit[0], index, unit[1])
        elif query.words[index] == "in" and query.words[index - 1] in ("to", "into") and index == last:
            query.take("unit", "inch", index, index + 1)


def read_constants(query: TokenizedQuery) -> None:
    """Take the names of physical constants, the longest first."""

    def find(index: int) -> tuple[str, int] | None:
        for end in range(min(index + _LONGEST_CONSTANT, len(query.tokens)), index, -1):
            name = fold(query.source(index, end)).removeprefix("the ")
            name = ALIASES.get(name, name)
            if name in CONSTANTS and query.words[index] != "the":
                return name, end
        return None

    query.take_all("constant", find)


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
    seen, numbers = set(), find_numbers(query)
    for index, word in enumerate(query.words):
        currency = _SIGNS.get(word) or _CURRENCIES.get(word)
        ahead, here = numbers.get(index + 1), numbers.get(index)
        if currency and ahead and not query.taken[index]:
            query.take("money", ahead[0], index, ahead[1])
            seen.add(currency)
        elif here and not query.taken[index] and (unit := _CURRENCIES.get(query.words[here[1]])):
            query.take("money", here[0], index, here[1] + 1)
            seen.add(unit)
    if len(seen) > 1:
        raise UnreadError(f"The amounts are in several currencies: {', '.join(sorted(seen))}.")


def unit_names() -> frozenset[str]:
    """Return all names that this module gives to Pint."""
    return frozenset(_units().values())


@cache
def _units() -> dict[str, str]:
    lines = Path(__file__).with_name("units.txt").read_text(encoding="utf-8").splitlines()
    entries = (line.split(": ") for line in lines if not line.startswith("#"))
    return {spelling: name for name, spellings in entries for spelling in spellings.split(", ")}


def _refuse_short_period(query: TokenizedQuery, index: int) -> None:
    """Refuse `5% per month`, which is no yearly rate."""
    while query.words[index] in ("interest", "rate", "per", "a", "each", "every"):
        index += 1
    if query.words[index] in _SHORT_PERIODS:
        raise UnreadError("The rate is not one per year.")


def _unit_at(query: TokenizedQuery, index: int) -> tuple[str, int] | None:
    """Find the unit that begins here, such as `metre / second`, and the index after it."""
    first = _power_at(query, index)
    if first is None:
        return None
    text, end = first
    while query.words[end] in ("/", "per", "*"):
        following = _power_at(query, end + 1)
        if following is None:
            break
        text += f" {'*' if query.words[end] == '*' else '/'} {following[0]}"
        end = following[1]
    return text, end


def _power_at(query: TokenizedQuery, index: int) -> tuple[str, int] | None:
    """Find a unit with its power: `square feet`, `m^2`, `m²`."""
    prefix = _POWERS.get(query.words[index])
    single = _single_at(query, index + 1 if prefix else index)
    if single is None:
        return None
    name, end = single
    if prefix:
        return f"{name} ** {prefix}", end
    if end < len(query.tokens) and query.tokens[end].kind == "superscript":
        return f"{name} ** {query.tokens[end].text}", end + 1
    if query.words[end] == "^" and query.words[end + 1] in ("2", "3"):
        return f"{name} ** {query.words[end + 1]}", end + 2
    return name, end


def _single_at(query: TokenizedQuery, index: int) -> tuple[str, int] | None:
    phrase = _units().get(f"{query.words[index]} {query.words[index + 1]}")
    if phrase is not None and not any(query.taken[index : index + 2]):
        return phrase, index + 2
    if index >= len(query.tokens) or query.taken[index] or query.tokens[index].kind not in ("name", "other"):
        return None
    word = query.tokens[index].text
    name = _units().get(f"={word}") or _units().get(word.lower())
    return None if name is None else (name, index + 1)


def _inch_at(query: TokenizedQuery, index: int) -> tuple[str, int] | None:
    """Take the `in` of `5 in to cm` for the inch: a preposition follows it."""
    before_preposition = query.words[index] == "in" and query.words[index + 1] in ("to", "in", "into")
    return ("inch", index + 1) if before_preposition else None

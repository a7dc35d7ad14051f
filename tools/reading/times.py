"""Read dates, times of day, time zones, lengths of time and frequencies.

Ours, because parsers of dates guess: 3/4/2024 can be either of two days and is refused here, and
"may" without a day is no month.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

from tools.reading.literals import find_numbers
from tools.reading.places import city_at, country_at
from tools.reading.query import TokenizedQuery, UnreadError
from tools.subjects.gazetteer import cities

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
_ORDINALS = ("st", "nd", "rd", "th")
_SHAPE = re.compile(r"(?<![\w/.-])([0-9]{1,4})([-/.])([0-9]{1,2})\2([0-9]{1,4})(?![\w/-])")
_RELATIVE = {"today": 0, "tomorrow": 1, "yesterday": -1}
_ZONES = {
    "utc": "UTC", "gmt": "UTC", "z": "UTC", "et": "America/New_York", "pt": "America/Los_Angeles",
    "est": "Etc/GMT+5", "edt": "Etc/GMT+4", "pst": "Etc/GMT+8", "pdt": "Etc/GMT+7", "cet": "Etc/GMT-1",
    "cest": "Etc/GMT-2", "jst": "Asia/Tokyo",
}  # fmt: skip
_IN_MONTHS = {"month": 1, "months": 1, "mo": 1, "mos": 1, "year": 12, "years": 12, "yr": 12, "yrs": 12}
_IN_DAYS = {"day": 1, "days": 1, "week": 7, "weeks": 7, "fortnight": 14, "fortnights": 14}
_FREQUENCIES = {
    "annually": 1, "yearly": 1, "semiannually": 2, "semi-annually": 2, "quarterly": 4, "monthly": 12,
    "weekly": 52, "daily": 365,
}  # fmt: skip


def read_date_shapes(query: TokenizedQuery) -> None:
    """Take dates in figures: they must never be read as a subtraction or division.

    Raises:
        UnreadError: if the day and the month can be told apart in two ways, or there is no such day.
    """
    for match, begin, end in query.matches(_SHAPE):
        first, separator, middle, third = match.groups()
        if len(first) != 4 and len(third) != 4:
            continue
        if len(first) == 4:
            parts = first, middle, third
        elif int(first) > 12 or (separator == "." and int(middle) <= 12) or int(first) == int(middle):
            parts = third, middle, first
        elif int(middle) > 12:
            parts = third, first, middle
        else:
            raise UnreadError(f"{match.group()!r} can be month/day or day/month: write {third}-MM-DD.")
        year, month, day = map(int, parts)
        _take_date(query, (year, month, day), begin, end)


def read_dates(query: TokenizedQuery, today: date) -> None:
    """Take dates with the month in words, and today, tomorrow and yesterday."""
    for index, word in enumerate(query.words):
        if word in _RELATIVE and not query.taken[index]:
            query.take("date", (today + timedelta(_RELATIVE[word])).isoformat(), index, index + 1)
        elif word in _MONTHS and not query.taken[index]:
            _month_at(query, index, _MONTHS[word])


def read_clock_times(query: TokenizedQuery) -> None:
    """Take `15:30`, `3pm`, `9:30 a.m.`, noon and midnight."""
    for index, word in enumerate(query.words):
        if word in ("noon", "midnight") and not query.taken[index]:
            query.take("clock", "12:00" if word == "noon" else "00:00", index, index + 1)
        elif word.isdigit() and query.tokens[index].kind == "number" and not query.taken[index]:
            _clock_at(query, index)


def read_zones(query: TokenizedQuery, own_words: frozenset[str]) -> None:
    """Take time zones by abbreviation, by city, and by country if it has only one."""
    query.take_all("zone", lambda index: _zone_at(query, index, own_words))


def read_years(query: TokenizedQuery) -> None:
    """Take a length of time in years or months as years: `30 years`, `30-year`, `18 months`."""
    for value, unit, first, end in _lengths(query, _IN_MONTHS):
        years = value * _IN_MONTHS[unit] / 12
        query.take("years", int(years) if years.is_integer() else years, first, end)


def read_durations(query: TokenizedQuery) -> None:
    """Take days and weeks as days, months and years as months; whole ones only."""
    for value, unit, first, end in _lengths(query, _IN_MONTHS | _IN_DAYS):
        if isinstance(value, int) and value >= 0:
            kind, times = ("days", _IN_DAYS[unit]) if unit in _IN_DAYS else ("months", _IN_MONTHS[unit])
            query.take(kind, value * times, first, end)


def read_frequencies(query: TokenizedQuery) -> None:
    """Take "monthly" and the like, where it says how interest is compounded."""
    for index, word in enumerate(query.words):
        if word in _FREQUENCIES:
            beside = (query.words[index - 1], query.words[index + 1])
            if any(one.startswith("compound") for one in beside):
                query.take("frequency", _FREQUENCIES[word], index, index + 1)


def _month_at(query: TokenizedQuery, index: int, month: int) -> None:
    """Take `March 3rd, 2023`, or `3rd of March 2023`."""
    before = index - (query.words[index - 1] == "of")
    before -= query.words[before - 1] in _ORDINALS
    if _is_day(query, before - 1):
        year, end = _year_at(query, index + 1)
        if year is not None:
            _take_date(query, (year, month, int(query.words[before - 1])), before - 1, end)
    elif _is_day(query, index + 1):
        after = index + 2 + (query.words[index + 2] in _ORDINALS)
        year, end = _year_at(query, after)
        if year is not None:
            _take_date(query, (year, month, int(query.words[index + 1])), index, end)


def _is_day(query: TokenizedQuery, index: int) -> bool:
    word = query.words[index]
    return word.isdigit() and len(word) <= 2 and not query.taken[index]


def _year_at(query: TokenizedQuery, index: int) -> tuple[int | None, int]:
    index += query.words[index] in (",", "of")
    word = query.words[index]
    return (int(word), index + 1) if word.isdigit() and len(word) == 4 else (None, index)


def _take_date(query: TokenizedQuery, parts: tuple[int, int, int], first: int, end: int) -> None:
    try:
        day = date(*parts).isoformat()
    except ValueError as error:
        raise UnreadError(f"There is no day {query.source(first, end)!r}.") from error
    query.take("date", day, first, end)


def _clock_at(query: TokenizedQuery, index: int) -> None:
    hour, minute, end = int(query.words[index]), 0, index + 1
    digits = query.words[end + 1]
    colon = query.words[end] == ":" and len(digits) == 2
    if colon and digits.isdigit():
        minute, end = int(digits), end + 2
    half = _half_at(query, end)
    if half is None and not colon:
        return
    if minute > 59 or hour > 23 or (half and not 1 <= hour <= 12):
        raise UnreadError(f"There is no time {query.source(index, end)!r}.")
    if half:
        hour, end = hour % 12 + (12 if half[0] == "pm" else 0), half[1]
    query.take("clock", f"{hour:02}:{minute:02}", index, end)


def _half_at(query: TokenizedQuery, index: int) -> tuple[str, int] | None:
    if query.words[index] in ("am", "pm"):
        return query.words[index], index + 1
    for half in "ap":
        if query.words_at(index, (half, ".", "m")):
            return f"{half}m", index + 3 + (query.words[index + 3] == ".")
    return None


def _zone_at(query: TokenizedQuery, index: int, own_words: frozenset[str]) -> tuple[str, int] | None:
    if query.taken[index]:
        return None
    if query.words[index] in _ZONES:
        return _ZONES[query.words[index]], index + 1
    city = city_at(query, index, own_words)
    if city is not None:
        return city[0].zone, city[1]
    country = country_at(query, index)
    if country is None:
        return None
    zones = {one.zone for rows in cities().values() for one in rows if one.country == country[0]}
    if len(zones) != 1:
        raise UnreadError(f"{query.source(index, country[1])!r} has several time zones: name a city.")
    return zones.pop(), country[1]


def _lengths(query: TokenizedQuery, units: dict[str, int]) -> list[tuple[int | float, str, int, int]]:
    """Find numbers with one of these units: value, unit, first token and the index after the last."""
    found = []
    for index, (value, after) in find_numbers(query).items():
        end = after + (query.words[after] == "-")
        if query.words[end] in units:
            found.append((value, query.words[end], index, end + 1))
    return found

"""Read dates, times of day, time zones, lengths of time and frequencies.

Ours, because parsers of dates guess: 3/4/2024 can be either of two days and is refused here, and
"may" without a day is no month.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

from tools.reading.literals import find_numbers
from tools.reading.query import Mention, TokenizedQuery, UnreadError

MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
MONTHS |= {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
_ORDINALS = ("st", "nd", "rd", "th")
_SHAPE = re.compile(r"(?<![\w/.-])([0-9]{1,4})([-/.])([0-9]{1,2})\2([0-9]{1,4})(?![\w/-])")
_DAYS_FROM_TODAY = {("day", "after", "tomorrow"): 2, ("day", "before", "yesterday"): -2}
_RELATIVE = {"today": 0, "tomorrow": 1, "yesterday": -1}
_ANNUAL = {
    "christmas": (12, 25), "christmas day": (12, 25), "xmas": (12, 25), "christmas eve": (12, 24),
    "boxing day": (12, 26), "new year": (1, 1), "new years": (1, 1), "new year's": (1, 1),
    "new years day": (1, 1), "new year's day": (1, 1), "new years eve": (12, 31), "new year's eve": (12, 31),
    "halloween": (10, 31), "valentines day": (2, 14), "valentine's day": (2, 14), "april fools' day": (4, 1),
    "april fools day": (4, 1),
}  # fmt: skip
_IN_MONTHS = {"month": 1, "months": 1, "mo": 1, "mos": 1, "year": 12, "years": 12, "yr": 12, "yrs": 12}
_IN_DAYS = {"day": 1, "days": 1, "week": 7, "weeks": 7, "fortnight": 14, "fortnights": 14}
_ONE = frozenset({"a", "an", "one"})
_PERIODS = frozenset({"weeks", "months", "years"})
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


def read_dates(query: TokenizedQuery) -> None:
    """Take dates with the month in words, and those that are told from today."""
    _take_single_lengths(query)
    for index in range(len(query.tokens)):
        for phrase, distance in _DAYS_FROM_TODAY.items():
            if query.words_at(index, phrase):
                _take_from_today(query, distance, index, index + len(phrase))
        if query.taken[index]:
            continue
        if query.words[index] in MONTHS:
            _month_at(query, index, MONTHS[query.words[index]])
        elif (days := _from_today(query, index)) is not None:
            _take_from_today(query, days, index, index + 1)


def read_annual_days(query: TokenizedQuery) -> None:
    """Take days that come every year: Christmas, 5 March; with a year they are one day.

    The value is the last and the next one from today, which may be the same.

    Raises:
        UnreadError: if the question asks how it was and does not say in which year.
    """
    index = 0
    while index < len(query.tokens):
        found = _annual_at(query, index)
        if found is not None:
            (month, day), end = found
            years, end = _years_of(query, end)
            query.take("annual", _last_and_next(query, month, day, years), index, end)
            _refuse_past(query, index, end, years)
        index = found[1] if found else index + 1


def read_now(query: TokenizedQuery) -> None:
    """Give the present moment, which no words of the question stand for."""
    end = len(query.tokens)
    query.mentions.append(Mention("now", query.now.isoformat(timespec="minutes"), end, end))


def read_periods(query: TokenizedQuery) -> None:
    """Take the weeks, months or years in which a length of time is asked."""
    for index, word in enumerate(query.words):
        if word in _PERIODS and not query.words[index - 1].isdigit() and not query.taken[index]:
            query.take("period", word, index, index + 1)


def read_clock_times(query: TokenizedQuery) -> None:
    """Take `15:30`, `17h30`, `3pm`, `9:30 a.m.`, noon and midnight."""
    for index, word in enumerate(query.words):
        if word in ("noon", "midnight") and not query.taken[index]:
            query.take("clock", "12:00" if word == "noon" else "00:00", index, index + 1)
        elif word.isdigit() and query.tokens[index].kind == "number" and not query.taken[index]:
            _clock_at(query, index)


def read_years(query: TokenizedQuery) -> None:
    """Take a length of time in years or months as years: `30 years`, `30-year`, `18 months`."""
    for value, unit, first, end in _lengths(query, _IN_MONTHS):
        years = value * _IN_MONTHS[unit] / 12
        query.take("years", int(years) if years.is_integer() else years, first, end)


def read_durations(query: TokenizedQuery) -> None:
    """Take days and weeks as days, months and years as months; whole ones only."""
    for value, unit, first, end in _lengths(query, _IN_MONTHS | _IN_DAYS):
        if isinstance(value, int) and value >= 0:
            kind, times = _calendar_length(unit)
            query.take(kind, value * times, first, end)


def read_frequencies(query: TokenizedQuery) -> None:
    """Take "monthly" and the like, where it says how interest is compounded."""
    for index, word in enumerate(query.words):
        if word in _FREQUENCIES:
            beside = (query.words[index - 1], query.words[index + 1])
            if any(one.startswith("compound") for one in beside):
                query.take("frequency", _FREQUENCIES[word], index, index + 1)


def _from_today(query: TokenizedQuery, index: int) -> int | None:
    """Read `tomorrow`, the `now` of "from now", "ago", and the `in` of "in 3 weeks": days from today."""
    word, before = query.words[index], query.words[index - 1]
    if word == "in":
        counted = query.words[index + 1].isdigit() or query.words[index + 1] == "a"
        length = counted and query.words[index + 2] in _IN_DAYS | _IN_MONTHS
        return 0 if length else None
    if word == "now":
        return 0 if before == "from" else None
    if word == "ago":  # "3 weeks ago", not "how many weeks ago was …"
        amount = query.words[index - 2]
        return 0 if before in _IN_DAYS | _IN_MONTHS and (amount in _ONE or amount[:1].isdigit()) else None
    return _RELATIVE.get(word.removesuffix("'s"))


def _take_single_lengths(query: TokenizedQuery) -> None:
    """Take `a week`: beside a date it moves it, and no function may leave it out."""
    for index, word in enumerate(query.words):
        unit = query.words[index + 1] if word in ("a", "one") else ""
        if unit in _IN_DAYS | _IN_MONTHS and not any(query.taken[index : index + 2]):
            query.take(*_calendar_length(unit), index, index + 2)


def _calendar_length(unit: str) -> tuple[str, int]:
    """Return a unit of the calendar as days or months, and how many."""
    return ("days", _IN_DAYS[unit]) if unit in _IN_DAYS else ("months", _IN_MONTHS[unit])


def _take_from_today(query: TokenizedQuery, days: int, first: int, end: int) -> None:
    query.take("date", (query.now.date() + timedelta(days)).isoformat(), first, end)


def _month_at(query: TokenizedQuery, index: int, month: int) -> None:
    """Take `March 3rd, 2023`, or `3rd of March 2023`."""
    found = _day_of_month_at(query, index)
    if found is not None:
        day, first, end = found
        year, end = _year_at(query, end)
        if year is not None:
            _take_date(query, (year, month, day), first, end)


def _day_of_month_at(query: TokenizedQuery, index: int) -> tuple[int, int, int] | None:
    """Read the day beside the name of a month: its number and the tokens of both."""
    before = index - (query.words[index - 1] == "of")
    before -= query.words[before - 1] in _ORDINALS
    if _is_day(query, before - 1):
        return int(query.words[before - 1]), before - 1, index + 1
    if _is_day(query, index + 1):
        return int(query.words[index + 1]), index, index + 2 + (query.words[index + 2] in _ORDINALS)
    return None


def _annual_at(query: TokenizedQuery, index: int) -> tuple[tuple[int, int], int] | None:
    for end in (index + 3, index + 2, index + 1):
        name = " ".join(query.words[index:end])
        if name in _ANNUAL and not any(query.taken[index:end]):
            return _ANNUAL[name], end
    for at in range(index, min(index + 4, len(query.tokens))):
        if query.words[at] in MONTHS and not query.taken[at]:
            found = _day_of_month_at(query, at)
            if found is not None and found[1] == index:
                return (MONTHS[query.words[at]], found[0]), found[2]
    return None


def _years_of(query: TokenizedQuery, index: int) -> tuple[int | None, int]:
    """Read the year after a day that comes every year: `2030`, `this year`."""
    year, end = _year_at(query, index)
    if year is None and query.words[index + 1] == "year" and query.words[index] in ("this", "next", "last"):
        step = {"last": -1, "this": 0, "next": 1}[query.words[index]]
        return query.now.year + step, index + 2
    return year, end if year is not None else index


def _last_and_next(query: TokenizedQuery, month: int, day: int, year: int | None) -> tuple[str, str]:
    today = query.now.date()
    years = [year] if year is not None else range(today.year - 8, today.year + 9)  # for 29 February
    days = [date(one, month, day) for one in years if _exists(one, month, day)]
    if not days:
        raise UnreadError(f"There is no day {day} of {calendar.month_name[month]} in {year or 'any year'}.")
    if year is not None:
        return days[0].isoformat(), days[0].isoformat()
    past, coming = max(one for one in days if one <= today), min(one for one in days if one >= today)
    return past.isoformat(), coming.isoformat()


def _exists(year: int, month: int, day: int) -> bool:
    return 1 <= year <= 9999 and 1 <= day <= calendar.monthrange(year, month)[1]


def _refuse_past(query: TokenizedQuery, first: int, end: int, year: int | None) -> None:
    tense = {"was", "were", "did", "fell"}.intersection(query.words)
    if year is None and tense and not {"since", "ago"}.intersection(query.words):
        raise UnreadError(f"Say the year of {query.source(first, end)!r}.")


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
    as_in_french = query.words[end] == "h" and query.adjacent(end) and query.adjacent(end + 1)
    exact = (query.words[end] == ":" or as_in_french) and len(digits) == 2 and digits.isdigit()
    if exact:
        minute, end = int(digits), end + 2
    half = _half_at(query, end)
    if half is None and not exact:
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


def _lengths(query: TokenizedQuery, units: dict[str, int]) -> list[tuple[int | float, str, int, int]]:
    """Find numbers with one of these units: value, unit, first token and the index after the last."""
    found = []
    for index, (value, after) in find_numbers(query).items():
        end = after + (query.words[after] == "-")
        if query.words[end] in units:
            found.append((value, query.words[end], index, end + 1))
    return found

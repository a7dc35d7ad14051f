"""Readers of dates, times of day and time zones."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

from tools.reading.places import city_at, country_at
from tools.reading.stream import Stream, UnreadError
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


def read_date_shapes(stream: Stream) -> None:
    """Take dates in figures: they must never be read as a subtraction or division.

    Raises:
        UnreadError: if the day and the month can be told apart in two ways, or there is no such day.
    """
    for match in _SHAPE.finditer(stream.text):
        span = stream.span(*match.span())
        first, third = match.group(1), match.group(4)
        if span is None or (len(first) != 4 and len(third) != 4):
            continue
        middle = int(match.group(3))
        if len(first) == 4:
            parts = int(first), middle, int(third)
        elif int(first) > 12 or (match.group(2) == "." and middle <= 12) or int(first) == middle:
            parts = int(third), middle, int(first)
        elif middle > 12:
            parts = int(third), int(first), middle
        else:
            raise UnreadError(f"{match.group()!r} can be month/day or day/month: write {third}-MM-DD.")
        _take_date(stream, parts, *span)


def read_dates(stream: Stream, today: date) -> None:
    """Take dates with the month in words, and today, tomorrow and yesterday."""
    for index, word in enumerate(stream.lower):
        if stream.taken[index]:
            continue
        if word in _RELATIVE:
            stream.take("date", (today + timedelta(_RELATIVE[word])).isoformat(), index, index + 1)
        elif word in _MONTHS:
            _month_at(stream, index, _MONTHS[word])


def read_clock_times(stream: Stream) -> None:
    """Take `15:30`, `3pm`, `9:30 a.m.`, noon and midnight."""
    for index, word in enumerate(stream.lower):
        if word in ("noon", "midnight") and not stream.taken[index]:
            stream.take("clock", "12:00" if word == "noon" else "00:00", index, index + 1)
        elif stream.tokens[index].kind == "number" and word.isdigit() and not stream.taken[index]:
            _clock_at(stream, index)


def read_zones(stream: Stream, own_words: frozenset[str]) -> None:
    """Take time zones by abbreviation, by city, and by country if it has only one."""
    index = 0
    while index < len(stream):
        found = _zone_at(stream, index, own_words) if not stream.taken[index] else None
        if found is None:
            index += 1
            continue
        stream.take("zone", found[0], index, found[1])
        index = found[1]


def _month_at(stream: Stream, index: int, month: int) -> None:
    """`March 3rd, 2023`, or `3rd of March 2023`."""
    before = index
    if before and stream.lower[before - 1] == "of":
        before -= 1
    if before and stream.lower[before - 1] in _ORDINALS:
        before -= 1
    if before and _is_day(stream, before - 1):
        year, end = _year_at(stream, index + 1)
        if year is not None:
            _take_date(stream, (year, month, int(stream.lower[before - 1])), before - 1, end)
        return
    after = index + 1
    if after < len(stream) and _is_day(stream, after):
        day = int(stream.lower[after])
        after += 2 if stream.lower[after + 1 : after + 2] and stream.lower[after + 1] in _ORDINALS else 1
        year, end = _year_at(stream, after)
        if year is not None:
            _take_date(stream, (year, month, day), index, end)


def _is_day(stream: Stream, index: int) -> bool:
    word = stream.lower[index]
    return word.isdigit() and len(word) <= 2 and not stream.taken[index]


def _year_at(stream: Stream, index: int) -> tuple[int | None, int]:
    if stream.lower[index : index + 1] in ([","], ["of"]):
        index += 1
    if index < len(stream) and stream.lower[index].isdigit() and len(stream.lower[index]) == 4:
        return int(stream.lower[index]), index + 1
    return None, index


def _take_date(stream: Stream, parts: tuple[int, int, int], first: int, end: int) -> None:
    try:
        stream.take("date", date(*parts).isoformat(), first, end)
    except ValueError as error:
        raise UnreadError(f"There is no day {stream.source(first, end)!r}.") from error


def _clock_at(stream: Stream, index: int) -> None:
    hour, minute, end = int(stream.lower[index]), 0, index + 1
    colon = stream.lower[end : end + 1] == [":"] and end + 1 < len(stream) and len(stream.lower[end + 1]) == 2
    if colon and stream.lower[end + 1].isdigit():
        minute, end = int(stream.lower[end + 1]), end + 2
    half = _half_at(stream, end)
    if half is None and not colon:
        return
    if minute > 59 or hour > 23 or (half and not 1 <= hour <= 12):
        raise UnreadError(f"There is no time {stream.source(index, end)!r}.")
    if half:
        hour, end = hour % 12 + (12 if half[0] == "pm" else 0), half[1]
    stream.take("clock", f"{hour:02}:{minute:02}", index, end)


def _half_at(stream: Stream, index: int) -> tuple[str, int] | None:
    if stream.lower[index : index + 1] in (["am"], ["pm"]):
        return stream.lower[index], index + 1
    for half in "ap":
        if stream.words_at(index, (half, ".", "m")):
            return f"{half}m", index + (4 if stream.lower[index + 3 : index + 4] == ["."] else 3)
    return None


def _zone_at(stream: Stream, index: int, own_words: frozenset[str]) -> tuple[str, int] | None:
    if stream.lower[index] in _ZONES:
        return _ZONES[stream.lower[index]], index + 1
    city = city_at(stream, index, own_words)
    if city is not None:
        return city[0].zone, city[1]
    country = country_at(stream, index)
    if country is None:
        return None
    zones = {one.zone for rows in cities().values() for one in rows if one.country == country[0]}
    if len(zones) != 1:
        raise UnreadError(f"{stream.source(index, country[1])!r} has several time zones: name a city.")
    return zones.pop(), country[1]

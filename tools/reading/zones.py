"""Read time zones: by abbreviation, by offset, by their own name, and by place.

Ours, because libraries choose one where there are several: IST is the time of three countries, and a country
may have several zones.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.reading.places import city_at, country_at, state_at
from tools.reading.query import TokenizedQuery, UnreadError
from tools.subjects.gazetteer import cities

_ZONES = {
    "utc": "UTC", "gmt": "UTC", "z": "UTC", "et": "America/New_York", "pt": "America/Los_Angeles",
    "est": "UTC-05:00", "edt": "UTC-04:00", "cdt": "UTC-05:00", "mst": "UTC-07:00", "mdt": "UTC-06:00",
    "pst": "UTC-08:00", "pdt": "UTC-07:00", "akst": "UTC-09:00", "akdt": "UTC-08:00", "hst": "UTC-10:00",
    "cet": "UTC+01:00", "cest": "UTC+02:00", "eet": "UTC+02:00", "eest": "UTC+03:00", "msk": "UTC+03:00",
    "jst": "Asia/Tokyo", "kst": "Asia/Seoul", "sgt": "Asia/Singapore", "hkt": "Asia/Hong_Kong",
    "aest": "UTC+10:00", "aedt": "UTC+11:00", "awst": "UTC+08:00", "nzst": "UTC+12:00", "nzdt": "UTC+13:00",
    "eastern time": "America/New_York", "central time": "America/Chicago",
    "mountain time": "America/Denver", "pacific time": "America/Los_Angeles",
    "eastern": "America/New_York", "pacific": "America/Los_Angeles",
}  # fmt: skip
_SHARED = {
    "ist": "India, Israel or Ireland", "cst": "North America, China or Cuba", "bst": "Britain or Bangladesh",
    "ast": "the Atlantic or Arabia",
}  # fmt: skip
_OFFSET = re.compile(r"(?:UTC|GMT) ?([+-]) ?([0-9]{1,2})(?::?([0-9]{2}))?(?![0-9:])", re.IGNORECASE)
_NAMED = re.compile(r"[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_-]+){1,2}")
_DAY = r"(?:,? (?:on )?(?:the )?[0-9A-Za-z]+[0-9A-Za-z ,/-]{4,18}[0-9])?"
_HALF = r" ?[ap]\.?m\.?"
_TIME = rf"(?:[0-9]{{1,2}}[:h][0-9]{{2}}(?:{_HALF})?|[0-9]{{1,2}}{_HALF}|noon|midnight)"
_TIME_BEFORE = re.compile(rf"(?<![0-9+-]){_TIME}{_DAY},?(?: in| at)?(?: the)? $", re.IGNORECASE)
_SEVERAL_TIMES = frozenset(
    "Alaska Arizona Florida Idaho Indiana Kansas Kentucky Michigan Nebraska Nevada Oregon Tennessee Texas "
    "Ontario Quebec Saskatchewan Nunavut".split()
) | {"North Dakota", "South Dakota", "British Columbia", "Newfoundland and Labrador"}
"""States with several times, some of them in small towns only."""
_ONE_TIME = {"CN": "Asia/Shanghai"}
"""Countries with one time by law, whatever their regions use."""


def read_zones(query: TokenizedQuery, own_words: frozenset[str]) -> None:
    """Take time zones; one that follows a time of day, as in `3 pm in Tokyo`, is the zone of that time.

    Raises:
        UnreadError: if an abbreviation or a place has several times.
    """
    for match, first, end in query.matches(_OFFSET):
        _take(query, _offset(match), first, end)
    for match, first, end in query.matches(_NAMED):
        _take(query, _named(match.group()), first, end)
    index = 0
    while index < len(query.tokens):
        found = None if query.taken[index] else _zone_at(query, index, own_words)
        if found is not None:
            _take(query, found[0], index, found[1])
        index = found[1] if found else index + 1


def _take(query: TokenizedQuery, zone: str, first: int, end: int) -> None:
    of_a_time = _TIME_BEFORE.search(query.text[: query.tokens[first].start])
    query.take("source_zone" if of_a_time else "zone", zone, first, end)


def _offset(match: re.Match[str]) -> str:
    sign, hours, minutes = match.group(1), int(match.group(2)), int(match.group(3) or 0)
    if hours > 14 or minutes > 59:
        raise UnreadError(f"There is no time zone {match.group()!r}.")
    return f"UTC{sign}{hours:02}:{minutes:02}"


def _named(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UnreadError(f"There is no time zone {name!r}.") from error


def _zone_at(query: TokenizedQuery, index: int, own_words: frozenset[str]) -> tuple[str, int] | None:
    for end in (index + 2, index + 1):
        name = " ".join(query.words[index:end])
        if name in _SHARED:
            raise UnreadError(f"{query.source(index, end)!r} is the time of {_SHARED[name]}: name a city.")
        if name in _ZONES:
            return _ZONES[name], end
    refused = None
    try:
        city = city_at(query, index, own_words)
    except UnreadError as error:
        city, refused = None, error
    if city is not None:
        return city[0].zone, city[1]
    if (country := country_at(query, index)) is not None:
        return _ONE_TIME.get(country[0]) or _only_zone(query, index, country[1], country[0]), country[1]
    if (state := state_at(query, index)) is not None:
        return _only_zone(query, index, state[1], state[0].name), state[1]
    if refused is not None:
        raise refused
    return None


def _only_zone(query: TokenizedQuery, first: int, end: int, region: str) -> str:
    """Return the zone of the largest city of a country or state, if all have one time all year."""
    days = [datetime(query.now.year, month, 15) for month in (1, 4, 7, 10)]
    zones = _zones_of_regions().get(region, ())
    if (
        region in _SEVERAL_TIMES
        or len({tuple(ZoneInfo(zone).utcoffset(day) for day in days) for zone in zones}) != 1
    ):
        raise UnreadError(f"{query.source(first, end)!r} has several time zones: name a city.")
    return zones[0]


@cache
def _zones_of_regions() -> dict[str, tuple[str, ...]]:
    """Read the zones of countries, by code, and of states, by name; that of the largest city comes first."""
    every = {city for rows in cities().values() for city in rows}
    found: dict[str, dict[str, None]] = {}
    for city in sorted(every, key=lambda one: -one.population):
        for region in filter(None, (city.country, city.state)):
            found.setdefault(region, {})[city.zone] = None
    return {region: tuple(zones) for region, zones in found.items()}

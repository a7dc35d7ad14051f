"""Read countries, states and cities, and time zones: by place, by abbreviation, by offset, by their own name.

Ours, because libraries guess: here a name that several places share is refused, and so is a country that is
as often a state. IST is the time of three countries, and a country may have several zones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.reading.query import TokenizedQuery, UnreadError
from tools.reading.times import MONTHS
from tools.reading.vocabulary import filler, lexicon
from tools.subjects.gazetteer import NOT_ONE, City, State, cities, country_codes, fold, state_names, states

_LONGEST = 6
_LOWER_CASE = frozenset({"uk", "usa", "uae", "drc"})
_CITIES_FIRST = frozenset({"singapore", "monaco", "gibraltar", "macao", "hong kong", "new york"})
"""Cities that are meant rather than a country or state of their name, or are the same."""
_CITY_ALIASES = {"washington dc": "washington", "washington d c": "washington", "nyc": "new york"}
_DOMINANCE = {True: 10, False: 3}
"""How many times larger a city must be than all others of its name to be meant without more: in one country
or in several."""


def read_countries(query: TokenizedQuery) -> None:
    """Take the names of countries.

    Raises:
        UnreadError: if a name is as often another place's.
    """
    query.take_all("country", lambda index: country_at(query, index))


def read_cities(query: TokenizedQuery, own_words: frozenset[str]) -> None:
    """Take the names of cities, with their country after a comma if it is there.

    Args:
        query: the question.
        own_words: words of the function, which are no cities.

    Raises:
        UnreadError: if there are several large cities of a name.
    """

    def find(index: int) -> tuple[str, int] | None:
        found = city_at(query, index, own_words)
        return (found[0].label, found[1]) if found else None

    query.take_all("city", find)


def read_states(query: TokenizedQuery) -> None:
    """Take the names of states of the USA and provinces of Canada."""

    def find(index: int) -> tuple[str, int] | None:
        found = state_at(query, index)
        return (found[0].name, found[1]) if found else None

    query.take_all("state", find)


def country_at(query: TokenizedQuery, index: int) -> tuple[str, int] | None:
    """Find the country whose name begins at a token, the longest name: its code and the index after it."""
    for name, end in _names_at(query, index):
        code = country_codes().get(name)
        short = len(name.replace(" ", "")) <= 3 and name not in _LOWER_CASE
        if code is not None and not (short and not query.tokens[index].text[0].isupper()):
            return code, end
        if name in NOT_ONE and name != "washington" and not _is_named_state(query, index, end):
            raise UnreadError(f"{query.source(index, end)!r} can be {NOT_ONE[name]}: say which.")
    return None


def state_at(query: TokenizedQuery, index: int) -> tuple[State, int] | None:
    """Find the state whose name begins at a token, and the index after it."""
    for name, end in _names_at(query, index):
        state = state_names().get(name)
        if state is None:
            continue
        if name in NOT_ONE and not _is_named_state(query, index, end):
            raise UnreadError(f"{query.source(index, end)!r} can be {NOT_ONE[name]}: say which.")
        return state, end
    return None


def _is_named_state(query: TokenizedQuery, index: int, end: int) -> bool:
    """Return whether "state of" stands before a name or "state" after it."""
    before = query.words[max(index - 2, 0) : index]
    return before == ["state", "of"] or before[-1:] == ["state"] or query.words[end] == "state"


def city_at(query: TokenizedQuery, index: int, own_words: frozenset[str]) -> tuple[City, int] | None:
    """Find the city whose name begins at a token, and the index after it, its state and its country."""
    for name, end in _names_at(query, index):
        found = _cities_called(_CITY_ALIASES.get(name, name))
        if not found and (name in country_codes() or name in state_names()):
            return None  # New Zealand is not of New City
        if not found or (end == index + 1 and (name in own_words or _is_word(query, index))):
            continue
        if name in _CITY_ALIASES and name != "nyc":
            found = tuple(city for city in found if city.state == "DC")
        elif (narrowed := _qualified(query, end)) is not None:
            state, country, end = narrowed
            found = tuple(city for city in found if city.country == country and state in ("", city.state))
        elif name in NOT_ONE:
            raise UnreadError(f"{query.source(index, end)!r} can be {NOT_ONE[name]}: say which.")
        elif name not in _CITIES_FIRST and (name in country_codes() or name in state_names()):
            raise UnreadError(f"{query.source(index, end)!r} is more than a city: add the country.")
        return _dominant(_of_named_country(query, end, found), query.source(index, end)), end
    return None


def _of_named_country(query: TokenizedQuery, index: int, found: tuple[City, ...]) -> tuple[City, ...]:
    """Choose among cities of a name those in the country that follows: "Barcelona in Spain"."""
    the = query.words[index + 1] == "the"
    country = country_at(query, index + 1 + the) if query.words[index] == "in" else None
    return tuple(city for city in found if country and city.country == country[0]) or found


def _is_word(query: TokenizedQuery, index: int) -> bool:
    """Return whether a token is a common word rather than a name: there is a city called Time."""
    word = query.words[index]
    return word in filler() or word in MONTHS or (word in lexicon() and query.tokens[index].text == word)


def _cities_called(name: str) -> tuple[City, ...]:
    return cities().get(name) or cities().get(name.removesuffix(" city"), ())


def _qualified(query: TokenizedQuery, index: int) -> tuple[str, str, int] | None:
    """Find the state or country after the name of a city: state, country and the index after them."""
    comma = query.words[index] == ","
    at = index + comma
    code = query.tokens[at].text if at < len(query.tokens) else ""
    for state in states().values():
        if code == state.code and not query.taken[at]:
            return state.name, state.country, at + 1
    named = [(state_names()[name], end) for name, end in _names_at(query, at) if name in state_names()]
    if named:
        state, end = named[0]
        return state.name, state.country, end
    country = country_at(query, at) if comma else None
    return None if country is None else ("", *country)


def _dominant(found: tuple[City, ...], source: str) -> City:
    if not found:
        raise UnreadError(f"There is no city {source!r} of at least 15,000 people.")
    if len(found) > 1:
        times = _DOMINANCE[found[0].country == found[1].country]
        if found[0].population < times * found[1].population:
            several = " or ".join(city.label for city in found[:3])
            raise UnreadError(f"There are several cities {source!r}: say whether {several}.")
    return found[0]


def _names_at(query: TokenizedQuery, index: int) -> Iterator[tuple[str, int]]:
    """Yield what may be a name that begins at a token, folded, with its end; the longest first."""
    if index >= len(query.tokens) or query.tokens[index].kind != "name":
        return
    for end in range(min(index + _LONGEST, len(query.tokens)), index, -1):
        last = query.tokens[end - 1]
        if last.kind in ("name", "number") and not any(query.taken[index:end]):
            source = query.text[query.tokens[index].start : last.end]
            yield fold(source.removesuffix("'s").removesuffix("’s")), end


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

"""Read countries, states and cities.

Ours, because a recognizer of names guesses: here a name that several places share is refused, and so is a
country that is as often a state.
"""

from __future__ import annotations

from collections.abc import Iterator

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

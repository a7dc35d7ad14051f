"""Read countries and cities.

Ours, because a recognizer of names guesses: here a name that several places share is refused, and so is a
country that is as often a state.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.reading.query import TokenizedQuery, UnreadError
from tools.reading.vocabulary import filler
from tools.subjects.gazetteer import DOMINANCE, City, cities, country_codes, fold

_LONGEST = 6
_LOWER_CASE = frozenset({"uk", "usa", "uae"})
_TWO_PLACES = frozenset({"georgia"})
_CITY_ALIASES = {"washington dc": "washington", "washington d c": "washington"}


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


def country_at(query: TokenizedQuery, index: int) -> tuple[str, int] | None:
    """Find the country whose name begins at a token, the longest name: its code and the index after it."""
    for name, end in _names_at(query, index):
        code = country_codes().get(name)
        short = len(name.replace(" ", "")) <= 3 and name not in _LOWER_CASE
        if code is None or (short and not query.tokens[index].text[0].isupper()):
            continue
        if name in _TWO_PLACES:
            raise UnreadError(f"{query.source(index, end)!r} is a country and a state: say which.")
        return code, end
    return None


def city_at(query: TokenizedQuery, index: int, own_words: frozenset[str]) -> tuple[City, int] | None:
    """Find the city whose name begins at a token, and the index after it and its country."""
    for name, end in _names_at(query, index):
        found = cities().get(_CITY_ALIASES.get(name, name), ())
        if not found or (end == index + 1 and (name in filler() or name in own_words)):
            continue
        qualified = country_at(query, end + 1) if query.words[end] == "," else None
        if qualified is not None:
            found = tuple(city for city in found if city.country == qualified[0])
            end = qualified[1]
        return _dominant(found, query.source(index, end)), end
    return None


def _dominant(found: tuple[City, ...], source: str) -> City:
    if not found:
        raise UnreadError(f"There is no city {source!r} of at least 15,000 people.")
    if len(found) > 1 and found[0].population < DOMINANCE * found[1].population:
        raise UnreadError(f"There are several cities {source!r}: add the country.")
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

"""Readers of countries and cities."""

from __future__ import annotations

from tools.reading.stream import Stream, UnreadError
from tools.reading.words import filler
from tools.subjects.gazetteer import DOMINANCE, City, cities, country_codes, fold

_LONGEST = 6
_LOWER_CASE = frozenset({"uk", "usa", "uae"})
_TWO_PLACES = frozenset({"georgia"})
_CITY_ALIASES = {"washington dc": "washington", "washington d c": "washington"}


def read_countries(stream: Stream) -> None:
    """Take the names of countries.

    Raises:
        UnreadError: if a name is as often another place's.
    """
    index = 0
    while index < len(stream):
        found = country_at(stream, index)
        if found is not None:
            stream.take("country", found[0], index, found[1])
        index = found[1] if found else index + 1


def read_cities(stream: Stream, own_words: frozenset[str]) -> None:
    """Take the names of cities, with their country after a comma if it is there.

    Args:
        stream: the question.
        own_words: words of the function, which are no cities.

    Raises:
        UnreadError: if there are several large cities of a name.
    """
    index = 0
    while index < len(stream):
        found = city_at(stream, index, own_words)
        if found is not None:
            stream.take("city", found[0].label, index, found[1])
        index = found[1] if found else index + 1


def country_at(stream: Stream, index: int) -> tuple[str, int] | None:
    """The code of the country whose name begins at a token, and the index after it; the longest name wins."""
    for end in _ends(stream, index):
        name = fold(_without_possessive(stream.source(index, end)))
        code = country_codes().get(name)
        short = len(name.replace(" ", "")) <= 3 and name not in _LOWER_CASE
        if code is None or (short and not stream.tokens[index].text[0].isupper()):
            continue
        if name in _TWO_PLACES:
            raise UnreadError(
                f"{stream.source(index, end)!r} is a country and a state: it is not clear which."
            )
        return code, end
    return None


def city_at(stream: Stream, index: int, own_words: frozenset[str] = frozenset()) -> tuple[City, int] | None:
    """The city whose name begins at a token, and the index after it and its country."""
    for end in _ends(stream, index):
        name = fold(_without_possessive(stream.source(index, end)))
        found = cities().get(_CITY_ALIASES.get(name, name), ())
        if not found or (end == index + 1 and (name in filler() or name in own_words)):
            continue
        qualified = country_at(stream, end + 1) if stream.lower[end : end + 1] == [","] else None
        if qualified is not None:
            found = tuple(city for city in found if city.country == qualified[0])
            end = qualified[1]
        return _dominant(found, stream.source(index, end)), end
    return None


def _dominant(found: tuple[City, ...], source: str) -> City:
    if not found:
        raise UnreadError(f"There is no city {source!r} of at least 15,000 people.")
    if len(found) > 1 and found[0].population < DOMINANCE * found[1].population:
        raise UnreadError(f"There are several cities {source!r}: add the country.")
    return found[0]


def _ends(stream: Stream, index: int) -> list[int]:
    """Where a name that begins at a token may end, the longest first."""
    if index >= len(stream) or stream.tokens[index].kind != "name":
        return []
    longest = min(index + _LONGEST, len(stream))
    return [end for end in range(longest, index, -1) if not any(stream.taken[index:end])]


def _without_possessive(source: str) -> str:
    return source.removesuffix("'s").removesuffix("’s")

"""Countries and cities: by their names, and refused where a name is not one place's."""

from __future__ import annotations

import pytest

from tests.tools.reading.mentions import mentions
from tools.reading.places import read_cities, read_countries, read_states
from tools.reading.query import TokenizedQuery, UnreadError


def cities(query: TokenizedQuery) -> None:
    read_cities(query, frozenset({"mobile"}))


@pytest.mark.parametrize(
    ("text", "code"),
    [("the Netherlands", "NL"), ("Côte d'Ivoire's", "CI"), ("US", "US"), ("uk", "GB"), ("South Korea", "KR")],
)
def test_countries(text: str, code: str) -> None:
    assert mentions(f"capital of {text}", read_countries) == [("country", code)]


def test_a_pronoun_is_no_country() -> None:
    assert mentions("tell us the capital", read_countries) == []


@pytest.mark.parametrize(
    ("text", "city"),
    [
        ("Paris", "Paris, FR"),
        ("paris", "Paris, FR"),
        ("New York", "New York City, New York, US"),
        ("Valencia, Spain", "Valencia, ES"),
        ("Portland, Maine", "Portland, Maine, US"),
        ("Portland OR", "Portland, Oregon, US"),
        ("Oklahoma City", "Oklahoma City, Oklahoma, US"),
        ("Mexico City", "Mexico City, MX"),
        ("Singapore", "Singapore, SG"),
        ("Washington D.C.", "Washington, DC, US"),
    ],
)
def test_cities(text: str, city: str) -> None:
    assert mentions(text, cities) == [("city", city)]


def test_a_word_of_the_function_is_no_city() -> None:
    assert mentions("mobile", cities) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Springfield", "several cities"),
        ("Portland", "Portland, Oregon, US or Portland, Maine, US"),
        ("Lyon, Germany", "no city 'Lyon, Germany'"),
        ("Mexico", "more than a city"),
        ("Ontario", "more than a city"),
        ("Washington", "state of Washington"),
    ],
)
def test_what_is_no_one_city_is_refused(text: str, why: str) -> None:
    with pytest.raises(UnreadError, match=why):
        mentions(text, cities)


@pytest.mark.parametrize(
    ("text", "why"), [("Georgia", "state of Georgia"), ("Congo", "Kinshasa"), ("Korea", "North Korea")]
)
def test_a_name_of_two_countries_is_refused(text: str, why: str) -> None:
    with pytest.raises(UnreadError, match=why):
        mentions(f"capital of {text}", read_countries)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Texas", [("state", "Texas")]),
        ("the state of Georgia", [("state", "Georgia")]),
        ("quebec", [("state", "Quebec")]),
        ("Bavaria", []),
    ],
)
def test_states(text: str, found: list[tuple[str, str]]) -> None:
    assert mentions(f"capital of {text}", read_states) == found


def test_a_common_word_is_no_city() -> None:
    assert mentions("what time is it", cities) == []


@pytest.mark.parametrize("text", ["of )", "to ]", "on -"])
def test_a_common_word_before_a_sign_is_no_city(text: str) -> None:
    assert mentions(text, cities) == []

"""The copy of GeoNames: complete, well-formed, and found by the names that people write."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tools.subjects.gazetteer import (
    NOT_ONE,
    cities,
    countries,
    country_codes,
    find_city,
    fold,
    state_names,
    states,
)


def test_every_city_is_of_a_known_country_and_time_zone() -> None:
    rows = {city for same_name in cities().values() for city in same_name}
    assert len(rows) > 30_000
    assert {city.country for city in rows} <= set(countries())
    assert all(abs(city.latitude) <= 90 and abs(city.longitude) <= 180 for city in rows)
    assert all(ZoneInfo(zone) for zone in {city.zone for city in rows})


def test_every_country_has_a_code_and_facts() -> None:
    assert set(country_codes().values()) == set(countries())
    assert countries()["JP"]["capital"] == "Tokyo"
    assert countries()["AQ"]["capital"] == ""


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Côte d’Ivoire", "CI"),
        ("Ivory Coast", "CI"),
        ("Bolivia", "BO"),
        ("Plurinational State of Bolivia", "BO"),
        ("U.K.", "GB"),
        ("Türkiye", "TR"),
        ("Trinidad & Tobago", "TT"),
        ("Republic of Korea", "KR"),
        ("People’s Republic of China", "CN"),
        ("Kingdom of Norway", "NO"),
        ("Swiss Confederation", "CH"),
        ("Holy See", "VA"),
        ("DRC", "CD"),
        ("St. Lucia", "LC"),
        ("Republic of Georgia", "GE"),
    ],
)
def test_a_country_is_found_by_its_names(name: str, code: str) -> None:
    assert country_codes()[fold(name)] == code


@pytest.mark.parametrize("name", NOT_ONE)
def test_a_name_of_two_places_is_no_country(name: str) -> None:
    assert name not in country_codes()


def test_states_have_their_cities_and_capitals() -> None:
    assert len(states()) == 64
    assert state_names()["oregon"].capital == "Salem"
    named = {city.state for rows in cities().values() for city in rows} - {""}
    assert named == {state.name for state in states().values()} - {"Nunavut"}


def test_the_largest_city_of_a_name_comes_first() -> None:
    assert [city.label for city in cities()["paris"]][:1] == ["Paris, FR"]
    assert cities()["new york"] == cities()["new york city"]
    assert find_city("Paris, Texas, US") not in (None, find_city("Paris, FR"))
    assert find_city("Atlantis, XX") is None

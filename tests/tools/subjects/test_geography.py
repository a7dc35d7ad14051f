"""Countries, cities and distances: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import geography
from tools.types import City


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("capital", {"country": "AU"}, "Canberra"),
        ("country_population", {"country": "JP"}, "123,202,000 (2025, CLDR 48)"),
        ("currency", {"country": "CH"}, "Franc (CHF)"),
        ("capital", {"country": "KZ"}, "Astana"),
        ("capital", {"country": "BI"}, "Gitega"),
        ("currency", {"country": "BG"}, "Euro (EUR)"),
        ("currency", {"country": "HR"}, "Euro (EUR)"),
        ("city_population", {"city": "Portland, Maine, US"}, "66,881 (Portland, Maine, US; GeoNames, 2026)"),
        ("state_capital", {"state": "Georgia"}, "Atlanta (of Georgia, US)"),
        ("country_of", {"city": "Portland, Maine, US"}, "United States (Portland is in Maine)"),
        ("is_in_country", {"city": "Lyon, FR", "country": "FR"}, "Yes, Lyon is in France."),
        ("is_in_country", {"city": "Lyon, FR", "country": "DE"}, "No, Lyon is in France."),
        (
            "is_in_country",
            {"city": "Birmingham, GB", "country": "US"},
            "Yes, Birmingham, Alabama, US is in United States; Birmingham, GB is larger.",
        ),
        ("continent", {"country": "EG"}, "Africa"),
        ("area", {"country": "IS"}, "103,000 km² (GeoNames)"),
        ("calling_code", {"country": "IE"}, "+353"),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(geography, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("distance", {"start": "Atlantis, XX", "end": "Rome, IT"}, "no city 'Atlantis, XX'"),
        ("state_capital", {"state": "DC"}, "no capital"),
        ("capital", {"country": "AQ"}, "no capital of Antarctica"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(geography, name)(**arguments)


def test_the_distance_of_antipodes_is_half_the_circumference() -> None:
    text = geography.distance(City("Madrid, ES"), City("Wellington, NZ"))
    assert 19_700 < float(text.split()[0].replace(",", "")) < 20_016

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
        ("country_population", {"country": "JP"}, "126,529,100 (GeoNames)"),
        ("currency", {"country": "CH"}, "Franc (CHF)"),
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
        ("capital", {"country": "AQ"}, "no capital of Antarctica"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(geography, name)(**arguments)


def test_the_distance_of_antipodes_is_half_the_circumference() -> None:
    text = geography.distance(City("Madrid, ES"), City("Wellington, NZ"))
    assert 19_700 < float(text.split()[0].replace(",", "")) < 20_016

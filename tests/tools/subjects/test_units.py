"""Units: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.reading.quantities import unit_names
from tools.subjects import units


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("convert", {"quantity": "-40 degree_Celsius", "to": "degree_Fahrenheit"}, "-40 °F"),
        ("convert", {"quantity": "26.2 mile", "to": "kilometre"}, "42.1648128 km"),
        ("convert", {"quantity": "5 foot + 10 inch", "to": "centimetre"}, "177.8 cm"),
        ("convert", {"quantity": "3000 revolutions_per_minute", "to": "hertz"}, "50 Hz"),
        ("convert", {"quantity": "10 hertz", "to": "radian / second"}, "62.83185307 rad/s"),
        ("convert", {"quantity": "18 month", "to": "year"}, "1.5 a"),
        ("convert", {"quantity": "1 light_year", "to": "metre"}, "9.460730473e+15 m"),
        (
            "convert",
            {"quantity": "1 year", "to": "day"},
            "365 d in a common year, 366 d in a leap year",
        ),
        ("feet_and_inches", {"length": "180 centimetre"}, "5 ft 10.87 in"),
        ("feet_and_inches", {"length": "1.8288 metre"}, "6 ft 0 in"),
        (
            "body_mass_index",
            {"mass": "70 kilogram", "height": "1.75 metre"},
            "22.86 (normal weight, in the ranges of the WHO for adults)",
        ),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(units, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("convert", {"quantity": "5 kilogram", "to": "metre"}, "cannot be converted"),
        ("convert", {"quantity": "-1 kelvin", "to": "degree_Celsius"}, "absolute zero"),
        ("convert", {"quantity": "5 foot + 10 kilogram", "to": "metre"}, "no single quantity"),
        ("convert", {"quantity": "1 month", "to": "day"}, "differ in length"),
        ("convert", {"quantity": "2 year", "to": "day"}, "differ in length"),
        ("body_mass_index", {"mass": "70 kilogram", "height": "175 metre"}, "not the mass"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(units, name)(**arguments)


@pytest.mark.parametrize("name", sorted(unit_names()))
def test_pint_knows_the_units_that_are_read(name: str) -> None:
    assert units.registry().parse_units(name) is not None

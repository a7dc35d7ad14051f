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
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(units, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("convert", {"quantity": "5 kilogram", "to": "metre"}, "cannot be converted"),
        ("convert", {"quantity": "-1 kelvin", "to": "degree_Celsius"}, "absolute zero"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(units, name)(**arguments)


@pytest.mark.parametrize("name", sorted(unit_names()))
def test_pint_knows_the_units_that_are_read(name: str) -> None:
    assert units.registry().parse_units(name) is not None

"""Quantities, units and constants."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.reading.mentions import mentions
from tools.reading.quantities import (
    read_quantities,
    read_units,
)
from tools.reading.query import UnreadError
from tools.reading.substances import read_constants


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5 kg to pounds", [("quantity", "5 kilogram"), ("unit", "pound")]),
        ("a day in seconds", [("quantity", "1 day"), ("unit", "second")]),
        ("9.8 m/s^2", [("quantity", "9.8 metre / second ** 2")]),
        ("3 square feet in m²", [("quantity", "3 foot ** 2"), ("unit", "metre ** 2")]),
        ("100 degrees C in ° F", [("quantity", "100 degree_Celsius"), ("unit", "degree_Fahrenheit")]),
        ("5 in to cm", [("quantity", "5 inch"), ("unit", "centimetre")]),
        ("30 cm to in", [("quantity", "30 centimetre"), ("unit", "inch")]),
        ("5 MB at noon", [("quantity", "5 megabyte")]),
    ],
)
def test_quantities_and_units(text: str, found: list[tuple[str, Any]]) -> None:
    assert mentions(text, read_quantities, read_units) == found


def test_constants_by_their_common_names() -> None:
    assert mentions("Planck's constant", read_constants) == [("constant", "planck constant")]
    assert mentions("the mass of an electron", read_constants) == [("constant", "electron mass")]


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("1/2 mile to", "0.5 mile"),
        ("1 1/2 in to cm", "1.5 inch"),
        ("half an hour", "0.5 hour"),
        ("a quarter of a mile", "0.25 mile"),
        ("2 and a half hours", "2.5 hour"),
        ("3 quarters of a cup", "0.75 cup"),
        ("5 ft 10 in to cm", "5 foot + 10 inch"),
        ("5'10\" in cm", "5 foot + 10 inch"),
        ("2 hours and 30 minutes", "2 hour + 30 minute"),
        ("5 Mm", "5 megametre"),
        ("5 mW", "5 milliwatt"),
        ("2 m2", "2 metre ** 2"),
        ("3 s^-1", "3 second ** -1"),
        ("8.3 J/(mol*K)", "8.3 joule / (mole * kelvin)"),
        ("350 f in c", "350 degree_Fahrenheit"),
        ("2000 Calories", "2000 kilocalorie"),
        ("2000 calories", "2000 calorie"),
        ("5 KG", "5 kilogram"),
        ("3 UK gallons", "3 imperial_gallon"),
    ],
)
def test_fractions_sums_and_cases(text: str, quantity: str) -> None:
    assert mentions(text, read_quantities)[0] == ("quantity", quantity)


def test_only_smaller_units_are_added() -> None:
    assert mentions("70 kg and 1.75 m", read_quantities) == [
        ("quantity", "70 kilogram"),
        ("quantity", "1.75 metre"),
    ]
    assert len(mentions("10 miles and 5 km", read_quantities)) == 2


@pytest.mark.parametrize("text", ["1 NM", "5 MM", "5 MG", "500 kb", "2 tons", "1 gr", "500 CALORIES"])
def test_a_unit_that_can_be_several_is_refused(text: str) -> None:
    with pytest.raises(UnreadError, match="can be several units"):
        mentions(text, read_quantities)


def test_calories_at_the_beginning_are_refused() -> None:
    with pytest.raises(UnreadError, match="write kcal"):
        mentions("Calories in 500 kJ", read_units)

"""Convert units on Pint."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from tools.declaration import ToolError, tool
from tools.subjects.formatting import number, significant
from tools.types import Length, Mass, Quantity, Unit

_CALENDAR = ("month", "year", "decade", "century")
_COMMON_YEAR, _LEAP_YEAR = 365, 366


@tool(
    examples=(
        "convert 5 kg to pounds",
        "How many kilometers are in 26.2 miles?",
        "100 degrees Fahrenheit in Celsius",
        "what is 60 mph in m/s",
        "how many seconds in a day",
        "5 ft 10 in to cm",
    ),
    words=(
        "how many, number of, convert, conversion, change, equivalent, express, expressed, "
        "temperature, unit, units, make, fit, long, far, heavy, tall, high, =, turn, translate, "
        "contain, contains, contained, "
        # What is measured changes nothing between two volumes, or two masses; gold has ounces of its own.
        "water, milk, butter, flour, sugar, oil, rice, honey, salt, coffee, tea, beer, wine, juice, cream, "
        "cheese, chicken, meat, chocolate, pasta, yogurt, potatoes"
    ),
    libraries="pint",
)
def convert(quantity: Quantity, to: Unit) -> str:
    """Converts a quantity to another unit: length, mass, volume, speed, temperature, pressure, energy.

    Args:
        quantity: a number with a unit, or several that add up. Gallons, pints and cups without a country are
            those of the United States.
        to: the unit of the result, of the same dimension.

    Returns:
        The quantity in that unit.

    Raises:
        ToolError: if the dimensions differ, a temperature is below absolute zero, or a month or year would be
            converted to days.
    """
    import pint

    if (in_a_year := _year_in(quantity, to)) is not None:
        return in_a_year
    given = parse_quantity(quantity)
    if given.check("[temperature]") and given.to("kelvin").magnitude < -1e-9:
        raise ToolError(f"{quantity} is below absolute zero.")
    if str(given.units) == to:
        raise ToolError(f"{quantity} is in that unit: there is nothing to convert.")
    try:
        result = _turned(given, to).to(to)
    except pint.DimensionalityError as error:
        raise ToolError(f"{quantity} cannot be converted to {to}: {error}.") from error
    return quantity_text(result)


@tool(
    asks="feet and inches, ft and in, foot and inches, ft and inches, feet & inches",
    examples=("180 cm in feet and inches", "How tall is 1.75 m in feet and inches?"),
    words="how many, convert, tall, high, long, height",
    libraries="pint",
)
def feet_and_inches(length: Length) -> str:
    """Converts a length or a height to feet and inches.

    Args:
        length: the length.

    Returns:
        Whole feet, and inches to two decimals.
    """
    inches = round(float(parse_quantity(length).to("inch").magnitude), 2)
    feet = math.floor(inches / 12)
    return f"{feet} ft {number(round(inches - 12 * feet, 2))} in"


@tool(
    asks="bmi, body mass index",
    examples=("BMI of 70 kg and 1.75 m", "What is the body mass index of someone of 180 cm and 80 kg?"),
    words="weigh, weighs, weight, height, tall, high, person, adult, man, woman, calculate, if, =",
    libraries="pint",
)
def body_mass_index(mass: Mass, height: Length) -> str:
    """Computes the body mass index (BMI): the mass in kilograms by the square of the height in metres.

    Args:
        mass: the weight of an adult.
        height: the height, from 0.5 m to 3 m.

    Returns:
        The index, and the range of the World Health Organization that it is in.

    Raises:
        ToolError: if the mass or the height is none of an adult.
    """
    kilograms = float(parse_quantity(mass).to("kilogram").magnitude)
    metres = float(parse_quantity(height).to("metre").magnitude)
    if not (0.5 <= metres <= 3 and 10 <= kilograms <= 700):
        raise ToolError(f"{mass} and {height} are not the mass and height of an adult.")
    index = kilograms / metres**2
    ranges = ((18.5, "underweight"), (25, "normal weight"), (30, "overweight"))
    name = next((name for limit, name in ranges if index < limit), "obesity")
    return f"{index:.2f} ({name}, in the ranges of the WHO for adults)"


def parse_quantity(text: str) -> Any:
    """Build the Pint quantity of a number and a unit in Pint's spelling, `5 kilogram`, or of a sum of them.

    Raises:
        ToolError: if the parts of a sum have different dimensions.
    """
    import pint

    parts = []
    for one in text.split(" + "):
        magnitude, _, unit = one.partition(" ")
        parts.append(registry().Quantity(float(magnitude), unit))
    try:
        return sum(parts[1:], parts[0])
    except pint.DimensionalityError as error:
        raise ToolError(f"{text} is no single quantity: {error}.") from error


def quantity_text(quantity: Any) -> str:
    """Write a Pint quantity with its unit's symbol; rounded to ten digits, and so that this can be seen."""
    value = float(quantity.magnitude)
    shown = significant(value, 10)
    text = f"{value:.10g}" if abs(value) >= 10**10 and shown != value else str(shown)
    return f"{text} {quantity.units:~P}"


@cache
def registry() -> Any:
    """Return Pint's registry of units."""
    import pint

    return pint.UnitRegistry()


def _year_in(quantity: str, to: str) -> str | None:
    """Say how many days, hours … a year has: Pint's year is 365.25 days, which no calendar's is.

    Raises:
        ToolError: if a month, or more than a year, would be converted to days or the like.
    """
    units = [part.split(" ", 1)[1] for part in quantity.split(" + ")]
    if not any((one in _CALENDAR) != (to in _CALENDAR) for one in units):
        return None
    if not registry().Quantity(1, to).check("[time]"):
        return None
    if quantity != "1 year":
        raise ToolError(f"{quantity} cannot be converted to {to}: months and years differ in length.")
    days = (registry().Quantity(float(n), "day").to(to) for n in (_COMMON_YEAR, _LEAP_YEAR))
    common, leap = map(quantity_text, days)
    return f"{common} in a common year, {leap} in a leap year"


def _turned(given: Any, to: str) -> Any:
    """Make turns per time of an angle per time and the reverse: Pint takes a radian for 1."""
    wanted = registry().Quantity(1, to)
    angles = [str(one.to_root_units().units).count("radian") for one in (given, wanted)]
    if not given.check("1/[time]") or angles[0] == angles[1]:
        return given
    turn = 2 * math.pi
    return given.to_root_units() / registry().Quantity(turn, "radian") if angles[0] else given * turn

"""Convert units on Pint."""

from __future__ import annotations

from functools import cache
from typing import Any

from tools.declaration import ToolError, tool
from tools.subjects.formatting import significant
from tools.types import Quantity, Unit


@tool(
    examples=(
        "convert 5 kg to pounds",
        "How many kilometers are in 26.2 miles?",
        "100 degrees Fahrenheit in Celsius",
        "what is 60 mph in m/s",
        "how many seconds in a day",
        "3 cups to ml",
    ),
    words=(
        "how many, number of, convert, conversion, change, equivalent, express, expressed, "
        "temperature, unit, units, make, fit, long, far, heavy, =, turn, translate"
    ),
    libraries="pint",
)
def convert(quantity: Quantity, to: Unit) -> str:
    """Converts a quantity to another unit: length, mass, volume, speed, temperature, pressure, energy.

    Args:
        quantity: a number with a unit. Gallons, pints and cups are those of the United States.
        to: the unit of the result, of the same dimension.

    Returns:
        The quantity in that unit.

    Raises:
        ToolError: if the dimensions differ, or a temperature is below absolute zero.
    """
    import pint

    given = parse_quantity(quantity)
    if given.check("[temperature]") and given.to("kelvin").magnitude < -1e-9:
        raise ToolError(f"{quantity} is below absolute zero.")
    try:
        result = given.to(to)
    except pint.DimensionalityError as error:
        raise ToolError(f"{quantity} cannot be converted to {to}: {error}.") from error
    return quantity_text(result)


def parse_quantity(text: str) -> Any:
    """Build the Pint quantity of a number and a unit in Pint's spelling, `5 kilogram`."""
    magnitude, _, unit = text.partition(" ")
    return registry().Quantity(float(magnitude), unit)


def quantity_text(quantity: Any) -> str:
    """Write a Pint quantity with its unit's symbol."""
    return f"{significant(quantity.magnitude, 10)} {quantity.units:~P}"


@cache
def registry() -> Any:
    """Return Pint's registry of units."""
    import pint

    return pint.UnitRegistry()

"""Compare numbers, and write them as fractions, percentages and rounded decimals."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tools.declaration import ToolError, cue, tool
from tools.subjects.formatting import exact
from tools.subjects.symbolic import numeric, plain
from tools.types import Integer, Number, Point, Relation

_NUMBERS = "number, numbers, one, these, two, or, and, of, between, value, vs, versus, which"
_FORMS = "convert, express, expressed, write, written, fraction, decimal, number, turn, form"
MAX_PLACES = 100


@tool(
    asks="bigger, larger, greater, higher, biggest, largest, greatest, highest, which more",
    examples=("Which is bigger, 9.11 or 9.9?", "what's larger: 2^10 or 1000", "which is greater, 2/3 or 3/5"),
    words=_NUMBERS,
    in_order=True,
    libraries="sympy",
)
def larger(left: Point, right: Point) -> str:
    """Finds the larger of two numbers, fractions or calculations.

    Args:
        left: one number.
        right: the other.

    Returns:
        The larger one, with the comparison.
    """
    sign = _compared(left, right)
    return (
        f"Both are equal: {_shown(left)} = {_shown(right)}"
        if sign == "="
        else _chosen(left, right, sign, largest=True)
    )


@tool(
    asks="smaller, lower, lesser, smallest, lowest, which less",
    examples=("Which is smaller, 0.5 or 1/3?", "which number is smaller: -3 or -7"),
    words=_NUMBERS,
    in_order=True,
    libraries="sympy",
)
def smaller(left: Point, right: Point) -> str:
    """Finds the smaller of two numbers, fractions or calculations.

    Args:
        left: one number.
        right: the other.

    Returns:
        The smaller one, with the comparison.
    """
    sign = _compared(left, right)
    return (
        f"Both are equal: {_shown(left)} = {_shown(right)}"
        if sign == "="
        else _chosen(left, right, sign, largest=False)
    )


@tool(
    asks="^is, ^are",
    examples=("is 3/4 more than 0.7?", "Is 0.5 less than 1/3?", "is 1/2 equal to 0.5"),
    cues={"right": cue("than, to, as, equals, <, >", needed=True)},
    words="number, value",
    libraries="sympy",
)
def holds(left: Point, relation: Relation, right: Point) -> str:
    """Tells whether a number is more than, less than or equal to another.

    Args:
        left: a number, fraction or calculation.
        relation: `>`, `<` or `=`.
        right: what it is compared with.

    Returns:
        A sentence that begins with yes or no.
    """
    sign = _compared(left, right)
    return f"{'Yes' if sign == relation else 'No'}, {_shown(left)} {sign} {_shown(right)}."


@tool(
    asks="as percentage, as percent, to percentage, to percent, into percent, in percent, as %, to %",
    examples=("3/4 as a percentage", "convert 0.35 to percent"),
    words=_FORMS,
    libraries="sympy",
)
def as_percent(value: Point) -> str:
    """Writes a number or a fraction in percent.

    Args:
        value: the number, 1 for 100 %.

    Returns:
        The percentage.
    """
    percent = plain(100 * numeric(value))
    return f"{str(percent).rpartition('≈ ')[2]}%"


@tool(
    asks="as fraction, to fraction, into fraction, in fraction form",
    examples=("0.75 as a fraction", "write 1.25 as a fraction"),
    words=f"{_FORMS}, simplest, lowest, terms",
)
def as_fraction(value: Number) -> str:
    """Writes a decimal number as a fraction in lowest terms.

    Args:
        value: the number, in decimals.

    Returns:
        The fraction, such as `3/4`.
    """
    fraction: Fraction = exact(value)
    return f"{fraction.numerator}/{fraction.denominator}"


@tool(
    asks=(
        "decimal places, decimals, decimal place, digits after, significant digits, significant figures, "
        "digits"
    ),
    examples=("pi to 5 decimal places", "What is sqrt(2) to 10 decimals?", "e to 8 significant digits"),
    cues={
        "digits": cue(
            after=(
                "decimal places, decimals, decimal place, digits after, significant digits, "
                "significant figures, digits"
            ),
            needed=True,
        ),
    },
    words="round, rounded, the point, decimal point, value, number, accurate",
    libraries="sympy",
)
def to_digits(value: Point, digits: Integer) -> str:
    """Writes a number such as pi or a root to so many digits.

    Args:
        value: a number without variables that is no plain decimal.
        digits: how many, from 1 to 100.

    Returns:
        The number with so many decimals, and with so many significant digits.

    Raises:
        ToolError: if `digits` is out of range, or the number is not real.
    """
    number = numeric(value)
    if not 1 <= digits <= MAX_PLACES or not number.is_real:
        raise ToolError(f"Real numbers are written to 1 to {MAX_PLACES} digits, not {value} to {digits}.")
    return (
        f"{number.round(digits)} to {digits} decimals, {number.evalf(digits)} to {digits} significant digits"
    )


def _chosen(left: str, right: str, sign: str, *, largest: bool) -> str:
    first = (sign == ">") == largest
    return f"{_shown(left if first else right)} ({_shown(left)} {sign} {_shown(right)})"


def _shown(number: str) -> str:
    return number.replace(" / ", "/")


def _compared(left: str, right: str) -> str:
    values: list[Any] = [numeric(one) for one in (left, right)]
    if not all(one.is_real or one.is_infinite for one in values):
        raise ToolError(f"{left} and {right} cannot be compared: not both are real.")
    difference = values[0] - values[1]
    if difference.equals(0):
        return "="
    return ">" if difference > 0 else "<"

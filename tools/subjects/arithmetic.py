"""Calculate with numbers and percentages. Decimals are exact: 0.1 + 0.2 is 0.3."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from tools.declaration import ToolError, cue, tool
from tools.subjects.formatting import amount, amount_text, exact, exact_number
from tools.subjects.symbolic import numeric, plain
from tools.types import Amount, Calculation, Integer, Number, Numbers, Percent


@tool(
    examples=(
        "What is 12 * (3 + 4)?",
        "calculate 17.5 / 2.5",
        "two to the power of ten",
        "square root of 144",
        "what's 7 factorial",
        "15 plus 27 minus 4",
    ),
    words=(
        "sum, calculation, expression, arithmetic, simplified, number, total, solve, how many is, "
        "how many are, decimal, fraction, decimal number, convert, write, turn"
    ),
    libraries="sympy",
)
def evaluate(calculation: Calculation) -> int | str:
    """Calculates an expression of numbers: plus, minus, times, divided by, powers, roots, factorials.

    Args:
        calculation: numbers with operators and functions, without variables.

    Returns:
        The exact value, with a decimal approximation if it is not short.

    Raises:
        ToolError: if it is undefined or too large.
    """
    return plain(numeric(calculation))


@tool(
    asks="multiply, multiplied, multiplying",
    examples=("multiply 48 by 25", "What do I get when multiplying 1.5 and 4?"),
    cues={"factor": cue("by, with, and"), "value": cue("multiply, multiplying")},
    words="number, numbers, when",
    refuses="to get #",
    in_order=True,
)
def multiply(value: Number, factor: Number) -> int | float:
    """Multiplies two numbers.

    Args:
        value: one number.
        factor: the other.

    Returns:
        Their product.
    """
    return exact_number(exact(value) * exact(factor))


@tool(
    asks="divide, dividing",
    examples=("divide 144 by 12", "What do I get when dividing 10 by 4?"),
    cues={"divisor": cue("by", needed=True), "dividend": cue("divide, dividing")},
    words="number, numbers, when",
)
def divide(dividend: Number, divisor: Number) -> int | float:
    """Divides one number by another.

    Args:
        dividend: what is divided.
        divisor: by what; not zero.

    Returns:
        The quotient, with 12 significant digits.

    Raises:
        ToolError: if the divisor is zero.
    """
    if not divisor:
        raise ToolError("Division by zero is undefined.")
    return exact_number(exact(dividend) / exact(divisor))


@tool(
    asks="subtract, subtracting",
    examples=("subtract 17 from 42", "What is left when subtracting 2.5 from 10?"),
    cues={"part": cue("subtract, subtracting", needed=True), "whole": cue("from", needed=True)},
    words="number, numbers, left, when",
)
def subtract(part: Number, whole: Number) -> int | float:
    """Subtracts one number from another.

    Args:
        part: what is taken away.
        whole: from what.

    Returns:
        whole - part.
    """
    return exact_number(exact(whole) - exact(part))


@tool(
    asks="product",
    examples=("What is the product of 12 and 5?", "product of 2, 3 and 4"),
    words="number, numbers",
)
def product(numbers: Numbers) -> int | float:
    """Multiplies several numbers: their product.

    Args:
        numbers: two or more numbers.

    Returns:
        The product, with 12 significant digits.
    """
    return exact_number(math.prod(map(exact, numbers), start=Fraction(1)))


@tool(
    asks="difference, diff",
    examples=("What is the difference between 100 and 64?", "difference of 2.5 and 10"),
    words="number, numbers, between",
)
def difference(numbers: Numbers) -> int | float:
    """Finds how far two numbers are apart: the larger minus the smaller.

    Args:
        numbers: exactly two numbers.

    Returns:
        Their difference, not negative.

    Raises:
        ToolError: if there are more than two numbers.
    """
    if len(numbers) != 2:
        raise ToolError(f"The difference is of two numbers, not {len(numbers)}.")
    return exact_number(abs(exact(numbers[0]) - exact(numbers[1])))


@tool(
    asks="percent, %, percentage",
    examples=("What is 15% of 80?", "20 percent of 350", "how much is 7.5% of 1,200"),
    cues={"whole": cue("of", needed=True)},
    words="per cent, pct",
)
def percent_of(percent: Percent, whole: Amount) -> int | float | str:
    """Takes a percentage of a number.

    Args:
        percent: the percentage, 15 for 15 %.
        whole: the number or the amount of money of which to take it.

    Returns:
        percent / 100 * whole.
    """
    value, currency = amount(whole)
    return amount_text(value * exact(percent) / 100, currency)


@tool(
    asks="what percent, what percentage, how many percent, as percentage, as percent, which percentage",
    examples=("What percentage of 80 is 20?", "30 is what percent of 120", "what percent is 45 of 60"),
    cues={"whole": cue("of, out of, percent of", needed=True)},
)
def percentage(part: Number, whole: Number) -> str:
    """Finds which percentage one number is of another.

    Args:
        part: the part.
        whole: the number that is 100 %; not zero.

    Returns:
        part / whole in percent, such as `25%`.

    Raises:
        ToolError: if the whole is zero.
    """
    if not whole:
        raise ToolError("There is no percentage of zero.")
    return f"{exact_number(100 * exact(part) / exact(whole))}%"


@tool(
    asks=(
        "percent change, percentage change, percent increase, percentage increase, percent decrease, "
        "percentage decrease, % change, % increase, % decrease"
    ),
    examples=(
        "percent change from 50 to 65",
        "What is the percentage increase from 200 to 250?",
        "percentage decrease from 80 to 60",
    ),
    cues={"old": cue("from", needed=True), "new": cue("to", needed=True)},
)
def percent_change(old: Number, new: Number) -> str:
    """Finds the relative change from one number to another in percent.

    Args:
        old: the number before; not zero.
        new: the number after.

    Returns:
        The change in percent with its sign: `+30%`, `-25%`.

    Raises:
        ToolError: if the old number is zero.
    """
    if not old:
        raise ToolError("There is no percentage change from zero.")
    change = exact_number(100 * (exact(new) - exact(old)) / abs(exact(old)))
    return f"{change:+}%"


@tool(
    asks="increase by, increased by, raise by, raised by, increase, raise",
    examples=("increase 80 by 15%", "what is 200 increased by 10 percent", "raise 50 by 20%"),
    cues={"base": cue("increase, raise", after="increased, raised", needed=True)},
    words="price, increasing",
    refuses="and, is #, was #, to get #",
)
def increase(base: Amount, percent: Percent) -> int | float | str:
    """Increases a number by a percentage: a mark-up, a tip or a tax added on top.

    Args:
        base: the number before.
        percent: by how many percent it grows.

    Returns:
        base * (1 + percent / 100).
    """
    value, currency = amount(base)
    return amount_text(value * (100 + exact(percent)) / 100, currency)


@tool(
    asks=("decrease by, decreased by, reduce by, reduced by, discount, % off, percent off, decrease, reduce"),
    examples=("decrease 80 by 15%", "What is 20% off 150?", "reduce 640 by 25 percent"),
    cues={"base": cue("decrease, reduce, off, on, of")},
    words="price, sale, after, item, product, discounted",
    refuses="and, is #, was #, to get #",
)
def decrease(base: Amount, percent: Percent) -> int | float | str:
    """Decreases a number by a percentage: a discount, a reduction.

    Args:
        base: the number before.
        percent: by how many percent it shrinks, at most 100.

    Returns:
        base * (1 - percent / 100).

    Raises:
        ToolError: if the percentage is more than 100.
    """
    if percent > 100:
        raise ToolError(f"A number cannot shrink by {percent:g} %: at most 100 %.")
    value, currency = amount(base)
    return amount_text(value * (100 - exact(percent)) / 100, currency)


@tool(
    asks="round, rounded",
    examples=("round 3.14159 to 2 decimal places", "What is 2.71828 rounded to three decimals?"),
    cues={
        "value": cue("round"),
        "places": cue(
            after=("decimal places, decimals, decimal place, decimal, places, digits after the"), needed=True
        ),
    },
    words="off, decimal point",
)
def round_number(value: Number, places: Integer) -> str:
    """Rounds a number to so many decimal places, halves to the even digit.

    Args:
        value: the number.
        places: how many decimals to keep, 0 to 12.

    Returns:
        The rounded number with exactly so many decimals.

    Raises:
        ToolError: if `places` is out of range.
    """
    if not 0 <= places <= 12:
        raise ToolError(f"Numbers are rounded to 0 to 12 decimal places, not {places}.")
    return str(Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN))

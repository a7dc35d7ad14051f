"""Calculate with money, tips and discounts, and compare numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tools.declaration import ToolError, cue, tool
from tools.expressions import CURRENCIES
from tools.subjects.formatting import amount, amount_text, exact
from tools.subjects.symbolic import numeric, plain, symbolic
from tools.types import Amount, Integer, MoneyCalculation, Percent, Point, Relation

_WORDS = "how much, total, bill, price, cost, costs, money, in, all, altogether"
_NUMBERS = "number, numbers, one, these, two, or, and, of, between, value, vs, versus, which"


@tool(
    examples=("$5 + $7", "What is €20 minus €7.35?", "3 * $4.99", "half of $30", "sum of $5, $7 and $8"),
    words=f"{_WORDS}, sum, calculation, makes, add, adding, up, if",
    libraries="sympy",
)
def add_money(calculation: MoneyCalculation) -> int | float | str:
    """Calculates with amounts of money in one currency: sums, differences, multiples and shares of prices.

    Args:
        calculation: numbers and amounts, such as `5 * USD + 7 * USD`; a number in a sum is an amount too.

    Returns:
        The amount with its currency, or the ratio of two amounts.

    Raises:
        ToolError: if amounts are multiplied with each other, or there are several currencies.
    """
    import sympy

    value = sympy.expand(symbolic(calculation))
    unit = next((one for one in value.free_symbols if str(one) in CURRENCIES), None)
    if unit is None:
        return plain(value)
    linear = sympy.Poly(value, unit) if value.is_polynomial(unit) else None
    if linear is None or linear.degree() > 1 or len(value.free_symbols) > 1:
        raise ToolError(f"{calculation} is no amount of money: only numbers multiply and divide amounts.")
    total = linear.eval(1)
    if not total.is_Rational:
        raise ToolError(f"{calculation} is no amount of money.")
    return amount_text(Fraction(int(total.p), int(total.q)), str(unit))


@tool(
    asks="tip, gratuity, tipping",
    examples=("What's a 15% tip on $84.50?", "20 percent tip for 60 dollars", "tip 18% on £45"),
    cues={"bill": cue("on, for, of")},
    words=f"{_WORDS}, check, meal, dinner, lunch, restaurant, leave, leaving, service, add",
)
def tip(bill: Amount, percent: Percent) -> str:
    """Computes a tip: a percentage of a bill, and the bill with it.

    Args:
        bill: the amount before the tip.
        percent: how many percent of it are the tip.

    Returns:
        The tip, and the total with it.
    """
    value, currency = amount(bill)
    share = value * exact(percent) / 100
    return f"{amount_text(share, currency)} (with the bill {amount_text(value + share, currency)})"


@tool(
    asks="split, share, divide, each pay, each person pay, divided",
    examples=("split $84.50 three ways", "Split 90 euros between 4 people", "divide $100 among 8 friends"),
    cues={
        "people": cue("between, among, for", after="ways, way, people, persons, friends", needed=True),
    },
    words=f"{_WORDS}, equally, evenly, each, pay, pays, per, person, people, friends, if, way, check, dinner",
    refuses="with, me, myself, my, i",
)
def split(bill: Amount, people: Integer) -> str:
    """Splits a bill or an amount of money equally between people.

    Args:
        bill: the amount.
        people: between how many, at least one.

    Returns:
        What each pays, to the cent, and what that makes in all if it does not come out even.

    Raises:
        ToolError: if there are no people.
    """
    if people < 1:
        raise ToolError(f"A bill is split between one or more people, not {people}.")
    value, currency = amount(bill)
    share = value / people
    cents = Fraction(round(share * 100 + Fraction(1, 10**6)), 100)
    if not currency or share == cents:
        return f"{amount_text(share, currency)} each"
    return (
        f"{amount_text(share, currency)} each ({people} of them make {amount_text(cents * people, currency)})"
    )


@tool(
    asks="save, saved, saving, savings",
    examples=("How much do I save with 20% off $50?", "what is saved at a 15% discount on 80 euros"),
    cues={"price": cue("off, on, of")},
    words=f"{_WORDS}, off, discount, with, at, sale, reduction",
)
def saving(price: Amount, percent: Percent) -> int | float | str:
    """Computes how much a discount saves.

    Args:
        price: the price before the discount.
        percent: the discount in percent.

    Returns:
        What the discount takes off the price.
    """
    value, currency = amount(price)
    return amount_text(value * exact(percent) / 100, currency)


@tool(
    asks="minus, -, less",
    examples=("100 - 20%", "$80 minus 15%", "15% less than 200"),
    cues={"percent": cue("minus, -, less", after="less than, lower than", needed=True)},
    words=f"{_WORDS}, than, lower",
    refuses="^is, ^are",
)
def less_percent(base: Amount, percent: Percent) -> int | float | str:
    """Takes a percentage off a number or an amount: 100 - 20% is 80, as on a pocket calculator.

    Args:
        base: the number before.
        percent: how many percent of it are taken off.

    Returns:
        base * (1 - percent / 100).
    """
    value, currency = amount(base)
    return amount_text(value * (100 - exact(percent)) / 100, currency)


@tool(
    asks="plus, +, more than, higher than, tax, vat, gst",
    examples=("250 + 8%", "$50 plus 20%", "20 percent more than 50", "$45 with 8% tax"),
    cues={"percent": cue("plus, +, with, including", after="more than, higher than", needed=True)},
    words=f"{_WORDS}, sales, fee",
    refuses="^is, ^are",
)
def more_percent(base: Amount, percent: Percent) -> int | float | str:
    """Adds a percentage to a number or an amount: 250 + 8% is 270, as on a pocket calculator.

    Args:
        base: the number before.
        percent: how many percent of it are added.

    Returns:
        base * (1 + percent / 100).
    """
    value, currency = amount(base)
    return amount_text(value * (100 + exact(percent)) / 100, currency)


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
    words="convert, express, expressed, write, written, fraction, decimal, number, turn",
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

"""Calculate with money: prices, tips, discounts, shares of a bill."""

from __future__ import annotations

from fractions import Fraction

from tools.declaration import ToolError, cue, tool
from tools.expressions import CURRENCIES
from tools.subjects.formatting import amount, amount_text, exact
from tools.subjects.symbolic import plain, symbolic
from tools.types import Amount, Integer, MoneyCalculation, Percent

_WORDS = "how much, total, bill, price, cost, costs, money, in, all, altogether"


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
    examples=(
        "What's a 15% tip on $84.50?",
        "20 percent tip for 60 dollars",
        "tip 18% on £45",
        "18% tip on $64 split 4 ways",
    ),
    cues={
        "bill": cue("on, for, of"),
        "people": cue(
            "split by, split between, split among, split, shared by, shared between, divided by, between, "
            "among",
            after="ways, way, people, persons, friends",
            needed=True,
        ),
    },
    words=(
        f"{_WORDS}, check, meal, dinner, lunch, restaurant, leave, leaving, service, add, split, shared, "
        "divided, by, between, among, people, friends, ways"
    ),
    refuses="tip of #, tip was #, # tip, is #, was #, # each",
)
def tip(bill: Amount, percent: Percent, people: Integer | None = None) -> str:
    """Computes a tip: a percentage of a bill, and the bill with it.

    Args:
        bill: the amount before the tip.
        percent: how many percent of it are the tip.
        people: between how many the bill and the tip are split, if they are.

    Returns:
        The tip, the total with it, and what each of the people pays.

    Raises:
        ToolError: if there are no people.
    """
    if people is not None and people < 1:
        raise ToolError(f"A bill is split between one or more people, not {people}.")
    value, currency = amount(bill)
    share = value * exact(percent) / 100
    each = f"; split {people} ways: {amount_text((value + share) / people, currency)} each" if people else ""
    return f"{amount_text(share, currency)} (with the bill {amount_text(value + share, currency)}{each})"


@tool(
    asks="split, share, divide, each pay, each person pay, divided",
    examples=("split $84.50 three ways", "Split 90 euros between 4 people", "divide $100 among 8 friends"),
    cues={
        "people": cue("between, among, for", after="ways, way, people, persons, friends", needed=True),
    },
    words=f"{_WORDS}, equally, evenly, each, pay, pays, per, person, people, friends, if, way, check, dinner",
    refuses="with, me, myself, my, i, pays #, pay #, paid #, each #, is #, was #",
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
    refuses="save #, saved #, saving #, saves #, is #, was #",
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
    refuses="^is, ^are, is #, was #, to get #",
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
    asks="plus, +, add, more than, higher than, tax, vat, gst",
    examples=("250 + 8%", "$50 plus 20%", "20 percent more than 50", "$45 with 8% tax"),
    cues={"percent": cue("plus, +, with, including, add", after="more than, higher than", needed=True)},
    words=f"{_WORDS}, sales, fee",
    refuses="^is, ^are, is #, was #, to get #",
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

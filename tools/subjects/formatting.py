"""Format numbers for people."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from tools.declaration import ToolError


def number(value: float) -> int | float:
    """Return a float with at most 12 significant digits; an int if it is whole.

    Raises:
        ToolError: if it is infinite or not a number.
    """
    if not math.isfinite(value):
        raise ToolError("The result is not a finite number.")
    rounded = float(f"{value:.12g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def exact(value: float) -> Fraction:
    """Return the fraction that the decimal digits of a number mean: 0.1 is 1/10."""
    return Fraction(str(value))


def exact_number(value: Fraction) -> int | float:
    """Return a fraction with 15 significant digits; an int if it is whole."""
    if value.denominator == 1:
        return int(value)
    rounded = float(f"{float(value):.15g}")
    return int(rounded) if rounded.is_integer() else rounded


_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "CNY": "¥"}


def amount(value: object) -> tuple[Fraction, str]:
    """Return the number and the currency of an amount; the currency is empty where it has none."""
    digits, _, currency = str(value).partition(" ")
    return Fraction(digits), currency


def amount_text(value: Fraction, currency: str) -> int | float | str:
    """Write an amount to the cent with its currency, halves away from zero; a bare number stays one."""
    if not currency:
        return exact_number(value)
    if abs(value) >= 10**15:
        raise ToolError("The amount is out of range.")
    cents = Decimal(value.numerator * 100 / Decimal(value.denominator)).quantize(Decimal(1), ROUND_HALF_UP)
    text = f"{abs(cents) / 100:,.{0 if value.denominator == 1 else 2}f}"
    sign = _SIGNS.get(currency, f"{currency} ")
    return f"{'-' if cents < 0 else ''}{sign}{text}"


def significant(value: float, digits: int) -> int | float:
    """Round a float to so many significant digits; return an int if it is whole."""
    return number(float(f"{value:.{digits}g}"))


def money(value: float) -> str:
    """Write an amount to the cent, with thousands separators."""
    if not math.isfinite(value) or abs(value) >= 1e15:
        raise ToolError("The amount is out of range.")
    return f"{round(value, 2) + 0.0:,.2f}"  # + 0.0: no minus before zero

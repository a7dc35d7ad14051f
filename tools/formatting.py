"""Numbers for people."""

from __future__ import annotations

import math

from tools.errors import ToolError


def number(value: float) -> int | float:
    """A float with at most 12 significant digits; an int if it is whole.

    Raises:
        ToolError: if it is infinite or not a number.
    """
    if not math.isfinite(value):
        raise ToolError("The result is not a finite number.")
    rounded = float(f"{value:.12g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def significant(value: float, digits: int) -> int | float:
    """A float rounded to so many significant digits; an int if it is whole."""
    return number(float(f"{value:.{digits}g}"))


def money(value: float) -> str:
    """An amount to the cent, with thousands separators."""
    if not math.isfinite(value) or abs(value) >= 1e15:
        raise ToolError("The amount is out of range.")
    return f"{value:,.2f}"

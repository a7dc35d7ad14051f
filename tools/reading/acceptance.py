"""Which mentions a parameter of each type accepts, and the argument that it makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tools import types
from tools.expressions import Apply, Literal, Symbol, symbols
from tools.reading.formula_text import render
from tools.reading.formulas import EquationText
from tools.reading.stream import Mention


def accept(wanted: Any, mention: Mention) -> Any | None:
    """The argument that a mention gives for a type of `tools.types`; None if it gives none."""
    if (wanted, mention.kind) in _PLAIN:
        return mention.value
    rule = _RULES.get((wanted, mention.kind))
    return None if rule is None else rule(mention.value)


def _definition(equation: EquationText) -> str | None:
    """`y = x^2` is the formula x^2."""
    if isinstance(equation.left, Symbol) and equation.left.name not in symbols(equation.right):
        return render(equation.right)
    return None


def _point(node: Any) -> str | None:
    return None if symbols(node) else render(node)


def _variable(node: Any) -> str | None:
    return node.name if isinstance(node, Symbol) else None


def _calculation(node: Any) -> str | None:
    is_sum = isinstance(node, Apply) and node.arguments and not symbols(node)
    is_signed = isinstance(node, Apply) and node.name == "negative" and isinstance(node.arguments[0], Literal)
    return render(node) if is_sum and not is_signed else None


def _integer(value: int | float) -> int | None:
    return value if isinstance(value, int) else None


def _integers(values: list[int | float]) -> list[int | float] | None:
    return values if all(isinstance(value, int) for value in values) else None


_PLAIN = frozenset(
    {
        (types.Equations, "equations"),
        (types.Variable, "differential"),
        (types.Order, "order"),
        (types.Number, "number"),
        (types.Numbers, "list"),
        (types.Matrix, "matrix"),
        (types.Percent, "percent"),
        (types.Money, "money"),
        (types.Money, "number"),
        (types.Years, "years"),
        (types.Days, "days"),
        (types.Months, "months"),
        (types.Frequency, "frequency"),
        (types.Quantity, "quantity"),
        (types.Unit, "unit"),
        (types.Date, "date"),
        (types.ClockTime, "clock"),
        (types.Zone, "zone"),
        (types.Country, "country"),
        (types.City, "city"),
        (types.Formula, "chemical"),
        (types.Reaction, "reaction"),
        (types.Element, "element"),
        (types.Constant, "constant"),
        (types.Text, "text"),
        (types.Digits, "numeral"),
        (types.Base, "base"),
        (types.SourceBase, "source_base"),
        (types.SourceBase, "base"),
        (types.RomanNumeral, "roman"),
    }
)
"""The types whose readers give the argument itself."""
_RULES: dict[tuple[Any, str], Callable[[Any], Any | None]] = {
    (types.Expression, "formula"): render,
    (types.Expression, "equation"): _definition,
    (types.Polynomial, "formula"): lambda node: render(node) if symbols(node) else None,
    (types.Calculation, "formula"): _calculation,
    (types.Point, "formula"): _point,
    (types.Point, "binding"): lambda binding: render(binding.value),
    (types.Variable, "formula"): _variable,
    (types.Integer, "number"): _integer,
    (types.Integers, "list"): _integers,
}

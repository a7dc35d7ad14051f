"""Which mentions a parameter of each type accepts, and the argument that it makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents.workers.arguments.formulas import Binding, EquationText
from agents.workers.arguments.stream import Mention
from tools import types
from tools.expressions import Symbol, render, symbols


def accept(wanted: Any, mention: Mention) -> Any | None:
    """The argument that a mention gives for a type of `tools.types`; None if it gives none."""
    rule = _RULES.get((wanted if isinstance(wanted, type) else wanted, mention.kind))
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


def _equation(equation: EquationText) -> str:
    return f"{render(equation.left)} = {render(equation.right)}"


def _binding_equation(binding: Binding) -> str:
    return f"{binding.variable} = {render(binding.value)}"


_RULES: dict[tuple[Any, str], Callable[[Any], Any | None]] = {
    (types.Expression, "formula"): render,
    (types.Expression, "equation"): _definition,
    (types.Equation, "equation"): _equation,
    (types.Equation, "binding"): _binding_equation,
    (types.Point, "formula"): _point,
    (types.Point, "binding"): lambda binding: render(binding.value),
    (types.Variable, "formula"): _variable,
    (types.Variable, "differential"): str,
    (types.Order, "order"): int,
}

"""Differentiate, integrate and find limits on SymPy, which is imported in the call: it takes long."""

from __future__ import annotations

from typing import Any

from tools.declaration import ToolError, cue, tool
from tools.subjects.symbolic import numeric, only_variable, plain, symbolic
from tools.types import Expression, Order, Point, Variable

_VARIABLE = cue("with respect to, wrt, w.r.t., in terms of, in, by", needed=True)
_LOWER = cue("from, between, over", needed=True)
_UPPER = cue("to, and, until, up to", needed=True)


@tool(
    asks=(
        "derivative, derivatives, differentiate, differentiating, derive, partial derivative, slope, "
        "rate of change, partial differentiate, gradient"
    ),
    examples=(
        "Tell me the result of derivative of x^3 when x is 2?",
        "differentiate sin(x) * e^x with respect to x",
        "What is the second derivative of x^4 - 3x?",
        "slope of the tangent to x^2 at x = 3",
        "partial derivative of x^2 y with respect to y",
    ),
    cues={
        "variable": _VARIABLE,
        "at": cue("at, when, where, for, if, at the point, evaluated at", needed=True),
    },
    words="tangent, line, curve, graph, function, expression, value, evaluated, point",
    libraries="sympy",
)
def derivative(
    expression: Expression,
    variable: Variable | None = None,
    order: Order | None = None,
    at: Point | None = None,
) -> int | str:
    """Differentiates a formula: the first or a higher derivative, partial or at a point, slope of a tangent.

    Args:
        expression: the formula to differentiate.
        variable: the variable; may be left out if the formula has only one.
        order: 1 for the first derivative (if left out), 2 for the second, at most 20.
        at: the value of the variable at which to evaluate the derivative.

    Returns:
        The derivative as a formula, or its value at the point.

    Raises:
        ToolError: if the variable is not clear or the derivative is undefined there.
    """
    formula = symbolic(expression, real=True)
    name = only_variable(formula, variable)
    times = order or 1
    if not 1 <= times <= 20:
        raise ToolError(f"The order of a derivative is 1 to 20, not {times}.")
    result = formula.diff(name, times)
    return plain(result if at is None else _value_at(formula, result, name, numeric(at)))


@tool(
    asks=(
        "integral, integrate, integrating, antiderivative, anti derivative, primitive, area under, "
        "indefinite integral, definite integral, integration of, ∫"
    ),
    examples=(
        "integrate x^2 from 0 to 3",
        "What's the antiderivative of cos(x)?",
        "definite integral of e^x between 0 and 1",
        "area under the curve x^2 + 1 from x = 0 to x = 2",
    ),
    cues={"variable": _VARIABLE, "lower": _LOWER, "upper": _UPPER},
    words="curve, graph, function, expression, value, evaluate, evaluated, dx, dt, dy, du",
    libraries="sympy",
)
def integral(
    expression: Expression,
    variable: Variable | None = None,
    lower: Point | None = None,
    upper: Point | None = None,
) -> int | str:
    """Integrates a formula: its antiderivative, or the definite integral between two limits, the area.

    Args:
        expression: the integrand.
        variable: the variable; may be left out if the integrand has only one.
        lower: the lower limit; with `upper`, or not at all.
        upper: the upper limit.

    Returns:
        The antiderivative (without its constant) as a formula, or the value of the definite integral.

    Raises:
        ToolError: if the variable is not clear, a limit is missing, or there is no closed form.
    """
    import sympy

    formula = symbolic(expression, real=True)
    name = only_variable(formula, variable)
    if (lower is None) != (upper is None):
        raise ToolError("A definite integral needs both limits.")
    if lower is None or upper is None:
        result = sympy.integrate(formula, name)
        suffix = " + C"
    else:
        result = sympy.integrate(formula, (name, numeric(lower), numeric(upper)))
        suffix = ""
    if result.has(sympy.Integral):
        raise ToolError(f"No closed form was found for the integral of {expression}.")
    return f"{plain(result)}{suffix}" if suffix else plain(result)


@tool(
    asks="limit, lim",
    examples=(
        "limit of sin(x)/x as x approaches 0",
        "What is the limit of (1 + 1/n)^n as n goes to infinity?",
        "lim x->0 (e^x - 1)/x",
    ),
    cues={"at": cue("as, when, at, for, lim", needed=True)},
    words="function, expression, value, approaches, tends, goes",
    libraries="sympy",
)
def limit(expression: Expression, at: Point, variable: Variable | None = None) -> int | str:
    """Finds the limit of a formula as its variable approaches a value or infinity, from both sides.

    Args:
        expression: the formula.
        at: what the variable approaches; `oo` for infinity.
        variable: the variable; may be left out if the formula has only one.

    Returns:
        The limit, a number or `infinity`.

    Raises:
        ToolError: if the limits from the two sides differ, or there is none.
    """
    import sympy

    formula = symbolic(expression, real=True)
    name = only_variable(formula, variable)
    target = numeric(at)
    try:
        side = "+-" if target.is_finite else "+"
        result = sympy.limit(formula, name, target, side)
    except (ValueError, NotImplementedError) as error:
        raise ToolError(f"The limit of {expression} at {at} does not exist or was not found.") from error
    if result.has(sympy.AccumBounds, sympy.Limit):
        raise ToolError(f"The limit of {expression} at {at} does not exist.")
    return plain(result)


def _value_at(formula: Any, result: Any, name: Any, point: Any) -> Any:
    """Evaluate the derivative at a point where there is one: not outside the domain, and not at a kink.

    Raises:
        ToolError: if there is none.
    """
    import sympy

    undefined = ToolError(f"The derivative is undefined at {name} = {point}.")
    if formula.subs(name, point).is_real is False or not point.is_finite:
        raise undefined
    if formula.has(sympy.Abs, sympy.floor, sympy.ceiling, sympy.Mod):
        sides = {sympy.limit(result, name, point, side) for side in "+-"}
        if len(sides) > 1 or formula.has(sympy.floor, sympy.ceiling, sympy.Mod):
            raise undefined
    return result.subs(name, point)

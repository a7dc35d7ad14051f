"""Solve equations and systems, and bring formulas into other forms, on SymPy."""

from __future__ import annotations

from typing import Any

from tools.declaration import ToolError, cue, tool
from tools.subjects.symbolic import equation, numeric, only_variable, plain, symbolic
from tools.types import Equations, Expression, Point, Polynomial, Variable

MAX_EQUATIONS = 6
_VARIABLE = cue("for, find, in, what is, value of, with respect to", needed=True)


@tool(
    asks="solve, solution, solutions, find, what is, system, roots, root, if, solving, value of",
    examples=(
        "solve 2x + 3 = 11",
        "Find x: x^2 - 5x + 6 = 0",
        "Solve the system x + y = 5 and x - y = 1",
        "what is x if 3x - 7 = 14",
    ),
    cues={"variable": _VARIABLE},
    words=(
        "equation, equations, simultaneous, unknown, given that, linear, quadratic, cubic, if, "
        "values, all, following, that, real, such, when, where"
    ),
    libraries="sympy",
)
def solve(equations: Equations, variable: Variable | None = None) -> str:
    """Solves an equation or a system of equations, linear or not, for its unknowns.

    Args:
        equations: one to six equations.
        variable: the unknown of a single equation; may be left out if there is only one.

    Returns:
        All solutions, such as `x = 2 or x = 3`.

    Raises:
        ToolError: if there is no solution, no finite number of them, or none in closed form.
    """
    if len(equations) > MAX_EQUATIONS:
        raise ToolError(f"At most {MAX_EQUATIONS} equations are solved together, not {len(equations)}.")
    forms = [equation(one) for one in equations]
    if len(forms) == 1:
        return _roots(forms[0], only_variable(forms[0], variable))
    return _system(forms)


@tool(
    asks="roots, zeros, zeroes",
    examples=("roots of x^2 - 5x + 6", "What are the zeros of x^3 - x?", "find the roots of 2x^2 + 3x - 2"),
    words="polynomial, quadratic, cubic, function, all, expression, equation",
    libraries="sympy",
)
def roots(expression: Polynomial) -> str:
    """Finds the roots (zeros) of a formula or polynomial in one variable.

    Args:
        expression: the formula that is to be zero.

    Returns:
        All roots, such as `x = 2 or x = 3`.

    Raises:
        ToolError: if there is no root or none in closed form.
    """
    form = symbolic(expression)
    return _roots(form, only_variable(form, None))


@tool(
    asks="factor, factorize, factorise, factoring, factored, factorization",
    examples=("factor x^2 - 9", "Factorise 6x^2 + 5x - 6", "write x^3 - 8 in factored form"),
    words="polynomial, completely, form, write, expression, quadratic, fully",
    libraries="sympy",
)
def factor(expression: Polynomial) -> int | str:
    """Factors a polynomial over the rational numbers.

    Args:
        expression: the polynomial, with at least one variable.

    Returns:
        The product of its factors.

    Raises:
        ToolError: if there is no variable; whole numbers have prime factors instead.
    """
    import sympy

    form = symbolic(expression)
    if not form.free_symbols:
        raise ToolError(f"{expression} is a number: ask for its prime factors.")
    return plain(sympy.factor(form))


@tool(
    asks="expand, expanded, multiply out, expanding",
    examples=("expand (x + 2)(x - 3)", "Multiply out (a + b)^3", "expand (2x - 1)^2"),
    words="brackets, parentheses, product, form, expression, polynomial",
    libraries="sympy",
)
def expand(expression: Expression) -> int | str:
    """Expands a formula: multiplies out its products and powers.

    Args:
        expression: the formula.

    Returns:
        The sum of its terms.
    """
    import sympy

    return plain(sympy.expand(symbolic(expression)))


@tool(
    asks="simplify, simplified, simplest form, reduce, simplification",
    examples=("simplify (x^2 - 1)/(x - 1)", "Simplify sin(x)^2 + cos(x)^2", "simplify 2x + 3x - x"),
    words="expression, fraction, form, write, formula",
    libraries="sympy",
)
def simplify(expression: Expression) -> int | str:
    """Simplifies a formula.

    Args:
        expression: the formula.

    Returns:
        A shorter formula that is equal where both are defined.
    """
    import sympy

    return plain(sympy.simplify(symbolic(expression)))


@tool(
    asks="evaluate, value, substitute, plug, what is, calculate, compute",
    examples=("evaluate x^2 + 3x at x = 2", "What is 2x^3 - x when x = -1?", "value of 5t + 1 for t = 4"),
    cues={"at": cue("at, when, where, for, if, with, given, into", needed=True)},
    words="expression, function, polynomial, formula, given, in",
    libraries="sympy",
)
def evaluate_at(expression: Expression, at: Point, variable: Variable | None = None) -> int | str:
    """Evaluates a formula at a value of its variable.

    Args:
        expression: the formula.
        at: the value.
        variable: the variable; may be left out if there is only one.

    Returns:
        The value of the formula there.

    Raises:
        ToolError: if it is undefined there or the variable is not clear.
    """
    form = symbolic(expression)
    return plain(form.subs(only_variable(form, variable), numeric(at)))


def _roots(form: Any, variable: Any) -> str:
    import sympy

    if any(
        one.has(variable)
        for one in form.atoms(sympy.functions.elementary.trigonometric.TrigonometricFunction)
    ):
        raise ToolError("It may have solutions without end: trigonometric equations are not solved.")
    try:
        found = sympy.solve(form, variable)
    except NotImplementedError as error:
        raise ToolError(f"No closed form was found for the solutions in {variable}.") from error
    if not found:
        raise ToolError("It has no solution, or holds for every value.")
    return " or ".join(f"{variable} = {plain(root)}" for root in found)


def _system(forms: list[Any]) -> str:
    import sympy

    unknowns = sorted(set().union(*(form.free_symbols for form in forms)), key=str)
    try:
        found = sympy.solve(forms, unknowns, dict=True)
    except NotImplementedError as error:
        raise ToolError("No closed form was found for the solutions of this system.") from error
    if not found or any(len(solution) < len(unknowns) for solution in found):
        raise ToolError("The system has no solution, or more than finitely many.")
    texts = [", ".join(f"{name} = {plain(solution[name])}" for name in unknowns) for solution in found]
    return " or ".join(texts)

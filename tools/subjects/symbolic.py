"""Turn trees of `tools.expressions` into SymPy objects, within bounds, and SymPy objects into text."""

from __future__ import annotations

import math
import re
from typing import Any

from tools.declaration import ToolError
from tools.expressions import Apply, Literal, Node, Symbol, parse

MAX_POWER_DIGITS = 1_000
MAX_DEGREE = 200
MAX_FACTORIAL = 400
MAX_RESULT_CHARACTERS = 4_000


def symbolic(text: str, *, real: bool = False) -> Any:
    """Build the SymPy expression of a formula. Decimals are exact: 0.1 is 1/10.

    Args:
        text: the formula.
        real: whether its variables stand for real numbers only.

    Raises:
        ToolError: if the text is no formula, or a power or factorial in it is too large.
    """
    return _build(parse(text), real or None)


def equation(text: str) -> Any:
    """Build the SymPy expression `left - right` of `left = right`; real where it has an absolute value.

    Raises:
        ToolError: if there is not exactly one `=`, or a side is no formula.
    """
    sides = text.split("=")
    if len(sides) != 2:
        raise ToolError(f"{text!r} is not one equation: write one '=' between two formulas.")
    real = "abs(" in text
    return symbolic(sides[0], real=real) - symbolic(sides[1], real=real)


def numeric(text: str) -> Any:
    """Build the SymPy number of a formula without variables; infinity is written `oo`.

    Raises:
        ToolError: if there are variables.
    """
    value = symbolic(text)
    if value.free_symbols:
        raise ToolError(f"{text!r} must be a number, but it has variables.")
    return value


def only_variable(expression: Any, given: str | None) -> Any:
    """Return the variable to work in: the one given, else the only one of the expression, else x.

    Raises:
        ToolError: if there are several variables and none is given.
    """
    import sympy

    free = {str(variable): variable for variable in expression.free_symbols}
    if given is None and len(free) > 1:
        raise ToolError(f"Say in which variable: {', '.join(sorted(free))}.")
    name = given or next(iter(free), "x")
    return free.get(name, sympy.Symbol(name))


def plain(value: Any) -> int | str:
    """Write a SymPy value for people: an int, or text with `^`, then `≈` and a decimal if it is a number.

    Raises:
        ToolError: if it has no closed form, is undefined or too long to show.
    """
    import sympy

    if value.has(sympy.nan, sympy.zoo):
        raise ToolError("The result is undefined.")
    if value.is_Integer and abs(value) < 10**15:
        return int(value)
    text = _text(value)
    if len(text) > MAX_RESULT_CHARACTERS:
        raise ToolError(f"The result has {len(text)} characters; at most {MAX_RESULT_CHARACTERS} are shown.")
    if not value.is_number or value.is_Integer or value.is_infinite or value.has(sympy.I):
        return text
    if value.has(sympy.CRootOf):  # a root that has no other form
        return f"≈ {_text(value.evalf(10))}"
    return _decimal(value) or f"{text} ≈ {_text(value.evalf(10))}"


def _text(value: Any) -> str:
    names = {"log": "ln", "oo": "infinity", "E": "e", "I": "i"}
    return re.sub(r"\b(?:log|oo|E|I)\b", lambda match: names[match.group()], str(value)).replace("**", "^")


def _decimal(value: Any) -> str | None:
    """Write the exact decimal form of a rational that has a short one."""
    if not value.is_Rational:
        return None
    for places in range(1, 11):
        if (10**places) % value.q == 0:
            return f"{float(value):.{places}f}"
    return None


def _build(node: Node, real: bool | None) -> Any:
    import sympy

    if isinstance(node, Literal):
        return _rational(node.digits)
    if isinstance(node, Symbol):
        return sympy.Symbol(node.name, real=real)
    if node.name == "mod":
        left, right = node.arguments
        return _remainder(left, right, real)
    arguments = [_build(argument, real) for argument in node.arguments]
    return _apply(node, arguments)


def _rational(digits: str) -> Any:
    import sympy

    exponent = digits.lower().partition("e")[2]
    if exponent and abs(int(exponent)) > MAX_POWER_DIGITS:
        raise ToolError(f"The number {digits!r} is out of range.")
    return sympy.Rational(digits)


def _apply(node: Apply, arguments: list[Any]) -> Any:
    import sympy

    name = node.name
    if not arguments:
        return {"pi": sympy.pi, "E": sympy.E, "oo": sympy.oo}[name]
    first, last = arguments[0], arguments[-1]
    match name:
        case "+":
            return first + last
        case "-":
            return first - last
        case "*":
            return first * last
        case "/":
            if last == 0:
                raise ToolError("Division by zero is undefined.")
            return first / last
        case "^":
            return _power(first, last)
        case "negative":
            return -first
        case "factorial":
            return _factorial(first)
    if name == "cbrt":
        return _power(first, sympy.Rational(1, 3))
    if name in ("log2", "log10"):
        return sympy.log(first, int(name[3:]))
    return getattr(sympy, {"abs": "Abs"}.get(name, name))(first)


def _remainder(left: Node, right: Node, real: bool | None) -> Any:
    """Compute `left mod right`; of a power of whole numbers without computing the power.

    A negative exponent asks for a power of the inverse: 2^-1 mod 7 is 4, as 2 * 4 is 1 mod 7.
    """
    import sympy

    modulus = _build(right, real)
    if modulus == 0:
        raise ToolError("The remainder of a division by zero is undefined.")
    if isinstance(left, Apply) and left.name == "^":
        base, exponent = (_build(argument, real) for argument in left.arguments)
        if base.is_Integer and exponent.is_Integer and modulus.is_Integer:
            try:
                return sympy.Integer(pow(int(base), int(exponent), int(modulus)))
            except ValueError as error:
                raise ToolError(
                    f"{base} has no inverse modulo {modulus}: they have a common factor."
                ) from error
        if not exponent.is_Integer:
            raise ToolError("Powers in modular arithmetic have whole exponents.")
    value = _build(left, real)
    if value.is_Rational and not value.is_Integer and _is_whole(left):
        raise ToolError("A fraction mod m can be a remainder or a product with an inverse: write a^-1 mod m.")
    return sympy.Mod(value, modulus)


def _is_whole(node: Node) -> bool:
    """Return whether all numbers of a tree are whole."""
    if isinstance(node, Literal):
        return node.digits.isdigit()
    return isinstance(node, Apply) and all(map(_is_whole, node.arguments))


def _power(base: Any, exponent: Any) -> Any:
    import sympy

    if base == 0 and exponent.is_number and not exponent.is_positive:
        raise ToolError("Zero to a power that is not positive is undefined.")
    if exponent.is_Rational:
        digits = abs(exponent) * max(_digits(base), 1) if base.is_number else 0
        if digits > MAX_POWER_DIGITS or (not base.is_number and abs(exponent) > MAX_DEGREE):
            raise ToolError(f"The power ({str(base)[:20]})^{str(exponent)[:20]} is too large to compute.")
    elif (
        base.is_number
        and exponent.is_number
        and exponent.is_finite
        and abs(exponent.evalf(5)) > MAX_POWER_DIGITS
    ):
        raise ToolError("The exponent is too large to compute.")
    if base.is_negative and base.is_Rational and exponent.is_Rational and exponent.q % 2:
        return sympy.Integer(-1) ** exponent.p * (-base) ** exponent  # the real root: that of -8 is -2
    return base**exponent


def _digits(number: Any) -> float:
    if number.is_Rational:
        return max(math.log10(max(abs(number.p), 1)), math.log10(number.q))
    return 1.0


def _factorial(argument: Any) -> Any:
    import sympy

    if argument.is_Integer and argument < 0:
        raise ToolError("The factorial of a negative number is undefined.")
    if argument.is_number and not argument.is_Integer:
        raise ToolError("The factorial is computed for whole numbers only.")
    if argument.is_Integer and argument > MAX_FACTORIAL:
        raise ToolError(f"{str(argument)[:20]}! is too large: factorials up to {MAX_FACTORIAL} are computed.")
    return sympy.factorial(argument)

"""Formulas as SymPy objects: what people type, what is too large, and results for people."""

from __future__ import annotations

import pytest
import sympy

from tools.declaration import ToolError
from tools.subjects.symbolic import equation, numeric, only_variable, plain, symbolic


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2x", "2*x"),
        ("3 sin(x)", "3*sin(x)"),
        ("x^2 y", "x**2*y"),
        ("x²", "x**2"),
        ("5!", "120"),
        ("|x|", "Abs(x)"),
        ("ln x", "log(x)"),
        ("sqrt(2)", "sqrt(2)"),
        ("√2", "sqrt(2)"),
        ("π", "pi"),
        ("e^x", "exp(x)"),
        ("sin^2 x", "sin(x)**2"),
        ("sin 2x", "sin(2*x)"),
        ("-x^2", "-(x**2)"),
        ("2^3^2", "512"),
        ("(x + 1)(x - 1)", "(x + 1)*(x - 1)"),
        ("6 ÷ 3 × 2", "4"),
        ("5 − 3", "2"),
        ("1,000 + 1", "1001"),
        ("0.1 + 0.2", "Rational(3, 10)"),
        ("7 mod 4", "3"),
        ("3^1000000 mod 7", "4"),
        ("2^-1 mod 7", "4"),
        ("0x1F + 0b101", "36"),
        ("cbrt(-8)", "-2"),
        ("(-32)^(2/5)", "4"),
        ("(-8)^(-1/3)", "Rational(-1, 2)"),
    ],
)
def test_what_people_type(text: str, same: str) -> None:
    assert symbolic(text) == sympy.sympify(same)


@pytest.mark.parametrize(
    "text",
    ["9**9**9", "9^9^9", "factorial(10**9)", "1000!", "10^100000", "2^(2^50)", "1e999999", "(x+1)^1000",
     "0^-1", "1/0",
     "(-3)!", "2.5!", "5 mod 0", "9" * 200],
)  # fmt: skip
def test_what_is_too_large_or_undefined_is_refused(text: str) -> None:
    with pytest.raises(ToolError):
        symbolic(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("6/3", 2),
        ("1/4", "0.25"),
        ("1/3", "1/3 ≈ 0.3333333333"),
        ("sqrt(8)", "2*sqrt(2) ≈ 2.828427125"),
        ("e", "e ≈ 2.718281828"),
        ("ln(x)", "ln(x)"),
        ("log2(8) + log₁₀(1000)", 6),
        ("log_10 (100)", 2),
        ("oo", "infinity"),
        ("sqrt(-1)", "i"),
        ("x^2", "x^2"),
    ],
)
def test_results_for_people(text: str, shown: object) -> None:
    assert plain(symbolic(text)) == shown


def test_an_equation_is_the_difference_of_its_sides() -> None:
    assert equation("x = 2") == symbolic("x - 2")
    with pytest.raises(ToolError, match="one '='"):
        equation("x = 2 = 3")


def test_a_number_has_no_variables() -> None:
    assert numeric("pi/2") == sympy.pi / 2
    with pytest.raises(ToolError, match="has variables"):
        numeric("2x")


def test_the_variable_is_given_or_the_only_one() -> None:
    assert str(only_variable(symbolic("t^2"), None)) == "t"
    assert str(only_variable(symbolic("t x"), "t")) == "t"
    assert str(only_variable(symbolic("3"), None)) == "x"
    with pytest.raises(ToolError, match="Say in which variable: t, x"):
        only_variable(symbolic("t x"), None)

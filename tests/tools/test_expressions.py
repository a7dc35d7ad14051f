"""The grammar of formulas, and its bounds."""

from __future__ import annotations

import pytest
import sympy

from tools.errors import ToolError
from tools.expressions import AmbiguousFormulaError, parse
from tools.subjects.symbolic import plain, symbolic


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
    ],
)
def test_what_people_type(text: str, same: str) -> None:
    assert symbolic(text) == sympy.sympify(same)


@pytest.mark.parametrize("text", ["1/2x", "e^2x", "log(x)", "sin^-1 x"])
def test_what_can_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(AmbiguousFormulaError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "x +", "(x", "2 3", "x.__class__", "__import__('os')", "lambda: 1", "'a'", "x; y", "f(x)(y",
     "x = 2", "٣ + 1",
     "x\0", "i", "{x}", "x[0]", "import os", "(" * 500 + "x" + ")" * 500, "x" * 100_000],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(ToolError):
        symbolic(text)


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

"""The grammar of formulas, and its bounds."""

from __future__ import annotations

import pytest

from tools.declaration import ToolError
from tools.expressions import AmbiguousFormulaError, parse
from tools.subjects.symbolic import symbolic


@pytest.mark.parametrize("text", ["1/2x", "e^2x", "log(x)", "sin^-1 x", "2^3!", "(1 + 1)^2!"])
def test_what_can_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(AmbiguousFormulaError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "x +", "(x", "2 3", "x.__class__", "__import__('os')", "lambda: 1", "'a'", "x; y", "f(x)(y",
     "x = 2", "٣ + 1", "x\0", "i", "{x}", "x[0]", "import os", "(" * 500 + "x" + ")" * 500, "x" * 100_000],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(ToolError):
        symbolic(text)

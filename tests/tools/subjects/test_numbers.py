"""Comparisons and forms of numbers: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import numbers


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("larger", {"left": "9.11", "right": "9.9"}, "9.9 (9.11 < 9.9)"),
        ("larger", {"left": "1 / 2", "right": "0.5"}, "Both are equal: 1/2 = 0.5"),
        ("smaller", {"left": "sqrt(2)", "right": "7 / 5"}, "7/5 (sqrt(2) > 7/5)"),
        ("holds", {"left": "0.1 + 0.2", "relation": "=", "right": "0.3"}, "Yes, 0.1 + 0.2 = 0.3."),
        ("holds", {"left": "3 / 4", "relation": "<", "right": "0.7"}, "No, 3/4 > 0.7."),
        ("as_percent", {"value": "1 / 3"}, "33.33333333%"),
        ("as_fraction", {"value": 0.125}, "1/8"),
        ("to_digits", {"value": "pi", "digits": 5}, "3.14159 to 5 decimals, 3.1416 to 5 significant digits"),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(numbers, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("larger", {"left": "sqrt(-1)", "right": "0"}, "not both are real"),
        ("to_digits", {"value": "pi", "digits": 1000}, "1 to 100 digits"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(numbers, name)(**arguments)

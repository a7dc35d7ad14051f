"""Algebra: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import algebra


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("solve", {"equations": ["x^2 + y = 3", "y = 2"]}, "x = -1, y = 2 or x = 1, y = 2"),
        ("roots", {"expression": "x^2 - 5x + 6"}, "x = 2 or x = 3"),
        ("factor", {"expression": "x^2 - 9"}, "(x - 3)*(x + 3)"),
        ("expand", {"expression": "(x + 2)(x - 3)"}, "x^2 - x - 6"),
        ("evaluate_at", {"expression": "x^2 + y", "at": "2", "variable": "x"}, "y + 4"),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(algebra, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("solve", {"equations": ["sin(x) = 0"]}, "trigonometric"),
        ("factor", {"expression": "12"}, "prime factors"),
        ("solve", {"equations": ["x = x"]}, "holds for every value"),
        ("solve", {"equations": ["x = 1"] * 7}, "At most 6 equations"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(algebra, name)(**arguments)

"""Calculus: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import calculus


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("derivative", {"expression": "x^4", "order": 2, "at": "1"}, 12),
        ("integral", {"expression": "1/x", "lower": "1", "upper": "e"}, 1),
        ("limit", {"expression": "(1 + 2/n)^n", "at": "oo"}, "exp(2) ≈ 7.389056099"),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(calculus, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("derivative", {"expression": "x y"}, "Say in which variable"),
        ("derivative", {"expression": "|x|", "at": "0"}, "undefined"),
        ("integral", {"expression": "x", "lower": "0"}, "both limits"),
        ("derivative", {"expression": "x^3", "order": 21}, "1 to 20"),
        ("limit", {"expression": "|x|/x", "at": "0"}, "does not exist"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(calculus, name)(**arguments)

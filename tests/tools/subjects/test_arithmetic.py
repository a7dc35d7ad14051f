"""Arithmetic and percentages: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import arithmetic


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("percent_change", {"old": -50, "new": -25}, "+50%"),
        ("round_number", {"value": 2.675, "places": 2}, "2.68"),
        ("evaluate", {"calculation": "0.1 + 0.2"}, "0.3"),
        ("multiply", {"value": 0.1, "factor": 3}, 0.3),
        ("subtract", {"part": 17, "whole": 42}, 25),
        ("percentage", {"part": 20, "whole": 80}, "25%"),
        ("decrease", {"base": 80, "percent": 15}, 68),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(arithmetic, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("divide", {"dividend": 1, "divisor": 0}, "by zero"),
        ("percent_change", {"old": 0, "new": 1}, "from zero"),
        ("decrease", {"base": 80, "percent": 101}, "at most 100"),
        ("difference", {"numbers": [1, 2, 3]}, "two numbers, not 3"),
        ("round_number", {"value": 1, "places": 13}, "0 to 12"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(arithmetic, name)(**arguments)

"""Statistics: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import statistics


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("sample_standard_deviation", {"numbers": [0.1, 0.2, 0.3]}, 0.1),
        ("mode", {"numbers": [1, 2, 2, 3, 3]}, "2, 3"),
        ("median", {"numbers": [0.1, 0.2]}, 0.15),
        (
            "standard_deviation",
            {"numbers": [1, 3]},
            "1.41421356237 as a sample (divisor n - 1), 1 as a population (divisor n)",
        ),
        ("sum_of_range", {"first": "1", "last": "100"}, 5050),
        ("sum_of_range", {"first": "-2", "last": "5"}, 12),
        ("value_range", {"numbers": [15, 20, 11]}, 9),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(statistics, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("correlation", {"first": [1, 2], "second": [1, 1]}, "undefined"),
        ("sum_of_range", {"first": "5", "last": "1"}, "up to 1"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(statistics, name)(**arguments)

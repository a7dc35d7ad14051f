"""Matrices and vectors: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import linear_algebra


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("eigenvalues", {"matrix": [[0, -1], [1, 0]]}, "-i, i"),
        ("determinant", {"matrix": [[1, 2], [3, 4]]}, -2),
        ("inverse", {"matrix": [[2, 1], [1, 1]]}, [[1, -1], [-1, 2]]),
        ("cross_product", {"left": [1, 0, 0], "right": [0, 1, 0]}, [0, 0, 1]),
        ("norm", {"vector": [3, 4]}, 5),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(linear_algebra, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("inverse", {"matrix": [[1, 2], [2, 4]]}, "singular"),
        ("rank", {"matrix": [[1] * 13] * 13}, "12 x 12"),
        ("determinant", {"matrix": [[1, 2, 3], [4, 5, 6]]}, "2 x 3"),
        ("dot_product", {"left": [1], "right": [1, 2]}, "1 and 2 components"),
        ("rank", {"matrix": [[1, 2], [3]]}, "same length"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(linear_algebra, name)(**arguments)

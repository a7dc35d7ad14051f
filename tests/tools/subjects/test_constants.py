"""Physical constants: values computed apart from the functions."""

from __future__ import annotations

from typing import Any

import pytest

from tools.subjects import constants


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("physical_constant", {"name": "speed of light"}, "299792458 m s^-1"),
        ("physical_constant", {"name": "fine structure constant"}, "0.0072973525643 (± 1.1e-12)"),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(constants, name)(**arguments) == result

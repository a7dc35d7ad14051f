"""Interest, loans and cash flows: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import finance


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("loan_payment", {"principal": 1200, "rate": 0, "years": 1}, "100.00"),
        (
            "compound_growth",
            {"principal": 1000, "rate": 5, "years": 10, "frequency": 1},
            "1,628.89 (of which 628.89 is interest)",
        ),
        (
            "compound_growth",
            {"principal": 1000, "rate": 5, "years": 10},
            "1,628.89 (of which 628.89 is interest, compounded once a year)",
        ),
        ("npv", {"rate": 10, "cash_flows": [-100, 110]}, "0.00"),
        ("irr", {"cash_flows": [-100, 110]}, "10% per period"),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(finance, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("irr", {"cash_flows": [-1, 3, -2]}, "change their sign once"),
        ("simple_interest", {"principal": 1, "rate": 5, "years": 201}, "at most 200 years"),
        ("npv", {"rate": -1, "cash_flows": [1, 2]}, "0 to 1000 percent"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(finance, name)(**arguments)

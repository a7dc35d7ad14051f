"""Money and tips: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import everyday


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("add_money", {"calculation": "12.5 * USD + 3.2 * USD"}, "$15.70"),
        ("add_money", {"calculation": "100 * EUR / (5 * EUR)"}, 20),
        ("add_money", {"calculation": "5 * USD + 7"}, "$12"),
        ("tip", {"bill": "84.50 USD", "percent": 15}, "$12.68 (with the bill $97.18)"),
        ("tip", {"bill": 23.4, "percent": 10}, "2.34 (with the bill 25.74)"),
        ("split", {"bill": "84.50 USD", "people": 3}, "$28.17 each (3 of them make $84.51)"),
        ("split", {"bill": "90 EUR", "people": 4}, "€22.50 each"),
        ("saving", {"price": "50 USD", "percent": 20}, "$10"),
        ("less_percent", {"base": 100, "percent": 20}, 80),
        ("more_percent", {"base": "50 USD", "percent": 8}, "$54"),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(everyday, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("add_money", {"calculation": "5 * USD * 7 * USD"}, "no amount of money"),
        ("add_money", {"calculation": "5 * USD + x"}, "no amount of money"),
        ("add_money", {"calculation": "sqrt(2) * USD"}, "no amount of money"),
        ("split", {"bill": "5 USD", "people": 0}, "one or more"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(everyday, name)(**arguments)

"""Dates and time zones: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import dates


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("date_before", {"day": "2024-03-31", "months": 1}, "2024-02-29 (Thursday)"),
        ("date_after", {"day": "2023-11-30", "months": 15, "days": 1}, "2025-03-01 (Saturday)"),
        (
            "convert_time",
            {"time": "23:30", "source": "America/New_York", "target": "Europe/Berlin", "day": "2024-03-20"},
            "04:30, the next day (for 2024-03-20 in America/New_York)",
        ),
        ("days_between", {"start": "2024-03-01", "end": "2024-01-15"}, 46),
        ("weekday", {"day": "1969-07-20"}, "Sunday"),
        ("is_leap_year", {"year": 1900}, "No, 1900 is not a leap year."),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(dates, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("date_after", {"day": "9999-12-31", "days": 1}, "1 to 9999"),
        ("date_after", {"day": "2024-01-01"}, "how many days"),
        ("is_leap_year", {"year": 0}, "1 to 9999"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(dates, name)(**arguments)

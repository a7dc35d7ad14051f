"""Dates: values computed apart from the functions, and refusals."""

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
        ("days_between", {"start": "2024-03-01", "end": "2024-01-15"}, 46),
        (
            "time_between",
            {"start": "2024-01-01", "end": "2024-03-01", "period": "weeks"},
            "8 weeks and 4 days",
        ),
        ("time_between", {"start": "2024-01-31", "end": "2024-02-29", "period": "months"}, "1 month"),
        (
            "time_between",
            {"start": "2024-03-15", "end": "2024-01-31", "period": "months"},
            "1 month and 15 days",
        ),
        (
            "time_between",
            {"start": "1969-07-20", "end": "2024-08-23", "period": "years"},
            "55 years, 1 month and 3 days",
        ),
        ("time_between", {"start": "2024-01-01", "end": "2024-01-01", "period": "years"}, "0 years"),
        ("weekday", {"day": "1969-07-20"}, "Sunday, 20 July 1969"),
        (
            "weekday",
            {"day": "1666-09-02"},
            "Thursday in the Gregorian calendar (Sunday in the Julian one, still in use in Britain)",
        ),
        (
            "weekday",
            {"day": "1582-10-04"},
            "Thursday in the Julian calendar, then in use (Monday in the Gregorian one reckoned back)",
        ),
        (
            "weekday",
            {"day": "1582-10-15"},
            "Friday in the Gregorian calendar (Monday in the Julian one, still in use in Britain)",
        ),
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
        ("date_after", {"day": "1500-01-01", "days": 90}, "before 15 October 1582"),
        ("date_before", {"day": "1600-01-01", "months": 1200}, "before 15 October 1582"),
        ("days_between", {"start": "1066-10-14", "end": "1666-09-02"}, "before 15 October 1582"),
        ("weekday", {"day": "1582-10-10"}, "does not exist"),
        ("is_leap_year", {"year": 0}, "1 to 9999"),
        ("is_leap_year", {"year": 1500}, "Julian calendar"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(dates, name)(**arguments)

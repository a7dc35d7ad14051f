"""The present and times of day across zones: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import clocks

NOW = "2027-03-10T22:30+00:00"


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("today", {}, "Wednesday, 10 March 2027 (UTC)"),
        ("today", {"zone": "Asia/Tokyo"}, "Thursday, 11 March 2027 (Asia/Tokyo)"),
        ("current_year", {}, 2027),
        ("time_until", {"day": "2027-03-11"}, "1 day (from 2027-03-10 to Thursday, 11 March 2027)"),
        (
            "time_until",
            {"day": "2027-03-31", "period": "weeks"},
            "3 weeks (from 2027-03-10 to Wednesday, 31 March 2027)",
        ),
        ("time_since", {"day": "2027-03-10"}, "0 days (from Wednesday, 10 March 2027 to 2027-03-10)"),
        ("age", {"born": "2000-02-29", "on": "2027-02-28"}, "26 years (born 2000-02-29, on 2027-02-28)"),
        ("age", {"born": "2000-03-10"}, "27 years (born 2000-03-10, on 2027-03-10)"),
        (
            "present_time",
            {"zone": "Asia/Kathmandu"},
            "04:15 on Thursday, 11 March 2027 (Asia/Kathmandu, UTC+05:45)",
        ),
        (
            "time_difference",
            {"first": "Asia/Kolkata", "second": "America/New_York"},
            "10 hours and 30 minutes (Asia/Kolkata is ahead of America/New_York on 2027-03-11)",
        ),
        (
            "time_difference",
            {"first": "Europe/Berlin", "second": "Europe/Paris"},
            "0 hours (Europe/Berlin and Europe/Paris have the same time on 2027-03-10)",
        ),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(clocks, name)(**arguments, now=NOW) == result


@pytest.mark.parametrize(
    ("time", "source", "target", "day", "result"),
    [
        ("23:30", "America/New_York", "Europe/Berlin", "2024-03-20",
         "04:30, the next day (for 2024-03-20 in America/New_York)"),
        ("17:00", "UTC-05:00", "UTC+05:30", "2024-07-01",
         "03:30, the next day (for 2024-07-01 in UTC-05:00)"),
        ("01:30", "America/New_York", "Europe/London", "2025-11-02",
         "05:30 or 06:30 (for 2025-11-02 in America/New_York; "
         "01:30 exists twice, when the clocks are put back)"),
        ("03:00", "America/New_York", "UTC", "2025-03-09", "07:00 (for 2025-03-09 in America/New_York)"),
    ],
)  # fmt: skip
def test_conversion(time: Any, source: Any, target: Any, day: Any, result: str) -> None:
    assert clocks.convert_time(time, source, target, day) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("time_until", {"day": "2027-03-01"}, "past: it was 9 days ago"),
        ("time_since", {"day": "2027-03-12"}, "still to come, in 2 days"),
        ("age", {"born": "2027-03-12"}, "after 2027-03-10"),
        (
            "convert_time",
            {"time": "02:30", "source": "America/New_York", "target": "Europe/London", "day": "2025-03-09"},
            "02:30 on 2025-03-09 does not exist in America/New_York",
        ),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(clocks, name)(**arguments, now=NOW)


def test_without_a_moment_this_machines_clock_is_asked() -> None:
    assert clocks.current_year() >= 2024

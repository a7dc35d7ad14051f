"""Time zones: by abbreviation, offset, name and place, and refused where there are several."""

from __future__ import annotations

import pytest

from tests.tools.reading.mentions import mentions
from tools.reading.places import read_zones
from tools.reading.query import TokenizedQuery, UnreadError


def zones(query: TokenizedQuery) -> None:
    read_zones(query, frozenset())


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("UTC", "UTC"),
        ("Tokyo", "Asia/Tokyo"),
        ("Japan", "Asia/Tokyo"),
        ("CET", "UTC+01:00"),
        ("UTC+5:30", "UTC+05:30"),
        ("GMT-3", "UTC-03:00"),
        ("Asia/Kolkata", "Asia/Kolkata"),
        ("America/New_York", "America/New_York"),
        ("Pacific time", "America/Los_Angeles"),
        ("China", "Asia/Shanghai"),
        ("Argentina", "America/Argentina/Buenos_Aires"),
        ("California", "America/Los_Angeles"),
        ("Portland, Maine", "America/New_York"),
        ("Luxembourg", "Europe/Luxembourg"),
    ],
)
def test_zones(text: str, zone: str) -> None:
    assert mentions(f"time in {text}", zones) == [("zone", zone)]


@pytest.mark.parametrize(
    "text",
    [
        "3 pm in Tokyo", "15:00 Tokyo", "3 p.m. on 2024-03-01 in Tokyo", "17h30 in Tokyo", "noon in Tokyo",
        "9:30 am, on 1 March 2024, in Tokyo",
    ],
)  # fmt: skip
def test_the_zone_of_a_time(text: str) -> None:
    assert mentions(f"When it is {text}, say it in UTC", zones) == [
        ("source_zone", "Asia/Tokyo"), ("zone", "UTC")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Brazil", "several time zones"),
        ("Texas", "several time zones"),
        ("Kansas", "several time zones"),
        ("IST", "India, Israel or Ireland"),
        ("UTC+25", "no time zone 'UTC[+]25'"),
        ("Asia/Atlantis", "no time zone 'Asia/Atlantis'"),
        ("Springfield", "several cities"),
        ("Washington", "state of Washington"),
    ],
)
def test_what_is_no_one_zone_is_refused(text: str, why: str) -> None:
    with pytest.raises(UnreadError, match=why):
        mentions(f"time in {text}", zones)

"""Dates, times of day, zones, lengths of time and frequencies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.reading.mentions import mentions
from tools.reading.query import TokenizedQuery, UnreadError
from tools.reading.times import (
    read_annual_days,
    read_clock_times,
    read_date_shapes,
    read_dates,
    read_durations,
    read_frequencies,
    read_now,
    read_periods,
    read_years,
)


def dates(query: TokenizedQuery) -> None:
    read_date_shapes(query)
    read_dates(query)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-02-29", "2024-02-29"),
        ("25/12/2024", "2024-12-25"),
        ("12/25/2024", "2024-12-25"),
        ("3.4.2021", "2021-04-03"),
        ("March 3rd, 2023", "2023-03-03"),
        ("the 3rd of March 2023", "2023-03-03"),
        ("5 Sept 2020", "2020-09-05"),
        ("tomorrow", "2024-02-29"),
        ("3 weeks ago", "2024-02-28"),
        ("in 3 weeks", "2024-02-28"),
        ("10 days from now", "2024-02-28"),
    ],
)
def test_dates(text: str, day: str) -> None:
    assert mentions(text, dates) == [("date", day)]


@pytest.mark.parametrize(
    ("text", "why"),
    [("3/4/2024", "month/day or day/month"), ("30 February 2024", "no day"), ("2024-13-01", "no day")],
)
def test_what_is_no_one_day_is_refused(text: str, why: str) -> None:
    with pytest.raises(UnreadError, match=why):
        mentions(text, dates)


def test_a_month_without_a_day_or_a_year_is_no_date() -> None:
    assert mentions("you may go in March 2023 or on May 5", dates) == []


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("15:30", "15:30"),
        ("3pm", "15:00"),
        ("9:30 a.m.", "09:30"),
        ("12 am", "00:00"),
        ("noon", "12:00"),
        ("17h30", "17:30"),
    ],
)
def test_clock_times(text: str, clock: str) -> None:
    assert mentions(text, read_clock_times) == [("clock", clock)]


@pytest.mark.parametrize("text", ["25:00", "13 pm", "9:75", "17h75"])
def test_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(UnreadError, match="no time"):
        mentions(text, read_clock_times)


@pytest.mark.parametrize("text", ["now", "in May", "in 3 parts", "how long in weeks"])
def test_what_tells_no_day_from_today(text: str) -> None:
    assert mentions(text, dates) == []


@pytest.mark.parametrize(
    ("text", "last", "coming"),
    [
        ("Christmas", "2023-12-25", "2024-12-25"),
        ("Christmas 2030", "2030-12-25", "2030-12-25"),
        ("Christmas this year", "2024-12-25", "2024-12-25"),
        ("New Year's Eve", "2023-12-31", "2024-12-31"),
        ("February 28", "2024-02-28", "2024-02-28"),
        ("the 5th of March", "2023-03-05", "2024-03-05"),
        ("29 February", "2020-02-29", "2024-02-29"),
    ],
)
def test_days_of_every_year(text: str, last: str, coming: str) -> None:
    assert mentions(text, read_annual_days) == [("annual", (last, coming))]


@pytest.mark.parametrize(
    ("text", "why"),
    [("was Christmas", "year of 'Christmas'"), ("31 April", "no day"), ("29 February 2023", "no day")],
)
def test_what_is_no_day_of_every_year_is_refused(text: str, why: str) -> None:
    with pytest.raises(UnreadError, match=why):
        mentions(text, read_annual_days)


def test_the_present_moment_stands_behind_all_words() -> None:
    assert mentions("now or never", read_now) == [("now", "2024-02-28T12:00+00:00")]


def test_a_single_length_is_taken_beside_a_date() -> None:
    assert mentions("a week from today", dates) == [("days", 7), ("date", "2024-02-28")]
    assert mentions("in a month", dates) == [("date", "2024-02-28"), ("months", 1)]


def test_a_period_is_not_counted() -> None:
    assert mentions("weeks until 3 months", read_periods) == [("period", "weeks")]


@pytest.mark.parametrize(("text", "years"), [("30 years", 30), ("30-year", 30), ("18 months", 1.5)])
def test_years(text: str, years: float) -> None:
    assert mentions(text, read_years) == [("years", years)]


def test_durations_are_days_or_months() -> None:
    found: list[tuple[str, Any]] = [("days", 14), ("months", 24)]
    assert mentions("2 weeks and 2 years but not 1.5 days", read_durations) == found


def test_a_frequency_is_one_of_compounding() -> None:
    assert mentions("compounded quarterly", read_frequencies) == [("frequency", 4)]
    assert mentions("paid quarterly", read_frequencies) == []

"""Calculate with dates and time zones on datetime and zoneinfo."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tools.declaration import ToolError, cue, tool
from tools.types import ClockTime, Date, Days, Integer, Months, Zone


@tool(
    asks=(
        "days between, how many days, days from, days, how long, how far apart, number of days, days until"
    ),
    examples=(
        "days between 2024-01-15 and 2024-03-01",
        "How many days from March 3, 2023 to July 4, 2023?",
        "how many days until 25 December 2030 from 1 June 2030",
    ),
    cues={"start": cue("from, between, since"), "end": cue("to, and, until, till")},
    words="number, date, dates, passed, elapsed, apart",
    in_order=True,
)
def days_between(start: Date, end: Date) -> int:
    """Counts the days between two dates: the first is not counted, the last is.

    Args:
        start: one date.
        end: the other, earlier or later.

    Returns:
        The number of days, not negative.
    """
    return abs((date.fromisoformat(end) - date.fromisoformat(start)).days)


@tool(
    asks="day of the week, weekday, what day, which day, day",
    examples=(
        "What day of the week was July 20, 1969?",
        "weekday of 2000-01-01",
        "which day is 24 December 2030",
    ),
    words="week, fall, falls, fell, date",
)
def weekday(day: Date) -> str:
    """Names the day of the week of a date (Gregorian calendar).

    Args:
        day: the date.

    Returns:
        Monday to Sunday.
    """
    return calendar.day_name[date.fromisoformat(day).weekday()]


@tool(
    asks="after, later, plus, add, from",
    examples=(
        "What date is 90 days after 2024-01-15?",
        "add 6 weeks to March 1, 2025",
        "3 months after 31 January 2023",
    ),
    words="date, day, which, to, be",
)
def date_after(day: Date, days: Days | None = None, months: Months | None = None) -> str:
    """Finds the date so many days, weeks, months or years after a date.

    Args:
        day: the date from which to count.
        days: how many days (7 for a week).
        months: how many months (12 for a year); past the end of a month, its last day.

    Returns:
        The date with its day of the week.

    Raises:
        ToolError: if no time is given or the date is out of range.
    """
    return _moved(day, days, months, 1)


@tool(
    asks="before, earlier, minus, prior to, subtract",
    examples=(
        "What date was 90 days before 2024-04-14?",
        "subtract 2 weeks from March 1, 2025",
        "6 months before 31 August 2023",
    ),
    words="date, day, which, from, be",
)
def date_before(day: Date, days: Days | None = None, months: Months | None = None) -> str:
    """Finds the date so many days, weeks, months or years before a date.

    Args:
        day: the date from which to count back.
        days: how many days (7 for a week).
        months: how many months (12 for a year); past the end of a month, its last day.

    Returns:
        The date with its day of the week.

    Raises:
        ToolError: if no time is given or the date is out of range.
    """
    return _moved(day, days, months, -1)


@tool(
    asks="leap year, leap",
    examples=("Is 2024 a leap year?", "was 1900 a leap year"),
    words="year",
)
def is_leap_year(year: Integer) -> str:
    """Tells whether a year has 366 days (Gregorian calendar).

    Args:
        year: 1 to 9999.

    Returns:
        A sentence that begins with yes or no.

    Raises:
        ToolError: if the year is out of range.
    """
    if not 1 <= year <= 9999:
        raise ToolError(f"The year must be 1 to 9999, not {year}.")
    return f"Yes, {year} is a leap year." if calendar.isleap(year) else f"No, {year} is not a leap year."


@tool(
    examples=(
        "convert 3pm Tokyo time to London",
        "What time is it in New York when it is 15:00 in Berlin?",
        "9:30 am in Los Angeles to UTC",
    ),
    cues={"source": cue("from", after="time to"), "target": cue("to, time is it in")},
    words="when, if, zone, clock, o'clock, time, convert",
)
def convert_time(time: ClockTime, source: Zone, target: Zone, day: Date | None = None) -> str:
    """Converts a time of day from one time zone to another.

    Args:
        time: the time in the source zone.
        source: the zone of the time.
        target: the zone to convert to.
        day: the date in the source zone, for daylight saving time; today if left out.

    Returns:
        The time in the target zone, with the date when it is the day before or after.
    """
    zone = ZoneInfo(source)
    on = date.fromisoformat(day) if day else datetime.now(zone).date()
    local = datetime.fromisoformat(f"{on.isoformat()}T{time}").replace(tzinfo=zone)
    there = local.astimezone(ZoneInfo(target))
    shift = (there.date() - on).days
    note = {1: ", the next day", -1: ", the day before"}.get(shift, "")
    return f"{there:%H:%M}{note} (for {on.isoformat()} in {source})"


def _moved(day: str, days: int | None, months: int | None, sign: int) -> str:
    if days is None and months is None:
        raise ToolError("Say how many days, weeks, months or years.")
    start = date.fromisoformat(day)
    year, month = divmod(12 * start.year + start.month - 1 + sign * (months or 0), 12)
    try:
        last = calendar.monthrange(year, month + 1)[1]
        moved = date(year, month + 1, min(start.day, last)) + timedelta(sign * (days or 0))
    except (OverflowError, ValueError) as error:
        raise ToolError("The date is outside the years 1 to 9999.") from error
    return f"{moved.isoformat()} ({calendar.day_name[moved.weekday()]})"

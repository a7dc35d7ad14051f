"""Calculate with dates on datetime, in the calendar that was in use."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from tools.declaration import ToolError, cue, tool
from tools.types import Date, Days, Integer, Months, NextDate, Period

_FIRST_GREGORIAN, _LAST_JULIAN = date(1582, 10, 15), date(1582, 10, 4)


@tool(
    asks="days between, how many days, days from, days, how long, how far apart, number of days",
    examples=(
        "days between 2024-01-15 and 2024-03-01",
        "How many days from March 3, 2023 to July 4, 2023?",
        "how many days until 25 December 2030 from 1 June 2030",
    ),
    cues={"start": cue("from, between, since"), "end": cue("to, and, until, till")},
    words="number, date, dates, passed, elapsed, apart",
    refuses="ago",
    in_order=True,
)
def days_between(start: Date, end: Date) -> int:
    """Counts the days between two dates: the first is not counted, the last is.

    Args:
        start: one date.
        end: the other, earlier or later.

    Returns:
        The number of days, not negative.

    Raises:
        ToolError: for a date before 15 October 1582.
    """
    return abs((gregorian(end) - gregorian(start)).days)


@tool(
    asks="between, from, how many, number of",
    examples=(
        "How many weeks are there between 2024-01-01 and 2024-03-01?",
        "months between 2024-01-15 and 2024-06-15",
    ),
    cues={"start": cue("from, between, since"), "end": cue("to, and, until, till")},
    words="number, date, dates, passed, elapsed, apart, lie",
    in_order=True,
)
def time_between(start: Date, end: Date, period: Period) -> str:
    """Counts the weeks, months or years between two dates, with the days that are left.

    Args:
        start: one date.
        end: the other, earlier or later.
        period: weeks, months or years.

    Returns:
        The whole weeks, months or years, and the days beside them.

    Raises:
        ToolError: for a date before 15 October 1582.
    """
    first, last = sorted((gregorian(start), gregorian(end)))
    return length(first, last, period)


@tool(
    asks=(
        "day of the week, weekday, what day, which day, what date, which date, tomorrow's date, "
        "yesterday's date, the date tomorrow, the date yesterday"
    ),
    examples=(
        "What day of the week was July 20, 1969?",
        "weekday of 2000-01-01",
        "which day is 24 December 2030",
    ),
    words="week, fall, falls, fell, date",
)
def weekday(day: NextDate) -> str:
    """Names the day of the week of a date.

    Args:
        day: the date.

    Returns:
        Monday to Sunday, with the date; before 1753 with the calendar.

    Raises:
        ToolError: for the days that the Gregorian calendar left out in 1582.
    """
    on = date.fromisoformat(day)
    name, julian = calendar.day_name[on.weekday()], calendar.day_name[_julian_weekday(on)]
    if _LAST_JULIAN < on < _FIRST_GREGORIAN:
        raise ToolError(f"{day} does not exist: 15 October 1582 followed 4 October.")
    if on < _FIRST_GREGORIAN:
        return f"{julian} in the Julian calendar, then in use ({name} in the Gregorian one reckoned back)"
    if on.year < 1753:
        return f"{name} in the Gregorian calendar ({julian} in the Julian one, still in use in Britain)"
    return day_text(on)


@tool(
    asks="after, later, plus, add, from, date in, day in, day of the week in, date be in, day be in",
    examples=(
        "What date is 90 days after 2024-01-15?",
        "add 6 weeks to March 1, 2025",
        "3 months after 31 January 2023",
    ),
    words="date, day, which, to, be, now, from now, of the week",
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
    asks="before, earlier, minus, prior to, subtract, ago",
    examples=(
        "What date was 90 days before 2024-04-14?",
        "subtract 2 weeks from March 1, 2025",
        "6 months before 31 August 2023",
    ),
    words="date, day, which, from, be, of the week",
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
        ToolError: if the year is out of range, or the Julian calendar, then in use, says otherwise.
    """
    if not 1 <= year <= 9999:
        raise ToolError(f"The year must be 1 to 9999, not {year}.")
    if year < 1582 and calendar.isleap(year) != (year % 4 == 0):
        raise ToolError(f"{year} was a leap year in the Julian calendar, then in use, not in the other.")
    return f"Yes, {year} is a leap year." if calendar.isleap(year) else f"No, {year} is not a leap year."


def gregorian(day: str) -> date:
    """Return a date of the Gregorian calendar.

    Raises:
        ToolError: if it is before that calendar began.
    """
    on = date.fromisoformat(day)
    if on < _FIRST_GREGORIAN:
        raise ToolError(f"{day} is before 15 October 1582, when the Gregorian calendar began: not counted.")
    return on


def day_text(day: date) -> str:
    """Write a date with its day of the week, for people."""
    return f"{calendar.day_name[day.weekday()]}, {day.day} {calendar.month_name[day.month]} {day.year}"


def plural(count: int, unit: str) -> str:
    """Write a number of things."""
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _whole_months(start: date, end: date) -> tuple[int, int]:
    """Count the whole months between two dates, and the days that are left."""
    months = 12 * (end.year - start.year) + end.month - start.month
    if (after := _shifted(start, months)) > end:
        months -= 1
        after = _shifted(start, months)
    return months, (end - after).days


def length(start: date, end: date, period: str | None) -> str:
    """Write the time between two dates in weeks, months or years and days; in days if nothing is said."""
    if period == "weeks":
        count, days = divmod((end - start).days, 7)
    elif period in ("months", "years"):
        count, days = _whole_months(start, end)
    else:
        return plural((end - start).days, "day")
    parts = [(count // 12, "year"), (count % 12, "month")] if period == "years" else [(count, period[:-1])]
    texts = [plural(*part) for part in (*parts, (days, "day")) if part[0]] or [plural(0, period[:-1])]
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))


def _julian_weekday(day: date) -> int:
    """Return the day of the week, from Monday, of a date that is one of the Julian calendar."""
    month, year = (day.month + 9) % 12, day.year + 4800 - (day.month < 3)
    return (day.day + (153 * month + 2) // 5 + 365 * year + year // 4 - 32083) % 7


def _moved(day: str, days: int | None, months: int | None, sign: int) -> str:
    if days is None and months is None:
        raise ToolError("Say how many days, weeks, months or years.")
    start = gregorian(day)
    try:
        moved = _shifted(start, sign * (months or 0)) + timedelta(sign * (days or 0))
    except (OverflowError, ValueError) as error:
        raise ToolError("The date is outside the years 1 to 9999.") from error
    return f"{gregorian(moved.isoformat())} ({calendar.day_name[moved.weekday()]})"


def _shifted(day: date, months: int) -> date:
    """Return the same day of another month, or its last day."""
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))

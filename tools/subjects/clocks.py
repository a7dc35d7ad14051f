"""Tell the time: today, until and since, ages, and times of day across time zones, on zoneinfo."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from tools.declaration import ToolError, cue, tool
from tools.subjects.dates import day_text, gregorian, length, plural
from tools.types import ClockTime, Date, LastDate, NextDate, Now, Period, SourceZone, Zone


@tool(
    asks=(
        "what day is it, what day is today, what day it is, day today, date today, today's date, "
        "todays date, what is the date, what's the date, whats the date, current date, "
        "day of the week is it"
    ),
    examples=("What day is it?", "what is the current date", "What day is it in Tokyo?"),
    words="today, today's, todays, date, day, current, now, of the week",
)
def today(now: Now | None = None, zone: Zone | None = None) -> str:
    """Tells today's date with its day of the week.

    Args:
        now: the present moment.
        zone: where; that of this machine's clock if left out.

    Returns:
        The day, with the time zone.
    """
    moment = _present(now, zone)
    return f"{day_text(moment.date())} ({zone or _offset(moment)})"


@tool(
    asks="what year, which year, current year",
    examples=("What year is it?", "which year is it now"),
    words="current, now, year, today",
)
def current_year(now: Now | None = None) -> int:
    """Tells which year it is.

    Args:
        now: the present moment.

    Returns:
        The year.
    """
    return _present(now).year


@tool(
    asks=(
        "days until, days till, days to, days before, weeks until, weeks till, weeks to, months until, "
        "months till, months to, years until, years till, years to, long until, long till, left until, "
        "left till, sleeps until, sleeps till"
    ),
    examples=("How many days until Christmas?", "how long until 31 December", "weeks till 31 December"),
    words="how many, how long, days, day, number of, sleeps, left, remain, remaining, more, next",
)
def time_until(day: NextDate, now: Now | None = None, period: Period | None = None) -> str:
    """Counts the days from today until a date.

    Args:
        day: the date.
        now: the present moment.
        period: weeks, months or years, if they are asked.

    Returns:
        The days or what is asked, with both dates.

    Raises:
        ToolError: if the date is past.
    """
    today, end = _present(now).date(), gregorian(day)
    if end < today:
        raise ToolError(f"{day} is past: it was {plural((today - end).days, 'day')} ago.")
    return f"{length(today, end, period)} (from {today} to {day_text(end)})"


@tool(
    asks=(
        "days since, weeks since, months since, years since, long since, passed since, elapsed since, "
        "gone since, days ago, weeks ago, months ago, years ago, long ago"
    ),
    examples=("How many days since 2020-01-01?", "how long since January 1, 2020", "weeks since Christmas"),
    words="how many, how long, days, day, number of, passed, elapsed, gone, by, past, ago, been, last, was",
)
def time_since(day: LastDate, now: Now | None = None, period: Period | None = None) -> str:
    """Counts the days since a date.

    Args:
        day: the date.
        now: the present moment.
        period: weeks, months or years, if they are asked.

    Returns:
        The days or what is asked, with both dates.

    Raises:
        ToolError: if the date is still to come, or before 15 October 1582.
    """
    today, start = _present(now).date(), gregorian(day)
    if start > today:
        raise ToolError(f"{day} is still to come, in {plural((start - today).days, 'day')}.")
    years = f", {length(start, today, 'years')}" if period is None and today.year - start.year > 1 else ""
    return f"{length(start, today, period)} (from {day_text(start)} to {today}{years})"


@tool(
    asks="how old, age, what age",
    examples=("How old is someone born on 1990-05-17?", "age of a person born on 3 March 2001"),
    cues={
        "born": cue("born on, born, born in, birthday"),
        "on": cue("on, be on, in, was on, is on, were on"),
    },
    words="old, someone, somebody, person, born, age, today, now, years, if",
    in_order=True,
)
def age(born: Date, now: Now | None = None, on: Date | None = None) -> str:
    """Tells how many years old somebody is who was born on a date.

    Args:
        born: the date of birth.
        now: the present moment.
        on: the date on which the age is asked; today if left out.

    Returns:
        The whole years, with both dates.

    Raises:
        ToolError: if the birth is still to come.
    """
    day, start = gregorian(on) if on else _present(now).date(), gregorian(born)
    if start > day:
        raise ToolError(f"{born} is after {day}.")
    years = day.year - start.year - ((day.month, day.day) < (start.month, start.day))
    return f"{plural(years, 'year')} (born {born}, on {day})"


@tool(
    asks="time, what hour",
    examples=("What time is it in Tokyo?", "current time in India", "what's the time in Sydney right now"),
    words="current, local, now, right now, clock, o'clock, hour",
)
def present_time(zone: Zone, now: Now | None = None) -> str:
    """Tells what time it is now in a place.

    Args:
        zone: the time zone of the place.
        now: the present moment.

    Returns:
        The time with the date and the zone.
    """
    moment = _present(now, zone)
    return f"{moment:%H:%M} on {day_text(moment.date())} ({zone}, {_offset(moment)})"


@tool(
    asks="time difference, hours ahead, hours behind, hour difference, difference in time, ahead, behind",
    examples=(
        "What is the time difference between London and Tokyo?",
        "how many hours ahead is Tokyo of London",
    ),
    words="how many hours, how many, between, and, from, of, to, ahead, behind, zone, now, today",
    in_order=True,
)
def time_difference(first: Zone, second: Zone, now: Now | None = None) -> str:
    """Tells how far the clocks of two places are apart today.

    Args:
        first: the time zone of one place.
        second: that of the other.
        now: the present moment.

    Returns:
        The hours and minutes, and which is ahead.
    """
    here, there = _present(now, first), _present(now, second)
    if (
        minutes := int(((there.utcoffset() or _ZERO) - (here.utcoffset() or _ZERO)).total_seconds() // 60)
    ) == 0:
        return f"0 hours ({first} and {second} have the same time on {here.date()})"
    ahead, behind = (second, first) if minutes > 0 else (first, second)
    hours, rest = divmod(abs(minutes), 60)
    text = " and ".join(plural(*part) for part in ((hours, "hour"), (rest, "minute")) if part[0])
    return f"{text} ({ahead} is ahead of {behind} on {here.date()})"


@tool(
    examples=(
        "convert 3pm Tokyo time to London",
        "What time is it in New York when it is 15:00 in Berlin?",
        "9:30 am in Los Angeles to UTC",
        "5 PM EST in UTC",
    ),
    cues={"source": cue("from", after="time to"), "target": cue("to, time is it in")},
    words="when, if, zone, clock, o'clock, time, convert",
)
def convert_time(
    time: ClockTime, source: SourceZone, target: Zone, day: Date | None = None, now: Now | None = None
) -> str:
    """Converts a time of day from one time zone to another.

    Args:
        time: the time in the source zone.
        source: the zone of the time.
        target: the zone to convert to.
        day: the date in the source zone, for daylight saving time; today if left out.
        now: the present moment.

    Returns:
        The time in the target zone, with the date when it is the day before or after; both times if the time
        exists twice in the source zone.

    Raises:
        ToolError: if the clocks of the source zone skip the time.
    """
    on = date.fromisoformat(day) if day else _present(now, source).date()
    moments = _moments(datetime.fromisoformat(f"{on.isoformat()}T{time}"), source)
    if not moments:
        raise ToolError(f"{time} on {on} does not exist in {source}: the clocks skip it.")
    theres = [moment.astimezone(_zone(target)) for moment in moments]
    notes = {1: ", the next day", -1: ", the day before"}
    texts = [f"{there:%H:%M}{notes.get((there.date() - on).days, '')}" for there in theres]
    twice = f"; {time} exists twice, when the clocks are put back" if len(texts) > 1 else ""
    return f"{' or '.join(texts)} (for {on.isoformat()} in {source}{twice})"


_ZERO = timedelta()


def _present(now: str | None, zone: str | None = None) -> datetime:
    """Return the present moment in a zone; by this machine's clock if it is not given."""
    moment = datetime.fromisoformat(now) if now else datetime.now().astimezone()
    return moment.astimezone(_zone(zone)) if zone else moment


def _zone(name: str) -> tzinfo:
    """Return the zone called `Asia/Tokyo` or `UTC+05:30`."""
    if name[:4] not in ("UTC+", "UTC-"):
        return ZoneInfo(name)
    offset = timedelta(hours=int(name[4:6]), minutes=int(name[7:9]))
    return timezone(offset if name[3] == "+" else -offset, name)


def _offset(moment: datetime) -> str:
    text = f"{moment:%z}"
    return "UTC" if text in ("+0000", "") else f"UTC{text[:3]}:{text[3:5]}"


def _moments(local: datetime, zone: str) -> list[datetime]:
    """Return the moments at which the clocks of a zone show a time: none, one or two."""
    found = {}
    for fold in (0, 1):
        moment = local.replace(tzinfo=_zone(zone), fold=fold)
        exact = moment.astimezone(UTC)
        if exact.astimezone(_zone(zone)).replace(tzinfo=None) == local:
            found[exact] = exact
    return list(found)

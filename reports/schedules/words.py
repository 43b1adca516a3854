"""Schedules in words: when they recur, when they are due, which day."""

import datetime as dt
from zoneinfo import ZoneInfo

from reports.schedules.calendar import Recurrence

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHORTEST_MONTH_DAYS = 28
SHORTER_MONTHS = "It goes out on the last day of shorter months."
_TEENS = range(11, 14)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def recurrence_in_words(recurrence: Recurrence) -> str:
    """When it goes out: "Mondays at 09:00, Europe/Berlin"."""
    return f"{_days(recurrence)} at {recurrence.time:%H:%M}, {recurrence.zone.key}"


def warning_of(recurrence: Recurrence) -> str:
    """What becomes of a day that not every month has; "" for the others."""
    asked = recurrence.month_day or 0
    return SHORTER_MONTHS if asked > SHORTEST_MONTH_DAYS else ""


def instant_in_words(instant: dt.datetime, zone: ZoneInfo) -> str:
    """An instant by the clock of a zone: "Mon 30 Nov 2026, 09:00 (UTC+01:00)"."""
    local = instant.astimezone(zone)
    return f"{local:%a %-d %b %Y, %H:%M} (UTC{offset_in_words(local)})"


def offset_in_words(local: dt.datetime) -> str:
    """How far a local time is ahead of UTC: "+01:00", with a minus where it is behind."""
    minutes = round((local.utcoffset() or dt.timedelta()).total_seconds() / 60)
    sign = "+" if minutes >= 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def ordinal(number: int) -> str:
    """A day of the month: "1st", "22nd"."""
    return f"{number}{'th' if number % 100 in _TEENS else _ENDINGS.get(number % 10, 'th')}"


def _days(recurrence: Recurrence) -> str:
    if recurrence.weekday is not None:
        return f"{WEEKDAYS[recurrence.weekday]}s"
    if recurrence.month_day is None:
        return "Every day"
    return f"On the {ordinal(recurrence.month_day)} of every month"

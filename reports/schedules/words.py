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


def other_date_of(instant: dt.datetime, zone: ZoneInfo, of_days: ZoneInfo) -> str:
    """Say where an instant has another date in the zone by whose days periods are counted; "" where it is the same."""
    here, there = (instant.astimezone(each).date() for each in (zone, of_days))
    if here == there:
        return ""
    day = f"{'still' if there < here else 'already'} {there:%-d %b %Y}"
    return (
        f"When it goes out on {here:%-d %b %Y}, it is {day} by the days of the workspace ({of_days.key}), which count "
        "for the period."
    )


def ordinal(number: int) -> str:
    """A day of the month: "1st", "22nd"."""
    return f"{number}{'th' if number % 100 in _TEENS else _ENDINGS.get(number % 10, 'th')}"


def _days(recurrence: Recurrence) -> str:
    if recurrence.weekday is not None:
        return f"{WEEKDAYS[recurrence.weekday]}s"
    if recurrence.month_day is None:
        return "Every day"
    return f"On the {ordinal(recurrence.month_day)} of every month"

"""Periods by a name that means other days each time: what reports and schedules are about."""

import datetime as dt
from collections.abc import Callable, Mapping
from types import MappingProxyType

from marketing.periods import PRESET_DAYS, Period

DEFAULT = "previous_month"
A_DAY = dt.timedelta(1)
_MONTHS_OF_A_QUARTER = 3
_DAYS_OF_A_WEEK = 7


def period_of(name: str, *, today: dt.date, week_start: int = 0) -> Period:
    """The days that `name`, one of PERIODS, means on the day `today`, which no period holds.

    `week_start`: the weekday with which weeks begin, 0 for Monday. Raises ValueError for another name.
    """
    if name not in _MEANINGS:
        raise ValueError(f"“{name[:40]}” is not a period. Choose one of {', '.join(_MEANINGS)}.")
    _label, meaning = _MEANINGS[name]
    return meaning(today, week_start)


def _last(days: int) -> Callable[[dt.date, int], Period]:
    return lambda today, _week_start: Period.last_days(days, until=today - A_DAY)


def _previous_week(today: dt.date, week_start: int) -> Period:
    into_the_week = (today.weekday() - week_start) % _DAYS_OF_A_WEEK
    return Period.last_days(_DAYS_OF_A_WEEK, until=today - dt.timedelta(into_the_week + 1))


def _previous_month(today: dt.date, _week_start: int) -> Period:
    end = today.replace(day=1) - A_DAY
    return Period(end.replace(day=1), end)


def _previous_quarter(today: dt.date, _week_start: int) -> Period:
    end = _first_of_quarter(today) - A_DAY
    return Period(_first_of_quarter(end), end)


def _previous_year(today: dt.date, _week_start: int) -> Period:
    return Period(dt.date(today.year - 1, 1, 1), dt.date(today.year - 1, 12, 31))


def _month_to_date(today: dt.date, _week_start: int) -> Period:
    """On the first of a month, the month before, all of it: a period has a day at least."""
    until = today - A_DAY
    return Period(until.replace(day=1), until)


def _year_to_date(today: dt.date, _week_start: int) -> Period:
    until = today - A_DAY
    return Period(dt.date(until.year, 1, 1), until)


def _first_of_quarter(day: dt.date) -> dt.date:
    return day.replace(month=(day.month - 1) // _MONTHS_OF_A_QUARTER * _MONTHS_OF_A_QUARTER + 1, day=1)


_MEANINGS: Mapping[str, tuple[str, Callable[[dt.date, int], Period]]] = {
    "yesterday": ("Yesterday", _last(1)),
    "last_7": ("Last 7 days", _last(7)),
    **{name: (f"Last {days} days", _last(days)) for name, days in PRESET_DAYS.items()},
    "previous_week": ("Last week, from its first day to its last", _previous_week),
    "previous_month": ("Last month", _previous_month),
    "previous_quarter": ("Last quarter", _previous_quarter),
    "previous_year": ("Last year", _previous_year),
    "month_to_date": ("This month until yesterday", _month_to_date),
    "year_to_date": ("This year until yesterday", _year_to_date),
}
# Name -> label, in the order in which they are offered.
PERIODS: Mapping[str, str] = MappingProxyType({name: label for name, (label, _meaning) in _MEANINGS.items()})

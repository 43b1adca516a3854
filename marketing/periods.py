"""Periods: ranges of whole days in a workspace's time zone, the usual ones by name, and those to compare them with."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self
from zoneinfo import ZoneInfo

from accounts.defaults import PERIOD_DAYS
from marketing.day_labels import span_label

MICROSECOND = dt.timedelta(microseconds=1)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
PRESET_DAYS: Mapping[str, int] = MappingProxyType({f"last_{days}": days for days in PERIOD_DAYS})


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days from `start` to `end`, both included.

    Raises ValueError if it ends before it starts.
    """

    start: dt.date
    end: dt.date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"The period ends ({self.end}) before it starts ({self.start}).")

    @classmethod
    def last_days(cls, days: int, *, until: dt.date) -> Self:
        """The last `days` days up to and including `until`. Raises ValueError if that is not one day at least."""
        if days < 1:
            raise ValueError("A period has at least one day.")
        return cls(until - dt.timedelta(days - 1), until)

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def label(self) -> str:
        """For people, with en dashes: "3 May 2026", "1-30 Jun 2026", "20 May - 3 Jun 2026"."""
        return span_label(self.start, self.end)

    def bounds_us(self, zone: ZoneInfo) -> tuple[int, int]:
        """The first instant of the period and the first one after it, in microseconds since 1970 UTC."""
        return start_of_day_us(self.start, zone), start_of_day_us(self.end + dt.timedelta(1), zone)

    def previous(self) -> "Period":
        """As many days, just before."""
        return Period.last_days(self.days, until=self.start - dt.timedelta(1))

    def year_before(self) -> "Period":
        """The same dates a year earlier; 29 February becomes the 28th."""
        return Period(_year_before(self.start), _year_before(self.end))

    def shifted(self, days: int) -> "Period":
        """As many days, so many later (earlier if negative)."""
        return Period(self.start + dt.timedelta(days), self.end + dt.timedelta(days))

    def dates(self) -> "list[dt.date]":
        """Every day of it, in order."""
        return [self.start + dt.timedelta(day) for day in range(self.days)]


def start_of_day_us(day: dt.date, zone: ZoneInfo) -> int:
    """The first instant of a local day, in microseconds since 1970 UTC.

    Where clocks go forward at midnight, `fold=0` reads the missing 00:00 with the offset before the change, which is
    the instant of the change; where they go back to midnight, it takes the first of the two.
    """
    midnight = dt.datetime.combine(day, dt.time.min, tzinfo=zone)
    return (midnight.astimezone(dt.UTC) - EPOCH) // MICROSECOND


def day_of_us(at_us: int, zone: ZoneInfo) -> dt.date:
    """The local day of an instant in microseconds since 1970 UTC."""
    return (EPOCH + dt.timedelta(microseconds=at_us)).astimezone(zone).date()


def day_number(day: dt.date) -> int:
    """The day counted from 1970-01-01."""
    return (day - EPOCH.date()).days


def yesterday(*, now: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The last whole day in the zone. Raises ValueError if `now` has no time zone."""
    if now.tzinfo is None:
        raise ValueError("The present time must have a time zone.")
    return now.astimezone(zone).date() - dt.timedelta(1)


def preset(name: str, *, until: dt.date) -> Period:
    """The period of a preset (`last_30` ...) that ends on `until`, usually yesterday. Raises ValueError by name."""
    if name not in PRESET_DAYS:
        raise ValueError(f"“{name}” is not a period; choose one of {', '.join(PRESET_DAYS)}, or give start and end.")
    return Period.last_days(PRESET_DAYS[name], until=until)


def preset_name(asked: str) -> str:
    """Return the name in `PRESET_DAYS` for the ways to write it, "last_30_days" and "30_days"; else what was asked."""
    name = asked.strip().lower().removesuffix("_days")
    return f"last_{name}" if f"last_{name}" in PRESET_DAYS else name


def where_data_ends(period: Period, *, data_ends: dt.date | None) -> Period | None:
    """As many days up to the end of the data, to be offered when the period goes on beyond it; None otherwise."""
    if data_ends is None or data_ends >= period.end:
        return None
    return Period.last_days(period.days, until=data_ends)


def _year_before(day: dt.date) -> dt.date:
    if (day.month, day.day) == (2, 29):
        return day.replace(year=day.year - 1, day=28)
    return day.replace(year=day.year - 1)

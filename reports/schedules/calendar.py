"""When something recurs by the clock of a zone. Pure: neither Django nor the present time.

Every day, week or month has its due time once, also where the clock is changed. A time that comes twice is due when it
comes first. A time that is skipped is read by the clock of before the change: 02:30 is when the new clock shows 03:30,
a whole day after the last one as usual. Months without the day that was asked for have theirs on their last day.
"""

import datetime as dt
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from zoneinfo import ZoneInfo

DAY = dt.timedelta(1)
# A day's due time may come on the local day after: where the clock skips an hour before midnight, or a whole day.
DAYS_BACK = 2


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Daily, weekly on `weekday` (0 is Monday) or monthly on `month_day` (31: the last day), at `time` in `zone`.

    Raises ValueError if a day is missing, out of range or of another frequency.
    """

    frequency: str
    time: dt.time
    zone: ZoneInfo
    weekday: int | None = None
    month_day: int | None = None

    def __post_init__(self) -> None:
        if self.frequency not in ("daily", "weekly", "monthly"):
            raise ValueError(f"“{self.frequency}” is not a frequency; choose daily, weekly or monthly.")
        if self.time.tzinfo is not None:
            raise ValueError("The time is by the clock of the zone, and has no zone of its own.")
        if (self.weekday is not None) != (self.frequency == "weekly"):
            raise ValueError("A weekly recurrence, and no other, has a day of the week.")
        if (self.month_day is not None) != (self.frequency == "monthly"):
            raise ValueError("A monthly recurrence, and no other, has a day of the month.")
        if self.weekday is not None and not 0 <= self.weekday <= 6:
            raise ValueError("Days of the week are numbered from 0 to 6.")
        if self.month_day is not None and not 1 <= self.month_day <= 31:
            raise ValueError("Days of the month are numbered from 1 to 31.")


@dataclass(frozen=True, slots=True)
class Due:
    """The latest due instant, in UTC, and how many earlier ones it stands for."""

    at: dt.datetime
    missed: int


def next_after(recurrence: Recurrence, instant: dt.datetime) -> dt.datetime:
    """Return the first due instant after `instant`, in UTC. Raises ValueError if `instant` has no time zone."""
    return next(_due_after(recurrence, instant))


def last_due(recurrence: Recurrence, after: dt.datetime, until: dt.datetime) -> Due | None:
    """Return the latest due instant in (`after`, `until`]; None where nothing was due."""
    latest, number = None, 0
    for at in _due_after(recurrence, after):
        if at > until:
            break
        latest, number = at, number + 1
    return Due(latest, number - 1) if latest else None


def upcoming(recurrence: Recurrence, instant: dt.datetime, number: int) -> list[dt.datetime]:
    """Return the next `number` due instants after `instant`, in UTC."""
    return list(islice(_due_after(recurrence, instant), number))


def _due_after(recurrence: Recurrence, instant: dt.datetime) -> Iterator[dt.datetime]:
    if instant.tzinfo is None:
        raise ValueError("The instant must have a time zone.")
    latest = instant.astimezone(dt.UTC)
    for day in _days(recurrence, latest.astimezone(recurrence.zone).date() - DAYS_BACK * DAY):
        # fold=0 is the first of two, and reads what is skipped with the offset of before.
        local = dt.datetime.combine(day, recurrence.time, tzinfo=recurrence.zone)
        at = local.astimezone(dt.UTC)
        if at > latest:  # a day that a zone skipped altogether coincides with the day after
            yield at
            latest = at


def _days(recurrence: Recurrence, first: dt.date) -> Iterator[dt.date]:
    """The recurrence's local days from about `first` on, in order."""
    match recurrence.frequency:
        case "daily":
            yield from (first + number * DAY for number in count())
        case "weekly":
            ahead = ((recurrence.weekday or 0) - first.weekday()) % 7
            yield from (first + (ahead + 7 * number) * DAY for number in count())
        case "monthly":
            for months in count(first.year * 12 + first.month - 1):
                year, month = divmod(months, 12)
                last = monthrange(year, month + 1)[1]
                yield dt.date(year, month + 1, min(recurrence.month_day or last, last))

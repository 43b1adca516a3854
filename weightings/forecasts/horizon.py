"""The periods of a forecast: those that follow a model's data, weeks on its weekday and months on the first."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

# How many periods can be asked for, and how many are if nobody says: a quarter of a year.
FEWEST: Mapping[str, int] = {"day": 28, "week": 4, "month": 1}
MOST: Mapping[str, int] = {"day": 364, "week": 52, "month": 12}
USUAL: Mapping[str, int] = {"day": 91, "week": 13, "month": 3}
DAYS: Mapping[str, int] = {"day": 1, "week": 7}
MONTHS_OF_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Horizon:
    """`starts`: the first day of each period. `end`: the last day of the last one."""

    granularity: str
    starts: tuple[dt.date, ...]
    end: dt.date

    @classmethod
    def after(cls, last_day: dt.date, granularity: str, periods: int) -> "Horizon":
        """The periods that follow the one that ends on `last_day`, of a month if the granularity is months."""
        first = last_day + dt.timedelta(1)
        starts = [_later(first, granularity, place) for place in range(periods + 1)]
        return cls(granularity, tuple(starts[:-1]), starts[-1] - dt.timedelta(1))

    def ends(self) -> tuple[dt.date, ...]:
        """The last day of each period."""
        return (*(start - dt.timedelta(1) for start in self.starts[1:]), self.end)

    def days(self) -> tuple[int, ...]:
        """How many days each period has."""
        return tuple((end - start).days + 1 for start, end in zip(self.starts, self.ends(), strict=True))


def _later(day: dt.date, granularity: str, periods: int) -> dt.date:
    if granularity in DAYS:
        return day + dt.timedelta(DAYS[granularity] * periods)
    months = day.month - 1 + periods
    return day.replace(year=day.year + months // MONTHS_OF_A_YEAR, month=months % MONTHS_OF_A_YEAR + 1)

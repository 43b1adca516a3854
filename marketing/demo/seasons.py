"""The calendar of the demo world: hours and local days, seasonality, public holidays, prices and promotions.

Noise is drawn once for every week since a fixed epoch and looked up by date, so that a later end date adds days to
the same calendar instead of dealing a new one.
"""

import datetime
import zoneinfo
from dataclasses import dataclass

import holidays
import numpy as np
import numpy.typing as npt
import pandas as pd

from marketing.demo import world
from marketing.demo.world import BoolArray, FloatArray, IntArray

EPOCH_MONDAY = np.datetime64("2000-01-03", "D")

# Monday first. Sundays are strong for furniture bought online; Saturdays belong to the shops in town.
WEEKDAY_DEMAND = np.array([1.06, 1.00, 0.97, 0.96, 0.92, 0.92, 1.17])
MONTH_DEMAND = np.array([1.05, 0.96, 1.03, 1.05, 0.99, 0.90, 0.86, 0.90, 1.00, 1.06, 1.20, 1.00])
HOLIDAY_DEMAND = 0.78
HOUR_DEMAND = np.array(
    [
        *(0.25, 0.14, 0.09, 0.07, 0.08, 0.16, 0.40, 0.75, 1.00, 1.20, 1.30, 1.32),
        *(1.30, 1.25, 1.20, 1.20, 1.25, 1.35, 1.50, 1.75, 2.00, 1.90, 1.35, 0.65),
    ]
)
PROMOTIONS = (  # name, first and last day as (month, day), percentage points of discount
    ("Winter sale", (1, 2), (1, 18), 15.0),
    ("Spring event", (3, 20), (3, 29), 10.0),
    ("Summer sale", (6, 25), (7, 14), 15.0),
    ("Anniversary", (9, 12), (9, 19), 10.0),
    ("Advent", (12, 8), (12, 18), 10.0),
)
BLACK_WEEK_DISCOUNT = 20.0


@dataclass(frozen=True)
class Clock:
    """Simulated time: `dates` are the local days from the burn-in to the end date, hours count from `start`.

    `hour_day` and `hour_of_day` give each hour's index into `dates` and its local hour (0..23), both (H,); a local day
    has 23 or 25 hours when summer time begins or ends. `first_reported_day` indexes `dates`.
    """

    start: pd.Timestamp
    dates: npt.NDArray[np.datetime64]
    hour_day: IntArray
    hour_of_day: IntArray
    first_reported_day: int

    @property
    def hours(self) -> int:
        return len(self.hour_day)

    @property
    def ticks(self) -> FloatArray:
        """The full hours (H + 1,) at which `cumulative` series are known."""
        return np.arange(self.hours + 1, dtype=np.float64)

    @property
    def first_reported_hour(self) -> int:
        return int(np.searchsorted(self.hour_day, self.first_reported_day))

    def day_of(self, hours: FloatArray) -> IntArray:
        """Index into `dates` of moments given in hours since `start`, which must lie in the simulated time."""
        return self.hour_day[hours.astype(np.int64)]

    def timestamps(self, hours: FloatArray) -> pd.DatetimeIndex:
        """UTC timestamps, to the second, of moments given in hours since `start`."""
        seconds = np.floor(hours * 3600).astype("timedelta64[s]")
        return pd.DatetimeIndex(self.start.tz_localize(None).to_datetime64() + seconds).tz_localize("UTC").as_unit("us")

    def reported(self, daily: FloatArray) -> FloatArray:
        """The part of a daily series that belongs to the reported days."""
        return daily[self.first_reported_day :]


def build_clock(*, end: datetime.date, days: int) -> Clock:
    """The simulated time for `days` reported local days up to and including `end`."""
    zone = zoneinfo.ZoneInfo(world.TIME_ZONE)
    first = end - datetime.timedelta(days=days - 1 + world.BURN_IN_DAYS)
    start = pd.Timestamp(first).tz_localize(zone).tz_convert("UTC")
    stop = pd.Timestamp(end + datetime.timedelta(days=1)).tz_localize(zone).tz_convert("UTC")
    local = pd.date_range(start, stop, freq="h", inclusive="left").tz_convert(zone)
    dates = np.arange(np.datetime64(first, "D"), np.datetime64(end, "D") + 1)
    hour_day = np.asarray(local.tz_localize(None).to_numpy().astype("datetime64[D]") - dates[0]).astype(np.int64)
    return Clock(
        start=start,
        dates=dates,
        hour_day=hour_day,
        hour_of_day=np.asarray(local.hour, dtype=np.int64),
        first_reported_day=world.BURN_IN_DAYS,
    )


def hourly(*, clock: Clock, daily: FloatArray) -> FloatArray:
    """Spread a daily series (D,) over the hours (H,) by the usual hours of the day."""
    spread: FloatArray = daily[clock.hour_day] * (HOUR_DEMAND / HOUR_DEMAND.sum())[clock.hour_of_day]
    return spread


def cumulative(*, clock: Clock, daily: FloatArray) -> FloatArray:
    """The integral (H + 1,) of a daily series from the start of the simulated time to each full hour."""
    return np.concatenate([[0.0], np.cumsum(hourly(clock=clock, daily=daily))])


def weekdays(clock: Clock) -> IntArray:
    """Weekday of each local day, Monday 0."""
    return ((clock.dates - EPOCH_MONDAY).astype(np.int64)) % 7


def weeks(clock: Clock) -> IntArray:
    """Weeks since the epoch for each local day; a week starts on Monday."""
    return ((clock.dates - EPOCH_MONDAY).astype(np.int64)) // 7


def weekly_normal(*, clock: Clock, seed: int, name: str) -> FloatArray:
    """One standard normal per calendar week, repeated for its days (D,)."""
    index = weeks(clock)
    return world.random_stream(seed=seed, name=name).standard_normal(int(index[-1]) + 1)[index]


def daily_normal(*, clock: Clock, seed: int, name: str) -> FloatArray:
    """One standard normal per calendar day (D,)."""
    index = (clock.dates - EPOCH_MONDAY).astype(np.int64)
    return world.random_stream(seed=seed, name=name).standard_normal(int(index[-1]) + 1)[index]


def season(clock: Clock) -> FloatArray:
    """Yearly seasonality (D,), around 1: monthly levels joined by straight lines between mid-months."""
    day_of_year = pd.DatetimeIndex(clock.dates).day_of_year.to_numpy()
    middles = np.array([15.5, 45, 74.5, 105, 135.5, 166, 196.5, 227.5, 258, 288.5, 319, 349.5])
    level: FloatArray = np.interp(day_of_year, middles, MONTH_DEMAND, period=365.25)
    return level


def holiday_mask(clock: Clock) -> FloatArray:
    """1.0 on nationwide public holidays (D,), else 0.0."""
    years = pd.DatetimeIndex(clock.dates).year
    days = holidays.country_holidays(world.HOLIDAY_COUNTRY, years=sorted({int(year) for year in years}))
    return np.isin(clock.dates, np.array(sorted(days), dtype="datetime64[D]")).astype(np.float64)


def demand(*, clock: Clock, seed: int) -> FloatArray:
    """Relative propensity (D,) to start considering a purchase without any advertising."""
    years = (clock.dates - clock.dates[clock.first_reported_day]).astype(np.float64) / 365.25
    trend = (1 + world.GROWTH_PER_YEAR) ** years
    weekday = WEEKDAY_DEMAND[weekdays(clock)]
    holiday = np.where(holiday_mask(clock) > 0, HOLIDAY_DEMAND, 1.0)
    weather = np.exp(0.03 * weekly_normal(clock=clock, seed=seed, name="demand weeks"))
    relative: FloatArray = trend * season(clock) * weekday * holiday * weather
    return relative


def promotion(clock: Clock) -> FloatArray:
    """Discount (D,) in percentage points; 0 on days without a promotion."""
    dates = pd.DatetimeIndex(clock.dates)
    month_day = dates.month.to_numpy() * 100 + dates.day.to_numpy()
    discount = np.zeros(len(dates))
    for _, (first_month, first_day), (last_month, last_day), points in PROMOTIONS:
        running = (month_day >= first_month * 100 + first_day) & (month_day <= last_month * 100 + last_day)
        discount[running] = points
    for year in sorted({int(year) for year in dates.year}):
        discount[_black_week(clock=clock, year=year)] = BLACK_WEEK_DISCOUNT
    return discount


def price_index(*, clock: Clock, seed: int) -> FloatArray:
    """Average shelf price (D,), 100 in the long run: prices move on Mondays and revert slowly."""
    index = weeks(clock)
    steps = world.random_stream(seed=seed, name="price steps").standard_normal(int(index[-1]) + 1)
    level = np.empty(len(steps))
    current = 0.0
    for week, step in enumerate(steps):
        current = 0.9 * current + step
        level[week] = current
    return np.round(100 + 1.3 * level[index], 2)


def _black_week(*, clock: Clock, year: int) -> BoolArray:
    """Monday before the fourth Friday of November up to the Monday after it."""
    november = datetime.date(year, 11, 1)
    friday = november + datetime.timedelta(days=(4 - november.weekday()) % 7 + 21)
    return (clock.dates >= np.datetime64(friday - datetime.timedelta(days=4), "D")) & (
        clock.dates <= np.datetime64(friday + datetime.timedelta(days=3), "D")
    )

"""Which days raise an alert: a metric beyond its threshold, or unlike the days before, where no event stands yet."""

import datetime as dt
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from reports.alerts.series import Series
from reports.methods import anomalies
from reports.methods.anomalies import Direction
from reports.models import Alert

DAYS_SHOWN = 60
# For where a run of days began; one that is longer is told of again. A level is what is usual after a few weeks.
DAYS_LOOKED_BACK, DAYS_OF_ANOMALIES = 400, 90


class NoVerdict(StrEnum):
    """Why nothing can be said about a day."""

    NO_SPEND = "no_spend"
    TOO_FEW_DAYS = "too_few_days"
    MOSTLY_ZERO = "mostly_zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayJudged:
    """A day under an alert's condition. `direction`: where it lies; WITHIN raises nothing.

    `low`, `high`: of an anomaly's band, else None. `no_verdict`: why nothing can be said, and the direction is WITHIN.
    """

    day: dt.date
    value: float | None
    direction: Direction = Direction.WITHIN
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    no_verdict: NoVerdict | None = None

    @property
    def is_beyond(self) -> bool:
        return self.direction != Direction.WITHIN


def judge_days(alert: Alert, series: Series, *, last: int = DAYS_LOOKED_BACK) -> list[DayJudged]:
    """Judge the last complete days, in order; fewer where there are not as many."""
    last = min(last, series.days, DAYS_OF_ANOMALIES if alert.condition == Alert.Condition.ANOMALY else last)
    days = [series.day(series.days - last + place) for place in range(last)]
    if alert.condition == Alert.Condition.ANOMALY:
        judged = anomalies.judge(values=series.over(1), last=last)
        return [_unlike(*each) for each in zip(days, series.over(1)[-last:].tolist(), judged, strict=True)]
    values, condition = series.over(alert.days)[-last:].tolist(), Alert.Condition(alert.condition)
    first_full = series.day(alert.days - 1)
    missing = [NoVerdict.TOO_FEW_DAYS if day < first_full else NoVerdict.NO_SPEND for day in days]
    threshold = float(alert.threshold or 0)
    return [_beyond(*each, threshold, condition) for each in zip(days, values, missing, strict=True)]


def days_that_raise(judged: Sequence[DayJudged], *, raised: Collection[dt.date], since: dt.date) -> list[DayJudged]:
    """Return the days that raise an event: of each run of days beyond in one direction the first one from `since` on.

    `judged`: days in order. `raised`: the days with an event; a run that has one raises no other, also where later
    data have moved its beginning. A day that nothing can be said about neither ends a run nor is part of it.
    """
    found: list[DayJudged] = []
    for direction, days in groupby((day for day in judged if day.no_verdict is None), key=lambda day: day.direction):
        run = list(days)
        if direction == Direction.WITHIN or any(day.day in raised for day in run):
            continue
        found += [day for day in run if day.day >= since][:1]
    return found


def run_of(judged: Sequence[DayJudged]) -> list[DayJudged]:
    """Return the last days that lie in one direction, in order; days that nothing can be said about are left out."""
    runs = [list(days) for _, days in groupby((d for d in judged if d.no_verdict is None), key=lambda d: d.direction)]
    return runs[-1] if runs else []


def _unlike(day: dt.date, value: float, judgement: anomalies.Judgement) -> DayJudged:
    if isinstance(judgement, anomalies.NoVerdict):
        return DayJudged(day=day, value=None if math.isnan(value) else value, no_verdict=_REASONS[judgement])
    return DayJudged(
        day=day,
        value=value,
        direction=judgement.direction,
        expected=judgement.expected,
        low=judgement.low,
        high=judgement.high,
    )


def _beyond(day: dt.date, value: float, missing: NoVerdict, threshold: float, condition: Alert.Condition) -> DayJudged:
    if math.isnan(value):
        return DayJudged(day=day, value=None, no_verdict=missing)
    direction = Direction.WITHIN
    if condition == Alert.Condition.ABOVE and value > threshold:
        direction = Direction.ABOVE
    if condition == Alert.Condition.BELOW and value < threshold:
        direction = Direction.BELOW
    return DayJudged(day=day, value=value, direction=direction)


_REASONS = {
    anomalies.NoVerdict.NO_VALUE: NoVerdict.NO_SPEND,  # of amounts every day has a value
    anomalies.NoVerdict.TOO_FEW_DAYS: NoVerdict.TOO_FEW_DAYS,
    anomalies.NoVerdict.MOSTLY_ZERO: NoVerdict.MOSTLY_ZERO,
}

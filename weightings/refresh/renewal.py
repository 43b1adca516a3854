"""The same question up to the newest data."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from accounts.models import Workspace
from analyses.asking import period_of
from weightings.outcomes import KnownDays, known_days, outcomes_with_data


def renewed(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return canonical params with the period moved by the whole periods that have come since; None without any.

    A period that began with the data still does, and reaches further; any other keeps its number of whole periods.
    """
    outcome = next((each for each in outcomes_with_data(workspace) if each.name == params["outcome"]), None)
    known = known_days(outcome) if outcome else None
    if known is None:
        return None
    period, granularity = period_of(params), params["granularity"]
    come = _whole(known, granularity, known.days.end) - _whole(known, granularity, period.end)
    if not come:
        return None
    start = period.start if period.start <= known.days.start else _later(period.start, granularity, come)
    end = _later(period.end + dt.timedelta(1), granularity, come) - dt.timedelta(1)
    return {**params, "start": start.isoformat(), "end": min(end, known.days.end).isoformat()}


def _whole(known: KnownDays, granularity: str, until: dt.date) -> int:
    """How many whole periods are known up to a day."""
    found = known.whole(granularity, until=until)
    return 0 if found is None else found[1]


def _later(day: dt.date, granularity: str, periods: int) -> dt.date:
    """The day so many periods later; for months, from the first month on that begins on the day or after it."""
    if granularity == "month":
        begins = day if day.day == 1 else day.replace(day=1) + dt.timedelta(31)
        months = 12 * begins.year + begins.month - 1 + periods
        return dt.date(months // 12, months % 12 + 1, 1)
    return day + dt.timedelta(periods * (7 if granularity == "week" else 1))

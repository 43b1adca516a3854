"""Which period a page shows and what it compares it with, as its address says it.

The address holds the whole choice, so that Back, a reload and a shared link show the same: `period=last_30` or
`start=2026-01-01&end=2026-01-31`; `compare=none|previous|year`; `match_weekday=1`. What is absent takes the workspace's
default; what makes no sense takes it too, and `errors` says so.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from accounts.defaults import LONGEST_PERIOD_DAYS
from accounts.models import Workspace
from marketing.periods import PRESET_DAYS, Period, preset, preset_name, where_data_ends, yesterday

EARLIEST_YEAR, LATEST_YEAR = 2000, 2100  # imports take no rows from before
DAYS_OF_A_WEEK = 7
WEEKS_OF_A_YEAR = 52


class Comparison(StrEnum):
    """What a period is compared with."""

    NONE = "none"
    PREVIOUS = "previous"
    YEAR = "year"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Comparison.NONE: "No comparison",
    Comparison.PREVIOUS: "Previous period",
    Comparison.YEAR: "Same period last year",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodChoice:
    """A period with its comparison. `preset` names it ("last_30"; "" for a custom one).

    `match_weekday` moves the comparison by whole weeks, so that each day is compared with one of its own weekday.
    """

    period: Period
    preset: str
    comparison: Comparison = Comparison.PREVIOUS
    match_weekday: bool = False
    errors: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: Mapping[str, str], *, workspace: Workspace, now: dt.datetime) -> Self:
        """Read the choice from a page's address; relative periods end yesterday in the workspace's zone."""
        until = yesterday(now=now, zone=workspace.zone)
        errors: list[str] = []
        try:
            chosen, name = _period(query, until=until)
        except ValueError as error:
            errors.append(str(error))
            chosen, name = None, ""
        if chosen is None:
            name = f"last_{workspace.period_days}" if f"last_{workspace.period_days}" in PRESET_DAYS else ""
            chosen = Period.last_days(workspace.period_days, until=until)
        asked = query.get("compare") or Comparison.PREVIOUS
        if asked not in list(Comparison):
            errors.append(f"“{asked}” is no comparison; choose one of {', '.join(Comparison)}.")
            asked = Comparison.PREVIOUS
        return cls(
            period=chosen,
            preset=name,
            comparison=Comparison(asked),
            match_weekday=query.get("match_weekday") == "1",
            errors=tuple(errors),
        )

    @property
    def compared(self) -> Period | None:
        """The period to compare with; None without a comparison."""
        if self.comparison == Comparison.NONE:
            return None
        if self.comparison == Comparison.PREVIOUS:
            whole_weeks = -(-self.period.days // DAYS_OF_A_WEEK) * DAYS_OF_A_WEEK
            return self.period.shifted(-whole_weeks if self.match_weekday else -self.period.days)
        if self.match_weekday:
            return self.period.shifted(-WEEKS_OF_A_YEAR * DAYS_OF_A_WEEK)
        return self.period.year_before()

    @property
    def label(self) -> str:
        """The period's name: "Last 30 days", or its dates."""
        return f"Last {PRESET_DAYS[self.preset]} days" if self.preset else self.period.label

    @property
    def comparison_label(self) -> str:
        """What changes are measured against: "the previous period", "the same period last year"."""
        return "" if self.comparison == Comparison.NONE else f"the {_LABELS[self.comparison].lower()}"

    def query(self) -> dict[str, str]:
        """The choice as a page's address says it."""
        dates = {"start": self.period.start.isoformat(), "end": self.period.end.isoformat()}
        query = {"period": self.preset} if self.preset else dates
        query["compare"] = str(self.comparison)
        if self.match_weekday:
            query["match_weekday"] = "1"
        return query

    def with_preset(self, name: str, *, until: dt.date) -> "PeriodChoice":
        """The same comparison with another of the usual periods."""
        return replace(self, period=preset(name, until=until), preset=name, errors=())

    def up_to(self, data_ends: dt.date | None) -> "PeriodChoice | None":
        """As many days up to the end of the data, to be offered when the period goes on beyond it; None otherwise."""
        offered = where_data_ends(self.period, data_ends=data_ends)
        return replace(self, period=offered, preset="", errors=()) if offered else None


def _period(query: Mapping[str, str], *, until: dt.date) -> tuple[Period | None, str]:
    """The period that the address names and its preset; None for the default. Raises ValueError with a sentence."""
    if query.get("start") or query.get("end"):
        start, end = (_day(query.get(name, "")) for name in ("start", "end"))
        period = Period(start, end)
        if period.days > LONGEST_PERIOD_DAYS:
            raise ValueError(f"A period has at most {LONGEST_PERIOD_DAYS} days.")
        return period, ""
    if query.get("period"):
        name = preset_name(query["period"])
        return preset(name, until=until), name
    return None, ""


def _day(text: str) -> dt.date:
    if not text:
        raise ValueError("A custom period needs both a start and an end.")
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"“{text[:40]}” is not a day such as 2026-05-31.") from None
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise ValueError(f"A period lies between {EARLIEST_YEAR} and {LATEST_YEAR}.")
    return day

"""How far rows are apart, and the periods that they are brought to."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import fsum

import numpy as np

from marketing.frames import BoolColumn, Float64Column, Granularity, Int64Column
from marketing.health.checks.findings import span
from marketing.panel_building.rows import DaySeries, PanelProblem, date_of

WEEK = 7
MONDAY = 0
THURSDAY = 3  # the weekday of 1970-01-01, counted from Monday
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
BY_DAY = "by day (if its rows are of single days, with 0 on the days between)"
FEWEST_ROWS_OF_A_STEP = 3  # that two days are on one weekday may be chance
STRETCH: Mapping[Granularity, int] = {"day": 6, "week": 4, "month": 3}  # so many steps in a row are no chance
SHORTEST_MONTH, LONGEST_MONTH = 28, 31
NO_VARIATION = 1e-12  # of the largest number
ADVERB: Mapping[Granularity, str] = {"day": "daily", "week": "weekly", "month": "monthly"}


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods as numbers that follow one another. `week_starts_on`: a weekday, 0 for Monday."""

    granularity: Granularity
    week_starts_on: int = MONDAY

    def period_of(self, day: Int64Column) -> Int64Column:
        """The number of the period that each day lies in."""
        if self.granularity == "day":
            return day
        if self.granularity == "week":
            return (day + THURSDAY - self.week_starts_on) // WEEK
        return _month(day).astype(np.int64)

    def first_day(self, period: Int64Column) -> Int64Column:
        """The day that each period begins on."""
        if self.granularity == "day":
            return period
        if self.granularity == "week":
            return period * WEEK - THURSDAY + self.week_starts_on
        return period.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)

    def days(self, period: Int64Column) -> Int64Column:
        """How many days each period has."""
        return self.first_day(period + 1) - self.first_day(period)

    def label(self, first: int, last: int | None = None) -> str:
        """The days from one period to another, both included, or of one alone; for a sentence."""
        ends = np.array([first, (first if last is None else last) + 1], np.int64)
        start, after = self.first_day(ends).tolist()
        return span(start, after - 1)


def weekday(day: Int64Column) -> Int64Column:
    """The weekday of each day, 0 for Monday."""
    return (day + THURSDAY) % WEEK


def step_of(series: DaySeries) -> Granularity:
    """How far the rows of a series are apart, gaps aside.

    A month if all are on the first, or all on the last, day of theirs; a week if all are on one weekday; else a day,
    however rare they are. Raises PanelProblem if the step changes on the way, or single rows are out of step.
    """
    day = np.sort(series.day)
    if len(day) < FEWEST_ROWS_OF_A_STEP:
        return "day"
    steps = np.diff(day)
    near = (steps >= SHORTEST_MONTH) & (steps <= LONGEST_MONTH)
    first, last = _begins_month(day), _begins_month(day + 1)
    usual: tuple[tuple[Granularity, BoolColumn, BoolColumn], ...] = (  # which rows are on time, which steps are right
        ("month", first, near & first[1:] & first[:-1]),
        ("month", last, near & last[1:] & last[:-1]),
        ("week", weekday(day) == np.bincount(weekday(day)).argmax(), steps == WEEK),
    )
    stretches: list[tuple[int, Granularity]] = [(run, "day") for run in _first_run(steps == 1, STRETCH["day"])]
    uneven = []
    for step, on_time, in_step in usual:
        if on_time.all():
            return step
        stretches += [(run, step) for run in _first_run(in_step, STRETCH[step])]
        if in_step.mean() > 0.5:
            uneven.append((step, day[~on_time][0]))
    if len({step for _, step in stretches}) > 1:
        raise PanelProblem(
            "mixed_steps",
            f"“{series.name}” is "
            + " and ".join(f"{ADVERB[step]} from {date_of(day[run])}" for run, step in sorted(stretches))
            + ". Import it in one rhythm, or choose a period in which it has one.",
        )
    for step, odd in uneven:
        raise PanelProblem(
            "uneven_steps",
            f"“{series.name}” is {ADVERB[step]}, but its row of {date_of(odd)} is out of step. "
            "Import it again with the right date.",
        )
    return "day"


def require_step(*, name: str, step: Granularity, granularity: Granularity) -> None:
    """Raise PanelProblem if rows of this step cannot be brought to periods of this granularity."""
    if step in ("day", granularity):
        return
    splits = granularity == "month"
    why = "cannot be split at the ends of months" if splits else f"says nothing about single {granularity}s"
    raise PanelProblem(
        "step_too_long",
        f"“{name}” has one row a {step}, which {why}. Choose {step}s, or import it {BY_DAY}.",
    )


def calendar_for(
    *, granularity: Granularity, outcome: DaySeries, outcome_step: Granularity, weekly: Mapping[str, Int64Column]
) -> Calendar:
    """The periods to which all rows are brought. `weekly`: the days of each series of media that has one row a week.

    Weeks start on the weekday of the outcome's weekly rows; of a daily outcome, on that of the weekly media; else on
    Monday. Raises PanelProblem if weekly rows are on several weekdays: weeks that are off by some days would be wrong
    without anybody seeing it.
    """
    if granularity != "week":
        return Calendar(granularity)
    starts = [(name, int(weekday(days)[0])) for name, days in weekly.items()]
    if outcome_step == "week":
        starts = [(outcome.name, int(weekday(outcome.day)[0])), *starts]
    for (leading, first), (name, other) in pairwise(starts):
        if other != first:
            raise PanelProblem(
                "weekdays_differ",
                f"The weeks of “{leading}” start on {WEEKDAYS[first]}, those of “{name}” on {WEEKDAYS[other]}. "
                f"Import one of them again by the other’s weeks, or {BY_DAY}.",
            )
    return Calendar("week", starts[0][1] if starts else MONDAY)


def added_up(*, group: Int64Column, value: Float64Column, groups: int) -> Float64Column:
    """The sum of each group's values, (groups,) float64, rounded once: it does not depend on their order.

    `group`: (n,) int64 in `0..groups-1`; `value`: (n,) float64.
    """
    sums = np.zeros(groups)
    sizes = np.bincount(group, minlength=groups)
    alone = sizes[group] == 1
    sums[group[alone]] = value[alone]
    several = np.flatnonzero(~alone)
    values = value[several[np.argsort(group[several], kind="stable")]].tolist()
    at = 0
    for place in np.flatnonzero(sizes > 1).tolist():
        sums[place] = fsum(values[at : at + sizes[place]])
        at += sizes[place]
    return sums


def varies(value: Float64Column) -> bool:
    """Whether the numbers differ by more than rounding leaves. Raises ValueError without any."""
    return bool(np.ptp(value) > NO_VARIATION * np.abs(value).max())


def _month(day: Int64Column) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    return day.astype("datetime64[D]").astype("datetime64[M]")


def _begins_month(day: Int64Column) -> BoolColumn:
    begins: BoolColumn = _month(day).astype("datetime64[D]").astype(np.int64) == day
    return begins


def _first_run(found: BoolColumn, length: int) -> list[int]:
    """Where `length` of them first follow one another; empty if they never do."""
    if len(found) < length:
        return []
    runs = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(found, length).all(axis=1))
    return [int(run) for run in runs[:1]]

"""The outcome by period: which periods it is known for, and whether they are enough."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from marketing.frames import Float64Column, Granularity, Int64Column
from marketing.health.checks.findings import counted
from marketing.health.checks.readiness import MOST_MISSING_WEEKS, NEEDED_WEEKS, WISHED_WEEKS
from marketing.panel_building.rhythm import Calendar, added_up, require_step, step_of, varies, weekday
from marketing.panel_building.rows import DaySeries, PanelChoice, PanelProblem, PanelRemark, PanelRows, date_of

FEWEST_PERIODS = 8  # of which nothing at all can be learnt, whatever is allowed
# Fewer periods than the first are refused; fewer than the second are remarked on.
LENGTHS: Mapping[Granularity, tuple[int, int]] = {
    "day": (365, 730),
    "week": (NEEDED_WEEKS, WISHED_WEEKS),
    "month": (24, 36),
}
MISSING = "the days that are missing, with 0 where there was nothing"
SHARE, PER_CENT = (0.0, 1.0), (0.0, 100.0)


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeByPeriod:
    """`period`: (T,) int64, numbers of the calendar; `value`: (T,) float64, NaN where it is not known."""

    period: Int64Column
    value: Float64Column
    bounds: tuple[float, float] | None


def too_short(granularity: Granularity, periods: int) -> Literal["blocked", "warn"] | None:
    """Whether so many periods are too few for a media mix model ("blocked"), or so few that it must be said."""
    needed, wished = LENGTHS[granularity]
    if periods >= wished:
        return None
    return "blocked" if periods < needed else "warn"


def chosen_rows(*, rows: PanelRows, choice: PanelChoice) -> tuple[DaySeries, Granularity]:
    """The outcome's rows that speak for days within the bounds only, and how far they are apart.

    Raises PanelProblem without any, or if they are too far apart.
    """
    start = -np.inf if choice.start is None else choice.start
    end = np.inf if choice.end is None else choice.end
    series = rows.outcome.where((rows.outcome.day >= start) & (rows.outcome.day <= end))
    step = step_of(series)
    require_step(name=series.name, step=step, granularity=choice.granularity)
    if step != "day":  # a row speaks for all days of its week or month
        own = Calendar(step, int(weekday(series.day)[0]))
        number = own.period_of(series.day)
        series = series.where((own.first_day(number) >= start) & (own.first_day(number + 1) <= end + 1))
    if not len(series.day):
        raise PanelProblem(
            "no_values",
            f"“{series.name}” has no values in the chosen period. Import some, or choose another outcome or period.",
        )
    return series, step


def outcome_by_period(
    *, series: DaySeries, step: Granularity, calendar: Calendar, choice: PanelChoice, remarks: list[PanelRemark]
) -> OutcomeByPeriod:
    """Bring the outcome's rows to periods, from the first to the last that is known.

    A period is known if there are rows for all of its days. Raises PanelProblem if too few are, or the outcome never
    changes.
    """
    number = calendar.period_of(series.day)
    period = np.arange(number.min(), number.max() + 1)
    place = number - period[0]
    rows = np.bincount(place, minlength=len(period))
    total = added_up(group=place, value=series.value, groups=len(period))
    needed = 1 if step == calendar.granularity else calendar.days(period)
    with np.errstate(invalid="ignore"):  # no rows, no mean
        value = np.where(rows == needed, total / rows if choice.is_bounded else total, np.nan)
    known = np.flatnonzero(np.isfinite(value))
    _require_known(series.name, value, period, calendar, remarks)
    _require_enough(series.name, len(known), choice, remarks)
    if not varies(value[known]):
        raise PanelProblem(
            "constant_outcome",
            f"“{series.name}” is {value[known][0]:g} in every {calendar.granularity}, so nothing moves it. "
            "Choose another outcome or period.",
        )
    kept = slice(known[0], known[-1] + 1)
    return OutcomeByPeriod(period[kept], value[kept], _bounds(series, choice))


def remark_on_geos(
    *, rows: PanelRows, outcome: OutcomeByPeriod, calendar: Calendar, remarks: list[PanelRemark]
) -> None:
    """Say so if the outcome is the total of more geos on some days than on others."""
    number = calendar.period_of(rows.outcome.day)
    geos = rows.outcome_geos[(number >= outcome.period[0]) & (number <= outcome.period[-1])]
    fewer = int((geos < geos.max()).sum())
    if fewer:
        name = rows.outcome.name
        remarks.append(
            PanelRemark(
                "geos_vary",
                f"“{name}” is of {counted(geos.max(), 'geo')} at most, but of fewer in {fewer} of "
                f"{counted(len(geos), 'row')}, where it may look lower than it was. Import what is missing.",
                (name,),
            )
        )


def _require_known(
    name: str, value: Float64Column, period: Int64Column, calendar: Calendar, remarks: list[PanelRemark]
) -> None:
    """Raise PanelProblem if too many periods are not known, and say so if some are.

    One that is not whole at either end is where the data begin or end: it does not count.
    """
    unit, known = calendar.granularity, np.isfinite(value)
    ends = (int(not known[0]), len(known) - int(not known[-1]))
    if not known.any():
        raise PanelProblem(
            "no_whole_periods",
            f"“{name}” is not known for one whole {unit} of {calendar.label(int(period[0]), int(period[-1]))}. "
            f"Import {MISSING}, or choose another period.",
        )
    missing = np.flatnonzero(~known[slice(*ends)]) + ends[0]
    if not len(missing):
        return
    of = ends[1] - ends[0]
    said = (
        f"“{name}” is not known for {len(missing):,} of {counted(of, f'whole {unit}')}, the first being "
        f"{calendar.label(int(period[missing[0]]))}."
    )
    if len(missing) > MOST_MISSING_WEEKS * of:
        raise PanelProblem(
            "missing_periods",
            f"{said} At most {MOST_MISSING_WEEKS:.0%} may be missing. Import {MISSING}, or choose another period.",
        )
    remarks.append(PanelRemark("missing_periods", f"{said} They are left out of the fit.", (name,)))


def _require_enough(name: str, periods: int, choice: PanelChoice, remarks: list[PanelRemark]) -> None:
    """Raise PanelProblem if there are too few periods, and say so if there are only just enough."""
    needed, wished = LENGTHS[choice.granularity]
    found = too_short(choice.granularity, periods)
    if found is None:
        return
    least = FEWEST_PERIODS if choice.short_allowed else needed
    there = f"“{name}” is known for {counted(periods, f'whole {choice.granularity}')}"
    if periods < least:
        raise PanelProblem(
            "too_short",
            f"{there}; a media mix model needs {least}. Import older ones, or choose a longer period.",
        )
    needs = f" A model needs {needed}." if found == "blocked" else ""
    remarks.append(
        PanelRemark(
            "short",
            f"{there}.{needs} With {wished}, a model can tell the time of year and the trend from media.",
            (name,),
        )
    )


def _bounds(series: DaySeries, choice: PanelChoice) -> tuple[float, float] | None:
    """The bounds of the outcome. Raises PanelProblem if a row lies out of them."""
    if not choice.is_bounded:
        return None
    low, high = choice.bounds or (SHARE if series.value.max() <= 1 else PER_CENT)
    beyond = series.where((series.value < low) | (series.value > high))
    if len(beyond.day):
        first = beyond.day.argmin()
        raise PanelProblem(
            "out_of_bounds",
            f"“{series.name}” is {beyond.value[first]:g} on {date_of(beyond.day[first])}, but must lie between "
            f"{low:g} and {high:g}. Import that day again, or choose other bounds.",
        )
    return low, high

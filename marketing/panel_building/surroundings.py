"""What else moves the outcome, by period: controls, events and holidays."""

from collections.abc import Mapping, Sequence

import numpy as np

from marketing.frames import Float64Column, Float64Table, Granularity, Int64Column
from marketing.health.checks.findings import counted, listed, quoted
from marketing.panel_building.outcome import OutcomeByPeriod
from marketing.panel_building.rhythm import ADVERB, LONGEST_MONTH, Calendar, added_up, step_of, varies, weekday
from marketing.panel_building.rows import DaySeries, PanelRemark

LENGTH: Mapping[Granularity, int] = {"day": 1, "week": 7, "month": 30}


def controls_by_period(
    *, controls: Sequence[DaySeries], outcome: OutcomeByPeriod, calendar: Calendar, remarks: list[PanelRemark]
) -> tuple[tuple[str, ...], Float64Table]:
    """The controls that vary, each the mean of its days in each period of the outcome: names, and (T, K).

    A row of a week or a month counts for each of its days. Between periods that are known a control goes straight from
    one to the other; before the first and after the last it stays.
    """
    names: list[str] = []
    columns: list[Float64Column] = []
    silent: list[str] = []
    constant: list[str] = []
    for control in controls:
        value = mean_by_period(control, outcome.period, calendar, remarks)
        known = np.flatnonzero(np.isfinite(value))
        if not len(known):
            silent.append(control.name)
        elif not varies(value[known]):
            constant.append(control.name)
        else:
            if len(known) < len(value):
                said = (
                    f"“{control.name}” is not known for {len(value) - len(known):,} of "
                    f"{counted(len(value), calendar.granularity)}; these are filled in a straight line between those "
                    "that are known."
                )
                remarks.append(PanelRemark("filled_control", said, (control.name,)))
            names.append(control.name)
            columns.append(np.interp(np.arange(len(value)), known, value[known]))
    for code, left_out, why in (
        ("silent_control", silent, "without any value in the period"),
        ("constant_control", constant, "what never changes cannot be told from the baseline"),
    ):
        if left_out:
            said = f"{listed(quoted(left_out))} {'is' if len(left_out) == 1 else 'are'} left out: {why}."
            remarks.append(PanelRemark(code, said, tuple(left_out)))
    return tuple(names), table(columns, len(outcome.period))


def days_by_period(
    *, days: Mapping[str, Int64Column], outcome: OutcomeByPeriod, calendar: Calendar
) -> tuple[tuple[str, ...], Float64Table]:
    """How many days of each period of the outcome bear each name, (T, E), and the names that any day bears."""
    names: list[str] = []
    columns: list[Float64Column] = []
    for name, borne in days.items():
        place = calendar.period_of(np.unique(borne)) - outcome.period[0]
        place = place[(place >= 0) & (place < len(outcome.period))]
        if len(place):
            names.append(name)
            columns.append(np.bincount(place, minlength=len(outcome.period)).astype(np.float64))
    return tuple(names), table(columns, len(outcome.period))


def table(columns: Sequence[Float64Column], rows: int) -> Float64Table:
    """The columns side by side: (rows, len(columns)) float64, also of none."""
    return np.column_stack(columns) if columns else np.empty((rows, 0))


def mean_by_period(
    control: DaySeries, period: Int64Column, calendar: Calendar, remarks: list[PanelRemark]
) -> Float64Column:
    """The mean of each period's days, (T,), NaN without any. Says so if a row speaks for longer than a period."""
    first, after = calendar.first_day(np.array([period[0], period[-1] + 1])).tolist()
    near = control.where((control.day > first - LONGEST_MONTH) & (control.day < after + LONGEST_MONTH))
    step = step_of(near)
    if step != "day":
        near = _by_day(near, step)
        if LENGTH[step] > LENGTH[calendar.granularity]:
            said = f"“{control.name}” is {ADVERB[step]}: a {calendar.granularity} has the value of its {step}."
            remarks.append(PanelRemark("coarse_control", said, (control.name,)))
    within = near.where((near.day >= first) & (near.day < after))
    place = calendar.period_of(within.day) - period[0]
    days = np.bincount(place, minlength=len(period))
    total = added_up(group=place, value=within.value, groups=len(period))
    mean = np.full(len(period), np.nan)
    mean[days > 0] = total[days > 0] / days[days > 0]
    return mean


def _by_day(series: DaySeries, step: Granularity) -> DaySeries:
    """The same value on each day of the week or the month that a row speaks for."""
    own = Calendar(step, int(weekday(series.day)[0]))
    number = own.period_of(series.day)
    lengths = own.days(number)
    begins = np.cumsum(lengths) - lengths
    day = np.repeat(own.first_day(number) - begins, lengths) + np.arange(lengths.sum())
    return DaySeries(series.name, day, np.repeat(series.value, lengths))

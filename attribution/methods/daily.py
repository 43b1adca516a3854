"""Rule credit by day: what the dashboard adds up for any period."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.methods.rules import RuleModel, credit_cells
from marketing.frames import BoolColumn, Float64Column, Int64Column, Journeys

CELLS_AT_ONCE = 3 << 19  # days x groups x models held densely: 25 MB


@dataclass(frozen=True, slots=True, eq=False)
class DailyCredit:
    """Credit by day and group, sorted by day, then group; what is zero under every model is left out.

    `models`: names of the M models. `day`: (R,) int64, as given. `group`: (R,) int64; `groups` stands for "(none)",
    conversions without a touch in their window. `conversions`, `value`: (R, M) float64, value in account currency.
    """

    models: tuple[str, ...]
    day: Int64Column
    group: Int64Column
    conversions: Float64Column
    value: Float64Column


def daily_credit(
    *,
    journeys: Journeys,
    day: Int64Column,
    models: Sequence[RuleModel],
    group_of_source: Int64Column,
    groups: int,
    direct_source: BoolColumn,
) -> DailyCredit:
    """Credit every converted journey, on the day of its conversion, to the groups of its touches under each model.

    `day`: (J,) int64, the day of each journey's conversion, counted from any origin. The other arguments are those of
    `attribution.methods.rules.rule_credit`. The sum over days is the credit of the whole period.

    Time O(M x (touches in converted journeys + days x groups)); memory O(J + M x rows), beside about 50 MB.
    Raises ValueError as `rule_credit` does, and if there is not one day for each journey.
    """
    if len(day) != len(journeys):
        raise ValueError(f"There are {len(journeys)} journeys, but {len(day)} days.")
    converted = np.flatnonzero(journeys.converted)
    order = converted[np.argsort(day[converted], kind="stable")]
    parts = list(_chunks(journeys, day, order, models, group_of_source, groups, direct_source))
    names = tuple(model.name for model in models)
    if not parts:
        nothing = np.empty((0, len(models)))
        return DailyCredit(names, np.empty(0, np.int64), np.empty(0, np.int64), nothing, nothing)
    days, group, conversions, value = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return DailyCredit(names, days, group, conversions, value)


def _chunks(
    journeys: Journeys,
    day: Int64Column,
    order: Int64Column,
    models: Sequence[RuleModel],
    group_of_source: Int64Column,
    groups: int,
    direct_source: BoolColumn,
) -> Iterator[tuple[npt.NDArray[np.generic], ...]]:
    """Yield rows of day, group, conversions and value, a range of days at a time; `order`: journeys by day."""
    days_at_once = max(CELLS_AT_ONCE // (len(models) * (groups + 1)), 1)
    sorted_days = day[order]
    first = 0
    while first < len(order):
        first_day = int(sorted_days[first])
        stop = int(np.searchsorted(sorted_days, first_day + days_at_once))
        cells = credit_cells(
            journeys=journeys.take(order[first:stop]),
            stratum=sorted_days[first:stop] - first_day,
            strata=min(days_at_once, int(sorted_days[stop - 1]) - first_day + 1),
            models=models,
            group_of_source=group_of_source,
            groups=groups,
            direct_source=direct_source,
        )
        stratum, group = np.nonzero(cells.any(axis=(0, 3)))
        rows = cells[:, stratum, group]
        yield stratum + first_day, group, rows[:, :, 0].T, rows[:, :, 1].T
        first = stop

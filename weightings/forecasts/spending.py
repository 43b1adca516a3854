"""From canonical params to what a forecast is computed from: spend by period, and what else will be on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import MediaPanel
from marketing.media_panels import holiday_days
from marketing.periods import day_number
from weightings.forecasts.horizon import Horizon
from weightings.forecasts.params import MULTIPLES, PER_PERIOD, PLAN
from weightings.forecasts.plan_values import SPEND
from weightings.methods.forecasting.forecast_plan import (
    PERIODS_PER_YEAR,
    Plan,
    flighting_of,
    spend_by_channel,
)
from weightings.methods.quantities import Window

FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Planned:
    """A plan, and where it comes from.

    `pattern`: the periods of the data as which it is spent over time, None where the plan says it by period.
    `holidays`: those of the horizon, by name, the days of each period.
    """

    plan: Plan
    pattern: Window | None
    holidays: Mapping[str, list[int]]


def planned(
    panel: MediaPanel, params: Mapping[str, Any], reported: Window, horizon: Horizon, countries: Any
) -> Planned:
    """Return the plan that canonical params ask for. `reported`: the periods that the model's run reports.

    `countries`: whose holidays the model knows. Raises CannotBePlanned, and PanelProblem for a country not known.
    """
    given: Mapping[str, Any] = params.get(PLAN, {})
    calendar = holidays_of(horizon, countries)
    pattern = None if SPEND in given else usual_pattern(panel, reported)
    plan = Plan(
        spend=_spend(panel, params, pattern, len(horizon.starts)),
        organic=given.get("organic", {}),
        controls=given.get("controls", {}),
        events=given.get("events", {}),
        holidays={**calendar, **given.get("holidays", {})},
    )
    return Planned(plan, pattern, calendar)


def usual_pattern(panel: MediaPanel, reported: Window) -> Window:
    """The periods of the data as which spend is spread over time: the last year of those that the run reports.

    So the first period to come is spent as a year before it, where the run reports a year or more up to its data's end.
    """
    return Window(max(reported.start, reported.stop - PERIODS_PER_YEAR[panel.granularity]), reported.stop)


def _spend(panel: MediaPanel, params: Mapping[str, Any], pattern: Window | None, periods: int) -> FloatArray:
    """By period and channel, (H, C)."""
    if pattern is None:
        return spend_by_channel(panel, params[PLAN][SPEND])
    if PER_PERIOD in params:
        wanted = np.array([params[PER_PERIOD][name] for name in panel.channels]) * periods
        usual = flighting_of(panel, pattern, periods=periods)
        total = usual.sum(axis=0)
        # A channel with nothing in these periods is spent evenly.
        shares = np.where(total > 0, usual / np.where(total > 0, total, 1.0), 1 / periods)
        return np.asarray(shares * wanted)
    multiples = np.array([params[MULTIPLES][name] for name in panel.channels])
    return flighting_of(panel, pattern, multiples=multiples, periods=periods)


def holidays_of(horizon: Horizon, countries: Any) -> dict[str, list[int]]:
    """The public holidays of these countries in the horizon: by name, how many days of each period they are."""
    starts = np.array([day_number(start) for start in horizon.starts])
    found = holiday_days(countries=countries, start=horizon.starts[0], end=horizon.end)
    return {
        name: np.bincount(np.searchsorted(starts, days, side="right") - 1, minlength=len(starts)).tolist()
        for name, days in found.items()
    }

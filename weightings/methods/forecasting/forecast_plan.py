"""What is planned for the periods after the data: spend, and what else will be on; by name, checked, and as arrays.

What a plan leaves open is **carried on**. Controls and organic media have the value of the same period a year before
(in a longer plan the last year comes round again), because prices, weather and what people look for have a season. A
period whose year before the data do not reach has the mean of the data: nothing unusual. Holidays and events that
nobody names are not on.

What acts on people is exposure. Of a channel with impressions it is the planned spend times the exposure per unit of
spend of late: in the year up to its last period with spend, in the periods that had some.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import Granularity, MediaPanel
from marketing.health.checks.findings import listed, quoted
from marketing.panel_building.rhythm import Calendar, weekday
from marketing.panel_building.rows import date_of
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.quantities import Window

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
ByName: TypeAlias = Mapping[str, Sequence[float] | FloatArray]

MOST_PERIODS: Mapping[Granularity, int] = {"day": 364, "week": 52, "month": 24}  # of a plan
PERIODS_PER_YEAR: Mapping[Granularity, int] = {"day": 364, "week": 52, "month": 12}  # whole weeks, for the weekdays


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """What is planned for H periods, the first of which follows the panel's last.

    `spend`: (H, C), account currency per period, by the panel's channels. All else by name, H numbers each:
    `organic`, exposure in the medium's unit; `controls`, the mean of the period; `events`, the share of the period's
    days; `holidays`, days of the period. What is not given is carried on, or not on (see the module).
    """

    spend: FloatArray
    organic: ByName = field(default_factory=dict)
    controls: ByName = field(default_factory=dict)
    events: ByName = field(default_factory=dict)
    holidays: ByName = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class PlanAhead:
    """A plan as arrays, H periods by the names of a panel.

    `period_start`: (H,) first days. `spend`: (H, C). `exposure`: (H, P), paid media first. `control`: (H, K),
    `event`: (H, E), `holiday`: (H, J). `carried`: names of what the plan left open. `unknown_holidays`: holidays of the
    plan that the data have none of: nobody knows what they do, and they are taken to do nothing.
    """

    period_start: IntArray
    spend: FloatArray
    exposure: FloatArray
    control: FloatArray
    event: FloatArray
    holiday: FloatArray
    carried: tuple[str, ...]
    unknown_holidays: tuple[str, ...]


def laid_out(panel: MediaPanel, plan: Plan) -> PlanAhead:
    """A plan for the periods after a panel. Raises CannotBePlanned where it does not fit or makes no sense."""
    spend = np.asarray(plan.spend, np.float64)
    channels, most = len(panel.channels), MOST_PERIODS[panel.granularity]
    if spend.ndim != 2 or spend.shape[1] != channels:
        raise CannotBePlanned(
            f"Spend must be a table of periods by {channels} channels, but it has the shape {spend.shape}."
        )
    if not 1 <= len(spend) <= most:
        raise CannotBePlanned(f"A plan can have 1 to {most} {panel.granularity}s, but this one has {len(spend)}.")
    starts = periods_after(panel, len(spend) + 1)
    horizon = _Horizon(panel.granularity, starts[:-1])
    for place, name in enumerate(panel.channels):
        horizon.checked(f"The spend of “{name}”", spend[:, place], low=0.0)
    organic = horizon.table("organic medium", panel.organic, plan.organic, low=0.0)
    control = horizon.table("control", panel.controls, plan.controls)
    event = horizon.table("event", panel.events, plan.events, low=0.0, high=1.0)
    known = {name: days for name, days in plan.holidays.items() if name in panel.holidays}
    holiday = horizon.table("holiday", panel.holidays, known, low=0.0, high=np.diff(starts))
    left_open = ((panel.organic, plan.organic), (panel.controls, plan.controls))
    organic = carried_on(organic, panel.organic_exposure, panel.granularity)
    return PlanAhead(
        period_start=starts[:-1],
        spend=spend,
        exposure=np.hstack([spend * exposure_per_spend(panel, spend), organic]),
        control=carried_on(control, panel.control, panel.granularity),
        event=np.nan_to_num(event),
        holiday=np.nan_to_num(holiday),
        carried=tuple(name for names, given in left_open for name in names if name not in given),
        unknown_holidays=tuple(name for name, days in plan.holidays.items() if name not in known and np.any(days)),
    )


def periods_after(panel: MediaPanel, periods: int) -> IntArray:
    """The first days of the periods after a panel, (periods,) int64: weeks on its weekday, months on the first."""
    last = panel.period_start[-1:]
    calendar = Calendar(panel.granularity, int(weekday(last)[0]))
    return calendar.first_day(calendar.period_of(last) + np.arange(1, periods + 1))


def spend_by_channel(panel: MediaPanel, given: ByName) -> FloatArray:
    """Spend that is planned by name, as a table (H, C). Raises CannotBePlanned unless each channel has H numbers."""
    missing = [name for name in panel.channels if name not in given]
    if missing:
        raise CannotBePlanned(f"No spend is planned for {listed(quoted(missing))}. Say 0 where there is to be none.")
    periods = max((len(values) for values in given.values()), default=0)
    return _Horizon(panel.granularity, periods_after(panel, periods)).table("channel", panel.channels, given, low=0.0)


def flighting_of(
    panel: MediaPanel, window: Window, *, multiples: float | FloatArray = 1.0, periods: int | None = None
) -> FloatArray:
    """The spend of a window of the outcome's periods, times a multiple for all or for each channel (C,): (H, C).

    `periods`: H, as many as the window has unless given; a shorter window comes round again.
    Raises CannotBePlanned if the window does not lie within the data, or a multiple is negative or no number.
    """
    factors = np.broadcast_to(np.asarray(multiples, np.float64), (len(panel.channels),))
    if not np.all(np.isfinite(factors) & (factors >= 0)):
        raise CannotBePlanned(f"Spend can be multiplied by 0 or more, but not by {factors.tolist()}.")
    if window.stop > len(panel):
        raise CannotBePlanned(f"The window ends with period {window.stop}, but the data have {len(panel)} periods.")
    places = window.start + np.arange(window.periods if periods is None else periods) % window.periods
    return np.asarray(panel.spend[panel.history + places] * factors)


def exposure_per_spend(panel: MediaPanel, planned: FloatArray) -> FloatArray:
    """What a unit of spend buys of late (see the module), (C,). `planned`: spend, (H, C).

    Raises CannotBePlanned for spend on a channel that never had any, so that nobody knows what it buys.
    """
    found = np.ones(len(panel.channels))
    for place, name in enumerate(panel.channels):
        spent = np.flatnonzero(panel.spend[:, place])
        if panel.exposure_units[place] == "spend":
            continue
        if len(spent):
            of_late = spent[spent > spent[-1] - PERIODS_PER_YEAR[panel.granularity]]
            found[place] = panel.exposure[of_late, place].sum() / panel.spend[of_late, place].sum()
        elif planned[:, place].any():
            raise CannotBePlanned(f"Nobody knows what spend on “{name}” buys: it never had any. Plan 0 for it.")
    return found


def carried_on(given: FloatArray, known: FloatArray, granularity: Granularity) -> FloatArray:
    """What is given for H periods, (H, K), its columns of NaN carried on from the N periods before, (N, K)."""
    year = PERIODS_PER_YEAR[granularity]
    places = len(known) - year + np.arange(len(given)) % year
    carried = np.where(places[:, None] >= 0, known[np.maximum(places, 0)], known.mean(axis=0))
    return np.where(np.isnan(given), carried, given)


@dataclass(frozen=True, eq=False)
class _Horizon:
    """The periods of a plan, and what may be said of them."""

    granularity: Granularity
    period_start: IntArray

    def table(
        self, kind: str, names: Sequence[str], given: ByName, *, low: float = -np.inf, high: float | IntArray = np.inf
    ) -> FloatArray:
        """What is given by name, (H, len(names)), NaN where it is not. Raises CannotBePlanned, also for other names."""
        for name in given:
            if name not in names:
                known = f"only {listed(quoted(list(names)))}" if names else "nor any other"
                raise CannotBePlanned(f"The model has no {kind} “{name}”, {known}. Leave it out, or run a new model.")
        found = np.full((len(self.period_start), len(names)), np.nan)
        for place, name in enumerate(names):
            if name in given:
                found[:, place] = self.checked(f"The {kind} “{name}”", given[name], low=low, high=high)
        return found

    def checked(
        self, what: str, values: Sequence[float] | FloatArray, *, low: float = -np.inf, high: float | IntArray = np.inf
    ) -> FloatArray:
        """One finite number for each period, between `low` and `high`, or CannotBePlanned."""
        numbers, periods = np.asarray(values, np.float64), len(self.period_start)
        if numbers.shape != (periods,):
            raise CannotBePlanned(
                f"{what} must have {periods} numbers, one for each {self.granularity} of the plan, but it has "
                f"{numbers.size}."
            )
        highest = np.broadcast_to(np.asarray(high, np.float64), (periods,))
        wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= low) & (numbers <= highest)))
        if len(wrong):
            first = wrong[0]
            least = "" if np.isinf(low) else f" of {low:g} or more"
            most = "" if np.isinf(highest[first]) else f" and at most {highest[first]:g}"
            raise CannotBePlanned(
                f"{what} is {numbers[first]:g} in the {self.granularity} from {date_of(self.period_start[first])}. "
                f"Give a number{least}{most}."
            )
        return numbers

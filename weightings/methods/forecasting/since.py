"""How a model has predicted the periods that have come since: with what was really spent in them, and what was on.

The model is continued from its own data, as it saw them, over the periods that later data have behind those. What acts
in them is what the later data say: exposure, organic media, controls, events and holidays. What the later data no
longer have is carried on, and what they have that is new does nothing, as the model knows no effect of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from marketing.frames import MediaPanel
from marketing.health.checks.findings import listed, quoted
from weightings.methods import scores
from weightings.methods.forecasting.backtest import as_a_year_before
from weightings.methods.forecasting.forecast import forecast
from weightings.methods.forecasting.forecast_plan import (
    MOST_PERIODS,
    PlanAhead,
    carried_on,
    exposure_per_spend,
    periods_after,
)
from weightings.methods.geo.posterior import GeoPosterior
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.posterior import Posterior
from weightings.methods.summaries import bounds

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
Verdict: TypeAlias = Literal["good", "review", "fail"]

LEVEL = 0.9  # of the intervals
SELDOM = 0.025  # as seldom would as few lie inside, or the total lie as far off, were the predictions right


@dataclass(frozen=True, eq=False, kw_only=True)
class Since:
    """H periods that have come since, in the outcome's unit; (H,) each, NaN in `observed` where it is not known.

    `low`, `mean`, `high`: of the predictions, with their interval at `level`. `known`: how many outcomes there are,
    `inside`: how many of them in their interval. `wmape` and `bias` (predicted more than came: positive) as shares of
    what came, None of nothing; `naive_wmape` and `naive_crps` are those of saying the same as a year before. `total`:
    low, mean and high of all known periods together (their mean for an outcome with bounds), and `total_observed`.
    `as_far_off`: the probability that the total lies as far to the side of the prediction, to either one. `new`:
    channels of which the model knows nothing.
    """

    level: float
    period_start: IntArray
    observed: FloatArray
    low: FloatArray
    mean: FloatArray
    high: FloatArray
    known: int
    inside: int
    wmape: float | None
    naive_wmape: float | None
    bias: float | None
    crps: float
    naive_crps: float
    total: tuple[float, float, float]
    total_observed: float
    as_far_off: float
    new: tuple[str, ...]

    @property
    def skill(self) -> float | None:
        """By how much the CRPS is less than that of a year before, as a share of it; None where that hits all."""
        return 1 - self.crps / self.naive_crps if self.naive_crps > 0 else None

    @property
    def verdict(self) -> Verdict:
        """`fail`: fewer outcomes are inside, or their total is further off, than chance explains. `review`: as good as
        to say a year before's at best."""
        few = float(stats.binom.cdf(self.inside, self.known, self.level))
        if few < SELDOM or self.as_far_off < SELDOM:
            return "fail"
        return "review" if self.skill is not None and self.skill < 0 else "good"


def since(
    earlier: MediaPanel,
    posterior: Posterior,
    later: MediaPanel,
    *,
    names: Mapping[str, str],
    knots: int | None,
    level: float = LEVEL,
) -> Since:
    """Hold the predictions of a model, fitted to the earlier panel, against what the later panel has behind it.

    `names`: what media of the earlier panel are called in the later one. `knots`: as the fit was given. Raises
    CannotBePlanned where nothing has come, or the model cannot be continued, and ValueError where the posterior is not
    of this panel and these knots.
    """
    if isinstance(posterior, GeoPosterior):
        raise CannotBePlanned(
            "A model of geos side by side cannot be continued, so nobody knows how the previous one would have "
            "predicted what has come since."
        )
    ahead = what_came(earlier, later, names)
    periods = len(ahead.period_start)
    observed = later.outcome[_places(earlier, later)]
    known = np.flatnonzero(np.isfinite(observed))
    if not len(known):
        raise CannotBePlanned(f"No “{later.outcome_name}” is known of what has come since.")
    predicted = forecast(earlier, posterior, ahead, knots=knots).predicted
    low, _median, high = np.quantile(predicted, bounds(level), axis=0)
    came, naive = observed[known], as_a_year_before(earlier, len(earlier), periods)[known]
    size = float(np.abs(came).sum())
    mean = predicted.mean(axis=0)
    add_up = np.mean if earlier.bounds is not None else np.sum
    total, total_came = add_up(predicted[:, known], axis=1), float(add_up(came))
    total_low, _median, total_high = np.quantile(total, bounds(level))
    return Since(
        level=level,
        period_start=ahead.period_start,
        observed=observed,
        low=low,
        mean=mean,
        high=high,
        known=len(known),
        inside=int(((low <= observed) & (observed <= high))[known].sum()),
        wmape=scores.wmape(came, mean[known]) if size else None,
        naive_wmape=scores.wmape(came, naive) if size else None,
        bias=float((mean[known] - came).sum()) / size if size else None,
        crps=float(scores.crps(predicted[:, known], came).mean()),
        naive_crps=float(np.abs(came - naive).mean()),
        total=(float(total_low), float(total.mean()), float(total_high)),
        total_observed=total_came,
        as_far_off=float(min(2 * min((total <= total_came).mean(), (total >= total_came).mean()), 1.0)),
        new=tuple(name for name in later.channels if name not in {names[old] for old in earlier.channels}),
    )


def what_came(earlier: MediaPanel, later: MediaPanel, names: Mapping[str, str]) -> PlanAhead:
    """What the later panel has behind the earlier one's last period, by the names of that one: as a plan laid out.

    Raises CannotBePlanned where there is nothing, or the two do not go together.
    """
    places = _places(earlier, later)
    rows = later.history + places
    channels = [names[name] for name in earlier.channels]
    merged = sorted({name for name in channels if channels.count(name) > 1})
    if merged:
        raise CannotBePlanned(
            f"What the previous model knows as several channels is {listed(quoted(merged))} now, so it cannot be "
            "continued."
        )
    spend = np.nan_to_num(_by_name(channels, later.channels, later.spend[rows]))
    exposure = _by_name(channels, later.channels, later.exposure[rows])
    units = dict(zip(later.channels, later.exposure_units, strict=True))
    alike = [units.get(name) == unit for name, unit in zip(channels, earlier.exposure_units, strict=True)]
    # Where what the model measures is no longer counted, it is what the spend would have bought of it.
    bought = np.where(alike, 0.0, spend)
    exposure = np.where(alike, exposure, bought * exposure_per_spend(earlier, bought))
    organic_units = dict(zip(later.organic, later.organic_units, strict=True))
    organic = _by_name([names[name] for name in earlier.organic], later.organic, later.organic_exposure[rows])
    for place, name in enumerate(earlier.organic):
        if organic_units.get(names[name]) != earlier.organic_units[place]:
            organic[:, place] = np.nan
    control = _by_name(earlier.controls, later.controls, later.control[places])
    gone = (*(set(earlier.organic) - set(later.organic)), *(set(earlier.controls) - set(later.controls)))
    return PlanAhead(
        period_start=later.period_start[rows],
        spend=spend,
        exposure=np.hstack([exposure, carried_on(organic, earlier.organic_exposure, earlier.granularity)]),
        control=carried_on(control, earlier.control, earlier.granularity),
        event=np.nan_to_num(_by_name(earlier.events, later.events, later.event[places])),
        holiday=np.nan_to_num(_by_name(earlier.holidays, later.holidays, later.holiday[places])),
        carried=tuple(sorted(gone)),
        unknown_holidays=tuple(name for name in later.holidays if name not in earlier.holidays),
    )


def _places(earlier: MediaPanel, later: MediaPanel) -> IntArray:
    """The later panel's periods of the outcome that follow the earlier one's last, as many as a plan may have."""
    starts = later.period_start[later.history :]
    behind = np.flatnonzero(starts > earlier.period_start[-1])[: MOST_PERIODS[earlier.granularity]]
    if not len(behind):
        raise CannotBePlanned(f"No whole {earlier.granularity} has come since that the previous model did not know.")
    following = periods_after(earlier, len(behind))
    if later.granularity != earlier.granularity or not np.array_equal(starts[behind], following):
        raise CannotBePlanned("The periods that have come since do not follow those of the previous model.")
    return behind


def _by_name(wanted: Sequence[str], names: Sequence[str], values: FloatArray) -> FloatArray:
    """The columns of values (H, K) by name, (H, len(wanted)); NaN for a name that is not among them."""
    found = np.full((len(values), len(wanted)), np.nan)
    for place, name in enumerate(wanted):
        if name in names:
            found[:, place] = values[:, names.index(name)]
    return found

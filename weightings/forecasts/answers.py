"""A forecast as JSON of full-precision numbers."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import MediaPanel
from weightings.methods.forecasting.forecast import Forecast
from weightings.methods.forecasting.forecast_plan import PERIODS_PER_YEAR
from weightings.methods.summaries import bounds, rounded, summary

FloatArray: TypeAlias = npt.NDArray[np.float64]

MONEY_DIGITS = 6  # as the database keeps it: sums of floats have more
SHORTEST_TAIL_YEARS, LONGEST_TAIL_YEARS = 0.5, 2


def forecast_json(panel: MediaPanel, found: Forecast, level: float) -> dict[str, Any]:
    """What is expected in each period and in all of them together. `level`: of intervals, as a share.

    Means over all draws add up: baseline and channels to what is expected, in every period and in all. `predicted` is
    the outcome as it would be observed, with its noise.
    """
    return {
        "series": _series(found, level),
        "channels": [_channel(panel, found, place, level) for place in range(len(found.model.media))],
        "baseline": _total(found, found.baseline, level),
        "expected": _total(found, found.expected, level),
        "predicted": _total(found, found.predicted, level),
        "paid_media": _together(panel, found, level),
        "reconciliation": _reconciliation(found),
        "history": _history(panel, len(found.plan.period_start)),
        "year_before": _year_before(panel, found, level),
    }


def _series(found: Forecast, level: float) -> dict[str, Any]:
    """By period."""
    paid = found.plan.spend.shape[1]
    return {
        "period_start": found.plan.period_start.tolist(),
        "expected": _by_period(found.expected, level),
        "predicted": _by_period(found.predicted, level),
        "baseline": found.baseline.mean(axis=0).tolist(),
        "channels": [
            {
                "channel": name,
                "spend": found.plan.spend[:, place].round(MONEY_DIGITS).tolist() if place < paid else None,
                "exposure": found.plan.exposure[:, place].tolist(),
                **_by_period(found.contribution[:, place], level),
            }
            for place, name in enumerate(found.model.media)
        ],
    }


def _by_period(draws: FloatArray, level: float) -> dict[str, list[float]]:
    low, median, high = np.quantile(draws, bounds(level), axis=0)
    return {
        "median": median.tolist(),
        "mean": draws.mean(axis=0).tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
    }


def _total(found: Forecast, by_period: FloatArray, level: float) -> Mapping[str, float | None]:
    return summary(found.total(by_period), level)


def _channel(panel: MediaPanel, found: Forecast, place: int, level: float) -> dict[str, Any]:
    """As a weightings result has its channels, as far as there is such a thing in the future."""
    quantities, paid = found.quantities, place < len(panel.channels)
    money = panel.is_money and panel.bounds is None
    units = (*panel.exposure_units, *panel.organic_units)
    per_spend = {
        "roi": quantities.return_on_spend if money else None,
        "mroi": quantities.marginal_return if money else None,
        "incremental_per_spend": quantities.return_on_spend,
        "marginal_per_spend": quantities.marginal_return,
    }
    measures = {
        "contribution": quantities.contribution,
        "contribution_share": quantities.share,
        "incremental": quantities.incremental,
        "carry_over": quantities.carry_over,
    }
    reach = float(found.reach[place])
    return {
        "channel": found.model.media[place],
        "kind": "paid" if paid else "organic",
        "spend": round(float(quantities.spend[place]), MONEY_DIGITS) if paid else None,
        "exposure": float(quantities.exposure[place]),
        "exposure_unit": units[place],
        **{name: summary(values[:, place], level) for name, values in measures.items()},
        **{
            name: summary(values[:, place], level) if paid and values is not None else None
            for name, values in per_spend.items()
        },
        "reach": reach if np.isfinite(reach) else None,
        "extrapolated": found.model.media[place] in found.beyond,
    }


def _together(panel: MediaPanel, found: Forecast, level: float) -> dict[str, Any]:
    """What all of the plan's spend adds, against none at all in the horizon."""
    spend = float(found.plan.spend.sum())
    returned = summary(found.added / spend if spend > 0 else np.full_like(found.added, np.nan), level)
    return {
        "spend": round(spend, MONEY_DIGITS),
        "incremental": summary(found.added, level),
        "incremental_per_spend": returned,
        "roi": returned if panel.is_money and panel.bounds is None else None,
    }


def _reconciliation(found: Forecast) -> dict[str, Any]:
    """Whether baseline and contributions add up to what is expected, draw by draw and period by period."""
    difference = np.abs(found.baseline + found.contribution.sum(axis=1) - found.expected)
    largest = float(np.max(difference / np.maximum(np.abs(found.expected), np.finfo(float).tiny)))
    return {"ok": largest < 1e-9, "largest_relative_difference": largest}


def _history(panel: MediaPanel, periods: int) -> dict[str, Any]:
    """The last periods of the data, to be seen beside what follows: twice as many as that, within reason."""
    year = PERIODS_PER_YEAR[panel.granularity]
    shown = int(min(max(2 * periods, SHORTEST_TAIL_YEARS * year), LONGEST_TAIL_YEARS * year, len(panel)))
    return {
        "period_start": panel.period_start[-shown:].tolist(),
        "observed": rounded(panel.outcome[-shown:]),
    }


def _year_before(panel: MediaPanel, found: Forecast, level: float) -> dict[str, Any]:
    """The outcome of a year before each period, None where it is not known; and the forecast beside that.

    Only periods whose year before is known are compared: `predicted` is of these alone. `change` is of the sum, as a
    share of the year before; of an outcome with bounds, or without any outcome then, there is the `difference` alone.
    """
    year, periods = PERIODS_PER_YEAR[panel.granularity], len(found.plan.period_start)
    places = len(panel) - year + np.arange(periods) % year
    observed = np.where(places >= 0, panel.outcome[np.maximum(places, 0)], np.nan)
    known = np.isfinite(observed)
    compared: dict[str, Any] = {"observed": rounded(observed), "periods_known": int(known.sum())}
    if not known.any():
        return compared | {"total": None, "predicted": None, "change": None, "difference": None, "higher": None}
    before = float(found.total(observed[known]))
    predicted = found.total(found.predicted[:, known])
    adds_up = panel.bounds is None and before > 0
    return compared | {
        "total": before,
        "predicted": summary(predicted, level),
        "change": summary(predicted / before - 1, level) if adds_up else None,
        "difference": summary(predicted - before, level),
        "higher": float(np.mean(predicted > before)),
    }

"""How well periods are forecast, by how far ahead they lie: fits of rolling origin against what then came.

The folds know what was spent, and the controls, events and holidays, in the periods that they predict, as a plan does:
so this is how good forecasts are of which the plan comes true. What there is to beat is the outcome of a year before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import MediaPanel
from weightings.methods import scores
from weightings.methods.forecasting.forecast_plan import PERIODS_PER_YEAR
from weightings.methods.summaries import bounds, rounded

if TYPE_CHECKING:  # it brings JAX
    from weightings.methods.fitting import Fold

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Backtest:
    """Accuracy of 1, 2 ... H periods ahead, over all folds: (H,) each, NaN where no fold knows the outcome.

    `periods`: how many outcomes are known. `wmape`: of the mean of the predictions, as a fraction. `crps`: in the
    outcome's unit; `naive_crps` is the absolute error of saying the same as a year before, which is what its CRPS is.
    `naive_wmape`: of the same. `coverage`: the share of outcomes inside the intervals at `level`.
    """

    level: float
    periods: IntArray
    wmape: FloatArray
    crps: FloatArray
    coverage: FloatArray
    naive_wmape: FloatArray
    naive_crps: FloatArray

    @property
    def skill(self) -> FloatArray:
        """By how much the CRPS is less than that of the year before, as a share of it: 0 is no better, 1 is perfect."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(1 - self.crps / self.naive_crps)


def backtest(panel: MediaPanel, folds: Sequence["Fold"], *, level: float = 0.9) -> Backtest:
    """The accuracy of folds of rolling origin, by steps ahead. `panel`: that was fitted; `level`: of the intervals.

    Raises ValueError without a fold, or if `level` does not lie between 0 and 1.
    """
    if not folds:
        raise ValueError("There are no periods that were held back: fit with at least one fold of rolling origin.")
    if not 0 < level < 1:
        raise ValueError(f"An interval's level must lie between 0 and 1, but it is {level}.")
    steps = max(fold.horizon for fold in folds)
    by_fold = np.stack([_of_fold(panel, fold, level, steps) for fold in folds])
    size, error, naive_error, crps, inside = np.nansum(by_fold, axis=0)
    periods = np.isfinite(by_fold[:, 0]).sum(axis=0)
    return Backtest(
        level=level,
        periods=periods,
        wmape=_per(error, size),
        crps=_per(crps, periods),
        coverage=_per(inside, periods),
        naive_wmape=_per(naive_error, size),
        naive_crps=_per(naive_error, periods),
    )


def held_back_json(panel: MediaPanel, folds: Sequence["Fold"], *, level: float) -> dict[str, Any] | None:
    """How well periods were predicted that a fit had not seen: by fold, in all, and by steps ahead, as JSON.

    None where no outcome that was held back is known. `level`: of the intervals, as a share.
    """
    tried = [(fold, np.isfinite(fold.observed)) for fold in folds if np.isfinite(fold.observed).any()]
    if not tried:
        return None
    observed = np.concatenate([fold.observed[known] for fold, known in tried])
    predicted = np.concatenate([fold.predicted[:, known] for fold, known in tried], axis=1)
    naive = np.concatenate([as_a_year_before(panel, fold.origin, fold.horizon)[known] for fold, known in tried])
    return {
        "folds": [
            {
                "origin": fold.origin,
                "periods": fold.horizon,
                "converged": fold.converged,
                "wmape": _or_none(scores.wmape(fold.observed[known], fold.predicted[:, known].mean(axis=0))),
                "crps": float(scores.crps(fold.predicted[:, known], fold.observed[known]).mean()),
                "coverage": scores.interval_coverage(fold.predicted[:, known], fold.observed[known], level),
            }
            for fold, known in tried
        ],
        "periods": len(observed),
        "level": 100 * level,
        "coverage": scores.interval_coverage(predicted, observed, level),
        "crps": float(scores.crps(predicted, observed).mean()),
        "wmape": _or_none(scores.wmape(observed, predicted.mean(axis=0))),
        "naive_wmape": _or_none(scores.wmape(observed, naive)),
        "by_steps": _by_steps(backtest(panel, folds, level=level)),
    }


def _by_steps(found: Backtest) -> list[dict[str, float | int | None]]:
    """Accuracy by steps ahead; None for what is not known, or is a share of nothing."""
    measures = ("wmape", "naive_wmape", "crps", "naive_crps", "coverage", "skill")
    columns = {name: rounded(getattr(found, name)) for name in measures}
    return [
        {"ahead": place + 1, "periods": int(count), **{name: columns[name][place] for name in measures}}
        for place, count in enumerate(found.periods)
    ]


def _or_none(value: float) -> float | None:
    """For JSON, which has no NaN: an error as a share of nothing."""
    return value if np.isfinite(value) else None


def _of_fold(panel: MediaPanel, fold: "Fold", level: float, steps: int) -> FloatArray:
    """By step ahead, (5, steps), NaN where the outcome is not known: its size, the errors of the mean prediction and of
    the year before, the CRPS, and whether it lies in the interval."""
    found = np.full((5, steps), np.nan)
    known = np.flatnonzero(np.isfinite(fold.observed))
    if len(known):
        observed, predicted = fold.observed[known], fold.predicted[:, known]
        naive = as_a_year_before(panel, fold.origin, fold.horizon)[known]
        low, _median, high = np.quantile(predicted, bounds(level), axis=0)
        found[0, known] = np.abs(observed)
        found[1, known] = np.abs(observed - predicted.mean(axis=0))
        found[2, known] = np.abs(observed - naive)
        found[3, known] = scores.crps(predicted, observed)
        found[4, known] = (low <= observed) & (observed <= high)
    return found


def _per(total: FloatArray, count: npt.NDArray[Any]) -> FloatArray:
    """NaN per nothing."""
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))


def as_a_year_before(panel: MediaPanel, origin: int, horizon: int) -> FloatArray:
    """The outcome a year before each of `horizon` periods from `origin` on, (horizon,): nothing from there on is used.

    The last known value where the data do not reach a year back, or do not know it. Of periods further ahead than a
    year it is the last year that is known, once more. Raises ValueError if no outcome is known before.
    """
    before = panel.outcome[:origin]
    known = before[np.isfinite(before)]
    if not len(known):
        raise ValueError(f"No outcome is known before period {origin}.")
    year = PERIODS_PER_YEAR[panel.granularity]
    places = origin - year + np.arange(horizon) % year
    naive = np.where(places >= 0, panel.outcome[np.maximum(places, 0)], np.nan)
    return np.where(np.isfinite(naive), naive, known[-1])

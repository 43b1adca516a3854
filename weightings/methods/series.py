"""A fitted model by period: what was expected, what it is made of, and how well it fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import GeoPanel, MediaPanel
from weightings.methods import scores
from weightings.methods.baseline import Baseline
from weightings.methods.experiments.lifts import Reading
from weightings.methods.fitting import NOISE_STREAM, Fit, Fold, GeoFit, predictive, stream
from weightings.methods.posterior import Fitted, Posterior, blocks_of
from weightings.methods.priors import EffectPrior
from weightings.methods.quantities import Window, contributions
from weightings.methods.sampling import Draws
from weightings.methods.summaries import bounds, rounded, spread_over

FloatArray: TypeAlias = npt.NDArray[np.float64]

MOST_SERIES_DRAWS, FEWEST_SERIES_DRAWS, MOST_SERIES_NUMBERS = 1000, 200, 8_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitting:
    """All that there is to say about one fit. `names` of the parameters that were sampled; `window`: what is reported.

    `level` of the intervals, as a share. `folds`: of rolling origin. For the models of this package also `priors`, one
    for each medium, `prior`, what the model took for possible beforehand, and `baseline`; None for another family.
    `readings`: how experiments enter it; `before`: where any does, a fit that knows of none, None if there is no such.
    `geos`: the panels of a model of several geos, of which `panel` is all together.
    """

    panel: MediaPanel
    fitted: Fitted
    draws: Draws
    names: Sequence[str]
    window: Window
    level: float
    seed: int
    folds: Sequence[Fold] = ()
    priors: Sequence[EffectPrior] | None = None
    prior: Posterior | None = None
    baseline: Baseline | None = None
    money_doubted: bool = False
    readings: Sequence[Reading] = ()
    before: Fit | GeoFit | None = None
    geos: GeoPanel | None = None


@dataclass(frozen=True, eq=False)
class Series:
    """By period, on the outcome's scale: means over all draws, which add up, and intervals from some of them.

    `expected`, `baseline`: (T,) means. `media`: (P, T) means. `ends`: of the expected outcome, (2, T).
    `predicted`: of the outcome with its noise, (2, T). `media_ends`: (2, P, T). `parts`: means of the baseline's kinds.
    """

    expected: FloatArray
    baseline: FloatArray
    media: FloatArray
    ends: FloatArray
    predicted: FloatArray
    media_ends: FloatArray
    parts: Mapping[str, FloatArray]

    @classmethod
    def of(cls, fitting: Fitting) -> "Series":
        fitted, (low, _middle, high) = fitting.fitted, bounds(fitting.level)
        draws, media, periods = len(fitted.sigma), len(fitted.media), fitted.amounts.shape[-1] - fitted.lead
        expected, baseline, added = np.zeros(periods), np.zeros(periods), np.zeros((media, periods))
        for block in blocks_of(draws, 4 * fitted.amounts.size):
            of_block = contributions(fitted, block)
            expected += of_block[0].sum(axis=0)
            baseline += of_block[1].sum(axis=0)
            added += of_block[2].sum(axis=0)
        most = max(MOST_SERIES_NUMBERS // (media * periods), FEWEST_SERIES_DRAWS)
        some = fitted.take(spread_over(draws, min(most, MOST_SERIES_DRAWS)))
        some_expected, _baseline, some_media = contributions(some, slice(0, len(some.sigma)))
        noisy = predictive(some, stream(fitting.seed, NOISE_STREAM))
        return cls(
            expected=expected / draws,
            baseline=baseline / draws,
            media=added / draws,
            ends=np.quantile(some_expected, (low, high), axis=0),
            predicted=np.quantile(noisy, (low, high), axis=0),
            media_ends=np.quantile(some_media, (low, high), axis=0),
            parts=_parts(fitting),
        )

    def accuracy(self, fitting: Fitting) -> dict[str, float | None]:
        """Of the fit, over the periods whose outcome is known."""
        known = np.isfinite(fitting.panel.outcome)
        observed, expected = fitting.panel.outcome[known], self.expected[known]
        inside = (self.predicted[0, known] <= observed) & (observed <= self.predicted[1, known])
        r2, wmape, mae, rmse, coverage = rounded(
            np.array(
                [
                    scores.r_squared(observed, expected),
                    scores.wmape(observed, expected),
                    np.abs(observed - expected).mean(),
                    np.sqrt(((observed - expected) ** 2).mean()),
                    inside.mean(),
                ]
            )
        )
        return {"r2": r2, "wmape": wmape, "mae": mae, "rmse": rmse, "coverage": coverage}

    def as_json(self, fitting: Fitting) -> dict[str, Any]:
        panel = fitting.panel
        return {
            "period_start": panel.period_start[panel.history :].tolist(),
            "observed": rounded(panel.outcome),
            "expected": {"mean": self.expected.tolist(), "low": self.ends[0].tolist(), "high": self.ends[1].tolist()},
            "predicted": {"low": self.predicted[0].tolist(), "high": self.predicted[1].tolist()},
            "baseline": self.baseline.tolist(),
            "baseline_parts": {name: values.tolist() for name, values in self.parts.items()},
            "channels": [
                {
                    "channel": name,
                    "mean": self.media[place].tolist(),
                    "low": self.media_ends[0, place].tolist(),
                    "high": self.media_ends[1, place].tolist(),
                }
                for place, name in enumerate(fitting.fitted.media)
            ],
        }


def _parts(fitting: Fitting) -> dict[str, FloatArray]:
    """The mean baseline by what it is made of; nothing where it does not add up: for an outcome with bounds."""
    fitted = fitting.fitted
    if not isinstance(fitted, Posterior) or fitting.baseline is None or fitting.panel.bounds is not None:
        return {}
    mean = fitted.coefficients.mean(axis=0) * fitted.scale.unit
    groups = np.array(fitting.baseline.groups)
    return {
        str(group): fitted.columns[:, groups == group] @ mean[groups == group]
        for group in dict.fromkeys(groups.tolist())
    }

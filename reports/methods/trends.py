"""Trends of daily figures: a straight line beneath the days of the week, with an interval that allows for days in a row
being alike.

Sources: Newey & West 1987 (Econometrica 55(3)), the covariance; Newey & West 1994 (Review of Economic Studies 61(4)),
the number of lags, 4 (T/100)^(2/9).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Float64s = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

FEWEST_DAYS = 14
FEWEST_DAYS_FOR_WEEKDAYS = 28


@dataclass(frozen=True, slots=True)
class Trend:
    """How much a straight line through the days rises from the first to the last.

    `change`, `low`, `high`: in the unit of the values. `relative`...: as shares of the mean level, which unlike the
    first day's level is never near zero by chance.
    """

    change: float
    low: float
    high: float
    relative: float
    relative_low: float
    relative_high: float

    @property
    def direction(self) -> str:
        """ "up" or "down" where the whole interval lies on one side of zero, else "flat"."""
        if self.low > 0:
            return "up"
        return "down" if self.high < 0 else "flat"


def trend(*, values: Float64s, confidence: float, weekday: Int64s | None = None) -> Trend | None:
    """Return the trend of daily values; None for fewer than 14 days with a value, a mean of zero, or no variation.

    `values`: (T,) float64 in a row, NaN where a day has none. `weekday`: (T,) int, taken out as effects of their own
    from 28 days on. `confidence`: 0 to 1.

    Ordinary least squares of y on an intercept, weekday effects and time t scaled to run from 0 to 1, so that its
    coefficient b is the change; the variance of b by Newey & West (Bartlett weights) times T / (T - k), and the
    interval b ± q s, q being Student's t quantile with T - k degrees of freedom. In simulations (90 days of AR(1) noise
    with correlation 0.5) the 95% interval covered the truth in about 90% of cases: mildly too narrow, as this estimator
    is known to be.
    """
    known = ~np.isnan(values)
    if known.sum() < FEWEST_DAYS:
        return None
    mean = float(values[known].mean())
    fitted = _slope(values, known, weekday)
    if mean == 0 or fitted is None:
        return None
    slope, error, degrees = fitted
    return _trend(slope, error * _t_quantile(0.5 + confidence / 2, degrees), mean)


def ratio_trend(
    *, numerator: Float64s, denominator: Float64s, confidence: float, weekday: Int64s | None = None
) -> Trend | None:
    """Return the trend of a ratio of daily sums, such as ROAS; None as `trend` does, or for a denominator of zero.

    With R = sum n / sum d, the linearised residual u_t = (n_t - R d_t) / mean(d) has the trend of the ratio to first
    order (the delta method of the ratio estimator, Cochran 1977, ch. 6), and days with little spend weigh little
    instead of dividing by it. The level is R.
    """
    known = ~(np.isnan(numerator) | np.isnan(denominator))
    if known.sum() < FEWEST_DAYS or denominator[known].sum() <= 0:
        return None
    ratio = float(numerator[known].sum() / denominator[known].sum())
    linearised = (numerator - ratio * denominator) / denominator[known].mean()
    fitted = _slope(linearised, known, weekday)
    if ratio == 0 or fitted is None:
        return None
    slope, error, degrees = fitted
    return _trend(slope, error * _t_quantile(0.5 + confidence / 2, degrees), ratio)


def _trend(change: float, margin: float, level: float) -> Trend:
    low, high = change - margin, change + margin
    relative = sorted((low / level, high / level))
    return Trend(change, low, high, change / level, relative[0], relative[1])


def _slope(values: Float64s, known: npt.NDArray[np.bool_], weekday: Int64s | None) -> tuple[float, float, int] | None:
    """The coefficient of time scaled to 0..1, its standard error, and degrees of freedom; None without variation."""
    time = np.linspace(0.0, 1.0, len(values))
    columns = [np.ones(len(values)), time]
    if weekday is not None and known.sum() >= FEWEST_DAYS_FOR_WEEKDAYS:
        columns += [(weekday == day).astype(np.float64) for day in np.unique(weekday[known])[1:]]
    design = np.column_stack(columns)[known]
    outcome = values[known]
    spread = float(np.ptp(outcome))
    if spread <= 1e-12 * float(np.abs(outcome).max()):
        return None
    coefficients, _, rank, _ = np.linalg.lstsq(design, outcome, rcond=None)
    degrees = len(outcome) - int(rank)
    if rank < design.shape[1] or degrees < 1:
        return None
    residuals = outcome - design @ coefficients
    inverse = np.linalg.inv(design.T @ design)
    covariance = inverse @ _long_run(design * residuals[:, None]) @ inverse * len(outcome) / degrees
    return float(coefficients[1]), math.sqrt(max(float(covariance[1, 1]), 0.0)), degrees


def _long_run(scores: Float64s) -> Float64s:
    """Newey & West's sum of products of (T, k) scores with those of days up to L before, weighted 1 - l / (L + 1)."""
    lags = int(4 * (len(scores) / 100) ** (2 / 9))
    total: Float64s = scores.T @ scores
    for lag in range(1, lags + 1):
        products = scores[lag:].T @ scores[:-lag]
        total = total + (1 - lag / (lags + 1)) * (products + products.T)
    return total


def _t_quantile(probability: float, degrees: int) -> float:
    """Student's t quantile by the Cornish-Fisher expansion (Abramowitz & Stegun 26.7.5).

    Right to four digits from 7 degrees of freedom on; there are at least 12 here.
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / degrees**power for power, term in enumerate(terms, start=1))

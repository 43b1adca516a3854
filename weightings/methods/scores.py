"""How well predictions fit, how much the data moved a prior, and how alike the columns of a table are."""

import numpy as np

from marketing.frames import Float64Column, Float64Table

# Beyond this a variance inflation factor is rounding error: the column is a combination of the others.
LARGEST_VIF = 1e12


def crps(draws: Float64Table, values: Float64Column) -> Float64Column:
    """Continuous ranked probability score of predictive draws: E|X - y| - E|X - X'| / 2, both over the draws given.

    `draws`: (D, T) float64. `values`: (T,) float64. Returns (T,) float64 >= 0, in units of the values: the absolute
    error for a single draw, 0 for draws that all hit. O(T D log D).

    Source: Gneiting, Raftery 2007 (Journal of the American Statistical Association 102).
    Raises ValueError if the shapes do not fit or there are no draws.
    """
    _require_draws(draws, values)
    count = len(draws)
    error = np.abs(draws - values).mean(axis=0)
    gaps = np.diff(np.sort(draws, axis=0), axis=0)
    # The gap between the i-th draw and the next lies within i (D - i) of the D^2 / 2 pairs.
    below = np.arange(1, count)
    spread = (below * (count - below)) @ gaps / count**2
    # The two cancel where draws are alike; a score below 0 would be rounding.
    return np.asarray(np.maximum(error - spread, 0.0))


def interval_coverage(draws: Float64Table, values: Float64Column, level: float) -> float:
    """The share of values inside the central interval of their draws, ends included.

    `draws`: (D, T) float64. `values`: (T,) float64. `level`: of the interval, in (0, 1); calibrated draws cover about
    this share. Raises ValueError if the shapes do not fit, there are no draws, or `level` is no level.
    """
    _require_draws(draws, values)
    if not 0 < level < 1:
        raise ValueError(f"An interval's level must lie between 0 and 1, but it is {level}.")
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return float(((low <= values) & (values <= high)).mean())


def r_squared(values: Float64Column, predictions: Float64Column) -> float:
    """1 - sum (y - f)^2 / sum (y - mean y)^2: 1 for a perfect fit, 0 for that of the mean, negative for worse.

    `values`, `predictions`: (T,) float64. NaN if all values are equal.
    """
    total = ((values - values.mean()) ** 2).sum()
    residual = ((values - predictions) ** 2).sum()
    return float(1 - residual / total) if np.ptp(values) else np.nan


def wmape(values: Float64Column, predictions: Float64Column) -> float:
    """Weighted mean absolute percentage error, sum |y - f| / sum |y|, as a fraction.

    `values`, `predictions`: (T,) float64. NaN if all values are 0.
    """
    total = np.abs(values).sum()
    return float(np.abs(values - predictions).sum() / total) if total else np.nan


def lag_one_correlation(residual: Float64Column) -> float:
    """How much of a residual the next one repeats: sum_t e_t e_(t+1) / sum_t e_t^2, over neighbours that are known.

    `residual`: (T,) float64, one for each period in time order, NaN where the outcome is not known. Returns a number in
    [-1, 1], about 0 +- 1 / sqrt(T) where residuals come one by one; NaN where none differs from 0 or none has a
    neighbour.
    """
    known = np.isfinite(residual)
    both = known[1:] & known[:-1]
    total = float((residual[known] ** 2).sum())
    if not both.any() or not total > 0:
        return np.nan
    return float((residual[1:] * residual[:-1])[both].sum() / total)


def ks_distance(first: Float64Column, second: Float64Column) -> float:
    """Kolmogorov-Smirnov distance of two samples: the largest difference of their empirical distribution functions.

    `first`, `second`: (M,) and (N,) float64, such as a parameter's prior and posterior draws. Returns a number in
    [0, 1], 0 where the data taught nothing. Raises ValueError if a sample is empty.
    """
    if not len(first) or not len(second):
        raise ValueError("Two samples are needed, and one is empty.")
    first, second = np.sort(first), np.sort(second)
    points = np.concatenate([first, second])
    shares = [np.searchsorted(sample, points, side="right") / len(sample) for sample in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())


def variance_inflation_factors(columns: Float64Table) -> Float64Column:
    """1 / (1 - R^2) of each column regressed on an intercept and all others.

    `columns`: (T, C) float64. Returns (C,) float64: 1 for a column that has nothing in common with the others, infinite
    for one that is a combination of them. As in LightweightMMM 0.1.9, a constant column has 0, one of zeros only has
    NaN, and neither counts among the others.
    """
    factors = np.where(np.ptp(columns, axis=0) == 0, np.where(columns[0] == 0, np.nan, 0.0), 1.0)
    varying = np.flatnonzero(factors == 1)
    centred = columns[:, varying] - columns[:, varying].mean(axis=0)
    # On one scale, what counts as rounding does not depend on a column's currency.
    centred /= np.linalg.norm(centred, axis=0)
    for position, column in enumerate(varying):
        target, others = centred[:, position], np.delete(centred, position, axis=1)
        residual = target - others @ np.linalg.lstsq(others, target)[0]
        unexplained = float(residual @ residual)
        factors[column] = 1 / unexplained if unexplained > 1 / LARGEST_VIF else np.inf
    return factors


def correlations(columns: Float64Table) -> Float64Table:
    """Pearson's correlation of each pair of columns.

    `columns`: (T, C) float64. Returns (C, C) float64 in [-1, 1], symmetric; NaN where one of the two is constant.
    """
    centred = columns - columns.mean(axis=0)
    varies = np.ptp(columns, axis=0) > 0
    norms = np.where(varies, np.linalg.norm(centred, axis=0), np.nan)
    scaled = centred / norms
    return np.asarray(np.clip(scaled.T @ scaled, -1.0, 1.0))


def _require_draws(draws: Float64Table, values: Float64Column) -> None:
    if draws.ndim != 2 or not len(draws) or draws.shape[1:] != values.shape:
        raise ValueError(f"Draws of shape {draws.shape} do not fit values of shape {values.shape}.")

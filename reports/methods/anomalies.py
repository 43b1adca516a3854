"""Whether a day's value is unlike the days before it: amounts, counts or ratios, judged day by day.

Each day is forecast from the eight weeks before it, by medians, and held against how far such forecasts have been off
in the half year before. Only earlier days count, so that what comes later never changes a verdict. NumPy alone.

Square roots are taken first: they make the noise of counts, and of revenue that few orders make up, about equally
large at every level, have no trouble with zero, and change nothing when money is written in another unit. Source:
Bartlett (1936), "The square root transformation in analysis of variance", Journal of the Royal Statistical Society
Supplement 3(1).

How far off is too far is read off the tail of the errors: peaks over a threshold, with an exponential tail. Sources:
Pickands (1975), "Statistical inference using extreme order statistics", Annals of Statistics 3(1); Siffer, Fouque,
Termier & Largouet (2017), "Anomaly detection in streams with extreme value theory", KDD. The tail's scale is taken
from quantiles, as Pickands did, not from a mean: an outage of last month must not hide the next one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]

WEEK = 7
WEEKS_BEFORE = 8
DAYS_BEFORE = WEEKS_BEFORE * WEEK  # that a forecast looks at
LEVEL_DAYS = 28
DAYS_OF_ERRORS = 182
DAYS_THAT_MATTER = DAYS_BEFORE + DAYS_OF_ERRORS  # before a day: what lies further back changes nothing about it
FEWEST_DAYS = 28  # with a value, of the eight weeks
FEWEST_OF_LEVEL = 7  # of the last four weeks
FEWEST_ERRORS = 28
FEWEST_OF_A_WEEKDAY = 4
WITH_SOMETHING = 0.5  # share of the days with a value that must not be zero
FALSE_ALARMS = 1 / 4000  # of the days, if errors have an exponential tail; fewer if it is lighter
PEAKS = 0.1  # share of the errors that is the tail
SPREADS = 3.66  # of a normal distribution one in 4,000 lies further out, to either side
MAD_TO_SD = 1.4826
SMALLEST_DIFFERENCE = 0.2  # of what was expected: less is nobody's concern, however regular the series


class Direction(StrEnum):
    """Where a value lies: within what was expected, above or below."""

    ABOVE = "above"
    BELOW = "below"
    WITHIN = "within"


class NoVerdict(StrEnum):
    """Why nothing can be said about a day."""

    NO_VALUE = "no_value"
    TOO_FEW_DAYS = "too_few_days"
    MOSTLY_ZERO = "mostly_zero"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A day's value beside what the days before let expect: the middle, and the ends of the band. All in its unit."""

    value: float
    expected: float
    low: float
    high: float

    @property
    def direction(self) -> Direction:
        if self.value > self.high:
            return Direction.ABOVE
        return Direction.BELOW if self.value < self.low else Direction.WITHIN


Judgement: TypeAlias = Verdict | NoVerdict


def judge(*, values: Float64Array, last: int) -> list[Judgement]:
    """Return the verdict on each of the last days, each from the days before it alone.

    `values`: (T,) float64, one for each day in order, in any unit, none negative, NaN = no value. `last`: how many days
    to judge, 1 to T. With x = sqrt(y) and the 56 days before day t:

        d_s = x_s - median(x_(s-3) ... x_(s+3))             s in those days, and no day beyond them
        w_k = median of d_s over the days s of weekday k    0 if fewer than four have a value
        f_t = median(x_s - w_weekday(s), last 28 days) + w_weekday(t)
        e_t = x_t - f_t

    From the quantiles q of |e_s| over the 182 days before:

        limit_t = max(q_90% + (q_95% - q_90%) / log 2 * log(0.1 / p), 3.66 * 1.4826 * q_50%)        p = 1 / 4000

    which p of the days exceed if the tail beyond q_90% is exponential, so that half of it lies within scale * log 2;
    or if errors are normal, should that be further out.
    The band is [f_t - limit_t, f_t + limit_t], squared back, and at least 20% of the expected value to either side.

    There is no verdict where 28 of the 56 days, 7 of the last 28 or 28 of the errors are not known, or where half of
    the days are zero: of what comes and goes, a day without, or with, is like the days before.

    Raises ValueError if `values` is not one-dimensional, or negative or infinite somewhere, or `last` out of its range.

    >>> week = [100.0, 102, 98, 101, 99, 140, 60]
    >>> (today,) = judge(values=np.array([*week * 12, 10.0]), last=1)
    >>> (today.expected, today.low, today.high, str(today.direction))
    (100.0, 80.0, 120.0, 'below')
    """
    if values.ndim != 1 or np.isinf(values).any() or (values < 0).any():
        raise ValueError("The values of a series must be one-dimensional, finite and not negative, or NaN for none.")
    if not 1 <= last <= len(values):
        raise ValueError(f"Of {len(values)} days the last {last} cannot be judged.")
    values = np.concatenate([np.full(DAYS_THAT_MATTER, np.nan), values.astype(np.float64)])[-DAYS_THAT_MATTER - last :]
    roots = np.sqrt(values)
    before = np.lib.stride_tricks.sliding_window_view(roots, DAYS_BEFORE)[:-1]  # of the days from DAYS_BEFORE on
    forecast = _forecasts(before)
    errors = roots[DAYS_BEFORE:] - forecast
    limits, known_errors = _limits(np.lib.stride_tricks.sliding_window_view(np.abs(errors), DAYS_OF_ERRORS)[:-1])
    judged: list[Judgement] = []
    for place in range(last):
        judgement = _reason(float(values[DAYS_THAT_MATTER + place]), before[DAYS_OF_ERRORS + place])
        if judgement is None and known_errors[place] < FEWEST_ERRORS:
            judgement = NoVerdict.TOO_FEW_DAYS
        judged.append(
            judgement
            or _verdict(
                float(values[DAYS_THAT_MATTER + place]),
                float(forecast[DAYS_OF_ERRORS + place]),
                float(limits[place]),
            )
        )
    return judged


def _reason(value: float, before: Float64Array) -> NoVerdict | None:
    known = before[~np.isnan(before)]
    if np.isnan(value):
        return NoVerdict.NO_VALUE
    if not _are_enough(before):
        return NoVerdict.TOO_FEW_DAYS
    if np.count_nonzero(known) < WITH_SOMETHING * len(known):
        return NoVerdict.MOSTLY_ZERO
    return None


def _are_enough(before: Float64Array) -> npt.NDArray[np.bool_]:
    """(...) whether of the (..., 56) days before a day enough are known to tell its weekday's usual, and the level."""
    known = ~np.isnan(before)
    of_level = known[..., -LEVEL_DAYS:].sum(axis=-1) >= FEWEST_OF_LEVEL
    enough: npt.NDArray[np.bool_] = of_level & (known.sum(axis=-1) >= FEWEST_DAYS)
    return enough


def _verdict(value: float, forecast: float, limit: float) -> Verdict:
    expected, low, high = (max(root, 0.0) ** 2 for root in (forecast, forecast - limit, forecast + limit))
    margin = SMALLEST_DIFFERENCE * expected
    return Verdict(value, expected, min(low, expected - margin), max(high, expected + margin))


def _forecasts(before: Float64Array) -> Float64Array:
    """(N,) the forecast root of the day after each row of (N, 56) roots; NaN where too few are known."""
    beside = np.pad(before, ((0, 0), (WEEK // 2, WEEK // 2)), constant_values=np.nan)
    weeks_around = np.lib.stride_tricks.sliding_window_view(beside, WEEK, axis=1)
    deviations = (before - _medians(weeks_around)).reshape(-1, WEEKS_BEFORE, WEEK).swapaxes(1, 2)
    enough = (~np.isnan(deviations)).sum(axis=2) >= FEWEST_OF_A_WEEKDAY
    weekdays = np.where(enough, _medians(deviations), 0.0)  # (N, 7); first that of the day to forecast
    level = _medians((before - np.tile(weekdays, WEEKS_BEFORE))[:, -LEVEL_DAYS:])
    return np.where(_are_enough(before), level + weekdays[:, 0], np.nan)


def _limits(errors: Float64Array) -> tuple[Float64Array, npt.NDArray[np.int64]]:
    """(N,) how far off a forecast may be, by (N, 182) sizes of earlier errors, and how many of these are known."""
    known = (~np.isnan(errors)).sum(axis=1)
    threshold = _quantiles(errors, 1 - PEAKS)
    scale = (_quantiles(errors, 1 - PEAKS / 2) - threshold) / np.log(2)
    of_tail = threshold + scale * np.log(PEAKS / FALSE_ALARMS)
    return np.maximum(of_tail, SPREADS * MAD_TO_SD * _medians(errors)), known


def _medians(rows: Float64Array) -> Float64Array:
    return _quantiles(rows, 0.5)


def _quantiles(rows: Float64Array, share: float) -> Float64Array:
    """The quantile of the known values along the last axis, NaN where none is; without NumPy's warning about that."""
    known = (~np.isnan(rows)).sum(axis=-1, keepdims=True)
    ordered = np.sort(rows, axis=-1)  # NaN comes last
    place = share * np.maximum(known - 1, 0)
    low = np.floor(place).astype(np.int64)
    high = np.ceil(place).astype(np.int64)
    below, above = (np.take_along_axis(ordered, end, axis=-1) for end in (low, high))
    found: Float64Array = (below + (above - below) * (place - low))[..., 0]
    return found

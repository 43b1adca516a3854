"""Intervals of figures from a bootstrap: bias-corrected, accelerated and expanded; never beyond what replicates can be.

For a figure with estimate x, replicates x* and left-out values x(k), the interval at level 1 - 2q is between the
quantiles of x* at

    Phi(z0 + (z0 + t) / (1 - a (z0 + t))),  t = -t_q and t_q,

where z0 = Phi^-1(share of replicates below x, of those equal half) corrects the median, and the acceleration
a = sum u^3 / (6 (sum u^2)^(3/2)), u = mean of x(k) - x(k), how the standard error changes with the figure. Each x(k)
leaves out one of K random groups of customers: the cumulants of a group's influence are those of its customers added
up, whatever the figure, so K evaluations do for any number of customers.

t_q is Student's quantile with 2 / (sum u^4 / (sum u^2)^2 - 3 / K) degrees of freedom, what the variance of a sum is
known to if its terms are independent (Satterthwaite 1946); 3 / K is what groups of many customers would show by
themselves. It matters where few customers, or some large orders, make up a figure, and is z_q elsewhere. Without it,
intervals of skewed revenue held the truth too seldom (benchmarks/coverage.py).

Sources: Efron 1987 (Better bootstrap confidence intervals, JASA 82); Efron, Tibshirani 1993, chapter 14; for expanding
by Student's quantile Hesterberg 2015 (What teachers should know about the bootstrap, The American Statistician 69).
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.float64]

CELLS_AT_ONCE = 1 << 21  # figures that are sorted at a time: 16 MB
ALIKE_WITHIN = 1e-12  # relative: what differs by no more is equal but for rounding
MOST_DEGREES = 1e6  # of freedom, by when Student's quantile is the normal one
SMALLEST_SLOPE = 0.1  # of the acceleration's denominator, which is 0.5 or more but for absurd replicates


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Figures of one shape: as estimated, with each of K groups of customers left out, and in each of R replicates.

    `lanes`: (1 + K + R, ...) float64, in this order. What is computed from lanes element by element is a sample again.
    `size`: of what figures were taken from each other, of their shape: they are no surer than these. 0 where they were
    not.
    Raises ValueError unless there are 2 replicates or more.
    """

    lanes: Numbers
    groups_left_out: int
    size: npt.ArrayLike = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.groups_left_out <= len(self.lanes) - 3:
            raise ValueError("A sample must hold an estimate, its groups left out, and 2 replicates or more.")

    @classmethod
    def of_draws(cls, *, estimate: npt.ArrayLike, draws: Numbers) -> "Sample":
        """An estimate (...) with draws (R, ...) of a posterior: nothing is left out, and intervals are equal-tailed."""
        return cls(np.concatenate([np.asarray(estimate, np.float64)[None], draws]), 0)

    @property
    def estimate(self) -> Numbers:
        return np.asarray(self.lanes[0])

    @property
    def left_out(self) -> Numbers:
        return self.lanes[1 : 1 + self.groups_left_out]

    @property
    def replicates(self) -> Numbers:
        return self.lanes[1 + self.groups_left_out :]


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """`low`, `high`: of the shape of the figures."""

    low: Numbers
    high: Numbers


def share_of(part: Sample, whole: Sample) -> Sample:
    """A part divided by a whole, lane by lane; 0 where the whole is 0. `whole` has leading axes of `part` only."""
    _require_alike(part, whole)
    missing = part.lanes.ndim - whole.lanes.ndim
    divisor = np.broadcast_to(whole.lanes.reshape(whole.lanes.shape + (1,) * missing), part.lanes.shape)
    lanes = np.divide(part.lanes, divisor, out=np.zeros_like(part.lanes), where=divisor != 0)
    return Sample(lanes, part.groups_left_out)


def difference(one: Sample, other: Sample) -> Sample:
    """`one` minus `other`, lane by lane: between models, or between runs with one seed, whose customers weigh the same.

    Raises ValueError if they have not the same replicates.
    """
    _require_alike(one, other)
    size = np.maximum(np.abs(one.estimate), np.abs(other.estimate))
    return Sample(one.lanes - other.lanes, one.groups_left_out, np.maximum(size, np.maximum(one.size, other.size)))


def _require_alike(one: Sample, other: Sample) -> None:
    if len(one.lanes) != len(other.lanes) or one.groups_left_out != other.groups_left_out:
        raise ValueError("Only samples with the same number of replicates can be set against each other.")


def interval(
    sample: Sample, level: float, *, at_least: float = -np.inf, at_most: float = np.inf, never_seen: npt.ArrayLike = 0.0
) -> Interval:
    """The BCa interval of each figure at this level, a share below 1; equal-tailed where nothing was left out.

    It holds the estimate, and lies between `at_least` and `at_most`. A figure that is 0 in the estimate and in every
    replicate may be up to `never_seen` (see `unseen_credit`). Raises ValueError for another level.

    Time O(R log R) for each figure; memory O(figures), and some 50 MB.
    """
    if not 0 < level < 1:
        raise ValueError(f"The level of an interval must lie between 0 and 1, but it is {level}.")
    shape = sample.estimate.shape
    lanes = sample.lanes.reshape(len(sample.lanes), -1)
    most_unseen = np.broadcast_to(np.asarray(never_seen, np.float64), shape).reshape(-1)
    size = np.broadcast_to(np.asarray(sample.size, np.float64), shape).reshape(-1)
    low, high = np.empty((2, lanes.shape[1]))
    chunk = max(1, CELLS_AT_ONCE // len(lanes))
    for first in range(0, lanes.shape[1], chunk):
        here = slice(first, first + chunk)
        some = Sample(lanes[:, here].astype(np.float64), sample.groups_left_out, size[here])
        low[here], high[here] = _bca(some, level)
        unseen = (some.estimate == 0) & ~some.replicates.any(axis=0)
        high[here][unseen] = most_unseen[here][unseen]
    low, high = np.clip(low, at_least, at_most), np.clip(high, at_least, at_most)
    return Interval(low.reshape(shape), high.reshape(shape))


def unseen_credit(*, total: float, customers: float, level: float) -> float:
    """What a group that was credited with nothing may be due at most, by the interval's level.

    If d customers had been expected to bring it credit, none would have with probability e^-d; d = -ln(q) makes that
    the q = (1 - level) / 2 of one tail (3.7 customers at 95%). Each counts as much as the average one of the
    `customers` who converted, who are worth `total` together. No bootstrap can say this: what no customer has, no
    resampling brings about.
    """
    return -float(np.log((1 - level) / 2)) * total / customers if customers else 0.0


def _bca(sample: Sample, level: float) -> tuple[Numbers, Numbers]:
    """Both ends for (lanes, figures)."""
    from scipy.special import ndtr, ndtri  # here, as pages that only name methods must not wait for SciPy

    estimate, ordered = sample.estimate, np.sort(sample.replicates, axis=0)
    bias, acceleration = np.zeros((2, len(estimate)))
    distance = np.full(len(estimate), ndtri((1 + level) / 2))
    if sample.groups_left_out:
        bias = _bias(estimate, ordered, np.maximum(np.abs(estimate), sample.size))
        acceleration, distance = _acceleration_and_distance(sample.left_out, level)
    ends = []
    for away in (-distance, distance):
        shifted = bias + away
        at = ndtr(bias + shifted / np.maximum(1 - acceleration * shifted, SMALLEST_SLOPE))
        ends.append(_quantile(ordered, at))
    return np.minimum(ends[0], estimate), np.maximum(ends[1], estimate)


def _bias(estimate: Numbers, ordered: Numbers, size: Numbers) -> Numbers:
    """z0; replicates that equal the estimate, but for rounding by its `size`, lie half below it, as counts often do."""
    from scipy.special import ndtri

    margin = ALIKE_WITHIN * size
    below = np.count_nonzero(ordered < estimate - margin, axis=0)
    at_most = np.count_nonzero(ordered <= estimate + margin, axis=0)
    share = (below + at_most) / (2 * len(ordered))
    return np.asarray(ndtri(np.clip(share, 0.5 / len(ordered), 1 - 0.5 / len(ordered))), np.float64)


def _acceleration_and_distance(left_out: Numbers, level: float) -> tuple[Numbers, Numbers]:
    """a and t_q of each figure; 0 and infinitely many degrees of freedom where nobody makes a difference."""
    from scipy.special import stdtrit

    influence = left_out.mean(axis=0) - left_out
    largest = np.abs(influence).max(axis=0)
    matters = largest > ALIKE_WITHIN * np.abs(left_out).max(axis=0)
    # Neither result has a unit: in that of the largest influence, no power runs out of the range of numbers.
    influence = np.divide(influence, largest, out=np.zeros_like(influence), where=matters)
    square = influence * influence
    squares = np.where(matters, square.sum(axis=0), 1.0)
    acceleration = (square * influence).sum(axis=0) / (6 * squares**1.5)
    concentration = (square * square).sum(axis=0) / squares**2 - 3 / len(left_out)
    degrees = 2 / np.maximum(concentration, 2 / MOST_DEGREES)
    return acceleration, np.asarray(stdtrit(degrees, (1 + level) / 2), np.float64)


def _quantile(ordered: Numbers, at: Numbers) -> Numbers:
    """Each column's quantile: of R ordered values, the i-th is that at i / (R + 1), with straight lines between."""
    last = len(ordered) - 1
    place = np.clip(at * (len(ordered) + 1) - 1, 0, last)
    before = np.minimum(place.astype(np.int64), last - 1)
    columns = np.arange(ordered.shape[1])
    low, high = ordered[before, columns], ordered[before + 1, columns]
    between: Numbers = low + (place - before) * (high - low)
    return between

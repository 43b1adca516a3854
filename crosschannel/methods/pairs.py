"""What journeys that hold two groups look like: how many, in which order, how far apart, and month by month."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from marketing.frames import MICROSECONDS_PER_DAY, Float64Column, Int64Column, Journeys
from marketing.journey_paths import check_groups, read_only

FEWEST_CUSTOMERS = 5  # in either order, below which customers say too little about how much they differ

Number = TypeVar("Number", np.int64, np.float64)
IntTable = npt.NDArray[np.int64]
FloatTable = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PairDetails:
    """Journeys with touches, by the pairs of groups that they hold. There are G groups, M months and B bins of days.

    `journeys`, `conversions`, `value`: (G, G), symmetric, of the journeys that hold both groups; on the diagonal, of
    those that hold the group. Value is float64, account currency, everything counted int64.
    `first_journeys`, `first_conversions`: (G, G), where the first touch of the row's group comes before the first of
    the column's; of touches at the same moment the one that comes first in the journey. `first_customers`: (G, G),
    whose journeys these are. The diagonals are 0.
    `gap_journeys`: (G, G, B), the same journeys by the days between the two first touches. A bin holds its lower edge.
    `month_journeys`, `month_conversions`: (M, G, G), as `journeys`, by month. `total_journeys`, `total_conversions`:
    (M,), all journeys with touches, and `total_value` of all months.
    `order_moments`: (G, G, 4, 4) float64, of a pair a < b: sums over customers of the products of the customer's
    journeys with a first, conversions of these, journeys with b first, and conversions of these.
    """

    journeys: IntTable
    conversions: IntTable
    value: FloatTable
    first_journeys: IntTable
    first_conversions: IntTable
    first_customers: IntTable
    gap_journeys: IntTable
    month_journeys: IntTable
    month_conversions: IntTable
    total_journeys: Int64Column
    total_conversions: Int64Column
    total_value: float
    order_moments: FloatTable


@dataclass(frozen=True, slots=True)
class OrderEffect:
    """The conversion rates of the journeys that hold both a and b, by which comes first, and what the order changes.

    `difference`: the rate with a first less the rate with b first, between `low` and `high`, which are None where fewer
    than FEWEST_CUSTOMERS customers have journeys in one of the orders.
    """

    a_first_rate: float
    b_first_rate: float
    difference: float
    low: float | None
    high: float | None


def pair_details(
    *,
    journeys: Journeys,
    group_of_source: Int64Column,
    groups: int,
    month: Int64Column,
    months: int,
    gap_edges_days: Sequence[float],
) -> PairDetails:
    """Count the journeys with touches by the pairs of groups that they hold.

    `month`: (J,) int64, in `0..months-1`, of the journeys. `gap_edges_days`: ascending, where one bin ends and the next
    begins; the first begins at 0, the last has no end.

    Time O(touches + J log J + G^2 of each journey's groups), memory O(M G^2). Raises ValueError if a group, a source, a
    month or an edge is out of bounds.
    """
    from crosschannel.methods.pair_kernel import count_pairs  # here: numba takes a second to import

    check_groups(journeys, group_of_source, groups)
    edges_us = np.round(np.array(gap_edges_days, np.float64) * MICROSECONDS_PER_DAY).astype(np.int64)
    if np.any(np.diff(edges_us, prepend=0) <= 0):
        raise ValueError("The edges of the bins of days must ascend from above 0.")
    if month.shape != journeys.start.shape or (len(month) and not 0 <= month.min() <= month.max() < months):
        raise ValueError(f"Every journey must have a month between 0 and {months - 1}.")
    order = np.flatnonzero(journeys.start < journeys.stop)
    customer = journeys.customer[order]
    if np.any(customer[1:] < customer[:-1]):
        order = order[np.argsort(customer, kind="stable")]
    first_by_month, first_conversions_by_month = np.zeros((2, months, groups, groups), np.int64)
    value, customers = np.zeros((groups, groups)), np.zeros((groups, groups), np.int64)
    gaps, moments = np.zeros((groups, groups, len(edges_us) + 1), np.int64), np.zeros((groups, groups, 4, 4))
    total_journeys, total_conversions = np.zeros((2, months), np.int64)
    count_pairs(
        first_by_month,
        first_conversions_by_month,
        value,
        gaps,
        customers,
        moments,
        total_journeys,
        total_conversions,
        read_only(order),
        read_only(journeys.customer),
        read_only(month),
        read_only(journeys.start),
        read_only(journeys.stop),
        read_only(journeys.converted),
        read_only(journeys.value),
        read_only(journeys.touches.source),
        read_only(group_of_source.astype(np.int64)),
        read_only(journeys.touches.touched_at),
        read_only(edges_us),
    )
    month_journeys, month_conversions = _both_ways(first_by_month), _both_ways(first_conversions_by_month)
    first_journeys = _without_diagonal(first_by_month.sum(axis=0))
    first_conversions = _without_diagonal(first_conversions_by_month.sum(axis=0))
    return PairDetails(
        journeys=month_journeys.sum(axis=0),
        conversions=month_conversions.sum(axis=0),
        value=_both_ways(value),
        first_journeys=first_journeys,
        first_conversions=first_conversions,
        first_customers=customers,
        gap_journeys=gaps,
        month_journeys=month_journeys,
        month_conversions=month_conversions,
        total_journeys=total_journeys,
        total_conversions=total_conversions,
        total_value=float(journeys.value[order][journeys.converted[order]].sum()),
        order_moments=_order_moments(moments, first_journeys, first_conversions),
    )


def order_effect(*, details: PairDetails, a: int, b: int, confidence: float) -> OrderEffect | None:
    """What the order of two groups changes; None unless there are journeys in both orders.

    With n_c journeys of customer c in one order, s_c conversions of these, and rate r = sum s / sum n, the rate's
    variance is K / (K - 1) sum (s_c - r n_c)^2 / (sum n)^2 over K customers, that of a ratio of sums over clusters
    (Cochran 1977, Sampling Techniques, ch. 3); customers with journeys in both orders lower the variance of the
    difference by twice the covariance. So that a rate of 0 or 1 among few is not taken as certain, each order has two
    more customers with as many journeys as its average one, of whom one converts with all of them and one with none
    (Agresti, Caffo 2000, The American Statistician 54). The quantile is Student's, with Welch's degrees of freedom. The
    interval lies within -1 and 1 and holds the difference.

    Raises ValueError if a and b are one group, or the confidence is not between 0 and 1.
    """
    if a == b:
        raise ValueError("An order takes two different groups.")
    if not 0 < confidence < 1:
        raise ValueError(f"The confidence must lie between 0 and 1, but it is {confidence}.")
    here, there = (a, b), (b, a)
    journeys = np.array([details.first_journeys[here], details.first_journeys[there]], np.float64)
    conversions = np.array([details.first_conversions[here], details.first_conversions[there]], np.float64)
    customers = np.array([details.first_customers[here], details.first_customers[there]], np.float64)
    if not journeys.all():
        return None
    a_first, b_first = (conversions / journeys).tolist()
    found = OrderEffect(a_first, b_first, a_first - b_first, None, None)
    if customers.min() < FEWEST_CUSTOMERS:
        return found
    moments = details.order_moments[here] if a < b else np.roll(details.order_moments[there], (2, 2), (0, 1))
    low, high = _interval(journeys, conversions, customers, moments, confidence)
    return OrderEffect(a_first, b_first, found.difference, min(low, found.difference), max(high, found.difference))


def _interval(
    journeys: Float64Column, conversions: Float64Column, customers: Float64Column, moments: FloatTable, level: float
) -> tuple[float, float]:
    """See `order_effect`: both orders' counts, (2,) each, and the products of their sums over customers, (4, 4)."""
    from scipy.special import stdtrit  # here, as pages that only name methods must not wait for SciPy

    each = journeys / customers
    all_journeys, all_customers = journeys + 2 * each, customers + 2
    rate = (conversions + each) / all_journeys
    # Each row takes what a customer converts beyond the rate from the four sums: (s - r n) of one order.
    beyond = np.array([[-rate[0], 1.0, 0.0, 0.0], [0.0, 0.0, -rate[1], 1.0]])
    squares = beyond @ moments @ beyond.T
    added = each**2 * (rate**2 + (1 - rate) ** 2)
    variance = all_customers / (all_customers - 1) * (squares.diagonal() + added) / all_journeys**2
    together = variance.sum() - 2 * squares[0, 1] / all_journeys.prod()
    degrees = variance.sum() ** 2 / (variance**2 / (all_customers - 1)).sum()
    away = float(stdtrit(degrees, (1 + level) / 2) * np.sqrt(together))
    middle = float(rate[0] - rate[1])
    return max(middle - away, -1.0), min(middle + away, 1.0)


def _order_moments(products: FloatTable, journeys: IntTable, conversions: IntTable) -> FloatTable:
    """Sums over customers of products of their sums, from those of each journey with the customer's journeys before.

    (sum of d)(sum of d)' = sum of d d' + products + products', where d is what a journey adds to its customer's sums.
    """
    moments = products + np.swapaxes(products, -1, -2)
    for place, (n, s) in enumerate(((journeys, conversions), (journeys.T, conversions.T))):
        at = 2 * place
        moments[..., at, at] += np.triu(n)
        for one, other in ((at, at + 1), (at + 1, at), (at + 1, at + 1)):
            moments[..., one, other] += np.triu(s)
    return moments


def _both_ways(first: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """(..., G, G) by which group is first -> by both, the diagonal as it is."""
    both = first + np.swapaxes(first, -1, -2)
    every = np.arange(first.shape[-1])
    both[..., every, every] = first[..., every, every]
    return both


def _without_diagonal(table: IntTable) -> IntTable:
    np.fill_diagonal(table, 0)
    return table

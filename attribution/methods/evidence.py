"""What converting journeys look like: their paths, their length and age, and the part each group plays in them.

Descriptions of what was observed, beside the credit that models give.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from attribution.methods.paths import JourneyPaths, check_groups, merge_paths, read_only
from attribution.methods.rules import MICROSECONDS_PER_DAY
from marketing.frames import Float64Column, Int64Column, Journeys, PathTable, UInt32Column

PERCENTILES = (50, 75, 90, 95)
CLEAR_STANDARD_ERRORS = 3.0  # by which a share must lie beyond one half for a role to be named


@dataclass(frozen=True, slots=True, eq=False)
class TopPaths:
    """The K most frequent converting paths, most conversions first.

    `place`: (K,) int64, their positions in the table. `steps`: (K) tuples of groups, oldest first. `distinct`: how many
    different paths converted. `conversions`: those of all paths, of the shown ones and of others.
    """

    place: Int64Column
    steps: tuple[tuple[int, ...], ...]
    distinct: int
    conversions: float


@dataclass(frozen=True, slots=True, eq=False)
class Lengths:
    """Conversions by the length of their path; index n counts those of n, the last index all of its length and beyond.

    `conversions`, `value`: (L,) float64, value in account currency. Index 0: conversions without a touch.
    """

    conversions: Float64Column
    value: Float64Column


@dataclass(frozen=True, slots=True, eq=False)
class Lags:
    """Days between a touch and the conversion, over conversions with a touch.

    `edges`: (B+1,) float64 days; a bin holds its lower edge, the last bin both. `first`, `last`: (B,) int64,
    conversions by the lag of their first and of their last touch. `first_percentiles`, `last_percentiles`:
    (4,) float64 days, of PERCENTILES, interpolated linearly; NaN without conversions.
    """

    edges: Float64Column
    first: Int64Column
    last: Int64Column
    first_percentiles: Float64Column
    last_percentiles: Float64Column


class Role(StrEnum):
    """What a group is in a journey that it appears in; exactly one of these, in the order of `Roles.counts`."""

    ONLY = "only"  # its single touch
    OPENS = "opens"  # first, and not last
    BETWEEN = "between"  # neither first nor last
    CLOSES = "closes"  # last, and not first
    BOTH = "both"  # first and last of several touches


@dataclass(frozen=True, slots=True, eq=False)
class Roles:
    """The part each group plays in converting journeys.

    `counts`: (G, 5) float64, journeys by Role; a row adds up to the journeys that the group appears in. `first`,
    `middle`, `last`: (G,) float64, journeys of several touches that it opens, in which it is a touch between, and that
    it closes: one journey may count in all three. `mostly`: (G) the role that clearly more than half of its journeys
    have, None where there is no such one.
    """

    counts: Float64Column
    first: Float64Column
    middle: Float64Column
    last: Float64Column
    mostly: tuple[Role | None, ...]


def collapse(paths: JourneyPaths) -> JourneyPaths:
    """The same journeys by path with repeats in a row counted once: "Email, Email, Search" becomes "Email, Search".

    Time O(L + P log P) for P paths of L steps.
    """
    table = paths.table
    kept = np.ones(len(table.steps), np.bool_)
    kept[1:] = table.steps[1:] != table.steps[:-1]
    kept[table.offsets[:-1]] = True
    collapsed = merge_paths(
        offsets=np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)[table.offsets],
        steps=table.steps[kept],
        groups=table.groups,
        conversions=table.conversions,
        value=table.value,
        nulls=table.nulls,
    )
    if not len(table):
        return JourneyPaths(collapsed.table, paths.path_of_journey)
    path = np.where(paths.path_of_journey >= 0, collapsed.path_of_journey[paths.path_of_journey], -1)
    return JourneyPaths(collapsed.table, path)


def top_paths(*, table: PathTable, most: int) -> TopPaths:
    """The `most` most frequent converting paths; of equally frequent ones the shorter, then by their steps."""
    place = np.flatnonzero(table.conversions)
    distinct = len(place)
    if distinct > most:
        enough = np.partition(table.conversions[place], distinct - most)[distinct - most]
        place = place[table.conversions[place] >= enough]
    length = np.diff(table.offsets)[place]
    chosen = place[np.lexsort((place, length, -table.conversions[place]))[:most]]
    return TopPaths(
        place=chosen,
        steps=tuple(tuple(table.steps[table.offsets[one] : table.offsets[one + 1]].tolist()) for one in chosen),
        distinct=distinct,
        conversions=float(table.conversions.sum()),
    )


def path_medians(
    *, journeys: Journeys, path_of_journey: Int64Column, place: Int64Column
) -> tuple[Float64Column, Float64Column]:
    """Of the converting journeys along each path of `place` (K,): the median days from first touch to conversion, and
    the median number of touches, repeats included; (K,) float64 each. Each path has such a journey.
    """
    rank = np.full(int(path_of_journey.max(initial=-1)) + 2, -1, np.int64)  # the last entry: that of no path, -1
    rank[place] = np.arange(len(place))
    shown = np.flatnonzero(journeys.converted & (rank[path_of_journey] >= 0))
    ranked = rank[path_of_journey[shown]]
    days = (journeys.anchor_at[shown] - journeys.touches.touched_at[journeys.start[shown]]) / MICROSECONDS_PER_DAY
    touches = (journeys.stop[shown] - journeys.start[shown]).astype(np.float64)
    return _medians(days, ranked, len(place)), _medians(touches, ranked, len(place))


def lengths(
    *, length: Int64Column, conversions: Float64Column, value: Float64Column, untouched: tuple[float, float], most: int
) -> Lengths:
    """Conversions by length.

    `length`, `conversions`, `value`: (P,), of each path, in touches or groups. `untouched`: conversions and value
    without a path. `most`: the length from which on all are counted as one.
    """
    converting = conversions > 0
    longest = min(int(length[converting].max(initial=0)), most)
    shortened = np.minimum(length[converting], longest)
    found = Lengths(
        conversions=np.bincount(shortened, conversions[converting], longest + 1).astype(np.float64),
        value=np.bincount(shortened, value[converting], longest + 1).astype(np.float64),
    )
    found.conversions[0], found.value[0] = untouched
    return found


def groups_of_paths(table: PathTable) -> Int64Column:
    """How many different groups each path holds: (P,) int64."""
    from attribution.methods.evidence_kernel import count_groups  # here: numba takes a second to import

    distinct = np.zeros(len(table), np.int64)
    count_groups(distinct, read_only(table.offsets), read_only(table.steps), table.groups)
    return distinct


def lags(*, journeys: Journeys, window_days: int, most_bins: int) -> Lags:
    """Days from the first and from the last touch to the conversion, in bins of equally many whole days."""
    width = -(-window_days // most_bins)
    edges = np.arange(0, window_days + width, width, dtype=np.float64)
    kept = np.flatnonzero(journeys.converted & (journeys.start < journeys.stop))
    anchor_at, touched_at = journeys.anchor_at[kept], journeys.touches.touched_at
    first = (anchor_at - touched_at[journeys.start[kept]]) / MICROSECONDS_PER_DAY
    last = (anchor_at - touched_at[journeys.stop[kept] - 1]) / MICROSECONDS_PER_DAY
    return Lags(
        edges=edges,
        first=_binned(first, width, len(edges) - 1),
        last=_binned(last, width, len(edges) - 1),
        first_percentiles=_percentiles(first),
        last_percentiles=_percentiles(last),
    )


def roles(*, journeys: Journeys, group_of_source: Int64Column, groups: int) -> Roles:
    """What part each group plays in converting journeys with touches.

    A role is named where more than half of a group's journeys have it, by three standard errors that allow for
    customers who convert several times: ONLY among all of them, the others among those of several touches.
    Time O(touches in journeys + J log J). Raises ValueError if a group or a source is out of bounds.
    """
    check_groups(journeys, group_of_source, groups)
    kept = np.flatnonzero(journeys.converted & (journeys.start < journeys.stop))
    customer = journeys.customer[kept]
    if np.any(customer[1:] < customer[:-1]):
        kept = kept[np.argsort(customer, kind="stable")]
    counts, positions, moments = _counted(
        customer=journeys.customer[kept],
        start=journeys.start[kept],
        stop=journeys.stop[kept],
        source=journeys.touches.source,
        group_of_source=group_of_source,
        groups=groups,
        weight=np.ones(len(kept)),
    )
    return _roles(counts, positions, moments)


def roles_of_paths(table: PathTable) -> Roles:
    """What part each group plays in the journeys of aggregated paths, each as if of another customer."""
    counts, positions, _ = _counted(
        customer=np.arange(len(table)),
        start=table.offsets[:-1],
        stop=table.offsets[1:],
        source=table.steps.astype(np.uint32),
        group_of_source=np.arange(table.groups),
        groups=table.groups,
        weight=table.conversions,
    )
    return _roles(counts, positions, np.eye(len(Role)) * counts[:, :, None])


def _counted(
    *,
    customer: Int64Column,
    start: Int64Column,
    stop: Int64Column,
    source: UInt32Column,
    group_of_source: Int64Column,
    groups: int,
    weight: Float64Column,
) -> tuple[Float64Column, Float64Column, Float64Column]:
    """Counts (G, 5), positions (G, 3) and moments (G, 5, 5) of journeys that are sorted by customer."""
    from attribution.methods.evidence_kernel import count_roles  # here: numba takes a second to import

    counts, positions, moments = np.zeros((groups, 5)), np.zeros((groups, 3)), np.zeros((groups, 5, 5))
    count_roles(
        counts,
        positions,
        moments,
        read_only(customer),
        read_only(start),
        read_only(stop),
        read_only(source),
        read_only(group_of_source),
        read_only(weight),
    )
    return counts, positions, moments


def _roles(counts: Float64Column, positions: Float64Column, moments: Float64Column) -> Roles:
    first, middle, last = positions.T.copy()
    return Roles(counts, first, middle, last, tuple(map(_mostly, counts, moments)))


def _medians(values: Float64Column, place: Int64Column, places: int) -> Float64Column:
    """Median of the values at each place; every place has one at least."""
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(1, places))
    return np.array([np.median(part) for part in np.split(values[order], starts)] if places else [], np.float64)


def _binned(days: Float64Column, width: int, bins: int) -> Int64Column:
    return np.bincount(np.minimum((days // width).astype(np.int64), bins - 1), minlength=bins)


def _percentiles(days: Float64Column) -> Float64Column:
    if not len(days):
        return np.full(len(PERCENTILES), np.nan)
    found: Float64Column = np.percentile(days, PERCENTILES)
    return found


def _mostly(counts: Float64Column, moments: Float64Column) -> Role | None:
    """The role that clearly more than half of a group's journeys have; `counts` (5,), `moments` (5, 5)."""
    every = np.ones(5)
    several = every.copy()
    several[0] = 0.0
    for place, role in enumerate(Role):
        among = every if role == Role.ONLY else several
        if role != Role.BOTH and _is_clearly_most(counts, moments, np.eye(5)[place], among):
            return role
    return None


def _is_clearly_most(counts: Float64Column, moments: Float64Column, one: Float64Column, among: Float64Column) -> bool:
    """Whether the share `one / among` lies above one half; its variance is that of a ratio of sums over customers."""
    total = float(among @ counts)
    if not total:
        return False
    share = float(one @ counts) / total
    residual = one - 0.5 * among  # under the hypothesis of one half, so that a share of one is not taken as certain
    error = float(np.sqrt(residual @ moments @ residual)) / total
    return share - CLEAR_STANDARD_ERRORS * error > 0.5

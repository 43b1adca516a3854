"""What journeys look like, described and not judged: their most frequent paths, how long they are, and how old."""

from dataclasses import dataclass

import numpy as np

from marketing.frames import MICROSECONDS_PER_DAY, Float64Column, Int64Column, Journeys, PathTable
from marketing.journey_paths import JourneyPaths, merge_paths, read_only

PERCENTILES = (50, 75, 90, 95)


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
    from marketing.journey_paths_kernel import count_groups  # here: numba takes a second to import

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

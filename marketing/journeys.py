"""Paths to conversion and null paths, cut out of the sorted touches without copying them.

Everything is a binary search for all journeys at once: time O(J log(longest history)), memory O(J + C), and the
column of touch times is read only where the searches look.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from marketing.frames import NO_LEAD, BoolColumn, Conversions, Int64Column, Journeys, Touches

BEFORE_ALL_TIME = np.iinfo(np.int64).min // 2  # halved, so that one microsecond or a window may be added or taken
SEARCHED_AT_ONCE = 1 << 14  # journeys whose intermediate columns fit the processor's cache together


@dataclass(frozen=True, slots=True, eq=False)
class _Slices:
    """Journeys of one kind: dense customer, anchor time and touches `start:stop`, each (J,) int64."""

    customer: Int64Column
    anchor_at: Int64Column
    start: Int64Column
    stop: Int64Column

    def without_empty(self) -> Self:
        kept = self.start < self.stop
        return type(self)(self.customer[kept], self.anchor_at[kept], self.start[kept], self.stop[kept])


def build_journeys(
    *,
    touches: Touches,
    conversions: Conversions,
    goal: int,
    period_start_us: int,
    period_stop_us: int,
    window_us: int,
    null_paths: bool = True,
    lead_goal: int | None = None,
) -> Journeys:
    """Cut the journeys that end in a period.

    A conversion to `goal` with `period_start_us <= converted_at < period_stop_us` takes every touch of its customer
    with `0 <= converted_at - touched_at <= window_us`, also those before the period and those another conversion
    takes. A conversion without such a touch gets an empty slice.

    A null path ends without converting, and is kept only if it holds a touch. Rows with `converted=False` in the
    period, whatever their goal, each anchor one at their time. A customer without any such row has one anchored at
    the last touch in the period. Touches up to and including the time of the customer's last conversion to `goal`
    in the period belong to no null path.

    With a `lead_goal`, each journey knows the last conversion to that goal of its customer in its window, whatever the
    period (`Journeys.lead_at`).

    Times and the window are microseconds. Journeys come in a fixed order: conversions, null paths of outcome rows,
    null paths of last touches, each by customer and time.

    Raises ValueError if the period is empty or the window negative.
    """
    if period_stop_us <= period_start_us:
        raise ValueError("The period must start before it stops.")
    if window_us < 0:
        raise ValueError("The lookback window must not be negative.")
    in_period = (conversions.converted_at >= period_start_us) & (conversions.converted_at < period_stop_us)
    to_goal = np.flatnonzero(in_period & conversions.converted & (conversions.goal == goal))
    customer, untouched_ids = _dense_customers(touches, conversions.customer_ids[to_goal])
    paths = _window_slices(touches, customer, conversions.converted_at[to_goal], window_us)
    parts = [paths]
    if null_paths:
        earliest = _earliest_null_touch(touches, paths)
        outcomes = np.flatnonzero(in_period & ~conversions.converted)
        explicit, observed = _explicit_null_paths(touches, conversions, outcomes, window_us, earliest)
        implicit = _last_touch_null_paths(touches, ~observed, period_start_us, period_stop_us, window_us, earliest)
        parts += [explicit, implicit]
    start = np.concatenate([part.start for part in parts])
    converted = np.arange(len(start)) < len(to_goal)
    value = np.zeros(len(start))
    value[converted] = conversions.value[to_goal]
    journeys = Journeys(
        touches=touches,
        start=start,
        stop=np.concatenate([part.stop for part in parts]),
        customer=np.concatenate([part.customer for part in parts]),
        customers=len(touches.customer_ids) + len(untouched_ids),
        anchor_at=np.concatenate([part.anchor_at for part in parts]),
        converted=converted,
        value=value,
        untouched_ids=untouched_ids,
    )
    if lead_goal is None:
        return journeys
    return replace(journeys, lead_at=_lead_times(journeys, conversions, lead_goal, window_us))


def previous_conversions(*, journeys: Journeys, conversions: Conversions, goal: int) -> Int64Column:
    """When the customer of each journey last converted to the goal before its anchor, whatever the period.

    (J,) int64, microseconds; `BEFORE_ALL_TIME` where never. Conversions at the same moment do not precede each other.
    """
    return _last_conversions(journeys, conversions, goal, journeys.anchor_at, BEFORE_ALL_TIME)


def _last_conversions(
    journeys: Journeys, conversions: Conversions, goal: int, before: Int64Column, never: int
) -> Int64Column:
    """When the customer of each journey last converted to the goal earlier than `before`, (J,); else `never`."""
    rows = np.flatnonzero(conversions.converted & (conversions.goal == goal))
    customer_ids, converted_at = conversions.customer_ids[rows], conversions.converted_at[rows]
    wanted = journeys.customer_ids()
    low = np.searchsorted(customer_ids, wanted, side="left").astype(np.int64)
    high = np.searchsorted(customer_ids, wanted, side="right").astype(np.int64)
    latest = _first_touch_at_or_after(converted_at, low, high, before) - 1
    last_at = np.full(len(journeys), never, np.int64)
    found = latest >= low
    last_at[found] = converted_at[latest[found]]
    return last_at


def _lead_times(journeys: Journeys, conversions: Conversions, lead_goal: int, window_us: int) -> Int64Column:
    """The time of each journey's last conversion to the goal from `window_us` before its anchor on; NO_LEAD if none."""
    lead_at = _last_conversions(journeys, conversions, lead_goal, journeys.anchor_at + 1, NO_LEAD)
    lead_at[lead_at < journeys.anchor_at - window_us] = NO_LEAD
    return lead_at


def _dense_customers(touches: Touches, customer_ids: Int64Column) -> tuple[Int64Column, Int64Column]:
    """Dense index of each customer, and the ids of those without touches.

    Customers without touches are numbered after those with touches, in the order of their ids.
    """
    known = len(touches.customer_ids)
    if not len(customer_ids):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    position = np.searchsorted(touches.customer_ids, customer_ids).astype(np.int64)
    strangers = _strangers(touches, customer_ids, position)
    ids, rank = np.unique(customer_ids[strangers], return_inverse=True)
    position[strangers] = known + rank
    return position, ids


def _strangers(touches: Touches, customer_ids: Int64Column, position: Int64Column) -> BoolColumn:
    """Which customers, searched for at `position`, have no touches."""
    if not len(touches.customer_ids):
        return np.ones(len(customer_ids), np.bool_)
    nearest = np.minimum(position, len(touches.customer_ids) - 1)
    strangers: BoolColumn = touches.customer_ids[nearest] != customer_ids
    return strangers


def _window_slices(
    touches: Touches,
    customer: Int64Column,
    anchor_at: Int64Column,
    window_us: int,
    earliest: Int64Column | None = None,
) -> _Slices:
    """Touches of each customer from `anchor_at - window_us`, and not before `earliest` (J,), up to `anchor_at`."""
    known = len(touches.customer_ids)
    low = touches.offsets[np.minimum(customer, known)]
    high = touches.offsets[np.minimum(customer + 1, known)]
    opens_at = anchor_at - window_us
    if earliest is not None:
        opens_at = np.maximum(opens_at, earliest)
    stop = _first_touch_at_or_after(touches.touched_at, low, high, anchor_at + 1)
    start = _first_touch_at_or_after(touches.touched_at, low, stop, opens_at)
    return _Slices(customer, anchor_at, start, stop)


def _first_touch_at_or_after(times: Int64Column, low: Int64Column, high: Int64Column, at: Int64Column) -> Int64Column:
    """For each j, the first position in `low[j]:high[j]` whose time is at or after `at[j]`, else `high[j]`."""
    positions = np.empty(len(low), np.int64)
    for first in range(0, len(low), SEARCHED_AT_ONCE):
        chunk = slice(first, first + SEARCHED_AT_ONCE)
        positions[chunk] = _bisect(times, low[chunk].copy(), high[chunk].copy(), at[chunk])
    return positions


def _bisect(times: Int64Column, low: Int64Column, high: Int64Column, at: Int64Column) -> Int64Column:
    """Close in on each position from both sides, in place, until `low` has reached `high`; return `low`."""
    unsettled = np.flatnonzero(low < high)
    while len(unsettled):
        middle = (low[unsettled] + high[unsettled]) // 2
        too_early = times[middle] < at[unsettled]
        low[unsettled[too_early]] = middle[too_early] + 1
        high[unsettled[~too_early]] = middle[~too_early]
        unsettled = unsettled[low[unsettled] < high[unsettled]]
    return low


def _earliest_null_touch(touches: Touches, paths: _Slices) -> Int64Column:
    """The first microsecond after each customer's last conversion: (C,) int64 over the customers with touches."""
    last_conversion = np.full(len(touches.customer_ids), BEFORE_ALL_TIME, np.int64)
    with_touches = paths.customer < len(touches.customer_ids)
    np.maximum.at(last_conversion, paths.customer[with_touches], paths.anchor_at[with_touches])
    return last_conversion + 1


def _explicit_null_paths(
    touches: Touches, conversions: Conversions, outcomes: Int64Column, window_us: int, earliest: Int64Column
) -> tuple[_Slices, BoolColumn]:
    """Null paths anchored at outcome rows, and which customers (C,) have such a row, even if no path came of it."""
    customer, _ = _dense_customers(touches, conversions.customer_ids[outcomes])
    with_touches = customer < len(touches.customer_ids)
    customer, anchor_at = customer[with_touches], conversions.converted_at[outcomes[with_touches]]
    observed = np.zeros(len(touches.customer_ids), np.bool_)
    observed[customer] = True
    slices = _window_slices(touches, customer, anchor_at, window_us, earliest[customer])
    return slices.without_empty(), observed


def _last_touch_null_paths(
    touches: Touches,
    candidates: BoolColumn,
    period_start_us: int,
    period_stop_us: int,
    window_us: int,
    earliest: Int64Column,
) -> _Slices:
    """Null paths anchored at the last touch in the period of each candidate customer; `candidates` is (C,) bool."""
    customer = np.flatnonzero(candidates)
    low, high = touches.offsets[customer], touches.offsets[customer + 1]
    stop = _first_touch_at_or_after(touches.touched_at, low, high, np.full(len(customer), period_stop_us, np.int64))
    customer, stop = customer[stop > low], stop[stop > low]
    anchor_at = touches.touched_at[stop - 1]
    ends_a_path = anchor_at >= np.maximum(period_start_us, earliest[customer])
    customer, anchor_at, stop = customer[ends_a_path], anchor_at[ends_a_path], stop[ends_a_path]
    opens_at = np.maximum(anchor_at - window_us, earliest[customer])
    start = _first_touch_at_or_after(touches.touched_at, touches.offsets[customer], stop, opens_at)
    return _Slices(customer, anchor_at, start, stop)

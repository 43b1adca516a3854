"""From columns of rows to the tallies that checks look at. Reads each column of touches once, a chunk at a time."""

from collections.abc import Callable

import numpy as np

from marketing.frames import MICROSECONDS_PER_DAY, BoolColumn, Conversions, Int64Column, Touches
from marketing.health.checks.observations import ClockCount, ConversionsSeen, TouchTally
from marketing.journeys import build_journeys

CHUNK = 1 << 20
AROUND_DAYS = 2  # before and after a sale

OnProgress = Callable[[float], None]


def tally_touches(
    *,
    touches: Touches,
    day_starts: Int64Column,
    first_day: int,
    position_of_source: Int64Column,
    on_progress: OnProgress = lambda _fraction: None,
) -> TouchTally:
    """Count touches by traffic source and day.

    `day_starts`: (D+1,) microseconds at which each day of the axis begins, and the last ends; touches outside are left
    out. `position_of_source`: database id of a traffic source -> its position among the sources that are looked at.
    """
    days = len(day_starts) - 1
    cells: list[Int64Column] = []
    counts: list[Int64Column] = []
    total = len(touches.touched_at)
    for first in range(0, total, CHUNK):
        at = np.asarray(touches.touched_at[first : first + CHUNK])
        day = np.searchsorted(day_starts, at, side="right") - 1
        inside = (day >= 0) & (day < days)
        source = position_of_source[np.asarray(touches.source[first : first + CHUNK])[inside]]
        cell, count = np.unique(source * days + day[inside], return_counts=True)
        cells.append(cell)
        counts.append(count)
        on_progress(min(1.0, (first + CHUNK) / total))
    if not cells:
        nothing = np.empty(0, np.int64)
        return TouchTally(nothing, nothing, nothing)
    cell, place = np.unique(np.concatenate(cells), return_inverse=True)
    count = np.bincount(place, weights=np.concatenate(counts)).astype(np.int64)
    return TouchTally(cell // days, cell % days + first_day, count)


def see_conversions(
    *, touches: Touches, conversions: Conversions, day_starts: Int64Column, first_day: int, window_days: int
) -> ConversionsSeen:
    """Every conversion of the days of the axis; `goal` is the goal's database id yet."""
    kept = conversions.converted & _within(conversions.converted_at, day_starts)
    chosen = _only(conversions, kept)
    journeys = build_journeys(
        touches=touches,
        conversions=_to_one_goal(chosen),
        goal=0,
        period_start_us=int(day_starts[0]),
        period_stop_us=int(day_starts[-1]),
        window_us=window_days * MICROSECONDS_PER_DAY,
        null_paths=False,
    )
    return ConversionsSeen(
        day=np.searchsorted(day_starts, chosen.converted_at, side="right") - 1 + first_day,
        goal=chosen.goal.astype(np.int64),
        value=np.asarray(chosen.value),
        touches=journeys.stop - journeys.start,
    )


def count_around(
    *,
    touches: Touches,
    conversions: Conversions,
    is_sale: BoolColumn,
    channel_of_source: Int64Column,
    channels: int,
) -> ClockCount:
    """Count the touches of each channel in the two days before, and the two days after, each sale of their customer.

    `is_sale`: database id of a goal -> whether it is a sale. `channel_of_source`: id of a traffic source -> channel.
    """
    sales = _only(conversions, conversions.converted & is_sale[conversions.goal])
    around = AROUND_DAYS * MICROSECONDS_PER_DAY
    before = _count_within(touches, sales, around, channel_of_source, channels)
    # What comes after a sale lies in the window of a moment two days later, which must not reach the sale itself.
    later = Conversions(
        sales.customer_ids, sales.converted_at + around, sales.goal, np.asarray(sales.value), sales.converted
    )
    after = _count_within(touches, later, around - 1, channel_of_source, channels)
    return ClockCount(before, after)


def _count_within(
    touches: Touches, moments: Conversions, window_us: int, channel_of_source: Int64Column, channels: int
) -> Int64Column:
    if not len(moments.converted_at):
        return np.zeros(channels, np.int64)
    journeys = build_journeys(
        touches=touches,
        conversions=_to_one_goal(moments),
        goal=0,
        period_start_us=int(moments.converted_at.min()),
        period_stop_us=int(moments.converted_at.max()) + 1,
        window_us=window_us,
        null_paths=False,
    )
    lengths = journeys.stop - journeys.start
    # The positions of all touches of all slices, one after the other.
    places = np.repeat(journeys.start - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    places = places + np.arange(len(places))
    channel = channel_of_source[touches.source[places]]
    return np.bincount(channel, minlength=channels).astype(np.int64)


def _within(at: Int64Column, day_starts: Int64Column) -> BoolColumn:
    inside: BoolColumn = (at >= day_starts[0]) & (at < day_starts[-1])
    return inside


def _only(conversions: Conversions, kept: BoolColumn) -> Conversions:
    return Conversions(
        conversions.customer_ids[kept],
        conversions.converted_at[kept],
        conversions.goal[kept],
        conversions.value[kept],
        conversions.converted[kept],
    )


def _to_one_goal(conversions: Conversions) -> Conversions:
    """The same moments as of one goal, so that one look takes them all."""
    return Conversions(
        conversions.customer_ids,
        conversions.converted_at,
        np.zeros(len(conversions.goal), np.uint32),
        conversions.value,
        conversions.converted,
    )

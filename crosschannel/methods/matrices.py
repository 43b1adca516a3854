"""Journeys by their first and last group, by the moves between groups, and by how long groups take to convert."""

from dataclasses import dataclass

import numpy as np

from marketing.frames import MICROSECONDS_PER_DAY, Float64Column, Float64Table, Int64Column, Journeys, PathTable
from marketing.journey_paths import check_groups, read_only

QUARTILES = (25, 50, 75)


@dataclass(frozen=True, slots=True, eq=False)
class FirstLast:
    """`journeys`, `conversions`: (G, G) float64, by the first group of the path (row) and the last one (column)."""

    journeys: Float64Table
    conversions: Float64Table


@dataclass(frozen=True, slots=True, eq=False)
class TimeToConvert:
    """Days from a group's first touch in a journey to its conversion, over the converting journeys that hold it.

    `journeys`: (G,) int64, how many these are. `quartiles`: (G, 3) float64 days, interpolated linearly; NaN without
    such a journey.
    """

    journeys: Int64Column
    quartiles: Float64Table


def first_last(table: PathTable) -> FirstLast:
    """Journeys by where they begin and end; a path of one touch begins and ends with it. Time O(P + G^2)."""
    groups = table.groups
    cell = table.steps[table.offsets[:-1]] * groups + table.steps[table.offsets[1:] - 1]
    journeys, conversions = (
        np.bincount(cell, weight, groups * groups).astype(np.float64).reshape(groups, groups)
        for weight in (table.conversions + table.nulls, table.conversions)
    )
    return FirstLast(journeys, conversions)


def transitions(table: PathTable) -> Float64Table:
    """How often journeys move from each group, and from their start, to each group, and to their ends.

    (G+1, G+2) float64: the rows are the groups and Start, the columns the groups, Conversion and Drop-off. A repeated
    group is a move to itself. Start's row adds up to the journeys; what moves into a group moves out of it.
    Time O(L + G^2) for paths of L steps.
    """
    groups = table.groups
    start, conversion, drop_off = groups, groups, groups + 1
    moves = np.zeros((groups + 1, groups + 2))
    weight = table.conversions + table.nulls
    first, last = table.steps[table.offsets[:-1]], table.steps[table.offsets[1:] - 1]
    moves[start, :groups] = np.bincount(first, weight, groups)
    moves[:groups, conversion] = np.bincount(last, table.conversions, groups)
    moves[:groups, drop_off] = np.bincount(last, table.nulls, groups)
    within = np.ones(len(table.steps), np.bool_)
    within[table.offsets[:-1]] = False
    arrivals = np.flatnonzero(within)
    cell = table.steps[arrivals - 1] * groups + table.steps[arrivals]
    moved = np.bincount(cell, np.repeat(weight, np.diff(table.offsets) - 1), groups * groups)
    moves[:groups, :groups] = moved.reshape(groups, groups)
    return moves


def time_to_convert(*, journeys: Journeys, group_of_source: Int64Column, groups: int) -> TimeToConvert:
    """How long before the conversion each group first appeared.

    Time O(touches), memory 8 bytes for each group in each converting journey. Raises ValueError if a group or a source
    is out of bounds.
    """
    from crosschannel.methods.walk_kernel import (  # here: numba takes a second to import
        count_converting,
        write_times_to_convert,
    )

    check_groups(journeys, group_of_source, groups)
    start, stop, converted = read_only(journeys.start), read_only(journeys.stop), read_only(journeys.converted)
    source, group_of_source = read_only(journeys.touches.source), read_only(group_of_source.astype(np.int64))
    touched_at, anchor_at = read_only(journeys.touches.touched_at), read_only(journeys.anchor_at)
    holding = np.zeros(groups, np.int64)
    count_converting(holding, start, stop, converted, source, group_of_source)
    ends = np.cumsum(holding)
    times, filled = np.empty(holding.sum(), np.int64), ends - holding
    write_times_to_convert(times, filled, start, stop, converted, source, group_of_source, touched_at, anchor_at)
    quartiles = np.full((groups, len(QUARTILES)), np.nan)
    for group in np.flatnonzero(holding):
        own: Float64Column = times[ends[group] - holding[group] : ends[group]].astype(np.float64)
        quartiles[group] = np.percentile(own, QUARTILES, overwrite_input=True) / MICROSECONDS_PER_DAY
    return TimeToConvert(holding, quartiles)

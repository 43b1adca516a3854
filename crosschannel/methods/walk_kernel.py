"""The compiled loops over distinct paths, and over the touches of journeys along them.

Import it where it is needed: numba takes a second. Groups, sources and slices are trusted; the callers have checked
them.
"""

import numpy as np
import numpy.typing as npt

from marketing.frames import BoolColumn, Float64Column, Int64Column, UInt32Column
from marketing.native import compiled


@compiled
def follow(steps: Int64Column, at: int, stop: int, wanted: Int64Column) -> bool:
    """Whether the steps from `at` on, and before `stop`, begin with the wanted ones."""
    if at + len(wanted) > stop:
        return False
    i = 0
    while i < len(wanted) and steps[at + i] == wanted[i]:
        i += 1
    return i == len(wanted)


@compiled
def hold(steps: Int64Column, start: int, stop: int, wanted: Int64Column) -> bool:
    """Whether the wanted steps follow one right after the other somewhere."""
    at = start
    while at <= stop - len(wanted) and not follow(steps, at, stop, wanted):
        at += 1
    return at <= stop - len(wanted)


@compiled
def match_paths(
    kept: BoolColumn,
    offsets: Int64Column,
    steps: Int64Column,
    contains: Int64Column,
    in_order: Int64Column,
    starts: Int64Column,
    ends: Int64Column,
) -> None:
    """Write into `kept`, (P,), which paths match; see `filters.PathFilter`."""
    for path in range(len(kept)):
        start, stop = offsets[path], offsets[path + 1]
        kept[path] = (
            follow(steps, start, stop, starts)
            and stop - start >= len(ends)
            and follow(steps, stop - len(ends), stop, ends)
            and hold(steps, start, stop, in_order)
        )
        for i in range(len(contains)):
            kept[path] = kept[path] and hold(steps, start, stop, contains[i : i + 1])


@compiled
def weigh_groups(weights: Float64Column, offsets: Int64Column, steps: Int64Column, weight: Float64Column) -> None:
    """Add the `weight`, (P,), of each path to that of every group in it: `weights`, (G,), zeros at first."""
    seen = np.full(len(weights), -1, np.int64)
    for path in range(len(weight)):
        for i in range(offsets[path], offsets[path + 1]):
            if seen[steps[i]] != path:
                seen[steps[i]] = path
                weights[steps[i]] += weight[path]


@compiled
def cut_paths(
    cut: Int64Column,
    cut_offsets: Int64Column,
    offsets: Int64Column,
    steps: Int64Column,
    position: Int64Column,
    most: int,
    goes_on: int,
) -> None:
    """Write the positions, (G,), of the groups of the first `most` steps of each path, and `goes_on` if there are more.

    Those of path p go into `cut[cut_offsets[p]:cut_offsets[p+1]]`.
    """
    for path in range(len(offsets) - 1):
        for i in range(cut_offsets[path + 1] - cut_offsets[path]):
            cut[cut_offsets[path] + i] = position[steps[offsets[path] + i]] if i < most else goes_on


@compiled
def write_waits(
    waits: Int64Column,
    ends: Int64Column,
    filled: Int64Column,
    link_of: npt.NDArray[np.int64],
    walk_of_journey: Int64Column,
    steps: npt.NDArray[np.int16],
    longer: BoolColumn,
    start: Int64Column,
    stop: Int64Column,
    converted: BoolColumn,
    touched_at: Int64Column,
    anchor_at: Int64Column,
) -> bool:
    """Write the time that each journey takes along each link, grouped by link; False if journeys and links disagree.

    `filled`, (E,): where the waits of each link begin, and at the end have ended; `ends` (E,): where they must.
    `link_of` (n, K+1, K+2): the link that leaves step, position, for the next one's position or, as K+1, Conversion.
    """
    most = steps.shape[1]
    conversion = link_of.shape[2] - 1
    for journey in range(len(walk_of_journey)):
        walk = walk_of_journey[journey]
        if walk < 0:
            continue
        first, touches = start[journey], stop[journey] - start[journey]
        shown = min(touches, most)
        if longer[walk] != (touches > most) or shown == 0:
            return False
        for step in range(shown):
            here = steps[walk, step]
            if step + 1 < shown:
                there = np.int64(steps[walk, step + 1])
                wait = touched_at[first + step + 1] - touched_at[first + step]
            elif converted[journey]:
                there = conversion
                wait = anchor_at[journey] - touched_at[stop[journey] - 1]
            else:
                continue
            link = link_of[step, here, there] if here >= 0 and there >= 0 else -1
            if link < 0 or filled[link] == ends[link]:
                return False
            waits[filled[link]] = wait
            filled[link] += 1
    return True


@compiled
def count_converting(
    holding: Int64Column,
    start: Int64Column,
    stop: Int64Column,
    converted: BoolColumn,
    source: UInt32Column,
    group_of_source: Int64Column,
) -> None:
    """Count the converting journeys that hold each group: `holding`, (G,), zeros at first."""
    seen = np.full(len(holding), -1, np.int64)
    for journey in range(len(start)):
        if not converted[journey]:
            continue
        for i in range(start[journey], stop[journey]):
            group = group_of_source[source[i]]
            if seen[group] != journey:
                seen[group] = journey
                holding[group] += 1


@compiled
def write_times_to_convert(
    times: Int64Column,
    filled: Int64Column,
    start: Int64Column,
    stop: Int64Column,
    converted: BoolColumn,
    source: UInt32Column,
    group_of_source: Int64Column,
    touched_at: Int64Column,
    anchor_at: Int64Column,
) -> None:
    """Write the time from the first touch of each group in a converting journey to its conversion, grouped by group.

    `filled`, (G,): where the times of each group begin, and at the end have ended.
    """
    seen = np.full(len(filled), -1, np.int64)
    for journey in range(len(start)):
        if not converted[journey]:
            continue
        for i in range(start[journey], stop[journey]):
            group = group_of_source[source[i]]
            if seen[group] != journey:
                seen[group] = journey
                times[filled[group]] = anchor_at[journey] - touched_at[i]
                filled[group] += 1

"""Distinct paths: what data-driven models and path evidence know about journeys."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from marketing.frames import Float64Column, Int64Column, Journeys, PathTable, UInt32Column

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class JourneyPaths:
    """Journeys, or other rows, by the path that each took.

    `table`: the distinct paths, in lexicographic order of their steps, whatever the order of the rows.
    `path_of_journey`: (J,) int64, position of each journey's path in the table; -1 for a journey without touches.
    """

    table: PathTable
    path_of_journey: Int64Column


def path_table(*, journeys: Journeys, group_of_source: Int64Column, groups: int) -> JourneyPaths:
    """The distinct paths of journeys: how many journeys along each converted, with which value, and how many did not.

    `group_of_source`: (S,) int64, the group (channel or campaign), in `0..groups-1`, of each traffic source.

    Time O(touches + P log P). Raises ValueError if a group or a source is out of bounds.
    """
    check_groups(journeys, group_of_source, groups)
    return _distinct(
        start=journeys.start,
        stop=journeys.stop,
        source=journeys.touches.source,
        group_of_source=group_of_source,
        groups=groups,
        weights=(
            journeys.converted.astype(np.float64),
            np.where(journeys.converted, journeys.value, 0.0),
            (~journeys.converted).astype(np.float64),
        ),
    )


def merge_paths(
    *,
    offsets: Int64Column,
    steps: Int64Column,
    groups: int,
    conversions: Float64Column,
    value: Float64Column,
    nulls: Float64Column,
) -> JourneyPaths:
    """Rows of paths, of which several may be the same and some empty, as distinct paths with their weights added up.

    The columns are those of `PathTable`, one entry for each of J rows; `path_of_journey` has one for each row.
    Raises ValueError as `PathTable` does.
    """
    if len(steps) and not 0 <= steps.min() <= steps.max() < groups:
        raise ValueError(f"Every step of a path must be a group between 0 and {groups - 1}.")
    return _distinct(
        start=offsets[:-1],
        stop=offsets[1:],
        source=steps.astype(np.uint32),
        group_of_source=np.arange(groups),
        groups=groups,
        weights=(conversions, value, nulls),
    )


def check_groups(journeys: Journeys, group_of_source: Int64Column, groups: int) -> None:
    """Raise ValueError where compiled loops, which check nothing, would read or write out of bounds."""
    if len(group_of_source) and not 0 <= group_of_source.min() <= group_of_source.max() < groups:
        raise ValueError(f"Every traffic source must belong to a group between 0 and {groups - 1}.")
    source = journeys.touches.source
    if len(source) and source.max() >= len(group_of_source):
        raise ValueError(f"A touch has traffic source {source.max()}, but only {len(group_of_source)} are known.")


def read_only(column: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """A contiguous read-only view: memory maps and arrays then have one type, and one compilation serves both."""
    view = np.ascontiguousarray(column).view()
    view.flags.writeable = False
    return view


def _distinct(
    *,
    start: Int64Column,
    stop: Int64Column,
    source: UInt32Column,
    group_of_source: Int64Column,
    groups: int,
    weights: tuple[Float64Column, Float64Column, Float64Column],
) -> JourneyPaths:
    """`weights`: (J,) each, the conversions, value and nulls that each row adds to its path."""
    # Here, not above: numba takes a second to import, and pages that only name the models must not wait for it.
    from marketing.journey_paths_kernel import copy_steps, number_paths

    start, stop, source = read_only(start), read_only(stop), read_only(source)
    group_of_source = read_only(group_of_source.astype(np.int64))
    path_of_row, first_row = number_paths(start, stop, source, group_of_source)
    offsets = np.concatenate([[0], np.cumsum(stop[first_row] - start[first_row])])
    steps = np.empty(offsets[-1], np.int64)
    copy_steps(steps, offsets, start[first_row], source, group_of_source)

    order = _lexicographic_order(offsets, steps, groups)
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    path_of_row = np.where(path_of_row >= 0, position[path_of_row], -1) if len(order) else path_of_row
    sorted_offsets = np.concatenate([[0], np.cumsum(np.diff(offsets)[order])])
    sorted_steps = np.empty_like(steps)
    copy_steps(
        sorted_steps,
        sorted_offsets,
        read_only(offsets[order]),
        read_only(steps.astype(np.uint32)),
        read_only(np.arange(groups)),
    )
    with_touches = path_of_row >= 0
    conversions, value, nulls = (
        np.bincount(path_of_row[with_touches], column[with_touches], minlength=len(order)).astype(np.float64)
        for column in weights
    )
    table = PathTable(sorted_offsets, sorted_steps, groups, conversions, value, nulls)
    return JourneyPaths(table, path_of_row)


def _lexicographic_order(offsets: Int64Column, steps: Int64Column, groups: int) -> Int64Column:
    """Order of distinct paths: by the first step, then by the second, and so on; an end comes before any step.

    As many steps as one integer holds are compared at a time, and only paths that are still alike are compared again.
    """
    from marketing.journey_paths_kernel import pack_steps

    paths, base = len(offsets) - 1, groups + 1
    steps_per_key = max(1, int(62 / np.log2(base))) if groups else 1
    rank = np.zeros(paths, np.int64)  # how many paths are smaller, by the steps compared so far
    alike, first_step = np.arange(paths), 0
    while len(alike):
        keys = np.empty(len(alike), np.int64)
        pack_steps(keys, alike, offsets, steps, first_step, steps_per_key, base)
        order = np.lexsort((keys, rank[alike]))
        alike, keys = alike[order], keys[order]
        old = rank[alike]
        is_first_of_old = np.concatenate([[True], old[1:] != old[:-1]])
        is_first = is_first_of_old | np.concatenate([[True], keys[1:] != keys[:-1]])
        place = np.arange(len(alike))
        first_of_old = np.maximum.accumulate(np.where(is_first_of_old, place, 0))
        first_of_new = np.maximum.accumulate(np.where(is_first, place, 0))
        rank[alike] = old + first_of_new - first_of_old
        is_alone = is_first & np.concatenate([is_first[1:], [True]])
        alike = alike[~is_alone]
        first_step += steps_per_key
    return np.argsort(rank)

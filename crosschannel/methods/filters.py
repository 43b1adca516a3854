"""Which journeys a question is about, by the groups along their paths and by how they ended."""

from dataclasses import dataclass

import numpy as np

from marketing.frames import BoolColumn, Int64Column, PathTable
from marketing.journey_paths import JourneyPaths, read_only


@dataclass(frozen=True, slots=True)
class PathFilter:
    """What journeys must have to count; what is empty, None or 0 asks for nothing. All of it must hold.

    `contains`: groups that are all somewhere in the path, in whatever order. `in_order`: groups that follow one right
    after the other somewhere in it. `starts`, `ends`: the path's first, and its last touches, oldest first.
    `converting`: True for journeys that converted, False for those that did not. `min_journeys`: paths that fewer
    journeys took are left out, whether or not these converted.
    """

    contains: tuple[int, ...] = ()
    in_order: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    converting: bool | None = None
    min_journeys: int = 0


def keep_paths(table: PathTable, wanted: PathFilter) -> BoolColumn:
    """Which paths match and have a journey that counts: (P,) bool. Time O(L x groups asked for) for L steps."""
    kept: BoolColumn = np.ones(len(table), np.bool_)
    asked = (wanted.contains, wanted.in_order, wanted.starts, wanted.ends)
    if any(asked):
        from crosschannel.methods.walk_kernel import match_paths  # here: numba takes a second to import

        columns = (read_only(np.array(groups, np.int64)) for groups in asked)
        match_paths(kept, read_only(table.offsets), read_only(table.steps), *columns)
    kept &= table.conversions + table.nulls >= wanted.min_journeys
    if wanted.converting is not None:
        kept &= (table.conversions if wanted.converting else table.nulls) > 0
    return kept


def filtered(*, paths: JourneyPaths, converted: BoolColumn, wanted: PathFilter) -> JourneyPaths:
    """The journeys that count, by path: the paths that keep one, with the weights of these journeys only.

    `converted`: (J,) bool, of the journeys. In `path_of_journey`, -1 is also a journey that does not count.
    """
    kept = keep_paths(paths.table, wanted)
    place = np.full(len(kept) + 1, -1, np.int64)  # the last entry: that of no path, -1
    place[:-1][kept] = np.arange(np.count_nonzero(kept))
    path_of_journey: Int64Column = place[paths.path_of_journey]
    if wanted.converting is not None:
        path_of_journey[converted != wanted.converting] = -1
    return JourneyPaths(_weighed(paths.table, kept, wanted.converting), path_of_journey)


def _weighed(table: PathTable, kept: BoolColumn, converting: bool | None) -> PathTable:
    length = np.diff(table.offsets)
    conversions, value, nulls = table.conversions[kept], table.value[kept], table.nulls[kept]
    return PathTable(
        offsets=np.concatenate([[0], np.cumsum(length[kept])]),
        steps=table.steps[np.repeat(kept, length)],
        groups=table.groups,
        conversions=np.zeros_like(conversions) if converting is False else conversions,
        value=np.zeros_like(value) if converting is False else value,
        nulls=np.zeros_like(nulls) if converting is True else nulls,
    )

"""Paths as a diagram of flows can show them: their first steps, with the lesser groups as one."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import BoolColumn, Float64Column, Int64Column, PathTable
from marketing.journey_paths import merge_paths, read_only

Int16Table: TypeAlias = npt.NDArray[np.int16]
End: TypeAlias = Literal["conversion", "drop_off"]

# What a node of the diagram is if it is not a group, which has a number of 0 or more.
OTHER, CONVERSION, DROP_OFF = -2, -3, -4
AFTER_END = -1  # in `Walks.steps`
MOST_GROUPS = 1000  # a diagram is not read beyond a dozen; flows are counted in a table of all pairs


@dataclass(frozen=True, slots=True, eq=False)
class Walks:
    """The distinct beginnings of paths, of n steps at most; a repeated group is a step of its own.

    `groups`: (K,) int64, the groups that are told apart, most journeys first.
    `steps`: (W, n) int16, positions in `groups`; K is any other group, `AFTER_END` follows the end of the path.
    `longer`: (W,) bool, whether the paths go on beyond the n steps. No two walks are alike in `steps` and `longer`, and
    they come in the lexicographic order of these.
    `conversions`, `value`, `nulls`: (W,) float64, those of the paths that begin so.
    `walk_of_path`: (P,) int64, the walk that each path of the table begins with; -1 for one that is left out.
    """

    groups: Int64Column
    steps: Int16Table
    longer: BoolColumn
    conversions: Float64Column
    value: Float64Column
    nulls: Float64Column
    walk_of_path: Int64Column

    def __len__(self) -> int:
        return len(self.conversions)

    def shown(self) -> Int64Column:
        """How many steps of each walk are shown: (W,) int64, one at least."""
        shown: Int64Column = (self.steps != AFTER_END).sum(axis=1)
        return shown


def walks_of(table: PathTable, *, steps: int, top: int) -> Walks:
    """The first `steps` steps of each path, with all groups but the `top` ones that most journeys touch as one.

    Of groups that equally many journeys touch, the one with the smaller number goes first.
    Time O(L + P log P) for P paths of L steps. Raises ValueError unless there is a step, and a group, to be shown.
    """
    if steps < 1 or not 1 <= top <= MOST_GROUPS:
        raise ValueError(f"At least one step, and between 1 and {MOST_GROUPS} groups, must be shown.")
    from crosschannel.methods.walk_kernel import cut_paths, weigh_groups  # here: numba takes a second to import

    offsets, path_steps = read_only(table.offsets), read_only(table.steps)
    journeys = np.zeros(table.groups)
    weigh_groups(journeys, offsets, path_steps, read_only(table.conversions + table.nulls))
    groups = np.argsort(-journeys, kind="stable")[: min(top, np.count_nonzero(journeys))].astype(np.int64)
    other, goes_on = len(groups), len(groups) + 1
    position = np.full(table.groups, other, np.int64)
    position[groups] = np.arange(len(groups))

    cut_offsets = np.concatenate([[0], np.cumsum(np.minimum(np.diff(table.offsets), steps + 1))])
    cut = np.empty(cut_offsets[-1], np.int64)
    cut_paths(cut, cut_offsets, offsets, path_steps, position, steps, goes_on)
    merged = merge_paths(
        offsets=cut_offsets,
        steps=cut,
        groups=goes_on + 1,
        conversions=table.conversions,
        value=table.value,
        nulls=table.nulls,
    )
    walks = merged.table
    length = np.diff(walks.offsets)
    row, column = np.repeat(np.arange(len(walks)), length), np.arange(len(walks.steps))
    column -= np.repeat(walks.offsets[:-1], length)
    is_shown = column < steps
    shown_steps = np.full((len(walks), steps), AFTER_END, np.int16)
    shown_steps[row[is_shown], column[is_shown]] = walks.steps[is_shown]
    return Walks(
        groups=groups,
        steps=shown_steps,
        longer=length > steps,
        conversions=walks.conversions,
        value=walks.value,
        nulls=walks.nulls,
        walk_of_path=merged.path_of_journey,
    )


def select(walks: Walks, *, at: tuple[tuple[int, int], ...] = (), end: End | None = None) -> Walks:
    """The walks that pass all these nodes, with the weights of the journeys that end so.

    `at`: (step, group) each, steps counted from 0, groups by number or as OTHER. CONVERSION or DROP_OFF at a step are
    the journeys that flow there from the step before: a link is its two nodes. `end`: how they end, after whatever
    step. Time O(W) for each node.
    """
    most, shown = walks.steps.shape[1], walks.shown()
    kept, ends = np.ones(len(walks), np.bool_), {"conversion": CONVERSION, "drop_off": DROP_OFF}
    wanted_ends = {ends[end]} if end else set()
    for step, group in at:
        if group in (CONVERSION, DROP_OFF):
            kept &= shown == step
            wanted_ends.add(group)
        else:
            kept &= (walks.steps[:, step] == _position(walks, group)) if 0 <= step < most else False
    conversions, value, nulls = walks.conversions, walks.value, walks.nulls
    if DROP_OFF in wanted_ends:
        conversions, value = np.zeros_like(conversions), np.zeros_like(value)
    if CONVERSION in wanted_ends:
        nulls = np.zeros_like(nulls)
    kept &= conversions + nulls > 0
    place = np.full(len(walks) + 1, -1, np.int64)  # the last entry: that of no walk, -1
    place[:-1][kept] = np.arange(np.count_nonzero(kept))
    return Walks(
        groups=walks.groups,
        steps=walks.steps[kept],
        longer=walks.longer[kept],
        conversions=conversions[kept],
        value=value[kept],
        nulls=nulls[kept],
        walk_of_path=place[walks.walk_of_path],
    )


def walk_of_journey(*, walks: Walks, path_of_journey: Int64Column, converted: BoolColumn) -> Int64Column:
    """The walk that each journey begins with: (J,) int64; -1 for a journey that the walks do not count.

    `path_of_journey`, `converted`: (J,), of the journeys whose paths the walks were made of.
    """
    walk: Int64Column = np.append(walks.walk_of_path, -1)[path_of_journey]
    # Journeys along a walk that end in one way count all or not at all; the last entry is that of no walk, -1.
    counts_converted, counts_null = np.append(walks.conversions > 0, False), np.append(walks.nulls > 0, False)
    walk[~np.where(converted, counts_converted[walk], counts_null[walk])] = -1
    return walk


def _position(walks: Walks, group: int) -> int:
    """The group's position in `Walks.groups`; one that no step has for a group that is not told apart."""
    if group == OTHER:
        return len(walks.groups)
    found = np.flatnonzero(walks.groups == group)
    return int(found[0]) if len(found) else len(walks.groups) + 1

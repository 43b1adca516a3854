"""The compiled loops that tell paths apart. Importing this module imports numba: import it where paths are built."""

import numpy as np

from marketing.frames import Int64Column, UInt32Column
from marketing.native import compiled

EMPTY = -1
FIRST_SLOTS = 1024  # a power of two, as every later size of the table of paths is
# What a slot of the table holds: all that is compared lies side by side, in one line of the cache.
PATH, HASH, START, TOUCHES, SLOT_FIELDS = 0, 1, 2, 3, 4


@compiled
def hash_of(start: int, stop: int, source: UInt32Column, group_of_source: Int64Column) -> np.int64:
    """A 64-bit mix of the groups of a path. Two paths may share it; that costs a comparison, never a mistake."""
    mixed = np.uint64(stop - start) * np.uint64(0xBF58476D1CE4E5B9)  # not small, as group numbers are
    for touch in range(start, stop):
        mixed = (mixed ^ np.uint64(group_of_source[source[touch]] + 1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.int64(mixed ^ (mixed >> np.uint64(32)))


@compiled
def is_same_path(
    start: int, other_start: int, touches: int, source: UInt32Column, group_of_source: Int64Column
) -> bool:
    """Whether two paths of as many touches pass the same groups in the same order."""
    i = 0
    while i < touches and group_of_source[source[start + i]] == group_of_source[source[other_start + i]]:
        i += 1
    return i == touches


@compiled
def number_paths(
    start: Int64Column, stop: Int64Column, source: UInt32Column, group_of_source: Int64Column
) -> tuple[Int64Column, Int64Column]:
    """Number the distinct paths among rows in the order in which they first occur.

    `start`, `stop`: (J,) slices of `source` (N,), whose groups are `group_of_source` (S,).
    Returns the path of each row, (J,), -1 for an empty one, and the first row of each path. Time O(N).
    """
    rows = len(start)
    path_of_row, first_row = np.empty(rows, np.int64), np.empty(rows, np.int64)
    slots = np.full((FIRST_SLOTS, SLOT_FIELDS), EMPTY, np.int64)
    paths = 0
    for row in range(rows):
        touches = stop[row] - start[row]
        if touches == 0:
            path_of_row[row] = EMPTY
            continue
        if 2 * paths >= len(slots):
            slots = enlarged(slots)
        mixed = hash_of(start[row], stop[row], source, group_of_source)
        slot = mixed & (len(slots) - 1)
        while slots[slot, PATH] != EMPTY and not (
            slots[slot, HASH] == mixed
            and slots[slot, TOUCHES] == touches
            and is_same_path(start[row], slots[slot, START], touches, source, group_of_source)
        ):
            slot = (slot + 1) & (len(slots) - 1)
        if slots[slot, PATH] == EMPTY:
            slots[slot, PATH], slots[slot, HASH] = paths, mixed
            slots[slot, START], slots[slot, TOUCHES] = start[row], touches
            first_row[paths] = row
            paths += 1
        path_of_row[row] = slots[slot, PATH]
    return path_of_row, first_row[:paths].copy()


@compiled
def enlarged(slots: Int64Column) -> Int64Column:
    """The same table of paths with four times the slots."""
    larger = np.full((4 * len(slots), SLOT_FIELDS), EMPTY, np.int64)
    for old in range(len(slots)):
        if slots[old, PATH] != EMPTY:
            slot = slots[old, HASH] & (len(larger) - 1)
            while larger[slot, PATH] != EMPTY:
                slot = (slot + 1) & (len(larger) - 1)
            larger[slot] = slots[old]
    return larger


@compiled
def copy_steps(
    steps: Int64Column,
    offsets: Int64Column,
    start: Int64Column,
    source: UInt32Column,
    group_of_source: Int64Column,
) -> None:
    """Write the groups of each path into `steps[offsets[p]:offsets[p+1]]`; `start`: (P,), its first touch."""
    for path in range(len(start)):
        for i in range(offsets[path + 1] - offsets[path]):
            steps[offsets[path] + i] = group_of_source[source[start[path] + i]]


@compiled
def pack_steps(
    keys: Int64Column,
    paths: Int64Column,
    offsets: Int64Column,
    steps: Int64Column,
    first_step: int,
    steps_per_key: int,
    base: int,
) -> None:
    """Write into `keys` a number for the steps `first_step..first_step + steps_per_key - 1` of each of `paths`.

    Numbers compare as these steps do, one by one; a path that has ended is smaller than one that goes on.
    """
    for i in range(len(paths)):
        key = 0
        for step in range(first_step, first_step + steps_per_key):
            at = offsets[paths[i]] + step
            key = key * base + (steps[at] + 1 if at < offsets[paths[i] + 1] else 0)
        keys[i] = key


@compiled
def count_groups(distinct: Int64Column, offsets: Int64Column, steps: Int64Column, groups: int) -> None:
    """Count the different groups of each path: `distinct`, (P,), zeros at first."""
    seen = np.full(groups, -1, np.int64)
    for path in range(len(distinct)):
        for i in range(offsets[path], offsets[path + 1]):
            if seen[steps[i]] != path:
                seen[steps[i]] = path
                distinct[path] += 1

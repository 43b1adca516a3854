"""The compiled loops that add up equal paths of a file. Importing this module imports numba, which takes a second."""

import numpy as np
import numpy.typing as npt

from marketing.frames import BoolColumn, Float64Column, Int64Column, UInt32Column
from marketing.journey_paths_kernel import hash_of, is_same_path
from marketing.native import compiled

SIGN = np.uint64(2**63)


def distinct_paths(
    offsets: Int64Column, codes: UInt32Column, group_of_code: Int64Column, weights: Float64Column
) -> tuple[Int64Column, Int64Column, Float64Column]:
    """Add up the rows that have the same path, in an order that that of the rows does not change.

    `codes[offsets[j]:offsets[j+1]]`: the path of a row, `group_of_code` (S,) the groups; `weights` (J, W).
    Returns where in `codes` each path begins, (P,), offsets for the steps of all of them, (P+1,), and their weights,
    (W, P). Time O(J log J + N).
    """
    hashes = np.empty(len(weights), np.int64)
    hash_paths(hashes, offsets, codes, group_of_code)
    order, alike = rows_by_hash(hashes)
    starts, path_offsets, merged = np.empty_like(hashes), np.empty_like(offsets), np.empty(weights.T.shape)
    paths = add_up(starts, path_offsets, merged, order, alike, offsets, codes, group_of_code, weights)
    return starts[:paths], path_offsets[: paths + 1], merged[:, :paths]


@compiled
def hash_paths(hashes: Int64Column, offsets: Int64Column, codes: UInt32Column, group_of_code: Int64Column) -> None:
    """Fill `hashes` (J,) with that of each row's path of groups."""
    for row in range(len(hashes)):
        hashes[row] = hash_of(offsets[row], offsets[row + 1], codes, group_of_code)


def rows_by_hash(hashes: Int64Column) -> tuple[Int64Column, BoolColumn]:
    """Return the rows by hash, equal ones in their order, (J,), and whether each has the hash of the one before, (J,).

    It is what a stable argsort does, in a fifth of the time: what is sorted are numbers that hold the row, too.
    """
    row_bits = max(len(hashes) - 1, 1).bit_length()
    keys = np.empty(len(hashes), np.uint64)
    pack_rows(keys, hashes, row_bits)
    keys.sort()
    order, alike = np.empty(len(hashes), np.int64), np.empty(len(hashes), np.bool_)
    unpack_rows(order, alike, keys, hashes, row_bits)
    return order, alike


@compiled
def pack_rows(keys: npt.NDArray[np.uint64], hashes: Int64Column, row_bits: int) -> None:
    """Fill `keys` (J,) with the highest bits of each hash, which compare as it does, above `row_bits` of its row."""
    bits = np.uint64(row_bits)
    for row in range(len(keys)):
        keys[row] = (np.uint64(hashes[row]) ^ SIGN) >> bits << bits | np.uint64(row)


@compiled
def unpack_rows(
    order: Int64Column, alike: BoolColumn, keys: npt.NDArray[np.uint64], hashes: Int64Column, row_bits: int
) -> None:
    """Fill `order` (J,) with the rows of sorted keys, sorting those that agree in all bits of the hash but the lowest.

    `alike` (J,) gets whether a row of `order` has the hash of the one before.
    """
    bits = np.uint64(row_bits)
    row_of_key = (np.uint64(1) << bits) - np.uint64(1)
    for i in range(len(keys)):
        row, place = np.int64(keys[i] & row_of_key), i
        while place > 0 and (keys[place - 1] ^ keys[i]) >> bits == 0 and hashes[order[place - 1]] > hashes[row]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = row
    for i in range(len(keys)):
        alike[i] = i > 0 and (keys[i - 1] ^ keys[i]) >> bits == 0 and hashes[order[i - 1]] == hashes[order[i]]


@compiled
def add_up(
    starts: Int64Column,
    path_offsets: Int64Column,
    merged: Float64Column,
    order: Int64Column,
    alike: BoolColumn,
    offsets: Int64Column,
    codes: UInt32Column,
    group_of_code: Int64Column,
    weights: Float64Column,
) -> int:
    """Add up the weights (J, W) of equal paths, and return how many paths there are, P.

    `order` and `alike`: see `rows_by_hash`. In the order of the paths, `starts` (J,) gets where in `codes` each begins,
    `path_offsets` (J+1,) how many steps all before it have, and `merged` (W, J) its weights; P are filled.
    """
    paths, first_alike = 0, 0
    path_offsets[0] = 0
    for i in range(len(order)):
        row = order[i]
        if not alike[i]:
            first_alike = paths
        start, steps = offsets[row], offsets[row + 1] - offsets[row]
        path = first_alike  # two different paths may share a hash
        while path < paths and not (
            path_offsets[path + 1] - path_offsets[path] == steps
            and is_same_path(start, starts[path], steps, codes, group_of_code)
        ):
            path += 1
        if path == paths:
            starts[path], path_offsets[path + 1] = start, path_offsets[path] + steps
            for w in range(len(merged)):
                merged[w, path] = 0.0
            paths += 1
        for w in range(len(merged)):
            merged[w, path] += weights[row, w]
    return paths

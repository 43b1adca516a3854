"""The compiled loops that add up equal paths of a file. Importing this module imports numba, which takes a second."""

from attribution.methods.paths_kernel import hash_of, is_same_path
from attribution.methods.rule_kernel import compiled
from marketing.frames import Float64Column, Int64Column, UInt32Column


@compiled
def hash_paths(hashes: Int64Column, offsets: Int64Column, codes: UInt32Column, group_of_code: Int64Column) -> None:
    """Fill `hashes` (J,) with that of each row's path of groups."""
    for row in range(len(hashes)):
        hashes[row] = hash_of(offsets[row], offsets[row + 1], codes, group_of_code)


@compiled
def add_up(
    row_of_path: Int64Column,
    merged: Float64Column,
    order: Int64Column,
    hashes: Int64Column,
    offsets: Int64Column,
    codes: UInt32Column,
    group_of_code: Int64Column,
    weights: Float64Column,
) -> int:
    """Add up the weights (J, W) of equal paths, and return how many paths there are.

    `order`: rows by hash. `row_of_path` (J,) gets a row of each path and `merged` (J, W) its weights, in its order.
    """
    paths, first_alike = 0, 0
    for i in range(len(order)):
        row = order[i]
        if i > 0 and hashes[row] != hashes[order[i - 1]]:
            first_alike = paths
        start, steps = offsets[row], offsets[row + 1] - offsets[row]
        path = first_alike  # two different paths may share a hash
        while path < paths:
            other = row_of_path[path]
            if offsets[other + 1] - offsets[other] == steps and is_same_path(
                start, offsets[other], steps, codes, group_of_code
            ):
                break
            path += 1
        if path == paths:
            row_of_path[path] = row
            merged[path] = 0.0
            paths += 1
        for w in range(weights.shape[1]):
            merged[path, w] += weights[row, w]
    return paths


@compiled
def copy_paths(
    steps: Int64Column,
    path_offsets: Int64Column,
    row_of_path: Int64Column,
    offsets: Int64Column,
    codes: UInt32Column,
    group_of_code: Int64Column,
) -> None:
    """Fill `steps` with the groups of each path, path by path."""
    for path in range(len(row_of_path)):
        start, target = offsets[row_of_path[path]], path_offsets[path]
        for i in range(path_offsets[path + 1] - target):
            steps[target + i] = group_of_code[codes[start + i]]

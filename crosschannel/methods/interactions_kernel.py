"""The compiled loops of the model of interactions. Importing this module imports numba: import it where they run.

Indices are trusted; the callers have made them. All loops release the GIL, so that several may run side by side.
"""

import numpy as np
import numpy.typing as npt

from marketing.frames import BoolColumn, Float64Column, Float64Table, Int64Column, UInt32Column
from marketing.native import compiled

Int64Table = npt.NDArray[np.int64]
UInt8Table = npt.NDArray[np.uint8]
UInt64Column = npt.NDArray[np.uint64]


@compiled
def mix_codes(
    offsets: Int64Column, steps: Int64Column, bit: Int64Column, bits: int, first_touches: Int64Column, shares: int
) -> tuple[Int64Column, Int64Column, UInt32Column]:
    """Write what each path is made of as numbers: the bucket of its length, then each bit with its share of touches.

    `bit`: (G,), that of each group. `first_touches`: (B,), of each bucket of lengths. Returns `start`, `stop` (P,) and
    the codes that they point into: a bucket below B, or B + bit * (shares + 1) + share, by ascending bit.
    """
    paths, buckets = len(offsets) - 1, len(first_touches)
    start, stop = np.empty(paths, np.int64), np.empty(paths, np.int64)
    codes = np.empty(len(steps) + paths, np.uint32)
    count, end = np.zeros(bits, np.int64), 0
    for path in range(paths):
        touches = offsets[path + 1] - offsets[path]
        for i in range(offsets[path], offsets[path + 1]):
            count[bit[steps[i]]] += 1
        start[path] = end
        bucket = buckets - 1
        while first_touches[bucket] > touches:
            bucket -= 1
        codes[end] = bucket
        end += 1
        for one in range(bits):
            if count[one] > 0:
                share = max((2 * count[one] * shares + touches) // (2 * touches), 1)  # rounded, but not to nothing
                codes[end] = buckets + one * (shares + 1) + share
                end += 1
                count[one] = 0
        stop[path] = end
    return start, stop, codes[:end].copy()


@compiled
def read_codes(
    shares: UInt8Table,
    sets: UInt64Column,
    length: Int64Column,
    start: Int64Column,
    stop: Int64Column,
    codes: UInt32Column,
    buckets: int,
    most: int,
) -> None:
    """Read what `mix_codes` wrote into `shares` (M, bits), `sets` and `length` (M,), zeros at first."""
    for mix in range(len(length)):
        length[mix] = codes[start[mix]]
        for i in range(start[mix] + 1, stop[mix]):
            bit, share = divmod(codes[i] - buckets, most + 1)
            shares[mix, bit] = share
            sets[mix] |= np.uint64(1) << np.uint64(bit)


@compiled
def count_together(together: Float64Table, shares: UInt8Table, journeys: Float64Column) -> None:
    """Add up the journeys of the cells that hold each two bits, and, on the diagonal, each one: `together` (B, B)."""
    held = np.empty(len(together), np.int64)
    for row in range(len(journeys)):
        count = 0
        for bit in range(len(together)):
            if shares[row, bit] > 0:
                held[count] = bit
                count += 1
        for i in range(count):
            for j in range(count):
                together[held[i], held[j]] += journeys[row]


@compiled
def fill_design(
    offsets: Int64Column,
    columns: Int64Column,
    values: Float64Column,
    shares: UInt8Table,
    strata: Int64Table,
    share_column: Int64Column,
    channel_column: Int64Column,
    pair_column: Int64Table,
    whole: float,
) -> None:
    """Write the rows of a sparse design, or, while `columns` is empty, only where each of them ends.

    `shares` (K, B). `strata` (K, S): the column of each cell's stratum, -1 for the usual one. `share_column`,
    `channel_column` (B,), `pair_column` (B, B): -1 where there is none. All rise in this order. `offsets`: (K+1,).
    """
    end, writes = 0, len(columns) > 0
    held = np.empty(shares.shape[1], np.int64)
    for row in range(len(shares)):
        count = 0
        for bit in range(shares.shape[1]):
            if shares[row, bit] > 0:
                held[count] = bit
                count += 1
        end = put(columns, values, end, 0, 1.0, writes)
        for stratum in range(strata.shape[1]):
            end = put(columns, values, end, strata[row, stratum], 1.0, writes)
        for i in range(count):
            end = put(columns, values, end, share_column[held[i]], shares[row, held[i]] / whole, writes)
        for i in range(count):
            end = put(columns, values, end, channel_column[held[i]], 1.0, writes)
        for i in range(count):
            for j in range(i + 1, count):
                end = put(columns, values, end, pair_column[held[i], held[j]], 1.0, writes)
        offsets[row + 1] = end


@compiled
def put(columns: Int64Column, values: Float64Column, end: int, column: int, value: float, writes: bool) -> int:
    """Write an entry at `end`, if it has a column, and return where the next one goes."""
    if column < 0:
        return end
    if writes:
        columns[end], values[end] = column, value
    return end + 1


@compiled
def add_information(
    information: Float64Table,
    offsets: Int64Column,
    columns: Int64Column,
    values: Float64Column,
    weight: Float64Column,
    begin: int,
    end: int,
) -> None:
    """Add the outer products of the rows `begin..end-1` of a sparse design, times their weight (K,).

    `offsets` (K+1,), `columns`, `values`: the entries of each row, columns ascending. Only the lower triangle of
    `information` (P, P).
    """
    for row in range(begin, end):
        if weight[row] == 0.0:
            continue
        for i in range(offsets[row], offsets[row + 1]):
            scaled = weight[row] * values[i]
            for j in range(offsets[row], i + 1):
                information[columns[i], columns[j]] += scaled * values[j]


@compiled
def quadratic_forms(
    forms: Float64Column,
    matrix: Float64Table,
    offsets: Int64Column,
    columns: Int64Column,
    values: Float64Column,
    begin: int,
    end: int,
) -> None:
    """Write x' M x of the rows x of a sparse design into `forms` (K,); M (P, P) is symmetric."""
    for row in range(begin, end):
        total = 0.0
        for i in range(offsets[row], offsets[row + 1]):
            along = 0.5 * values[i] * matrix[columns[i], columns[i]]
            for j in range(offsets[row], i):
                along += values[j] * matrix[columns[i], columns[j]]
            total += 2.0 * values[i] * along
        forms[row] = total


@compiled
def eliminate(rest: Float64Table, independent: BoolColumn, least: float) -> None:
    """Note which columns of a matrix of products (P, P) do not depend on those before them; its lower half is used up.

    `independent`: (P,), False at first. `least`: of a column's own, at most which is none.
    """
    factor = np.empty(len(rest))
    for column in range(len(rest)):
        if rest[column, column] <= least:
            continue
        independent[column] = True
        root = np.sqrt(rest[column, column])
        for i in range(column + 1, len(rest)):
            factor[i] = rest[i, column] / root
        for i in range(column + 1, len(rest)):
            for j in range(column + 1, i + 1):
                rest[i, j] -= factor[i] * factor[j]


@compiled
def multiply(
    products: Float64Column, offsets: Int64Column, columns: Int64Column, values: Float64Column, vector: Float64Column
) -> None:
    """Write the products of a sparse design with a vector (P,) into `products` (K,)."""
    for row in range(len(products)):
        total = 0.0
        for i in range(offsets[row], offsets[row + 1]):
            total += values[i] * vector[columns[i]]
        products[row] = total


@compiled
def add_columns(
    sums: Float64Column, offsets: Int64Column, columns: Int64Column, values: Float64Column, weight: Float64Column
) -> None:
    """Add the rows of a sparse design, each times its weight (K,), to `sums` (P,)."""
    for row in range(len(weight)):
        for i in range(offsets[row], offsets[row + 1]):
            sums[columns[i]] += values[i] * weight[row]


@compiled
def add_scores(
    scatter: Float64Table,
    begins: Int64Column,
    ends: Int64Column,
    cell: Int64Column,
    converted: BoolColumn,
    if_converted: Float64Column,
    if_not: Float64Column,
    offsets: Int64Column,
    columns: Int64Column,
    values: Float64Column,
) -> None:
    """Add the outer products of the scores of customers to the lower triangle of `scatter` (P, P).

    `begins`, `ends` (U,): the journeys of each customer in `cell` and `converted`. A customer's score is the sum over
    its journeys of their cell's design row times the residual, which depends on whether the journey converted:
    `if_converted`, `if_not`, (K,) each.
    """
    size = len(scatter)
    score, touched, is_touched = np.zeros(size), np.empty(size, np.int64), np.zeros(size, np.bool_)
    for customer in range(len(begins)):
        count = 0
        for journey in range(begins[customer], ends[customer]):
            row = cell[journey]
            residual = if_converted[row] if converted[journey] else if_not[row]
            for i in range(offsets[row], offsets[row + 1]):
                column = columns[i]
                if not is_touched[column]:
                    is_touched[column] = True
                    touched[count] = column
                    count += 1
                score[column] += residual * values[i]
        for i in range(count):
            for j in range(count):
                if touched[j] <= touched[i]:
                    scatter[touched[i], touched[j]] += score[touched[i]] * score[touched[j]]
        for i in range(count):
            score[touched[i]] = 0.0
            is_touched[touched[i]] = False

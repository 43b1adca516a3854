"""What the model of interactions knows of each cell: the columns of its regression."""

import numpy as np

from crosschannel.methods.cells import SHARES, Cells
from crosschannel.methods.firth import Design
from marketing.frames import Float64Column, Int64Column


def design_of(cells: Cells, pairs: Int64Column) -> tuple[Design, slice]:
    """Return the design (K, P): intercept, length, segment, month, shares, channels, and, last, the pairs (T, 2); and
    where its shares are.

    The intercept stands for the usual length, segment and month; shares are those of all channels but the first, as
    all of them add up to one. The pairs are sorted.
    """
    from crosschannel.methods.interactions_kernel import fill_design  # here: numba takes a second to import

    bits = cells.shares.shape[1]
    size, strata = 1, []
    for stratum in (cells.length, cells.segment, cells.month):
        column_of_level, size = _columns_of_levels(stratum, cells.journeys, size)
        strata.append(column_of_level[stratum])
    first_share = size
    share_column = np.concatenate([[-1], size + np.arange(bits - 1)])
    channel_column = size + bits - 1 + np.arange(bits)
    size += 2 * bits - 1
    pair_column = np.full((bits, bits), -1, np.int64)
    pair_column[tuple(pairs.T)] = size + np.arange(len(pairs))
    size += len(pairs)

    strata_of_cells = np.stack(strata, axis=1)

    def write(columns: Int64Column, values: Float64Column) -> None:
        fill_design(
            *(offsets, columns, values, cells.shares, strata_of_cells),
            *(share_column, channel_column, pair_column, float(SHARES)),
        )

    offsets = np.zeros(len(cells) + 1, np.int64)
    write(np.empty(0, np.int64), np.empty(0))
    columns, values = np.empty(offsets[-1], np.int64), np.empty(offsets[-1])
    write(columns, values)
    return Design(offsets, columns, values, size), slice(first_share, first_share + bits - 1)


def _columns_of_levels(stratum: Int64Column, journeys: Float64Column, first: int) -> tuple[Int64Column, int]:
    """The column of each level, counted from `first`, -1 for that of most journeys; and the column after them."""
    count = np.bincount(stratum, journeys)
    column = np.full(len(count), -1, np.int64)
    others = [level for level in np.flatnonzero(count) if level != count.argmax()]
    column[others] = first + np.arange(len(others))
    return column, first + len(others)

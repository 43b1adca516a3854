"""Knots: a line through time that bends at a few periods and is straight between them.

The value at period t is sum_k w_tk value_k. Source: Google Meridian 1.8.0, `meridian/model/knots.py`.
"""

import numpy as np

from marketing.frames import Float64Table, Int64Column


def knot_positions(periods: int, count: int) -> Int64Column:
    """`count` periods spread evenly from the first, 0, to the last, each rounded down; one knot stands at 0.

    Returns (count,) int64, strictly ascending. Raises ValueError unless 1 <= `count` <= `periods`.
    """
    if not 1 <= count <= periods:
        raise ValueError(f"{periods} periods can have 1 to {periods} knots, not {count}.")
    return np.arange(count) * (periods - 1) // max(count - 1, 1)


def knot_weights(periods: int, positions: Int64Column) -> Float64Table:
    """How much of each knot's value each period has: linear between knots, flat before the first and after the last.

    `periods`: T. `positions`: (K,) int64, strictly ascending, the knots' periods in 0..T-1.
    Returns (K, T) float64; each period's weights sum to 1.

    Raises ValueError if there is no knot, or if knots lie outside of the periods or do not ascend.
    """
    if not len(positions) or positions[0] < 0 or positions[-1] >= periods or (np.diff(positions) <= 0).any():
        raise ValueError(f"Knots must ascend from 0 or later to {periods - 1} or earlier: {positions.tolist()}.")
    time = np.arange(periods)
    return np.stack([np.interp(time, positions, unit) for unit in np.eye(len(positions))])

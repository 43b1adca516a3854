"""The compiled inner loops of the Shapley value: every coalition, or sampled orders in which channels join.

Imports numba, which takes a second: import it where credit is computed.
"""

import numpy as np

from marketing.frames import Float64Column, Int64Column
from marketing.native import compiled


@compiled
def add_subsets(sums: Float64Column, channels: int) -> None:
    """Add to each coalition what its subsets hold (zeta transform), in place; `sums`: (2^channels,), by bit mask."""
    for channel in range(channels):
        bit = 1 << channel
        for block in range(0, len(sums), 2 * bit):
            for without in range(block, block + bit):
                sums[without + bit] += sums[without]


@compiled
def exact_phi(phi: Float64Column, masks: Int64Column, conversions: Float64Column, nulls: Float64Column) -> None:
    """Fill `phi` (R, K) from the conversions and null paths (U, R) of the channel sets with these bit masks (U,).

    Time O(R K 2^K), memory O(2^K).
    """
    replicates, channels = phi.shape
    coalitions = 1 << channels
    weight = np.empty(channels)  # of a coalition by its size: how often it is what a channel finds when it joins
    weight[0] = 1.0 / channels
    for size in range(1, channels):
        weight[size] = weight[size - 1] * size / (channels - size)
    weight_of = np.empty(coalitions)
    size_of = np.zeros(coalitions, np.uint8)
    for coalition in range(coalitions):
        size_of[coalition] = size_of[coalition >> 1] + (coalition & 1)
        weight_of[coalition] = weight[min(size_of[coalition], channels - 1)]  # that of all channels is never asked for
    rate, paths = np.empty(coalitions), np.empty(coalitions)
    for replicate in range(replicates):
        rate[:] = 0.0
        paths[:] = 0.0
        for u in range(len(masks)):
            rate[masks[u]] += conversions[u, replicate]
            paths[masks[u]] += conversions[u, replicate] + nulls[u, replicate]
        add_subsets(rate, channels)
        add_subsets(paths, channels)
        for coalition in range(coalitions):
            rate[coalition] = rate[coalition] / paths[coalition] if paths[coalition] > 0.0 else 0.0
        for channel in range(channels):
            bit = 1 << channel
            total = 0.0
            for block in range(0, coalitions, 2 * bit):
                for without in range(block, block + bit):
                    total += weight_of[without] * (rate[without + bit] - rate[without])
            phi[replicate, channel] = total


@compiled
def add_order(
    marginal: Float64Column,
    order: Int64Column,
    offsets: Int64Column,
    members: Int64Column,
    conversions: Float64Column,
    nulls: Float64Column,
) -> None:
    """Add half of what each channel adds to the conversion rate when channels join in this order to `marginal` (R, K).

    A path counts from the moment when the last channel of its set has joined, so one pass over the sets tells the
    conversion rate after every step.
    """
    replicates, channels = marginal.shape
    step_of = np.empty(channels, np.int64)
    for step in range(channels):
        step_of[order[step]] = step
    converting, paths = np.zeros((channels, replicates)), np.zeros((channels, replicates))
    for u in range(len(offsets) - 1):
        last = 0
        for i in range(offsets[u], offsets[u + 1]):
            last = max(last, step_of[members[i]])
        for replicate in range(replicates):
            converting[last, replicate] += conversions[u, replicate]
            paths[last, replicate] += conversions[u, replicate] + nulls[u, replicate]
    for replicate in range(replicates):
        conversions_yet, paths_yet, rate_before = 0.0, 0.0, 0.0
        for step in range(channels):
            conversions_yet += converting[step, replicate]
            paths_yet += paths[step, replicate]
            rate = conversions_yet / paths_yet if paths_yet > 0.0 else 0.0
            marginal[replicate, order[step]] += 0.5 * (rate - rate_before)
            rate_before = rate


@compiled
def sampled_phi(
    mean: Float64Column,
    squares: Float64Column,
    pairs_before: int,
    orders: Int64Column,
    offsets: Int64Column,
    members: Int64Column,
    conversions: Float64Column,
    nulls: Float64Column,
) -> None:
    """Carry the mean and the sum of squared deviations over pairs, both (R, K), on by each order and its reverse.

    `orders`: (N, K), permutations of the channels. `offsets`, `members`: the channel sets, (U+1,) and (L,). Welford's
    recurrence: sums of squares would cancel where channels hardly vary.
    """
    marginal = np.empty_like(mean)
    for n in range(len(orders)):
        marginal[:] = 0.0
        add_order(marginal, orders[n], offsets, members, conversions, nulls)
        add_order(marginal, orders[n][::-1].copy(), offsets, members, conversions, nulls)
        for replicate in range(mean.shape[0]):
            for channel in range(mean.shape[1]):
                deviation = marginal[replicate, channel] - mean[replicate, channel]
                mean[replicate, channel] += deviation / (pairs_before + n + 1)
                squares[replicate, channel] += deviation * (marginal[replicate, channel] - mean[replicate, channel])

"""The compiled inner loops of the bootstrap: weights of customers, and weighted sums for 64 replicates at a time.

Imports numba, which takes a second: import it where replicates are drawn. The loops release the GIL.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import pdtrc

from attribution.methods.replicates import GROUPS_LEFT_OUT, JACKKNIFE_PASSES, LANES
from marketing.frames import BoolColumn, Float64Column, Int64Column, UInt32Column
from marketing.native import compiled

# SplitMix64: Steele, Lea, Flood 2014 (Fast splittable pseudorandom number generators), constants of variant 13.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST_FACTOR, SECOND_FACTOR = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
FIRST_SHIFT, SECOND_SHIFT, LAST_SHIFT = np.uint64(30), np.uint64(27), np.uint64(31)
HALF, LOW_HALF = np.uint64(32), np.uint64(0xFFFFFFFF)

# A weight is how many of these 32 random bits reach: P(weight >= k) = 2^-32 x the number of values that do. Beyond
# twelve, no value of 32 bits is as rare as the tail; mean and variance are 1 to nine digits.
THRESHOLDS = tuple(np.uint32(2**32 - round(2**32 * float(pdtrc(k, 1.0)))) for k in range(12))


@compiled
def mixed(bits: Any) -> Any:
    """SplitMix64's finaliser: 64 bits of which each depends on all bits of the argument."""
    bits = (bits ^ (bits >> FIRST_SHIFT)) * FIRST_FACTOR
    bits = (bits ^ (bits >> SECOND_SHIFT)) * SECOND_FACTOR
    return bits ^ (bits >> LAST_SHIFT)


@compiled
def customer_key(seed: int, customer_id: int) -> Any:
    """Where the random numbers of a customer begin: a hash of the seed and of the customer's database id."""
    return mixed(mixed(np.uint64(seed) + GOLDEN) ^ np.uint64(customer_id))


@compiled
def fill_poisson(weights: Float64Column, scratch: UInt32Column, key: Any, first_replicate: int) -> None:
    """Poisson(1) weights of the customer with this key in the replicates `first_replicate` to `+ LANES`."""
    counter = np.uint64(first_replicate // 2)
    for pair in range(LANES // 2):
        bits = mixed(key + (counter + np.uint64(pair) + np.uint64(1)) * GOLDEN)
        scratch[pair] = np.uint32(bits & LOW_HALF)
        scratch[pair + LANES // 2] = np.uint32(bits >> HALF)
    for lane in range(LANES):
        bits32 = scratch[lane]
        weight = np.uint32(0)
        for threshold in THRESHOLDS:
            weight += np.uint32(bits32 >= threshold)
        weights[lane] = weight


@compiled
def fill_left_out(weights: Float64Column, key: Any, first_group: int) -> None:
    """1, but 0 in the lane of the customer's own group; the lane after the last group leaves nobody out."""
    weights[:] = 1.0
    lane = np.int64(mixed(key) % np.uint64(GROUPS_LEFT_OUT)) - first_group
    if 0 <= lane < LANES:
        weights[lane] = 0.0


@compiled
def weights_of_customers(weights: npt.NDArray[np.float64], seed: int, customer_ids: Int64Column, number: int) -> None:
    """Fill `weights` (C, LANES) with what a pass weighs customers by; passes below `JACKKNIFE_PASSES` leave out."""
    scratch = np.empty(LANES, np.uint32)
    for c in range(len(customer_ids)):
        fill_weights(weights[c], scratch, customer_key(seed, customer_ids[c]), number)


@compiled
def fill_weights(weights: Float64Column, scratch: UInt32Column, key: Any, number: int) -> None:
    if number < JACKKNIFE_PASSES:
        fill_left_out(weights, key, number * LANES)
    else:
        fill_poisson(weights, scratch, key, (number - JACKKNIFE_PASSES) * LANES)


@compiled
def add_weighted(
    cells: npt.NDArray[np.float64],
    counts: npt.NDArray[np.float64],
    number: int,
    seed: int,
    customer_ids: Int64Column,
    entry_offsets: Int64Column,
    entry_cell: npt.NDArray[np.int32],
    entry_credit: npt.NDArray[np.float64],
    journey_offsets: Int64Column,
    row_of_journey: Int64Column,
    feature_offsets: Int64Column,
    features: npt.NDArray[np.int32],
) -> None:
    """Add what customers amount to, each weighed as in pass `number`, in their order.

    `cells`: (cells, 2, LANES) float64, conversions and value. Customer c's are `entry_credit` (E, 2) of the cells
    `entry_cell` (E,) at `entry_offsets[c]:entry_offsets[c+1]`.
    `counts`: (features, LANES) float64. Customer c's journeys are `journey_offsets[c]:journey_offsets[c+1]`; journey j
    adds 1 to each of the `features` at `feature_offsets[r]:feature_offsets[r+1]`, r = `row_of_journey[j]`, none if r is
    negative.
    """
    weights, scratch = np.empty(LANES), np.empty(LANES, np.uint32)
    for c in range(len(customer_ids)):
        fill_weights(weights, scratch, customer_key(seed, customer_ids[c]), number)
        for e in range(entry_offsets[c], entry_offsets[c + 1]):
            cell, conversions, value = entry_cell[e], entry_credit[e, 0], entry_credit[e, 1]
            for lane in range(LANES):
                cells[cell, 0, lane] += conversions * weights[lane]
            for lane in range(LANES):
                cells[cell, 1, lane] += value * weights[lane]
        for j in range(journey_offsets[c], journey_offsets[c + 1]):
            row = row_of_journey[j]
            if row < 0:
                continue
            for f in range(feature_offsets[row], feature_offsets[row + 1]):
                feature = features[f]
                for lane in range(LANES):
                    counts[feature, lane] += weights[lane]


@compiled
def move_entries(
    entry_offsets: Int64Column,
    entry_cell: npt.NDArray[np.int32],
    entry_credit: npt.NDArray[np.float64],
    first_customer: int,
    stop_customer: int,
    journey_offsets: Int64Column,
    credit: npt.NDArray[np.float64],
    start: Int64Column,
    stop: Int64Column,
    converted: BoolColumn,
    value: Float64Column,
    source: UInt32Column,
    group_of_source: Int64Column,
) -> None:
    """Move the credit of the customers `first_customer:stop_customer` to their entries, leaving zero cells.

    Fills the entries that `add_weighted` takes: each model's credit by group, cell `m * (groups+1) + group`, where
    there is any; then what there was to credit, of journeys with touches and of those without, in the two cells after
    the last model's.
    `credit`: (M, customers, groups+1, 2) float64, of which only cells of groups that a customer's journeys touch, and
    of "(none)", hold anything. `journey_offsets`: (C+1,), the journeys of each customer.
    """
    models, none = credit.shape[0], credit.shape[2] - 1
    customer_of_group = np.full(none + 1, -1, np.int64)
    e = entry_offsets[first_customer]
    for c in range(first_customer, stop_customer):
        row = c - first_customer
        there_was = np.zeros((2, 2))
        for j in range(journey_offsets[c], journey_offsets[c + 1]):
            if not converted[j]:
                continue
            is_untouched = int(start[j] == stop[j])
            there_was[is_untouched, 0] += 1.0
            there_was[is_untouched, 1] += value[j]
            for i in range(start[j], stop[j] + 1):
                group = group_of_source[source[i]] if i < stop[j] else none
                if customer_of_group[group] == c:
                    continue
                customer_of_group[group] = c
                for m in range(models):
                    if credit[m, row, group, 0] != 0.0 or credit[m, row, group, 1] != 0.0:
                        entry_cell[e] = m * (none + 1) + group
                        entry_credit[e, 0], entry_credit[e, 1] = credit[m, row, group, 0], credit[m, row, group, 1]
                        credit[m, row, group, 0] = credit[m, row, group, 1] = 0.0
                        e += 1
        for is_untouched in range(2):
            if there_was[is_untouched, 0] > 0.0:
                entry_cell[e] = models * (none + 1) + is_untouched
                entry_credit[e] = there_was[is_untouched]
                e += 1
        entry_offsets[c + 1] = e

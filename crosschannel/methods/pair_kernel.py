"""The compiled loop over the pairs of groups in journeys. Import it where it is needed: numba takes a second."""

import numpy as np
import numpy.typing as npt

from marketing.frames import BoolColumn, Float64Column, Int64Column, UInt32Column
from marketing.native import compiled

IntTable = npt.NDArray[np.int64]


@compiled
def count_pairs(
    journeys: IntTable,
    conversions: IntTable,
    value: Float64Column,
    gaps: IntTable,
    customers: IntTable,
    moments: Float64Column,
    month_journeys: Int64Column,
    month_conversions: Int64Column,
    order: Int64Column,
    customer: Int64Column,
    month: Int64Column,
    start: Int64Column,
    stop: Int64Column,
    converted: BoolColumn,
    journey_value: Float64Column,
    source: UInt32Column,
    group_of_source: Int64Column,
    touched_at: Int64Column,
    gap_edges_us: Int64Column,
) -> None:
    """Count the journeys that hold each pair of groups, by which of the two is touched first.

    `order`: positions of the journeys that have touches, by customer. `journeys`, `conversions` (M, G, G): by month,
    the group touched first, and the other one; on the diagonal, journeys that hold the group. `value` (G, G): the same
    of all months. `gaps` (G, G, B): journeys by the time between the two first touches, the last bin from the last edge
    on. `customers` (G, G): customers with such a journey. `moments` (G, G, 4, 4), for pairs of a < b only: sums
    over the journeys of products of what the journey adds to its customer's four sums (journeys with a first,
    conversions of these, journeys with b first, conversions of these; rows) and of these sums before (columns).
    `month_journeys`, `month_conversions` (M,): of all journeys.
    """
    groups, longest = len(value), len(gap_edges_us)
    met, first_at = np.full(groups, -1, np.int64), np.empty(groups, np.int64)
    members = np.empty(groups, np.int64)
    own = np.zeros((groups, groups, 4))
    held = np.empty((groups * (groups - 1) // 2, 2), np.int64)
    pairs = 0
    for place in range(len(order)):
        j = order[place]
        if place and customer[j] != customer[order[place - 1]]:
            for h in range(pairs):
                own[held[h, 0], held[h, 1]] = 0.0
            pairs = 0
        at_month, has_converted = month[j], np.int64(converted[j])
        month_journeys[at_month] += 1
        month_conversions[at_month] += has_converted
        count = 0
        for i in range(start[j], stop[j]):
            b = group_of_source[source[i]]
            if met[b] == j:
                continue
            met[b], first_at[b] = j, touched_at[i]
            journeys[at_month, b, b] += 1
            if has_converted:
                conversions[at_month, b, b] += 1
                value[b, b] += journey_value[j]
            for m in range(count):
                a = members[m]
                journeys[at_month, a, b] += 1
                if has_converted:
                    conversions[at_month, a, b] += 1
                    value[a, b] += journey_value[j]
                gap, bin_ = first_at[b] - first_at[a], 0
                while bin_ < longest and gap >= gap_edges_us[bin_]:
                    bin_ += 1
                gaps[a, b, bin_] += 1
                low, high, added = (a, b, 0) if a < b else (b, a, 2)
                before = own[low, high]
                customers[a, b] += before[added] == 0
                if before[0] == 0 and before[2] == 0:
                    held[pairs, 0], held[pairs, 1] = low, high
                    pairs += 1
                else:  # few customers have several journeys: all others cost nothing here
                    for k in range(4):
                        moments[low, high, added, k] += before[k]
                        moments[low, high, added + 1, k] += before[k] * has_converted
                before[added] += 1
                before[added + 1] += has_converted
            members[count] = b
            count += 1

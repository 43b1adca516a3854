"""The compiled loops behind the evidence: roles, and touches by age.

Import it where it is needed: numba takes a second. Indices are trusted; the callers have checked them.
"""

import numpy as np

from marketing.frames import BoolColumn, Float64Column, Int64Column, UInt32Column
from marketing.native import compiled

# Numbered here and not by the enumeration of roles: the compiled loop holds these as constants.
ONLY, OPENS, BETWEEN, CLOSES, BOTH = range(5)
FIRST, MIDDLE, LAST = range(3)


@compiled
def close_customer(moments: Float64Column, own: Float64Column, members: Int64Column, count: int) -> None:
    """Add the products of one customer's role counts to the moments, and clear the counts."""
    for m in range(count):
        group = members[m]
        for a in range(5):
            for b in range(5):
                moments[group, a, b] += own[group, a] * own[group, b]
        own[group] = 0.0


@compiled
def count_roles(
    counts: Float64Column,
    positions: Float64Column,
    moments: Float64Column,
    customer: Int64Column,
    start: Int64Column,
    stop: Int64Column,
    source: UInt32Column,
    group_of_source: Int64Column,
    weight: Float64Column,
) -> None:
    """Count the part that each group plays in journeys, which are sorted by customer and have touches.

    `counts` (G, 5): journeys, by their `weight` (J,), by what the group is in them; these exclude each other (ONLY ...
    BOTH). `positions` (G, 3): journeys in which it is the first, one between, and the last of several touches.
    `moments` (G, 5, 5): sums over customers of the products of their `counts`.
    """
    groups = len(counts)
    own = np.zeros((groups, 5))
    members, is_member = np.empty(groups, np.int64), np.full(groups, -1, np.int64)
    met, between = np.full(groups, -1, np.int64), np.full(groups, -1, np.int64)
    count = 0
    for j in range(len(start)):
        if j and customer[j] != customer[j - 1]:
            close_customer(moments, own, members, count)
            count = 0
        first, last = group_of_source[source[start[j]]], group_of_source[source[stop[j] - 1]]
        touches = stop[j] - start[j]
        for i in range(start[j], stop[j]):
            group = group_of_source[source[i]]
            if start[j] < i < stop[j] - 1 and between[group] != j:
                between[group] = j
                positions[group, MIDDLE] += weight[j]
            if met[group] == j:
                continue
            met[group] = j
            if touches == 1:
                role = ONLY
            elif group == first:
                role = BOTH if group == last else OPENS
            else:
                role = CLOSES if group == last else BETWEEN
            counts[group, role] += weight[j]
            own[group, role] += weight[j]
            if is_member[group] != customer[j]:
                is_member[group] = customer[j]
                members[count] = group
                count += 1
        if touches > 1:
            positions[first, FIRST] += weight[j]
            positions[last, LAST] += weight[j]
    close_customer(moments, own, members, count)


@compiled
def count_touches_by_age(
    within: Int64Column,
    outside: Int64Column,
    repeated: Int64Column,
    by_day: Int64Column,
    windows_us: Int64Column,
    seen_days: Int64Column,
    converted: BoolColumn,
    anchor_at: Int64Column,
    previous_at: Int64Column,
    first_touch: Int64Column,
    stop: Int64Column,
    touched_at: Int64Column,
    day_us: int,
) -> None:
    """Count the touches before each conversion by their age.

    `first_touch`, `stop` (J,): the customer's first touch of all, and the end of the journey. `windows_us` (W,):
    ascending; the last is the longest that is looked at. `within`, `outside` (W,): touches that are no older than each
    window, and conversions with a touch that is older, but within the longest. `repeated` (W,): touches that are older,
    and no later than `previous_at` (J,), an earlier conversion. `by_day` (D,): later touches than that by age, the
    first day from 0 to 1 day (both included), the next up to 2 and so on, as far as the conversion's `seen_days` (J,).
    """
    longest = windows_us[-1]
    for j in range(len(stop)):
        if not converted[j]:
            continue
        oldest = 0
        for i in range(stop[j] - 1, first_touch[j] - 1, -1):
            age = anchor_at[j] - touched_at[i]
            if age > longest:
                break
            oldest = age
            day = max((age + day_us - 1) // day_us, 1) - 1
            if day < seen_days[j] and touched_at[i] > previous_at[j]:
                by_day[day] += 1
            for window in range(len(windows_us)):
                if age <= windows_us[window]:
                    within[window] += 1
                elif touched_at[i] <= previous_at[j]:
                    repeated[window] += 1
        for window in range(len(windows_us)):
            if oldest > windows_us[window]:
                outside[window] += 1

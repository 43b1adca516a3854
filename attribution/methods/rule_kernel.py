"""The compiled inner loops of the rule models: one pass over the touches for all usual models, and one for the others.

There are two because the first, which the dashboard waits for, would be a tenth slower with the second's models in it.

Only kernels like this one import numba, which takes a second: import them where credit is computed.
The loop releases the GIL and uses none of numba's own threading layers, which survive neither forks nor threads.
"""

import numpy as np

from attribution.methods.rules import RuleKind
from marketing.frames import NO_LEAD, BoolColumn, Float64Column, Int64Column, UInt32Column
from marketing.native import compiled

# Numbered here and not by the enumeration: the compiled loop holds these as constants, and numba compiles it anew
# only when this file changes.
POSITION, LINEAR, TIME_DECAY, LAST_NON_DIRECT = range(4)
KIND_CODES = {
    RuleKind.POSITION: POSITION,
    RuleKind.LINEAR: LINEAR,
    RuleKind.TIME_DECAY: TIME_DECAY,
    RuleKind.LAST_NON_DIRECT: LAST_NON_DIRECT,
}
W, PARTICIPATION, SET_LINEAR = range(3)
MORE_KIND_CODES = {RuleKind.W: W, RuleKind.PARTICIPATION: PARTICIPATION, RuleKind.SET_LINEAR: SET_LINEAR}
U_FIRST, U_MIDDLE, U_LAST = 0.4, 0.2, 0.4  # of journeys without the lead that W asks for


# The helpers below take whole arrays and a model's number m: a slice per journey would cost more than the arithmetic.


@compiled
def give(credit: Float64Column, m: int, group: int, share: float, value: float) -> None:
    """Add a share of one conversion of this value to a group under model m."""
    credit[m, group, 0] += share
    credit[m, group, 1] += share * value


@compiled
def give_by_position(
    credit: Float64Column, m: int, groups: Int64Column, touches: int, weights: Float64Column, value: float
) -> None:
    """`groups[:touches]`: the path, at least one touch; `weights[m]`: of the first, all middle and the last touch."""
    if touches == 1:
        give(credit, m, groups[0], 1.0, value)
        return
    first, last = weights[m, 0], weights[m, 2]
    middle = weights[m, 1] if touches > 2 else 0.0
    total = first + middle + last
    give(credit, m, groups[0], first / total, value)
    give(credit, m, groups[touches - 1], last / total, value)
    if middle > 0.0:
        share = middle / total / (touches - 2)
        for i in range(1, touches - 1):
            give(credit, m, groups[i], share, value)


@compiled
def give_by_age(
    credit: Float64Column,
    m: int,
    groups: Int64Column,
    touches: int,
    ages_us: Int64Column,
    half_life_us: Float64Column,
    decay: Float64Column,
    value: float,
) -> None:
    """`ages_us[:touches]`: before the path's last touch, so that one of them is 0; `decay`: scratch space.

    Counting ages from the last touch instead of the conversion changes no share, since the difference cancels in the
    normalisation; but the largest weight is then 1, and no half-life is too short for the sum to be positive.
    """
    total = 0.0
    for i in range(touches):
        decay[i] = np.exp2(-ages_us[i] / half_life_us[m])
        total += decay[i]
    for i in range(touches):
        give(credit, m, groups[i], decay[i] / total, value)


@compiled
def give_to_last_non_direct(
    credit: Float64Column, m: int, groups: Int64Column, touches: int, direct: BoolColumn, value: float
) -> None:
    """`direct[:touches]`: which touches are Direct; a path that is Direct throughout credits its last touch."""
    for i in range(touches - 1, -1, -1):
        if not direct[i]:
            give(credit, m, groups[i], 1.0, value)
            return
    give(credit, m, groups[touches - 1], 1.0, value)


@compiled
def add_credit(
    credit: Float64Column,
    first_journey: int,
    stop_journey: int,
    groups_and_none: int,
    start: Int64Column,
    stop: Int64Column,
    converted: BoolColumn,
    value: Float64Column,
    stratum: Int64Column,
    touched_at: Int64Column,
    source: UInt32Column,
    group_of_source: Int64Column,
    direct_source: BoolColumn,
    kinds: Int64Column,
    weights: Float64Column,
    half_life_us: Float64Column,
) -> None:
    """Add the credit of the journeys `first_journey:stop_journey` that converted.

    `credit`: (M, strata * groups_and_none, 2) float64, conversions and value by model and, stratum after stratum, by
    group, the last group of each being "(none)". The journeys' columns are (J,), the touches' (N,), the sources' (S,);
    `kinds` (M,), `weights` (M, 4) and `half_life_us` (M,) describe the models. Indices are trusted: the caller has
    checked them.
    """
    longest = 0
    for j in range(first_journey, stop_journey):
        longest = max(longest, stop[j] - start[j])
    groups, direct = np.empty(longest, np.int64), np.empty(longest, np.bool_)
    ages_us, decay = np.empty(longest, np.int64), np.empty(longest, np.float64)
    for j in range(first_journey, stop_journey):
        if not converted[j]:
            continue
        touches = stop[j] - start[j]
        first_cell = stratum[j] * groups_and_none
        for i in range(touches):
            touch = start[j] + i
            groups[i] = first_cell + group_of_source[source[touch]]
            direct[i] = direct_source[source[touch]]
            ages_us[i] = touched_at[stop[j] - 1] - touched_at[touch]
        for m in range(len(kinds)):
            if touches == 0:
                give(credit, m, first_cell + groups_and_none - 1, 1.0, value[j])
            elif kinds[m] == POSITION:
                give_by_position(credit, m, groups, touches, weights, value[j])
            elif kinds[m] == LINEAR:
                for i in range(touches):
                    give(credit, m, groups[i], 1.0 / touches, value[j])
            elif kinds[m] == TIME_DECAY:
                give_by_age(credit, m, groups, touches, ages_us, half_life_us, decay, value[j])
            elif kinds[m] == LAST_NON_DIRECT:
                give_to_last_non_direct(credit, m, groups, touches, direct, value[j])


@compiled
def touch_of_lead(touches: int, first_touch: int, touched_at: Int64Column, lead_at: int) -> int:
    """The last touch of the path at or before the lead, counted from 0; -1 without any."""
    lead = touches - 1
    while lead >= 0 and touched_at[first_touch + lead] > lead_at:
        lead -= 1
    return lead


@compiled
def give_by_lead(
    credit: Float64Column, m: int, groups: Int64Column, touches: int, lead: int, weights: Float64Column, value: float
) -> None:
    """`weights[m]`: of the first, all middle, the last and the lead's touch, which is number `lead`, -1 for none.

    The touches that are none of these share the middle's weight.
    """
    first, middle, last, of_lead = weights[m, 0], weights[m, 1], weights[m, 2], weights[m, 3]
    if lead < 0:
        first, middle, last, of_lead = U_FIRST, U_MIDDLE, U_LAST, 0.0
    others = max(touches - 2, 0)
    if 0 < lead < touches - 1:
        others -= 1
    total = first + last + of_lead + (middle if others > 0 else 0.0)
    give(credit, m, groups[0], first / total, value)
    give(credit, m, groups[touches - 1], last / total, value)
    if lead >= 0:
        give(credit, m, groups[lead], of_lead / total, value)
    for i in range(1, touches - 1):
        if i != lead:
            give(credit, m, groups[i], middle / total / others, value)


@compiled
def add_more_credit(
    credit: Float64Column,
    first_journey: int,
    stop_journey: int,
    groups_and_none: int,
    start: Int64Column,
    stop: Int64Column,
    converted: BoolColumn,
    value: Float64Column,
    stratum: Int64Column,
    touched_at: Int64Column,
    source: UInt32Column,
    group_of_source: Int64Column,
    lead_at: Int64Column,
    kinds: Int64Column,
    weights: Float64Column,
) -> None:
    """Add the credit of the journeys `first_journey:stop_journey` that converted, as `add_credit` does.

    `lead_at`: (J,), or empty: no journey has a lead then. `kinds` (M,) and `weights` (M, 4) describe the models.
    """
    longest = 0
    for j in range(first_journey, stop_journey):
        longest = max(longest, stop[j] - start[j])
    # Of each journey: the cell of each touch, and once of each group; `seen_in`: in which journey a group came last.
    groups, distinct = np.empty(longest, np.int64), np.empty(longest, np.int64)
    seen_in = np.full(groups_and_none, -1)
    for j in range(first_journey, stop_journey):
        if not converted[j]:
            continue
        touches, first_cell, found = stop[j] - start[j], stratum[j] * groups_and_none, 0
        for i in range(touches):
            group = group_of_source[source[start[j] + i]]
            groups[i] = first_cell + group
            if seen_in[group] != j:
                seen_in[group] = j
                distinct[found] = groups[i]
                found += 1
        for m in range(len(kinds)):
            if touches == 0:
                give(credit, m, first_cell + groups_and_none - 1, 1.0, value[j])
            elif kinds[m] == W:
                lead = touch_of_lead(touches, start[j], touched_at, lead_at[j] if len(lead_at) else NO_LEAD)
                give_by_lead(credit, m, groups, touches, lead, weights, value[j])
            else:
                share = 1.0 if kinds[m] == PARTICIPATION else 1.0 / found
                for i in range(found):
                    give(credit, m, distinct[i], share, value[j])

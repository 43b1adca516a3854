"""The inner loop of custom attribution models, in plain Python.

`custom_kernel` compiles this very function for whole data; pages run it as it is on a few example journeys, without
waiting for numba. So it calls nothing but NumPy, and what a preview shows is what a run will credit.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from marketing.frames import BoolColumn, Float64Column, Int64Column, UInt8Column

FIRST, MIDDLE, LAST, ONLY = range(4)  # as `custom.ROLES` numbers them


def add_custom_credit(
    credit: Float64Column,
    first_journey: int,
    stop_journey: int,
    groups_and_none: int,
    start: Int64Column,
    stop: Int64Column,
    converted: BoolColumn,
    value: Float64Column,
    stratum: Int64Column,
    anchor_at: Int64Column,
    touched_at: Int64Column,
    source: npt.NDArray[np.integer[Any]],
    interaction: UInt8Column,
    group_of_source: Int64Column,
    source_factor: Float64Column,
    role_weight: Float64Column,
    nth_weight: Float64Column,
    flags: BoolColumn,
    half_life_us: Float64Column,
    rule_factor: Float64Column,
    rule_source: npt.NDArray[np.bool_],
    rule_interaction: npt.NDArray[np.bool_],
    rule_role: npt.NDArray[np.bool_],
    rule_nth: npt.NDArray[np.bool_],
    rule_age_us: npt.NDArray[np.float64],
) -> None:
    """Add the credit of the journeys `first_journey:stop_journey` that converted, of a single model.

    `credit` and the columns of journeys, touches and sources are those of `rule_kernel.add_credit`; from
    `source_factor` on they are `CompiledCustom.columns`, with `flags` (is the middle shared, are numbers counted from
    the end). A journey whose touches all weigh nothing is credited to "(none)", as one without touches is.
    """
    longest, furthest = 0, len(nth_weight) - 1
    for j in range(first_journey, stop_journey):
        longest = max(longest, stop[j] - start[j])
    weights = np.empty(longest, np.float64)
    for j in range(first_journey, stop_journey):
        if not converted[j]:
            continue
        first_cell, touches = stratum[j] * groups_and_none, stop[j] - start[j]
        newest = -1
        for i in range(touches):
            touch = start[j] + i
            from_start, from_end = min(i, furthest), min(touches - 1 - i, furthest)
            role = ONLY if touches == 1 else (FIRST if i == 0 else (LAST if i == touches - 1 else MIDDLE))
            weight = role_weight[role] * nth_weight[from_end if flags[1] else from_start] * source_factor[source[touch]]
            if role == MIDDLE and flags[0]:
                weight /= touches - 2
            for r in range(len(rule_factor)):
                if (
                    rule_source[r, source[touch]]
                    and rule_interaction[r, interaction[touch]]
                    and rule_age_us[r, 0] <= anchor_at[j] - touched_at[touch] < rule_age_us[r, 1]
                    and (rule_role[r, role] or rule_nth[r, 0, from_start] or rule_nth[r, 1, from_end])
                ):
                    weight *= rule_factor[r]
            weights[i] = weight
            if weight > 0.0:
                newest = i
        if newest < 0:
            credit[0, first_cell + groups_and_none - 1, 0] += 1.0
            credit[0, first_cell + groups_and_none - 1, 1] += value[j]
            continue
        total = 0.0
        for i in range(newest + 1):
            # Ages since the newest touch with any weight: no half-life is too short for its own decay, 1, to remain.
            age_us = touched_at[start[j] + newest] - touched_at[start[j] + i]
            weights[i] *= np.exp2(-age_us / half_life_us[0])
            total += weights[i]
        for i in range(newest + 1):
            group = first_cell + group_of_source[source[start[j] + i]]
            credit[0, group, 0] += weights[i] / total
            credit[0, group, 1] += weights[i] / total * value[j]

"""The compiled inner loop of the rule models: one pass over the touches for all models.

This is the only module that imports numba, and importing it takes a second: import it where credit is computed.
The loop releases the GIL and uses none of numba's own threading layers, which survive neither forks nor threads.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np

from attribution.methods.rules import RuleKind
from marketing.frames import BoolColumn, Float64Column, Int64Column, UInt32Column

Function = TypeVar("Function", bound=Callable[..., None])

# Plain integers: the compiled loop then depends on nothing that its cache on disk does not see.
POSITION = int(RuleKind.POSITION)
LINEAR = int(RuleKind.LINEAR)
TIME_DECAY = int(RuleKind.TIME_DECAY)
LAST_NON_DIRECT = int(RuleKind.LAST_NON_DIRECT)


def compiled(function: Function) -> Function:
    """Compile for native speed without the GIL, and keep the result on disk where numba finds a place for it.

    numba looks for a place in NUMBA_CACHE_DIR, then beside this file, then in the user's cache directory.
    """
    try:
        return cast(Function, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no such place is writable: compile anew in every process
        return cast(Function, numba.njit(nogil=True)(function))


@compiled
def give(credit: Float64Column, group: int, share: float, value: float) -> None:
    """Add a share of one conversion of this value to a group; `credit` is (groups+1, 2): conversions, value."""
    credit[group, 0] += share
    credit[group, 1] += share * value


@compiled
def give_by_position(credit: Float64Column, groups: Int64Column, weights: Float64Column, value: float) -> None:
    """`groups`: (n,) int64 of the path, n >= 1; `weights`: (3,) of the first, all middle and the last touch."""
    touches = len(groups)
    if touches == 1:
        give(credit, groups[0], 1.0, value)
        return
    first, middle, last = weights
    if touches == 2:
        middle = 0.0
    total = first + middle + last
    give(credit, groups[0], first / total, value)
    give(credit, groups[-1], last / total, value)
    if middle > 0.0:
        share = middle / total / (touches - 2)
        for group in groups[1:-1]:
            give(credit, group, share, value)


@compiled
def give_by_age(
    credit: Float64Column,
    groups: Int64Column,
    times: Int64Column,
    half_life_us: float,
    decay: Float64Column,
    value: float,
) -> None:
    """`groups`, `times`: (n,) of the path, n >= 1, oldest first; `decay`: (n,) scratch space.

    Ages count from the last touch instead of the conversion. The shares are the same, since the difference cancels
    in the normalisation, but the largest weight is 1, so that no half-life is too short for the sum to be positive.
    """
    total = 0.0
    for i in range(len(groups)):
        decay[i] = np.exp2((times[i] - times[-1]) / half_life_us)
        total += decay[i]
    for i in range(len(groups)):
        give(credit, groups[i], decay[i] / total, value)


@compiled
def give_to_last_non_direct(credit: Float64Column, groups: Int64Column, direct: BoolColumn, value: float) -> None:
    """`groups`, `direct`: (n,) of the path, n >= 1; a path that is Direct throughout credits its last touch."""
    for i in range(len(groups) - 1, -1, -1):
        if not direct[i]:
            give(credit, groups[i], 1.0, value)
            return
    give(credit, groups[-1], 1.0, value)


@compiled
def add_credit(
    credit: Float64Column,
    first_journey: int,
    stop_journey: int,
    start: Int64Column,
    stop: Int64Column,
    converted: BoolColumn,
    value: Float64Column,
    touched_at: Int64Column,
    source: UInt32Column,
    group_of_source: Int64Column,
    direct_source: BoolColumn,
    kinds: Int64Column,
    weights: Float64Column,
    half_life_us: Float64Column,
) -> None:
    """Add the credit of the journeys `first_journey:stop_journey` that converted.

    `credit`: (M, groups+1, 2) float64, conversions and value by model and group, the last group being "(none)".
    The journeys' columns are (J,), the touches' (N,), the sources' (S,); `kinds` (M,), `weights` (M, 3) and
    `half_life_us` (M,) describe the models. Indices are trusted: the caller has checked them.
    """
    longest = 0
    for j in range(first_journey, stop_journey):
        longest = max(longest, stop[j] - start[j])
    groups, direct, decay = np.empty(longest, np.int64), np.empty(longest, np.bool_), np.empty(longest)
    for j in range(first_journey, stop_journey):
        if not converted[j]:
            continue
        touches = stop[j] - start[j]
        for i in range(touches):
            groups[i] = group_of_source[source[start[j] + i]]
            direct[i] = direct_source[source[start[j] + i]]
        for m in range(len(kinds)):
            if touches == 0:
                give(credit[m], credit.shape[1] - 1, 1.0, value[j])
            elif kinds[m] == POSITION:
                give_by_position(credit[m], groups[:touches], weights[m], value[j])
            elif kinds[m] == LINEAR:
                for i in range(touches):
                    give(credit[m], groups[i], 1.0 / touches, value[j])
            elif kinds[m] == TIME_DECAY:
                times = touched_at[start[j] : stop[j]]
                give_by_age(credit[m], groups[:touches], times, half_life_us[m], decay, value[j])
            elif kinds[m] == LAST_NON_DIRECT:
                give_to_last_non_direct(credit[m], groups[:touches], direct[:touches], value[j])

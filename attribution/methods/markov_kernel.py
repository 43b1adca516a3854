"""The compiled loops of Markov chains. Importing this module imports numba: import it where chains are solved."""

import numpy as np

from marketing.frames import BoolColumn, Float64Column, Int64Column, UInt32Column
from marketing.native import compiled


@compiled
def sweep(
    success: Float64Column,
    first_group: int,
    first_move: Int64Column,
    target: Int64Column,
    probability: Float64Column,
    conversion: Float64Column,
    stays: Float64Column,
    grams: Int64Column,
    visits: Float64Column,
    error: Float64Column,
) -> None:
    """One Gauss-Seidel sweep over the states for a block of C removed groups, `first_group` and those after it.

    `success`: (S, C) float64, updated in place: probability of converting from each state without the group; 0 from
    states that hold the group. State s moves along `first_move[s]:first_move[s+1]` to `target` with `probability`, (E,)
    each, stays with probability `stays[s]` and converts with `conversion[s]`. `grams`: (S, order).
    `error`: (C,) is overwritten by the changes of this sweep, weighed by `visits`, (S,).
    """
    states, block = success.shape
    total = np.empty(block)
    error[:] = 0.0
    for state in range(states):
        total[:] = conversion[state]
        for move in range(first_move[state], first_move[state + 1]):
            reached, share = target[move], probability[move]
            for i in range(block):
                total[i] += share * success[reached, i]
        for back in range(grams.shape[1]):
            removed = grams[state, back] - first_group
            if 0 <= removed < block:
                total[removed] = 0.0
        leaving, weight = 1.0 / (1.0 - stays[state]), visits[state]
        for i in range(block):
            found = total[i] * leaving
            error[i] += weight * abs(found - success[state, i])
            success[state, i] = found


@compiled
def count_transitions(
    counts: Int64Column,
    first_journey: int,
    stop_journey: int,
    null_paths: bool,
    start: Int64Column,
    stop: Int64Column,
    converted: BoolColumn,
    source: UInt32Column,
    group_of_source: Int64Column,
) -> None:
    """Add the moves of the journeys `first_journey:stop_journey` that have a touch to `counts`, (G+1, G+2).

    Rows are groups and then the start, columns groups, conversion and null. Without `null_paths` journeys that did not
    convert are passed over. Journeys' columns are (J,), `source` is (N,), `group_of_source` (S,).
    """
    groups = len(counts) - 1
    for journey in range(first_journey, stop_journey):
        if start[journey] == stop[journey] or not (converted[journey] or null_paths):
            continue
        before = groups
        for touch in range(start[journey], stop[journey]):
            group = group_of_source[source[touch]]
            counts[before, group] += 1
            before = group
        counts[before, groups if converted[journey] else groups + 1] += 1

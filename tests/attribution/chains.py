"""Path tables from plain rows, and Markov chains worked out the long way."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from marketing.frames import Float64Column, PathTable
from marketing.journey_paths import merge_paths

# The same cases in every run; no deadline, since the first case loads the compiled loops.
EXAMPLES = settings(deadline=None, max_examples=30, derandomize=True)


State: TypeAlias = str | tuple[int, ...]


class PathRow(NamedTuple):
    """A path of group indices and the weights with which it converted and did not."""

    steps: tuple[int, ...]
    conversions: float = 0.0
    nulls: float = 0.0
    value: float = 0.0


def path_rows(
    *, groups: int = 4, longest: int = 6, weights: st.SearchStrategy[float] | None = None
) -> st.SearchStrategy[list[PathRow]]:
    """Rows of paths, of which several may be the same."""
    weight = st.integers(0, 5).map(float) if weights is None else weights
    steps = st.lists(st.integers(0, groups - 1), min_size=1, max_size=longest).map(tuple)
    row = st.builds(PathRow, steps, weight, weight, st.integers(-50, 100).map(float))
    return st.lists(row, min_size=1, max_size=12)


def table_of(rows: Sequence[PathRow], groups: int) -> PathTable:
    return merge_paths(
        offsets=np.cumsum([0, *(len(row.steps) for row in rows)]),
        steps=np.array([step for row in rows for step in row.steps], np.int64),
        groups=groups,
        conversions=np.array([row.conversions for row in rows], np.float64),
        value=np.array([row.value for row in rows], np.float64),
        nulls=np.array([row.nulls for row in rows], np.float64),
    ).table


def rates_the_long_way(
    rows: Sequence[PathRow], *, groups: int, order: int, null_paths: bool = True
) -> tuple[float, list[float]]:
    """Conversion rate, and the rate without each group, from one full matrix and one solution for each.

    A state is the tuple of the last groups touched; "start", "conversion" and "null" are states like any other. Without
    a group, every transition into a state that holds it leads to null.
    """
    counts: dict[tuple[State, State], float] = defaultdict(float)
    for row in rows:
        nulls = row.nulls if null_paths else 0.0
        states: list[State] = ["start", *(row.steps[max(0, i - order + 1) : i + 1] for i in range(len(row.steps)))]
        for before, after in pairwise(states):
            counts[before, after] += row.conversions + nulls
        counts[states[-1], "conversion"] += row.conversions
        counts[states[-1], "null"] += nulls
    reached = sorted({after for _, after in counts if isinstance(after, tuple)})
    everything: list[State] = ["start", "conversion", "null", *reached]
    index = {state: i for i, state in enumerate(everything)}
    matrix = np.zeros((len(index), len(index)))
    for (before, after), count in counts.items():
        matrix[index[before], index[after]] = count
    left = matrix.sum(axis=1, keepdims=True)
    matrix = np.divide(matrix, left, out=np.zeros_like(matrix), where=left > 0)

    def rate_without(removed: int | None) -> float:
        changed = matrix.copy()
        for state, i in index.items():
            if isinstance(state, tuple) and removed in state:
                changed[:, index["null"]] += changed[:, i]
                changed[:, i] = 0.0
        goal = np.zeros(len(index))
        goal[index["conversion"]] = 1.0
        return float(np.linalg.solve(np.eye(len(index)) - changed, goal)[0])

    return rate_without(None), [rate_without(group) for group in range(groups)]


def simulated_rows(
    rng: np.random.Generator, matrix: Float64Column, customers: int, removed: int | None = None
) -> list[PathRow]:
    """Paths of independent customers along a chain of order 1: `matrix` as in `Transitions`, in probabilities.

    Reaching the group `removed` ends the path without conversion.
    """
    groups = len(matrix) - 1
    cumulative = np.cumsum(matrix, axis=1)
    state, steps = np.full(customers, groups), [[] for _ in range(customers)]  # type: ignore[var-annotated]
    converted = np.zeros(customers, np.bool_)
    walking = np.arange(customers)
    while len(walking):
        reached = (rng.random(len(walking))[:, None] >= cumulative[state[walking]]).sum(axis=1)
        converted[walking[reached == groups]] = True
        goes_on = (reached < groups) & (reached != removed)
        walking = walking[goes_on]
        state[walking] = reached[goes_on]
        for customer, group in zip(walking.tolist(), reached[goes_on].tolist(), strict=True):
            steps[customer].append(group)
    return [
        PathRow(tuple(path), float(won), float(not won))
        for path, won in zip(steps, converted.tolist(), strict=True)
        if path
    ]

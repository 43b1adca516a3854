"""Data-driven attribution by the removal effects of a Markov chain, exact and deterministic.

Credit is shared in proportion to removal effects. Definitions follow docs/methods.
Source: Anderl, Becker, von Wangenheim, Schumann 2016, International Journal of Research in Marketing 33(3).
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from attribution.methods.chain import HIGHEST_ORDER, chain_of
from attribution.methods.removal import RemovalEffects, effect_shares, removal_effects
from attribution.methods.state_graph import StateGraph
from marketing.frames import Float64Column, Int64Column, Journeys, PathTable
from marketing.journey_paths import check_groups, path_table, read_only

MOST_GROUPS_COUNTED_DIRECTLY = 1000  # 8 MB of counts a thread; with more groups, distinct paths come first


@dataclass(frozen=True, slots=True)
class MarkovModel:
    """A Markov chain of an order from 1 to 3, with or without the paths that did not convert.

    Raises ValueError for another order.
    """

    name: str
    order: int = 1
    null_paths: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.order <= HIGHEST_ORDER:
            raise ValueError(f"The order of {self.name} must lie between 1 and {HIGHEST_ORDER}.")


@dataclass(frozen=True, slots=True, eq=False)
class Transitions:
    """How often customers went from one group to the next: the chain of order 1.

    `counts`: (G+1, G+2) float64; rows are the groups and then the start, columns the groups, conversion and null.
    """

    counts: Float64Column

    @property
    def probabilities(self) -> Float64Column:
        """`counts` with every row divided by its sum; a row without any count stays 0."""
        left = self.counts.sum(axis=1, keepdims=True)
        shares: Float64Column = np.divide(self.counts, left, out=np.zeros_like(self.counts), where=left > 0)
        return shares


@dataclass(frozen=True, slots=True, eq=False)
class MarkovCredit:
    """Credit by group, and the removal effects that it follows.

    `conversions`, `value`: (G,) float64; they add up to the conversions along the paths, and to their value. What
    converted without a touch is in no path, and so not in here.
    `removal_effect`: (G,) float64, share of conversions that is lost without the group. `conversion_rate`: probability
    that a path converts. `rate_without`: (G,) float64, the same without each group.
    `transitions`: moves from group to group, whatever the model's order; None where there are too many groups.
    """

    conversions: Float64Column
    value: Float64Column
    removal_effect: Float64Column
    conversion_rate: float
    rate_without: Float64Column
    transitions: Transitions | None


def markov_credit(*, paths: PathTable, model: MarkovModel, threads: int = 1) -> MarkovCredit:
    """Credit the conversions along paths to their groups in proportion to the groups' removal effects.

    Nothing depends on the order of paths, or on a path being one row or several. Without conversions all credit is 0.
    """
    chain = chain_of(paths=paths, order=model.order, null_paths=model.null_paths)
    counts = chain.counts(paths.conversions, paths.nulls)
    return _credit(
        effects=chain.removal_effects(counts, threads=threads),
        conversions=math.fsum(paths.conversions),
        value=math.fsum(paths.value),
        transitions=transitions_of(graph=chain.graph, counts=counts)
        if paths.groups <= MOST_GROUPS_COUNTED_DIRECTLY
        else None,
    )


def markov_credit_of_journeys(
    *, journeys: Journeys, group_of_source: Int64Column, groups: int, model: MarkovModel, threads: int = 1
) -> MarkovCredit:
    """The same of journeys, whose distinct paths order 1 does not need.

    `group_of_source`: (S,) int64, the group (channel or campaign), in `0..groups-1`, of each traffic source.

    Time O(touches + G^3) in order 1. Raises ValueError if a group or a source is out of bounds.
    """
    if model.order > 1 or groups > MOST_GROUPS_COUNTED_DIRECTLY:
        table = path_table(journeys=journeys, group_of_source=group_of_source, groups=groups).table
        return markov_credit(paths=table, model=model, threads=threads)
    check_groups(journeys, group_of_source, groups)
    transitions = _count_transitions(journeys, group_of_source, groups, model.null_paths, threads)
    graph, counts = chain_of_transitions(transitions)
    credited = journeys.converted & (journeys.stop > journeys.start)
    return _credit(
        effects=removal_effects(graph=graph, counts=counts, threads=threads),
        conversions=int(credited.sum()),
        value=float(journeys.value[credited].sum()),
        transitions=transitions,
    )


def transitions_of(*, graph: StateGraph, counts: Float64Column) -> Transitions:
    """Counts of a chain's transitions, (T,), added up over what its states remember beyond the last group."""
    groups, states = graph.groups, graph.states
    row = np.append(graph.grams[:, -1], groups)  # of each state; the start comes last
    rows = np.concatenate([row[graph.origin], row[:-1], row[:-1]])
    columns = np.concatenate([row[graph.target], np.repeat([groups, groups + 1], states)])
    cells = np.bincount(rows * (groups + 2) + columns, counts, minlength=(groups + 1) * (groups + 2))
    return Transitions(cells.astype(np.float64).reshape(groups + 1, groups + 2))


def chain_of_transitions(transitions: Transitions) -> tuple[StateGraph, Float64Column]:
    """The chain of order 1 whose states are the groups that some path reached, and its counts, (T,)."""
    moved = transitions.counts[:, :-2]
    reached = np.flatnonzero(moved.sum(axis=0))
    moved, ends = moved[np.append(reached, len(moved) - 1)][:, reached], transitions.counts[reached, -2:]
    origin, target = np.nonzero(moved)
    graph = StateGraph(len(transitions.counts) - 1, reached[:, None], origin, target)
    return graph, np.concatenate([moved[origin, target], ends.T.ravel()])


def _credit(
    *, effects: RemovalEffects, conversions: float, value: float, transitions: Transitions | None
) -> MarkovCredit:
    """Share out conversions and their value by one chain's removal effects."""
    share = effect_shares(effects.effect)
    return MarkovCredit(
        conversions=conversions * share,
        value=value * share,
        removal_effect=effects.effect,
        conversion_rate=float(effects.conversion_rate),
        rate_without=effects.rate_without,
        transitions=transitions,
    )


def _count_transitions(
    journeys: Journeys, group_of_source: Int64Column, groups: int, null_paths: bool, threads: int
) -> Transitions:
    """Whole numbers, so that their sum does not depend on how threads share the journeys."""
    # Here, not above: numba takes a second to import, and pages that only name the models must not wait for it.
    from attribution.methods.markov_kernel import count_transitions

    columns = (
        *(read_only(journeys.start), read_only(journeys.stop), read_only(journeys.converted)),
        *(read_only(journeys.touches.source), read_only(group_of_source.astype(np.int64))),
    )
    edges = np.linspace(0, len(journeys), threads + 1).astype(np.int64)

    def counts_between(edge: tuple[int, int]) -> Int64Column:
        counts = np.zeros((groups + 1, groups + 2), np.int64)
        count_transitions(counts, edge[0], edge[1], null_paths, *columns)
        return counts

    with ThreadPoolExecutor(threads) as pool:
        return Transitions(np.sum(list(pool.map(counts_between, pairwise(edges))), axis=0).astype(np.float64))

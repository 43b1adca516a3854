"""Removal effects by iteration over the moves that paths make: for large chains."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from attribution.methods.state_graph import StateGraph
from marketing.frames import Float64Column, Int64Column

TOLERANCE = 1e-11  # of a removal effect
ROUGHLY = 1e-3  # of the conversion rate: near enough to start from
BALANCED_WITHIN = 1e-9  # relative to how often a state is reached
BLOCK_BYTES = 1 << 24  # of the success probabilities that are iterated at a time: they should stay in the cache
FEWEST_GROUPS, MOST_GROUPS = 8, 64  # of a block
SWEEPS_PER_EXTRAPOLATION = 10
MOST_EXTRAPOLATIONS = 50
MOST_SWEEPS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """States renumbered by their last group, then the one before: moves from neighbours reach the same few states.

    `state`: (S,) int64, the graph's number of each. `rank`: (S+1,) its inverse; the start stays last.
    `move`: (M,) int64, the graph's number of each move, by the state it leaves; without those that stay, and without
    the start's. `first_move`: (S+1,), `target`: (M,), in the new numbers. `staying`: the moves that stay.
    """

    state: Int64Column
    rank: Int64Column
    move: Int64Column
    first_move: Int64Column
    target: Int64Column
    grams: Int64Column
    staying: Int64Column


@dataclass(frozen=True, slots=True, eq=False)
class _Chain:
    """One chain's probabilities in a plan's numbers: the arguments of the sweep, and what starts and stops it.

    `visits`: (S,) how often a path visits each state. `entry`: (S,) probability of beginning there.
    """

    plan: _Plan
    rate: float
    entry: Float64Column
    probability: Float64Column
    conversion: Float64Column
    stays: Float64Column
    visits: Float64Column


def sparse_rates_of_counts(
    graph: StateGraph, counts: Float64Column, threads: int = 1
) -> tuple[Float64Column, Float64Column]:
    """Conversion rates, (R,), and the rates without each group, (R, G), of R chains with these counts, (R, T).

    Each rate without a group is exact to within TOLERANCE of the conversion rate. Memory is bounded by one block of
    groups a thread. Raises ValueError if a state is not left as often as it is reached.
    """
    plan = _plan(graph)
    rate, without = np.zeros(len(counts)), np.zeros((len(counts), graph.groups))
    block = int(np.clip(BLOCK_BYTES // (8 * max(1, graph.states)), FEWEST_GROUPS, MOST_GROUPS))
    for row, row_counts in enumerate(counts):
        chain = _chain(graph, plan, row_counts)
        rate[row] = chain.rate
        if not chain.rate:
            continue
        near = np.zeros((graph.states, 1))
        _iterate(chain, near, graph.groups, ROUGHLY * chain.rate)

        def rates_of_block(first: int, chain: _Chain = chain, near: Float64Column = near) -> Float64Column:
            success = np.repeat(near, min(block, graph.groups - first), axis=1)
            _iterate(chain, success, first, TOLERANCE * chain.rate)
            return chain.entry @ success

        firsts = range(0, graph.groups, block)
        without[row] = np.concatenate(list(_map(rates_of_block, firsts, threads)))
    return rate, without


def _plan(graph: StateGraph) -> _Plan:
    state = np.lexsort(graph.grams.T)
    rank = np.append(np.empty_like(state), graph.states)
    rank[state] = np.arange(graph.states)
    stays = graph.origin == graph.target
    origin, target = rank[graph.origin], rank[graph.target]
    move = np.flatnonzero(~stays & (origin < graph.states))
    move = move[np.lexsort((target[move], origin[move]))]
    first_move = np.searchsorted(origin[move], np.arange(graph.states + 1))
    return _Plan(state, rank, move, first_move, target[move], graph.grams[state], np.flatnonzero(stays))


def _chain(graph: StateGraph, plan: _Plan, counts: Float64Column) -> _Chain:
    """`counts`: (T,), in the graph's numbers."""
    states, moves = graph.states, graph.moves
    moved, conversions, nulls = counts[:moves], counts[moves : moves + states], counts[moves + states :]
    left = np.bincount(graph.origin, moved, minlength=states + 1).astype(np.float64)
    left[:states] += conversions + nulls
    reached = np.bincount(graph.target, moved, minlength=states)
    if np.any(np.abs(left[:states] - reached) > BALANCED_WITHIN * reached):
        raise ValueError("Every state must be left as often as it is reached.")
    paths = left[states] if left[states] else 1.0
    left[left == 0] = 1.0  # a state that is never reached leads nowhere
    probability = moved / left[graph.origin]
    entry, stays = np.zeros(states), np.zeros(states)
    starting = graph.origin == states
    entry[graph.target[starting]] = probability[starting]
    stays[graph.origin[plan.staying]] = probability[plan.staying]
    return _Chain(
        plan=plan,
        rate=float(conversions.sum() / paths),
        entry=entry[plan.state],
        probability=probability[plan.move],
        conversion=(conversions / left[:states])[plan.state],
        stays=stays[plan.state],
        visits=(reached / paths)[plan.state],
    )


def _iterate(chain: _Chain, success: Float64Column, first_group: int, tolerance: float) -> None:
    """Sweep `success`, (S, C), in place until the rates from the start are exact to within the tolerance.

    Bound: after a sweep that changed a state's success by d, what is left of the equations sums, weighed by the
    visits of the whole chain, to at most `visits' |d|`, since as many visits leave a state as reach it. The error at
    the start is that sum weighed by the visits of the chain without the group, which are fewer.

    All errors shrink by the same factor in the end, so from time to time the rest of the geometric series is added.
    That only moves the point from which iteration goes on. Raises ArithmeticError where it does not settle.
    """
    # Here, not above: numba takes a second to import, and pages that only name the models must not wait for it.
    from attribution.methods.markov_kernel import sweep

    error, plan = np.full(success.shape[1], np.inf), chain.plan
    for number in range(1, MOST_SWEEPS + 1):
        extrapolates = (
            number % SWEEPS_PER_EXTRAPOLATION == 0 and number // SWEEPS_PER_EXTRAPOLATION <= MOST_EXTRAPOLATIONS
        )
        before, error_before = success.copy() if extrapolates else success, error.copy()
        sweep(
            success,
            first_group,
            plan.first_move,
            plan.target,
            chain.probability,
            chain.conversion,
            chain.stays,
            plan.grams,
            chain.visits,
            error,
        )
        if error.max() <= tolerance:
            return
        if extrapolates:
            factor = np.clip(error / np.where(error_before > 0, error_before, 1.0), 0.0, 0.99)
            success += (success - before) * (factor / (1.0 - factor))
    raise ArithmeticError(f"The chain did not settle within {MOST_SWEEPS} sweeps.")


def _map(
    rates_of_block: Callable[[int], Float64Column], firsts: Iterable[int], threads: int
) -> Iterable[Float64Column]:
    """The rates of each block, in order, computed by as many threads."""
    if threads == 1:
        return map(rates_of_block, firsts)
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(rates_of_block, firsts))

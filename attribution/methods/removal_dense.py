"""Removal effects in closed form, over all pairs of states: for small chains, many at a time."""

import numpy as np

from attribution.methods.state_graph import StateGraph
from marketing.frames import Float64Column

CHUNK_CELLS = 1 << 22  # entries of the matrices that are inverted at a time: 32 MB


def dense_rates_of_counts(graph: StateGraph, counts: Float64Column) -> tuple[Float64Column, Float64Column]:
    """Conversion rates, (R,), and the rates without each group, (R, G), of R chains with these counts, (R, T)."""
    rows, states = len(counts), graph.states
    rate, without = np.zeros(rows), np.zeros((rows, graph.groups))
    chunk = max(1, CHUNK_CELLS // max(1, states * states))
    for first in range(0, rows, chunk):
        part = counts[first : first + chunk]
        moves = np.zeros((len(part), states + 1, states))
        moves[:, graph.origin, graph.target] = part[:, : graph.moves]
        ends = part[:, graph.moves :].reshape(len(part), 2, states)
        left = moves.sum(axis=2)
        left[:, :states] += ends.sum(axis=1)
        left[left == 0] = 1.0  # a state that is never reached leads nowhere
        moves /= left[:, :, None]
        here = slice(first, first + chunk)
        rate[here], without[here] = dense_rates(graph, moves, ends[:, 0] / left[:, :states])
    return rate, without


def dense_rates(
    graph: StateGraph, moves: Float64Column, conversion: Float64Column
) -> tuple[Float64Column, Float64Column]:
    """Conversion rates, (R,), and the rates without each group, (R, G), of R chains over the same states.

    `moves`: (R, S+1, S) float64, probability of moving from each state, the start last, to each state. `conversion`:
    (R, S) float64, probability of converting from each. An end must be within reach of every state.

    In closed form: removing the states E that end in a group, through which alone it is entered, loses
    `N[0,E] N[E,E]^-1 f[E]` of f0.
    """
    states = graph.states
    reach = np.linalg.inv(np.eye(states) - moves[:, :states])
    visits = (moves[:, states, None] @ reach)[:, 0]
    success = (reach @ conversion[:, :, None])[:, :, 0]
    rate = (moves[:, states] * success).sum(axis=1)
    lost = np.zeros((len(moves), graph.groups))
    last = graph.grams[:, -1]
    if graph.order == 1:  # each E is one state
        lost[:, last] = visits * success / np.diagonal(reach, axis1=1, axis2=2)
        return rate, rate[:, None] - lost
    for group in np.unique(last):
        entered = np.flatnonzero(last == group)
        returns = reach[:, entered[:, None], entered]
        converting = np.linalg.solve(returns, success[:, entered, None])[:, :, 0]
        lost[:, group] = (visits[:, entered] * converting).sum(axis=1)
    return rate, rate[:, None] - lost

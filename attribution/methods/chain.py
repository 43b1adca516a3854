"""Markov chains of order k fitted to paths: states, transitions and their counts.

A state is what the customer has touched last: the last k channels, or all of them in the first k-1 steps. Every step
of a path moves to another state, or, where nothing new is remembered, stays; the end of a path moves to conversion or
to null. Repeated channels are kept: in order 1 they change no removal effect, in higher orders they are part of the
state.

Source: Anderl, Becker, von Wangenheim, Schumann 2016, International Journal of Research in Marketing 33(3).
"""

from dataclasses import dataclass

import numpy as np

from attribution.methods.removal import RemovalEffects, removal_effects
from attribution.methods.state_graph import StateGraph
from marketing.frames import Float64Column, Int64Column, PathTable

HIGHEST_ORDER = 3


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """The chain of a path table's paths, whatever their weights.

    `graph`: its S states, E moves and T transitions.
    `offsets`: (P+1,) int64, as in the path table. `transition_of_step`: (L,) int64, in `0..E-1`, the move by which each
    step of each path is made. `last_state`: (P,) int64, the state from which each path ends.
    `null_paths`: whether paths that did not convert count.
    """

    graph: StateGraph
    offsets: Int64Column
    transition_of_step: Int64Column
    last_state: Int64Column
    null_paths: bool

    @property
    def conversion_of_path(self) -> Int64Column:
        """(P,) int64: the transition by which each path converts."""
        return self.graph.moves + self.last_state

    @property
    def null_of_path(self) -> Int64Column:
        """(P,) int64: the transition by which each path ends without converting."""
        return self.graph.moves + self.graph.states + self.last_state

    def counts(self, conversions: Float64Column, nulls: Float64Column) -> Float64Column:
        """How often each transition was made: (T,) float64, for paths taken with these weights, (P,) each.

        Every move of a path counts with the path's conversions and nulls together. Raises ValueError if there is not
        one weight of each kind for every path.
        """
        paths = len(self.last_state)
        if conversions.shape != (paths,) or nulls.shape != (paths,):
            raise ValueError(f"There are {paths} paths: conversions and nulls must have shape ({paths},).")
        if not self.null_paths:
            nulls = np.zeros(paths)
        taken = np.repeat(conversions + nulls, np.diff(self.offsets))
        return np.concatenate(
            [
                np.bincount(self.transition_of_step, taken, minlength=self.graph.moves),
                np.bincount(self.last_state, conversions, minlength=self.graph.states),
                np.bincount(self.last_state, nulls, minlength=self.graph.states),
            ]
        ).astype(np.float64)

    def removal_effects(self, counts: Float64Column, *, threads: int = 1) -> RemovalEffects:
        """Removal effect of each group, from one table of counts, (T,), or from R at once, (R, T)."""
        return removal_effects(graph=self.graph, counts=counts, threads=threads)


def chain_of(*, paths: PathTable, order: int, null_paths: bool = True) -> Chain:
    """The chain of this order, 1 to 3, over the paths of a table.

    Order and numbers of states and transitions depend on the distinct paths only. Time O(L log L) at most.
    Raises ValueError for another order.
    """
    if not 1 <= order <= HIGHEST_ORDER:
        raise ValueError(f"A chain's order must lie between 1 and {HIGHEST_ORDER}, but it is {order}.")
    base = paths.groups + 1
    lengths = np.diff(paths.offsets)
    position = np.arange(len(paths.steps)) - np.repeat(paths.offsets[:-1], lengths)
    # A state is numbered by its channels, oldest first, to base groups+1; 0 stands for "before the path began".
    key = paths.steps + 1
    for back in range(1, order):
        earlier = np.where(position >= back, np.roll(paths.steps, back) + 1, 0)
        key = key + earlier * base**back
    keys, state = _numbered(key, base**order)
    states = len(keys)
    grams = np.stack([keys // base**back % base - 1 for back in range(order - 1, -1, -1)], axis=1)
    before = np.where(position > 0, np.roll(state, 1), states)  # the start is the state after the last
    # The group touched next decides which state is reached: there are fewer groups than states.
    moves, transition_of_step = _numbered(before * base + paths.steps, (states + 1) * base)
    target = np.empty_like(moves)
    target[transition_of_step] = state
    graph = StateGraph(groups=paths.groups, grams=grams, origin=moves // base, target=target)
    return Chain(graph, paths.offsets, transition_of_step, state[paths.offsets[1:] - 1], null_paths)


def _numbered(keys: Int64Column, bound: int) -> tuple[Int64Column, Int64Column]:
    """The distinct ones among keys in `0..bound-1`, ascending, and the position of each key among them."""
    if bound <= 4 * len(keys) + 1024:  # looking all of them up is quicker than sorting
        distinct = np.flatnonzero(np.bincount(keys, minlength=bound))
        position = np.zeros(bound, np.int64)
        position[distinct] = np.arange(len(distinct))
        return distinct, position[keys]
    distinct, inverse = np.unique(keys, return_inverse=True)
    return distinct, inverse.astype(np.int64)

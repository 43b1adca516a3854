"""Bayesian Markov attribution: the posterior of removal effects under a Dirichlet prior on each row of transitions.

Source: Strelioff, Crutchfield, Hubler 2007, Physical Review E 76, 011106 (chains of order 1, section III).
"""

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attribution.methods.chain import chain_of
from attribution.methods.markov import transitions_of
from attribution.methods.removal import effect_shares, effects_of
from attribution.methods.removal_dense import dense_rates
from attribution.methods.state_graph import StateGraph
from marketing.frames import Float64Column, PathTable

CHUNK_CELLS = 1 << 22  # probabilities drawn at a time: 32 MB
MOST_DRAWS_OF_CHUNK = 250  # so that progress is told


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """D draws, independent of each other, of what a chain's transition probabilities imply.

    `effect`: (D, G) float64, removal effects. `share`: (D, G), share of the credit, adding up to 1 over groups (to 0
    without conversions). `conversion_rate`: (D,), probability that a path converts. `rate_without`: (D, G), the same
    without each group.
    `total_conversions`, `total_value`: what was observed along the paths, and is to be credited.
    """

    effect: Float64Column
    share: Float64Column
    conversion_rate: Float64Column
    rate_without: Float64Column
    total_conversions: float
    total_value: float

    @property
    def conversions(self) -> Float64Column:
        """Credited conversions: (D, G) float64; each draw adds up to the conversions that were observed."""
        return self.total_conversions * self.share

    @property
    def value(self) -> Float64Column:
        """Credited value: (D, G) float64, account currency."""
        return self.total_value * self.share


def bayesian_markov(
    *,
    paths: PathTable,
    draws: int,
    seed: int,
    alpha: float = 0.5,
    null_paths: bool = True,
    on_progress: Callable[[float], None] = lambda _fraction: None,
) -> Posterior:
    """Draw from the posterior of a chain of order 1, and compute each draw's removal effects in closed form.

    Each row of the transition matrix has a Dirichlet prior of `alpha` on every cell that a path could take: from the
    start to each group that the paths reach, and from each of these groups to each of them, itself included, to
    conversion and, with `null_paths`, to null. The posterior adds the counts. A group that no path reaches has no
    effect in any draw.

    `seed`: with the counts, keys a Philox generator: the same seed and paths give the same draws, and those of other
    paths are independent of them. `on_progress` is called with the
    fraction done after each chunk, 1 at the end. Memory is bounded by the chunk and the result.

    Raises ValueError if there are no draws to make or alpha is not a positive number.
    """
    if draws < 1:
        raise ValueError("At least one draw must be made.")
    if not (math.isfinite(alpha) and alpha > 0):
        raise ValueError("The prior's weight on each transition must be a positive number.")
    chain = chain_of(paths=paths, order=1, null_paths=null_paths)
    counts = transitions_of(graph=chain.graph, counts=chain.counts(paths.conversions, paths.nulls)).counts
    groups = paths.groups
    reached = np.flatnonzero(counts[:, :groups].sum(axis=0))
    states = len(reached)
    # Rows: the groups reached, the start. Columns: the groups reached, conversion, null.
    prior = np.full((states + 1, states + 2), alpha)
    prior[states, states:] = 0.0  # no path ends before its first touch
    if not null_paths:
        prior[:, states + 1] = 0.0
    concentration = prior + counts[np.append(reached, groups)][:, [*reached, groups, groups + 1]]
    every_move = np.indices((states + 1, states)).reshape(2, -1)
    graph = StateGraph(groups, reached[:, None], *every_move)

    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, zlib.crc32(concentration)])))
    rate, without = np.zeros(draws), np.zeros((draws, groups))
    chunk = max(1, min(MOST_DRAWS_OF_CHUNK, CHUNK_CELLS // concentration.size))
    for first in range(0, draws, chunk):
        here = slice(first, min(draws, first + chunk))
        if states and paths.conversions.any():
            # Gamma variables divided by their sum are Dirichlet.
            matrix = rng.standard_gamma(concentration, size=(here.stop - first, *concentration.shape))
            matrix /= matrix.sum(axis=2, keepdims=True)
            rate[here], without[here] = dense_rates(graph, matrix[:, :, :states], matrix[:, :states, states])
        on_progress(here.stop / draws)
    effects = effects_of(rate, without)
    return Posterior(
        effect=effects.effect,
        share=effect_shares(effects.effect),
        conversion_rate=rate,
        rate_without=effects.rate_without,
        total_conversions=math.fsum(paths.conversions),
        total_value=math.fsum(paths.value),
    )

"""Shapley credit: what a channel adds to the conversion rate, on average over the orders in which channels may join.

The worth of a coalition S of channels is the conversion rate of the paths that touch no channel outside S:
v(S) = conversions / (conversions + null paths) of these, and 0 where there are none. The Shapley value phi of a channel
is v(S with it) - v(S) averaged over all orders; it sums over the channels to the conversion rate of all paths, and the
credit is conversions x phi / sum phi. A channel whose paths convert less than others have a negative phi, which is
shown as such.

Sources: Zhao, Mahboobi, Bagheri 2018 (arXiv:1804.05327), section 3; for the sampling Castro, Gomez, Tejada 2009
(Computers & Operations Research 36), with each order's reverse as its antithetic twin.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from marketing.frames import Float64Column, Int64Column, PathTable

EXACT_UP_TO = 20  # channels: a million coalitions
PERMUTATIONS = 2_000  # sampled where there are more channels
PERMUTATIONS_AT_ONCE = 50  # between two reports of progress
WORD_BITS = 62  # channels in one integer


@dataclass(frozen=True, slots=True)
class ShapleyModel:
    """Shapley credit by conversion rates.

    `permutations`: orders to sample, every second one the reverse of the one before; 0 stands for the exact value where
    up to 20 channels occur, and for 2,000 orders beyond that. `seed`: of the sampling; the exact value needs none.

    Raises ValueError for a number of permutations that is negative, odd, or too small to tell an error from.
    """

    name: str
    permutations: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.permutations and (self.permutations < 4 or self.permutations % 2):
            raise ValueError(f"{self.name} must sample an even number of permutations, at least 4.")


@dataclass(frozen=True, slots=True, eq=False)
class ShapleyValues:
    """`phi`: (G,) or (R, G) float64, zero for groups that do not occur, in conversions a path.

    `is_exact`: whether all coalitions were counted. `monte_carlo_error`: the shape of `phi`, its standard error for
    having sampled orders only, 0 if exact; how sure the data are is another question.
    """

    phi: Float64Column
    is_exact: bool
    monte_carlo_error: Float64Column

    def shares(self) -> Float64Column:
        """`phi` as shares that sum to one, or all zero where nothing converts; some may be negative."""
        total = self.phi.sum(axis=-1, keepdims=True)
        return cast("Float64Column", np.divide(self.phi, total, out=np.zeros_like(self.phi), where=total > 0))


@dataclass(frozen=True, slots=True, eq=False)
class ShapleyCredit:
    """Credit by group: `conversions`, `value` and `phi`, each (G,) float64, value in account currency.

    `monte_carlo_error`: (G,) float64, the standard error of `phi` from sampling orders, 0 if `is_exact`.
    """

    conversions: Float64Column
    value: Float64Column
    phi: Float64Column
    is_exact: bool
    monte_carlo_error: Float64Column


@dataclass(frozen=True, slots=True, eq=False)
class Coalitions:
    """The distinct sets of channels that paths touch: all that a Shapley value knows of them.

    `groups`: G, of the paths. `channels`: (K,) int64, the groups that occur, ascending. `set_of_path`: (P,) int64, the
    set of each path in `0..U-1`. `offsets`: (U+1,) int64, and `members`: (L,) int64 indices into `channels`, ascending
    within a set: set u is `members[offsets[u]:offsets[u + 1]]`. The sets come in an order of their own, which the order
    of the paths does not change.
    """

    groups: int
    channels: Int64Column
    set_of_path: Int64Column
    offsets: Int64Column
    members: Int64Column

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def by_set(self, weights: Float64Column) -> Float64Column:
        """Sum weights of paths, (P,) or (P, R) float64, by set: (U,) or (U, R)."""
        if len(weights) != len(self.set_of_path):
            raise ValueError(f"There are {len(self.set_of_path)} paths, but {len(weights)} weights.")
        if not len(self):
            return np.zeros_like(weights)
        order = np.argsort(self.set_of_path, kind="stable")
        starts = np.searchsorted(self.set_of_path[order], np.arange(len(self)))
        return np.add.reduceat(weights[order], starts, axis=0)

    def values(
        self,
        *,
        conversions: Float64Column,
        nulls: Float64Column,
        model: ShapleyModel,
        on_progress: Callable[[float], None] = lambda _share: None,
    ) -> ShapleyValues:
        """Shapley values from the conversions and null paths of each set, (U,), or (U, R) for R replicates.

        Exact: time O(R K 2^K), memory O(2^K + R K). Sampled: time O(permutations x (L + R U)), memory O(R K); the same
        orders serve all replicates. `on_progress` is told the share that is done; what it raises ends the work.
        Raises ValueError if there is not one row for each set.
        """
        if not len(conversions) == len(nulls) == len(self) or conversions.shape != nulls.shape:
            raise ValueError(f"There are {len(self)} sets, but {len(conversions)} and {len(nulls)} weights.")
        replicates = conversions.shape[1] if conversions.ndim == 2 else 1
        rows = (len(self), replicates)
        converting = np.ascontiguousarray(conversions.reshape(rows), np.float64)
        not_converting = np.ascontiguousarray(nulls.reshape(rows), np.float64)
        is_exact = not model.permutations and len(self.channels) <= EXACT_UP_TO
        phi, error = np.zeros((2, replicates, self.groups))
        if len(self):
            phi[:, self.channels], error[:, self.channels] = (
                self._exact(converting, not_converting)
                if is_exact
                else self._sampled(converting, not_converting, model, on_progress)
            )
        result = (*conversions.shape[1:], self.groups)
        return ShapleyValues(phi.reshape(result), is_exact, error.reshape(result))

    def _exact(self, conversions: Float64Column, nulls: Float64Column) -> tuple[Float64Column, Float64Column]:
        # Here, not above: numba takes a second to import, and pages that only name the model must not wait for it.
        from attribution.methods.shapley_kernel import exact_phi

        phi = np.empty((conversions.shape[1], len(self.channels)))
        masks = np.bitwise_or.reduceat(np.int64(1) << self.members, self.offsets[:-1])
        exact_phi(phi, masks, conversions, nulls)
        return phi, np.zeros_like(phi)

    def _sampled(
        self,
        conversions: Float64Column,
        nulls: Float64Column,
        model: ShapleyModel,
        on_progress: Callable[[float], None],
    ) -> tuple[Float64Column, Float64Column]:
        from attribution.methods.shapley_kernel import sampled_phi

        pairs = (model.permutations or PERMUTATIONS) // 2
        channels = np.arange(len(self.channels))
        mean, squares = np.zeros((2, conversions.shape[1], len(channels)))
        rng = np.random.default_rng(model.seed)
        for before in range(0, pairs, PERMUTATIONS_AT_ONCE):
            now = min(PERMUTATIONS_AT_ONCE, pairs - before)
            orders = rng.permuted(np.tile(channels, (now, 1)), axis=1)
            sampled_phi(mean, squares, before, orders, self.offsets, self.members, conversions, nulls)
            on_progress((before + now) / pairs)
        return mean, np.sqrt(squares / (pairs - 1) / pairs)


def coalitions_of(paths: PathTable) -> Coalitions:
    """Find the distinct sets of channels of the paths, among the channels that occur. Time O(L + P log P)."""
    occurs = np.zeros(paths.groups, np.bool_)
    occurs[paths.steps] = True
    channels = np.flatnonzero(occurs)
    starts, lengths = paths.offsets[:-1], np.diff(paths.offsets)
    if not len(starts):
        nothing = np.empty(0, np.int64)
        return Coalitions(paths.groups, channels, nothing, np.zeros(1, np.int64), nothing)
    members = (np.cumsum(occurs) - 1)[paths.steps]
    set_of_path = np.zeros(len(starts), np.int64)
    for first in range(0, len(channels), WORD_BITS):
        place = members - first
        inside = (place >= 0) & (place < WORD_BITS)
        bits = np.where(inside, np.int64(1) << np.where(inside, place, 0), 0)
        words, word = np.unique(np.bitwise_or.reduceat(bits, starts), return_inverse=True)
        # Sets are told apart by one word more in each round: at most P x P pairs, which an integer holds.
        set_of_path = np.unique(set_of_path * len(words) + word, return_inverse=True)[1]
    sets, example = np.unique(set_of_path, return_index=True)
    set_of_step = np.full(len(starts), -1, np.int64)
    set_of_step[example] = sets
    chosen = np.repeat(set_of_step, lengths)
    pairs = np.unique((chosen * len(channels) + members)[chosen >= 0])
    offsets = np.searchsorted(pairs, np.arange(len(sets) + 1) * len(channels))
    return Coalitions(paths.groups, channels, set_of_path, offsets, pairs % len(channels))


def shapley_credit(
    *, paths: PathTable, model: ShapleyModel, on_progress: Callable[[float], None] = lambda _share: None
) -> ShapleyCredit:
    """Credit the conversions of the paths, and their value, to the groups in proportion to their Shapley values.

    Null paths belong to the question: without any, every conversion rate is 1 or 0, and credit says only which sets of
    channels occur. Paths without any conversion give credit to nobody.
    """
    coalitions = coalitions_of(paths)
    values = coalitions.values(
        conversions=coalitions.by_set(paths.conversions),
        nulls=coalitions.by_set(paths.nulls),
        model=model,
        on_progress=on_progress,
    )
    shares = values.shares()
    return ShapleyCredit(
        conversions=float(paths.conversions.sum()) * shares,
        value=float(paths.value.sum()) * shares,
        phi=values.phi,
        is_exact=values.is_exact,
        monte_carlo_error=values.monte_carlo_error,
    )

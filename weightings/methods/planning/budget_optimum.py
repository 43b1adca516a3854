"""The best spend by channel between bounds, for a goal and an objective: all without chance.

For the mean, dynamic programming finds the best on a lattice, whatever the curves' shape, and sequential quadratic
programming the best near it. For a cautious objective there is no such guarantee where curves are S-shaped, and none at
all for a quantile: it is approached from many allocations, far apart, and the best is left and approached again.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.planning.budget_quantile import best_corner, best_exchange
from weightings.methods.planning.budget_search import Search
from weightings.methods.planning.budget_smooth import smooth
from weightings.methods.planning.objectives import TargetReturn

FloatArray: TypeAlias = npt.NDArray[np.float64]

SMOOTHINGS = (0.05, 0.01)  # of a quantile's rank, as shares of draws, one after the other
KICKS = (0.3, 0.1, 0.03, 0.01)  # lengths, as shares of what there is to share out
MOST_STARTS, MOST_EXCHANGED, MOST_SMOOTHED, MOST_FOLLOWED, MOST_CORNERS, MOST_KICKS = 12, 12, 2, 40, 6, 12
FEW_DRAWS = 1000
FEWEST, MANY_NUMBERS = 2, 4000  # of these, for more channels times draws than can be looked at so quickly
ALIKE = 1e-7  # of the objective: corners that are one
DISTANCE = 0.02  # of allocations that are not much the same, as a share of what there is to share out


def best_spend(search: Search) -> FloatArray:
    """The best allocation (C,) that is found. It misses a target return only where none is found that reaches it."""
    if not search.free.any():
        return search.filled(search.low)
    ranked = sorted(search.candidates(), key=search.worth, reverse=True)
    safe = _safe(search, ranked)
    if not np.isfinite(search.worth(safe)):
        return safe
    if search.objective.name == "mean":
        return max((_smoothed(search, start, safe) for start in ranked[:FEWEST]), key=search.worth)
    if search.objective.name == "cvar":
        starts = _apart(search, ranked, _effort(search, MOST_STARTS))
        return max((_smoothed(search, start, safe) for start in starts), key=search.worth)
    return _best_quantile(search, ranked, safe)


def _best_quantile(search: Search, ranked: Sequence[FloatArray], safe: FloatArray) -> FloatArray:
    starts = _apart(search, ranked, _effort(search, MOST_EXCHANGED))
    exchanged = [best_exchange(search, search.kept(start, safe)) for start in starts]
    exchanged.sort(key=search.worth, reverse=True)
    smoothed = [_smoothed(search, each, safe) for each in exchanged[: _effort(search, MOST_SMOOTHED)]]
    # Good ones and bad ones: they end in different places, and the gradient of a single draw is led astray elsewhere.
    # Of many draws a quantile is nearly smooth, and there is nothing in it.
    mixed = ranked[:: -(-len(ranked) // MOST_FOLLOWED)] if len(search.surface.without) <= FEW_DRAWS else []
    followed = [search.kept(smooth(search, start, 0.0), safe) for start in mixed]
    near = sorted(exchanged + followed, key=search.worth, reverse=True)
    corners = [*_apart(search, near, _effort(search, MOST_CORNERS, 1)), *smoothed]
    ended = sorted((best_corner(search, each, safe) for each in corners), key=search.worth, reverse=True)
    best, worth = ended[0], search.worth(ended[0])
    if search.worth(ended[len(ended) // 2]) > worth - ALIKE * abs(worth):
        return best  # most ways lead there
    rng = np.random.default_rng(0)  # the same kicks always
    for number in range(_effort(search, MOST_KICKS, 1)):
        direction = rng.normal(size=len(best)) * search.free / np.sqrt(np.count_nonzero(search.free))
        kick = KICKS[number // 2 % len(KICKS)] * search.room * direction
        kicked = search.kept(search.filled(best + kick), safe)
        if number % 2:  # exchanges find their way back from small kicks, and back to where they were as well
            kicked = best_exchange(search, kicked)
        best = max(best, best_corner(search, kicked, safe, beat=search.worth(best)), key=search.worth)
    return best


def _effort(search: Search, most: int, fewest: int = FEWEST) -> int:
    """How many there may be: fewer for more channels times draws than can be looked at so quickly."""
    return max(fewest, round(most * min(1.0, MANY_NUMBERS / search.surface.grid[:, :, 0].size)))


def _safe(search: Search, ranked: Sequence[FloatArray]) -> FloatArray:
    """An allocation that surely reaches a target return: the one with the best return that is found."""
    if not isinstance(search.goal, TargetReturn):
        return ranked[0]
    best = max(ranked, key=search.return_on)
    return max(best, smooth(search, best, SMOOTHINGS[0], returns=True), key=search.return_on)


def _apart(search: Search, ranked: Sequence[FloatArray], most: int) -> list[FloatArray]:
    """The first of some allocations that are not much the same as one before."""
    found: list[FloatArray] = []
    for each in ranked:
        if len(found) < most and all(np.abs(each - other).max() > DISTANCE * search.room for other in found):
            found.append(each)
    return found


def _smoothed(search: Search, start: FloatArray, safe: FloatArray) -> FloatArray:
    """A local optimum from an allocation (C,) that keeps to the goal; for a quantile, nearly."""
    found = start
    for smoothing in SMOOTHINGS if search.objective.name == "quantile" else (0.0,):
        found = search.kept(smooth(search, found, smoothing), safe)
    return max(search.kept(start, safe), found, key=search.worth)

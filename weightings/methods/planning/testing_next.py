"""Which channel to test next: the one that, were its response known, would be worth most to the budget.

The *expected value of partial perfect information* about a channel: how much more the best budget would bring on
average if what the channel adds at its current spend was known before, than the one that is best without knowing. Draws
are sorted by what the channel adds and cut into bins; in each bin, which stands for having learnt where the truth lies,
the budget is found anew, for the mean (Strong, Oakley 2013, Medical Decision Making 33(6), by bins).

A bin has few draws, and a budget that is fitted to them gains by chance as well, on paper. So budgets are fitted to one
half of a bin's draws, every other one, and judged by all of them: what they gain by chance in the half they were fitted
to, they lose in the other one, as far as gains are quadratic. What is left below zero is chance, too: knowledge never
costs.

All budgets lie on one lattice, on which dynamic programming finds the best, whatever the curves' shape.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.planning.allocation import Lattice, allocate
from weightings.methods.planning.budget import AS_NOW, BudgetWishes, bounds_of
from weightings.methods.planning.objectives import FixedTotal
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.planning.surface import ResponseSurface

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

BINS, FEWEST_DRAWS = 10, 20  # bins have at least so many draws
UNITS = 300  # of the lattice, from the least to the most spend


@dataclass(frozen=True, kw_only=True)
class WorthTesting:
    """What it is worth to know one channel's response. `value`: in the outcome's unit, over the horizon.

    `spend`: of the budget without knowing, account currency. `spend_low`, `spend_high`: the least and the most that the
    channel gets when its response is known. `moves`: how far its spend is then from `spend`, on average.
    """

    channel: str
    value: float
    spend: float
    spend_low: float
    spend_high: float
    moves: float


def worth_testing(surface: ResponseSurface, wishes: BudgetWishes = AS_NOW) -> list[WorthTesting]:
    """All channels, the one worth most first; equal ones in the surface's order.

    `wishes`: limits, locks and total of the budget that knowledge is to improve; its objective is the mean in any case.
    Raises CannotBePlanned where these contradict each other, or the total is not fixed.
    """
    goal = FixedTotal(float(surface.spend.sum())) if wishes.goal is None else wishes.goal
    if not isinstance(goal, FixedTotal):
        raise CannotBePlanned("What to test next is asked for a budget with a fixed total. Give it one.")
    low, high = bounds_of(surface, wishes)
    room = min(goal.spend - float(low.sum()), float((high - low).sum()))
    if not room > 0 or np.count_nonzero(high > low) < 2:
        settled = np.where(high > low, np.minimum(low + max(room, 0.0), high), low)
        return [_nothing(name, float(spend)) for name, spend in zip(surface.channels, settled, strict=True)]
    lattice = Lattice.of(surface, low, np.minimum(high, low + room), room / UNITS)
    draws = len(surface.without)
    without = _best(lattice, np.full((1, draws), 1 / draws))[0]
    added = surface.added(surface.spend)
    found = [
        _worth(name, lattice, added[:, place], place, without)
        if np.ptp(added[:, place]) > 0
        else _nothing(name, float(lattice.spend[place][without[place]]))
        for place, name in enumerate(surface.channels)
    ]
    return sorted(found, key=lambda each: -each.value)


def _worth(name: str, lattice: Lattice, added: FloatArray, place: int, without: IntArray) -> WorthTesting:
    order = np.argsort(added, kind="stable")
    bins = np.array_split(order, max(1, min(BINS, len(added) // FEWEST_DRAWS)))
    whole = _weights(bins, len(added))
    halves = [_weights([each[first::2] if len(each) > 1 else each for each in bins], len(added)) for first in (0, 1)]
    share = np.array([len(each) for each in bins]) / len(added)
    values = lattice.values(whole)

    def judged(units: IntArray) -> FloatArray:
        """What units (B, C) bring in each bin, (B,)."""
        return np.asarray(sum(each[np.arange(len(bins)), units[:, c]] for c, each in enumerate(values)))

    kept = judged(np.tile(without, (len(bins), 1)))
    gains = [judged(_best(lattice, half)) - kept for half in halves]
    spend = lattice.spend[place][_best(lattice, whole)[:, place]]
    unchanged = float(lattice.spend[place][without[place]])
    return WorthTesting(
        channel=name,
        value=max(float(share @ np.mean(gains, axis=0)), 0.0),
        spend=unchanged,
        spend_low=float(spend.min()),
        spend_high=float(spend.max()),
        moves=float(share @ np.abs(spend - unchanged)),
    )


def _best(lattice: Lattice, weights: FloatArray) -> IntArray:
    """The best units (B, C) of the lattice, for B ways (B, S) of weighing draws."""
    found = allocate(lattice.values(weights), UNITS)
    return np.stack([found.units(number, UNITS) for number in range(len(weights))])


def _weights(bins: list[IntArray], draws: int) -> FloatArray:
    """Each bin's draws alike, and no others: (B, S)."""
    weights = np.zeros((len(bins), draws))
    for number, each in enumerate(bins):
        weights[number, each] = 1 / len(each)
    return weights


def _nothing(name: str, spend: float) -> WorthTesting:
    return WorthTesting(channel=name, value=0.0, spend=spend, spend_low=spend, spend_high=spend, moves=0.0)

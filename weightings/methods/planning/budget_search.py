"""A budget to be found: spend by channel between bounds, for a goal and an objective; and where to look for it.

What channels add is a sum for the mean, and for any other fixed way to weigh draws. So dynamic programming finds the
best of all allocations on a lattice, however S-shaped the curves are. A cautious objective weighs the draws that go
badly, and which these are depends on the allocation: they are weighed by how often they have gone badly in the
allocations found so far (fictitious play: Brown 1951; Robinson 1951).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.planning.allocation import Lattice, allocate
from weightings.methods.planning.objectives import FixedTotal, Goal, Objective, TargetMarginalReturn, TargetReturn
from weightings.methods.planning.surface import ResponseSurface

FloatArray: TypeAlias = npt.NDArray[np.float64]

MOST_UNITS, FEWEST_UNITS, MOST_NUMBERS = 600, 60, 8_000_000  # of the lattice
ROUNDS, SCATTERED = 12, 100  # allocations to begin with: of fictitious play, and spread over all there are
ROUND_SMOOTHING = 0.05  # of a quantile's rank, as a share of draws
MOST_CUTS, NEAR = 20, 0.01  # on the way to a target, and how much of what was lacking may be left over there
ROUNDING = 1e-10  # of a target, that what is reached may be below it


@dataclass(frozen=True, eq=False, kw_only=True)
class Search:
    """`low`, `high`: (C,) spend, no more than what responses are known for. A total is one that they can add up to."""

    surface: ResponseSurface
    goal: Goal
    objective: Objective
    low: FloatArray
    high: FloatArray

    @cached_property
    def room(self) -> float:
        """What there is to share out above the low ends; at most, where the total is free."""
        most = float((self.high - self.low).sum())
        return min(self.goal.spend - float(self.low.sum()), most) if isinstance(self.goal, FixedTotal) else most

    @cached_property
    def free(self) -> npt.NDArray[np.bool_]:
        """Channels (C,) whose spend is not settled."""
        return (self.high > self.low) & (self.room > 0)

    @property
    def target(self) -> float:
        """What a unit of spend has to add; 0 where the total is fixed."""
        return 0.0 if isinstance(self.goal, FixedTotal) else self.goal.at_least

    def added(self, spend: FloatArray) -> FloatArray:
        """What each channel adds (C, S), at spend (C,)."""
        return self.surface.curves.at(self._multiplier(spend))

    def totals(self, spend: FloatArray) -> FloatArray:
        """What all channels add together (S,), at spend (C,)."""
        return np.asarray(self.added(spend).sum(axis=0))

    def with_slopes(self, spend: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What all channels add together (S,), and what the next unit of spend on each would add (C, S)."""
        added, slopes = self.surface.curves.with_slopes(self._multiplier(spend))
        base = self.surface.spend[:, None]
        return added.sum(axis=0), np.divide(slopes, base, out=np.zeros_like(slopes), where=base > 0)

    def worth(self, spend: FloatArray) -> float:
        """What is to be as large as it can be; minus infinity where a target return is not reached, as by no spend."""
        return float(self.worths(self.totals(spend), spend.sum()))

    def worths(self, totals: FloatArray, spend: FloatArray) -> FloatArray:
        """The same of many allocations, by what all channels add (..., S) and cost (...)."""
        reached, target = self.objective.of(totals), self.target * spend
        if isinstance(self.goal, TargetMarginalReturn):
            return np.asarray(reached - target)
        if isinstance(self.goal, TargetReturn):
            return np.where((reached >= target - ROUNDING * np.abs(target)) & (spend > 0), reached, -np.inf)
        return reached

    def kept(self, wanted: FloatArray, safe: FloatArray) -> FloatArray:
        """An allocation, or what is next to it on the way to a safe one, that reaches the target return."""
        short = self._surplus(wanted)
        if short >= 0:
            return wanted
        ends = [(0.0, short), (1.0, self._surplus(safe))]
        kept, over, side = 1.0, np.inf, None
        for _ in range(MOST_CUTS):  # "Illinois": false position, an end that stays counting half (Dowell, Jarratt 1971)
            (missed, lacking), (reached, more) = ends
            cut = missed + (reached - missed) * (lacking / (lacking - more) if np.isfinite(lacking) else 0.5)
            surplus = self._surplus(wanted + cut * (safe - wanted))
            if side == (surplus >= 0):
                ends[not side] = ends[not side][0], ends[not side][1] / 2
            side = surplus >= 0
            ends[side] = cut, surplus
            if side:
                kept, over = cut, surplus
            if over <= NEAR * -short:
                break
        return wanted + kept * (safe - wanted)

    def _surplus(self, spend: FloatArray) -> float:
        """What is reached above the target return; minus infinity where nothing is spent."""
        if not isinstance(self.goal, TargetReturn):
            return 0.0
        total = float(spend.sum())
        target = self.target * total
        return float(self.objective.of(self.totals(spend))) - target + ROUNDING * target if total > 0 else -np.inf

    def return_on(self, spend: FloatArray) -> float:
        """What a unit of spend adds, as the objective counts it; minus infinity where nothing is spent."""
        total = float(spend.sum())
        return float(self.objective.of(self.totals(spend))) / total if total > 0 else -np.inf

    def candidates(self) -> Iterator[FloatArray]:
        """Allocations (C,) to begin with, the best for the mean first; some may miss a target return."""
        draws = len(self.surface.without)
        best = self.best_weighed(np.full(draws, 1 / draws))
        yield best
        yield self.filled(np.clip(self.surface.spend, self.low, self.high))
        if self.objective.name == "mean":
            return
        weights = np.zeros(draws)
        for number in range(ROUNDS):
            gone_badly = self.objective.weights(self.totals(best), smoothing=ROUND_SMOOTHING)
            weights = (number * weights + gone_badly) / (number + 1)
            best = self.best_weighed(weights)
            yield best
        shares = np.random.default_rng(0).random((SCATTERED, len(self.low)))  # the same ones always
        for share in shares:
            yield self.filled(self.low + share * (self.high - self.low))

    def best_weighed(self, weights: FloatArray) -> FloatArray:
        """The best allocation (C,) on the lattice if draws (S,) are weighed so; the best return if none is enough."""
        units = len(self._lattice_totals) - 1
        allocations = allocate(self._lattice.values(weights[None]), units)
        value, total = allocations.value[0], self._lattice_totals
        chosen = units
        if isinstance(self.goal, TargetMarginalReturn):
            chosen = int(np.argmax(value - self.target * total))
        elif isinstance(self.goal, TargetReturn):
            enough = np.flatnonzero(value >= self.target * total)
            returns = np.divide(value, total, out=np.full(len(total), -np.inf), where=total > 0)
            chosen = int(enough[-1]) if len(enough) else int(np.argmax(returns))
        return self.filled(self._lattice.at(allocations.units(0, chosen)))

    def filled(self, spend: FloatArray) -> FloatArray:
        """Within the bounds, and with a total made good: spread over what channels can still take, or give."""
        spend = np.clip(spend, self.low, self.high)
        if not isinstance(self.goal, FixedTotal):
            return spend
        missing = self.goal.spend - float(spend.sum())
        rooms = self.high - spend if missing > 0 else spend - self.low
        room = float(rooms.sum())
        return np.clip(spend + rooms * (missing / room), self.low, self.high) if room > 0 else spend

    @cached_property
    def _lattice(self) -> Lattice:
        high = np.minimum(self.high, self.low + self.room)
        widths = float((high - self.low).sum()) / self.room
        units = int(MOST_NUMBERS / (len(self.surface.without) * widths))
        return Lattice.of(self.surface, self.low, high, self.room / min(max(units, FEWEST_UNITS), MOST_UNITS))

    @cached_property
    def _lattice_totals(self) -> FloatArray:
        """Total spend by units, (1 + N,)."""
        units = round(self.room / self._lattice.step)
        return np.asarray(float(self.low.sum()) + self._lattice.step * np.arange(units + 1))

    def _multiplier(self, spend: FloatArray) -> FloatArray:
        base = self.surface.spend
        return np.divide(spend, base, out=np.zeros_like(base), where=base > 0)

"""From an allocation to the best that is near, by sequential quadratic programming (Kraft 1988, "SLSQP").

A quantile jumps from draw to draw and has no gradient to follow: it is smoothed, ranks around it count as well.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from weightings.methods.planning.budget_search import Search
from weightings.methods.planning.objectives import FixedTotal, TargetMarginalReturn

FloatArray: TypeAlias = npt.NDArray[np.float64]

PRECISION, MOST_STEPS = 1e-12, 100  # as a share of the objective
SMOOTHED_PRECISION, MOST_SMOOTHED_STEPS = 1e-8, 60  # corners are followed up exactly
LEAST_SPEND = 1e-6  # of the room: what a return is of at least


@dataclass(eq=False)
class _Scaled:
    """A search as SLSQP takes it: by the free channels' spend above their low ends, in multiples of the room."""

    search: Search
    start: FloatArray
    smoothing: float
    _last: tuple[FloatArray, float, FloatArray] | None = None  # SLSQP asks for objective and constraint one by one

    @cached_property
    def unit(self) -> float:
        """Of the objective: what it is at the start."""
        return abs(float(self.search.objective.of(self.search.totals(self.start)))) or 1.0

    def spend(self, position: FloatArray) -> FloatArray:
        whole = self.start.copy()
        free = self.search.free
        whole[free] = self.search.low[free] + position * self.search.room
        return np.clip(whole, self.search.low, self.search.high)

    def position(self, spend: FloatArray) -> FloatArray:
        return np.asarray((spend - self.search.low)[self.search.free] / self.search.room)

    def reached(self, position: FloatArray) -> tuple[float, FloatArray]:
        """The objective and its gradient."""
        if self._last is None or not np.array_equal(position, self._last[0]):
            totals, slopes = self.search.with_slopes(self.spend(position))
            weights = self.search.objective.weights(totals, self.smoothing)
            gradient = (slopes @ weights)[self.search.free] * (self.search.room / self.unit)
            self._last = position.copy(), float(weights @ totals) / self.unit, gradient
        return self._last[1:]

    def surplus(self, position: FloatArray) -> tuple[float, FloatArray]:
        """What is reached above the target."""
        value, gradient = self.reached(position)
        target = self.search.target / self.unit
        return value - target * float(self.spend(position).sum()), gradient - target * self.search.room

    def per_spend(self, position: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = self.reached(position)
        total = max(float(self.spend(position).sum()) / self.search.room, LEAST_SPEND)
        return value / total, gradient / total - value / total**2


def smooth(search: Search, start: FloatArray, smoothing: float, *, returns: bool = False) -> FloatArray:
    """A local optimum near an allocation (C,). `returns`: of the return on spend, with no target to reach."""
    scaled = _Scaled(search, start, smoothing)
    maximised = scaled.per_spend if returns else scaled.reached
    constraints: list[dict[str, Any]] = []
    if isinstance(search.goal, FixedTotal):
        total = scaled.position(start).sum()
        constraints = [{"type": "eq", "fun": lambda at: at.sum() - total, "jac": np.ones_like}]
    elif isinstance(search.goal, TargetMarginalReturn):
        maximised = scaled.surplus
    elif not returns:
        reached = {"fun": lambda at: scaled.surplus(at)[0], "jac": lambda at: scaled.surplus(at)[1]}
        constraints = [{"type": "ineq", **reached}]

    def minimised(position: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = maximised(position)
        return -value, -gradient

    with warnings.catch_warnings():
        # SLSQP says so where it has stepped over a bound by rounding, and steps back.
        warnings.filterwarnings("ignore", "Values in x were outside bounds", RuntimeWarning)
        found = minimize(
            minimised,
            scaled.position(start),
            jac=True,
            method="SLSQP",
            bounds=[(0.0, most) for most in scaled.position(search.high)],
            constraints=constraints,
            options={
                "ftol": SMOOTHED_PRECISION if smoothing else PRECISION,
                "maxiter": MOST_SMOOTHED_STEPS if smoothing else MOST_STEPS,
            },
        )
    return search.filled(scaled.spend(found.x)) if np.all(np.isfinite(found.x)) else start

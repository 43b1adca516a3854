"""Where to spend: a budget by channel that makes as much of a horizon as it can, and what it changes.

Everything is computed from the draws of a `ResponseSurface`; the search is in `budget_optimum`. The same surface and
the same wishes give the same answer. Amounts are account currency over the horizon, all its periods together; what is
added is in the outcome's unit.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.planning.budget_optimum import best_spend
from weightings.methods.planning.budget_search import Search
from weightings.methods.planning.objectives import MEAN, FixedTotal, Goal, Objective, TargetReturn
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.planning.surface import ResponseSurface
from weightings.methods.summaries import Summary, summary

FloatArray: TypeAlias = npt.NDArray[np.float64]
Side: TypeAlias = Literal["low", "high", "locked"]

WITHIN = 0.3  # of a channel's current share of the total, that it may be more or less unless somebody says otherwise
AT_BOUND = 1e-6  # of the total: as near as that is at the bound
ROUNDING = 1e-9  # of sums of money


@dataclass(frozen=True, kw_only=True)
class BudgetWishes:
    """What a budget is asked for. `goal`: the current total again where None.

    `limits`: by channel the least and the most spend; for all others within 30% of their current share of the total,
    which is that of the current plan where the goal leaves it free. `locks`: by channel the spend that it has.
    """

    goal: Goal | None = None
    objective: Objective = MEAN
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    locks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Recommendation:
    """A budget, beside the current plan; C channels, S draws.

    `low`, `high`: (C,) what spend could be; a high end is no more than what responses are known for. `current`,
    `recommended`: (C,) spend. `at_bound`: by channel the side on which its bound keeps it from more or less.
    `marginal`: (S, C) what the next unit of spend would add then; NaN for a channel without spend in the plan.
    `extrapolated`: (C,), beyond what was ever seen of a channel in a period.
    `outcome_current`, `outcome_recommended`, `added_current`, `added_recommended`: (S,).
    """

    channels: tuple[str, ...]
    goal: Goal
    objective: Objective
    low: FloatArray
    high: FloatArray
    current: FloatArray
    recommended: FloatArray
    at_bound: Mapping[str, Side]
    marginal: FloatArray
    extrapolated: npt.NDArray[np.bool_]
    outcome_current: FloatArray
    outcome_recommended: FloatArray
    added_current: FloatArray
    added_recommended: FloatArray

    @property
    def gain(self) -> FloatArray:
        """What the budget brings more than the current plan, (S,)."""
        return np.asarray(self.added_recommended - self.added_current)

    @property
    def probability_better(self) -> float:
        """Share of draws in which the budget brings more; draws in which it brings the same count half."""
        return float(np.mean((self.gain > 0) + 0.5 * (self.gain == 0)))

    @property
    def objective_current(self) -> float:
        return float(self.objective.of(self.added_current))

    @property
    def objective_recommended(self) -> float:
        return float(self.objective.of(self.added_recommended))

    def gained(self, level: float) -> Summary:
        return summary(self.gain, level)


AS_NOW = BudgetWishes()


def recommend(surface: ResponseSurface, wishes: BudgetWishes = AS_NOW) -> Recommendation:
    """The best budget. Raises CannotBePlanned where wishes contradict each other, or no budget reaches the target."""
    goal = FixedTotal(float(surface.spend.sum())) if wishes.goal is None else wishes.goal
    low, high = bounds_of(surface, wishes)
    search = Search(surface=surface, goal=goal, objective=wishes.objective, low=low, high=high)
    spend = best_spend(search)
    if isinstance(goal, TargetReturn) and not np.isfinite(search.worth(spend)):
        raise CannotBePlanned(
            f"No budget within the limits returns {_ratio(goal.at_least)} per unit of spend: the most that is found is "
            f"{_ratio(search.return_on(spend))}. Ask for less, or let channels go lower."
        )
    before, after = surface.added(surface.spend).sum(axis=1), surface.added(spend).sum(axis=1)
    return Recommendation(
        channels=surface.channels,
        goal=goal,
        objective=wishes.objective,
        low=low,
        high=high,
        current=surface.spend,
        recommended=spend,
        at_bound=_at_bound(surface.channels, spend, low, high),
        marginal=surface.marginal(spend),
        extrapolated=surface.extrapolated(spend),
        outcome_current=surface.without + before,
        outcome_recommended=surface.without + after,
        added_current=before,
        added_recommended=after,
    )


def _ratio(value: float) -> str:
    """With two decimals, or two digits that matter where that is more."""
    size = math.floor(math.log10(abs(value))) if value and math.isfinite(value) else 0
    return f"{value:,.{max(2, 1 - size)}f}"


def bounds_of(surface: ResponseSurface, wishes: BudgetWishes) -> tuple[FloatArray, FloatArray]:
    """The least and the most spend (C,) on each channel. Raises CannotBePlanned where these are none."""
    _require_known(surface, wishes)
    current = float(surface.spend.sum())
    if not current > 0:
        raise CannotBePlanned("The current plan spends nothing, so there is nothing to go by. Choose another period.")
    total = wishes.goal.spend if isinstance(wishes.goal, FixedTotal) else current
    _require_amount("The total", total)
    shares = surface.spend / current * total
    low, high = (1 - WITHIN) * shares, (1 + WITHIN) * shares
    for place, name in enumerate(surface.channels):
        if name in wishes.locks:
            low[place] = high[place] = wishes.locks[name]
        elif name in wishes.limits:
            low[place], high[place] = wishes.limits[name]
    for name, least, most, known in zip(surface.channels, low, high, surface.most, strict=True):
        _require_bounds(name, least, most, known)
    high = np.minimum(high, surface.most)
    low = np.minimum(low, high)
    if isinstance(wishes.goal, FixedTotal) or wishes.goal is None:
        _require_total(total, low, high, surface, wishes)
    return low, high


def _at_bound(channels: tuple[str, ...], spend: FloatArray, low: FloatArray, high: FloatArray) -> dict[str, Side]:
    near = AT_BOUND * max(float(spend.sum()), np.finfo(np.float64).tiny)
    found: dict[str, Side] = {}
    for name, amount, least, most in zip(channels, spend, low, high, strict=True):
        if most - least <= ROUNDING * max(most, 1.0):
            found[name] = "locked"
        elif amount - least <= near:
            found[name] = "low"
        elif most - amount <= near:
            found[name] = "high"
    return found


def _require_known(surface: ResponseSurface, wishes: BudgetWishes) -> None:
    for name in (*wishes.limits, *wishes.locks):
        if name not in surface.channels:
            raise CannotBePlanned(f"There is no channel “{name}” in this plan: it has {', '.join(surface.channels)}.")
    for name in wishes.locks:
        if name in wishes.limits:
            raise CannotBePlanned(f"{name} is locked and has limits as well. Take one of the two away.")
    if not isinstance(wishes.goal, FixedTotal | None):
        _require_amount("The target", wishes.goal.at_least)


def _require_amount(what: str, amount: float) -> None:
    if not (np.isfinite(amount) and amount > 0):
        raise CannotBePlanned(f"{what} must be a number above 0, but is {amount:,}.")


def _require_bounds(name: str, least: float, most: float, known: float) -> None:
    if not (np.isfinite(least) and np.isfinite(most) and 0 <= least <= most * (1 + ROUNDING)):
        raise CannotBePlanned(
            f"The spend on {name} must lie between two amounts of 0 or more, the lower one first, but they are "
            f"{least:,.2f} and {most:,.2f}."
        )
    if least > known * (1 + ROUNDING):
        raise CannotBePlanned(
            f"{name} is to have a spend of at least {least:,.2f}, and what it would add is known up to {known:,.2f}. "
            "Plan less for it, or choose a period in which it had more."
        )


def _require_total(
    total: float, low: FloatArray, high: FloatArray, surface: ResponseSurface, wishes: BudgetWishes
) -> None:
    least, most = float(low.sum()), float(high.sum())
    if least > total * (1 + ROUNDING):
        raise CannotBePlanned(
            f"The channels are to have {least:,.2f} at least, and the total is {total:,.2f}. Raise the total, or lower "
            f"the {'locks' if wishes.locks else 'limits'}."
        )
    if most < total * (1 - ROUNDING):
        known = " What more would add is not known." if np.any(high >= surface.most) else ""
        raise CannotBePlanned(
            f"The channels can take {most:,.2f} at most, and the total is {total:,.2f}.{known} Lower the total, or "
            f"raise the {'locks' if wishes.locks else 'limits'}."
        )

"""A plan of spend as an address, a form and a scenario have it, and what it takes to be one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeAlias
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt

from mmm_project import formats
from weightings.labels import GOALS, RETURN, TOTAL
from weightings.methods.planning.budget import BudgetWishes, Recommendation, recommend
from weightings.methods.planning.objectives import FixedTotal, Goal, Objective, TargetMarginalReturn, TargetReturn
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.planning.rebalancing import rebalanced, to_the_cent
from weightings.planner.horizon import Horizon

FloatArray: TypeAlias = npt.NDArray[np.float64]

LARGEST = 1e12
FIXED, FREE = "fixed", "free"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Spend by channel over a horizon, and how it may be changed.

    `periods`: of the horizon, as `Horizon` has them. `spend`: by channel, account currency. `locks`: channels that keep
    theirs. `limits`: by channel the least and the most. `is_fixed`: whether the total stays when one is changed.
    `objective`, `goal` and `target`: what a recommendation is to make as much of as it can, and what it keeps to.
    `override`: whether one is wanted from a model that should not be acted on.
    """

    periods: int | None = None
    spend: Mapping[str, float]
    locks: frozenset[str] = frozenset()
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    is_fixed: bool = True
    objective: str = "mean"
    goal: str = TOTAL
    target: float | None = None
    override: bool = False

    @property
    def total(self) -> float:
        return math.fsum(self.spend.values())

    def amounts(self, channels: Sequence[str]) -> FloatArray:
        """Its spend (C,); 0 for a channel that it does not name."""
        return np.array([self.spend.get(name, 0.0) for name in channels])

    def scaled(self, factor: float) -> Self:
        """For the period that a run reports, with this multiple of its amounts, to the cent."""
        spend = {name: round(factor * amount, 2) for name, amount in self.spend.items()}
        limits = {name: (round(factor * low, 2), round(factor * high, 2)) for name, (low, high) in self.limits.items()}
        return replace(self, periods=None, spend=spend, limits=limits)

    def as_json(self) -> dict[str, Any]:
        return {
            "periods": self.periods,
            "spend": dict(self.spend),
            "locks": sorted(self.locks),
            "limits": {name: list(ends) for name, ends in self.limits.items()},
            "is_fixed": self.is_fixed,
            "objective": self.objective,
            "goal": self.goal,
            "target": self.target,
            "override": self.override,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """The plan that a scenario keeps."""
        limits = {name: (float(low), float(high)) for name, (low, high) in kept["limits"].items()}
        return cls(**{**kept, "locks": frozenset(kept["locks"]), "limits": limits})

    def query(self, channels: Sequence[str]) -> str:
        """The plan as the planner's address has it."""
        said: list[tuple[str, object]] = [] if self.periods is None else [("horizon", self.periods)]
        for place, name in enumerate(channels):
            said.append((f"s{place}", _plain(self.spend.get(name, 0.0))))
            if name in self.locks:
                said.append((f"lock{place}", "on"))
            if name in self.limits:
                said += [
                    (f"{end}{place}", _plain(at)) for end, at in zip(("min", "max"), self.limits[name], strict=True)
                ]
        if not self.is_fixed:
            said.append(("total", FREE))
        if self.objective != "mean":
            said.append(("objective", self.objective))
        if self.goal != TOTAL:
            said += [("goal", self.goal), ("target", "" if self.target is None else _plain(self.target))]
        if self.override:
            said.append(("override", "on"))
        return urlencode(said)


def _plain(amount: float) -> str:
    """A number as an address has it: no more digits than it has."""
    return f"{amount:.6f}".rstrip("0").rstrip(".")


def current_plan(horizon: Horizon) -> Plan:
    """What was spent."""
    spent = dict(zip(horizon.channels, horizon.spend.tolist(), strict=True))
    return Plan(periods=horizon.periods, spend={name: round(amount, 2) for name, amount in spent.items()})


def limits_of(horizon: Horizon, plan: Plan) -> tuple[FloatArray, FloatArray]:
    """The least and the most spend (C,) on each channel."""
    low, high = np.zeros(len(horizon.channels)), horizon.most.copy()
    for place, name in enumerate(horizon.channels):
        if name in plan.limits:
            low[place], high[place] = plan.limits[name][0], min(plan.limits[name][1], high[place])
            if low[place] > high[place]:
                raise CannotBePlanned(
                    f"{name} is to have at least {low[place]:,.2f}, and what it adds is known up to {high[place]:,.2f}."
                )
    return low, high


def balanced(horizon: Horizon, plan: Plan, *, total: float | None, changed: int | None) -> Plan:
    """The plan with its total held, where that is fixed, after a channel (by its place) or the total was changed.

    `total`: what it is to be; where it is None, that of the plan. Raises CannotBePlanned where it cannot be.
    """
    low, high = limits_of(horizon, plan)
    spend = plan.amounts(horizon.channels)
    locked = np.array([name in plan.locks for name in horizon.channels])
    if plan.is_fixed and total is not None:
        spend = rebalanced(spend, total=total, low=low, high=high, locked=locked, changed=changed, usual=horizon.spend)
    else:
        spend = np.where(locked, spend, np.clip(spend, low, high))
    return replace(plan, spend=dict(zip(horizon.channels, spend.tolist(), strict=True)))


def recommended(horizon: Horizon, plan: Plan, *, total: float | None) -> tuple[Plan, Recommendation]:
    """The plan with the spend that is best, within its locks and limits, and what it brings.

    Channels without limits of their own are kept within the usual ones. `total`: that of the plan where it is None.
    Raises CannotBePlanned where wishes contradict one another, or there can be no search.
    """
    budget = recommend(horizon.surface, wishes(horizon, plan, total=total))
    free = np.array([name not in plan.locks for name in horizon.channels])
    whole = round(float(budget.recommended.sum()), 2)
    spend = to_the_cent(budget.recommended, whole, budget.low, budget.high, free)
    return replace(plan, spend=dict(zip(horizon.channels, spend.tolist(), strict=True))), budget


def wishes(horizon: Horizon, plan: Plan, *, total: float | None = None) -> BudgetWishes:
    """What is asked of a recommended budget."""
    names = horizon.channels
    spend = horizon.within(plan.amounts(names)).tolist()
    locks = {name: amount for name, amount in zip(names, spend, strict=True) if name in plan.locks}
    limits = {name: plan.limits[name] for name in names if name in plan.limits and name not in locks}
    return BudgetWishes(goal=_goal(plan, total), objective=Objective(plan.objective), limits=limits, locks=locks)  # type: ignore[arg-type]


def _goal(plan: Plan, total: float | None) -> Goal:
    if plan.goal == TOTAL:
        return FixedTotal(plan.total if total is None else total)
    if plan.target is None:
        raise CannotBePlanned(f"“{GOALS[plan.goal]}” needs a number. Give one, such as {formats.ratio(1.5)}.")
    return TargetReturn(plan.target) if plan.goal == RETURN else TargetMarginalReturn(plan.target)

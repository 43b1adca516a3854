"""A recommended budget, and what to test next, as JSON of full-precision numbers."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.planning.budget import Recommendation
from weightings.methods.planning.objectives import FixedTotal, Goal, TargetReturn
from weightings.methods.planning.surface import ResponseSurface
from weightings.methods.planning.testing_next import WorthTesting
from weightings.methods.summaries import Summary, summary

FloatArray: TypeAlias = npt.NDArray[np.float64]
Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

_SURFACE = ("spend", "multipliers", "grid", "without", "observed")


def budget_json(
    found: Recommendation, surface: ResponseSurface, level: float, *, then: ResponseSurface | None = None
) -> dict[str, Any]:
    """A recommendation beside the current plan. `level` of intervals, as a share.

    `surface`: of the current plan, and of the recommended one unless that has a surface of its own, `then`.
    """
    before, after = surface.added(found.current), (then or surface).added(found.recommended)
    now = surface.marginal(found.current)
    return {
        "goal": goal_json(found.goal),
        "objective": asdict(found.objective),
        "spend_current": float(found.current.sum()),
        "spend_recommended": float(found.recommended.sum()),
        "outcome_current": summary(found.outcome_current, level),
        "outcome_recommended": summary(found.outcome_recommended, level),
        "added_current": summary(found.added_current, level),
        "added_recommended": summary(found.added_recommended, level),
        "gain": found.gained(level),
        "probability_better": found.probability_better,
        "channels": [
            {
                "channel": name,
                "spend_current": float(found.current[place]),
                "spend_recommended": float(found.recommended[place]),
                "low": float(found.low[place]),
                "high": float(found.high[place]),
                "bound": found.at_bound.get(name),
                "extrapolated": bool(found.extrapolated[place]),
                "added_current": summary(before[:, place], level),
                "added_recommended": summary(after[:, place], level),
                "difference": summary(after[:, place] - before[:, place], level),
                "marginal_current": summary(now[:, place], level),
                "marginal_recommended": summary(found.marginal[:, place], level),
                "per_spend_recommended": _per_spend(after[:, place], float(found.recommended[place]), level),
            }
            for place, name in enumerate(found.channels)
        ],
    }


def goal_json(goal: Goal) -> dict[str, Any]:
    if isinstance(goal, FixedTotal):
        return {"kind": "total", "spend": goal.spend}
    return {"kind": "return" if isinstance(goal, TargetReturn) else "marginal_return", "at_least": goal.at_least}


def worth_testing_json(found: Sequence[WorthTesting]) -> list[dict[str, Any]]:
    return [asdict(each) for each in found]


def pack_surface(surface: ResponseSurface) -> tuple[dict[str, Any], Arrays]:
    """A surface as JSON and arrays."""
    return {"channels": list(surface.channels)}, {f"surface.{name}": getattr(surface, name) for name in _SURFACE}


def unpack_surface(described: dict[str, Any], arrays: Arrays) -> ResponseSurface:
    """The surface that was packed. Raises KeyError or ValueError where something is missing or damaged."""
    return ResponseSurface(
        channels=tuple(described["channels"]), **{name: arrays[f"surface.{name}"] for name in _SURFACE}
    )


def _per_spend(added: FloatArray, spend: float, level: float) -> Summary:
    return summary(added / spend if spend > 0 else np.full_like(added, np.nan), level)

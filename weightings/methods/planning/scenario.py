"""What another plan would bring, at once: outcome, increments and returns, beside the current plan.

Outcomes without bounds are read from a `ResponseSurface`, in milliseconds. What channels add to an outcome with bounds
is no sum, so its plans are computed anew from the fitted model (`exact_outlook`), which takes longer, and is also what
surfaces are tried on.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.planning.plans import CannotBePlanned, observed_range, scaled
from weightings.methods.planning.surface import ResponseSurface
from weightings.methods.posterior import Fitted, blocks_of
from weightings.methods.quantities import Window, contributions, response_grid
from weightings.methods.summaries import NOTHING, Summary, summary

FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Outlook:
    """S draws of what a plan brings, in the outcome's unit. `spend`: (C,).

    `outcome`: (S,) as `surface` has it; for an outcome with bounds, its mean in the horizon.
    `added`: (S, C), by channel, against the same plan without it. `together`: (S,), all channels against none of them.
    """

    spend: FloatArray
    outcome: FloatArray
    added: FloatArray
    together: FloatArray


@dataclass(frozen=True, kw_only=True)
class ChannelScenario:
    """One channel's. `per_spend`: what a unit of spend adds, ROI where the outcome is money; nothing without spend."""

    channel: str
    spend: float
    multiplier: float
    added: Summary
    per_spend: Summary
    extrapolated: bool


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A plan beside the current one. `difference`: of the outcome. `probability_better`: that it is above 0."""

    spend: float
    outcome: Summary
    added: Summary
    per_spend: Summary
    difference: Summary
    probability_better: float
    channels: tuple[ChannelScenario, ...]


def outlook(surface: ResponseSurface, spend: FloatArray) -> Outlook:
    """What a plan brings, read from a surface. `spend`: (C,). Raises CannotBePlanned beyond what is known."""
    added = surface.added(spend)
    together = added.sum(axis=1)
    return Outlook(spend=spend, outcome=surface.without + together, added=added, together=together)


def exact_outlook(fitted: Fitted, window: Window, *, spend: FloatArray, multipliers: FloatArray) -> Outlook:
    """What a plan brings, computed from the model, for any outcome. `spend`: (C,) of the current plan.

    `multipliers`: (C,) of it. Expectations are taken over the noise as `weightings.methods.quantities` does.
    """
    _require_multipliers(multipliers, len(spend))
    channels, organic = len(spend), len(fitted.media) - len(spend)
    planned = scaled(fitted, window, np.append(multipliers, np.ones(organic)))
    nothing = scaled(fitted, window, np.append(np.zeros(channels), np.ones(organic)))
    responses = response_grid(planned, window, (1.0,))[:, :channels, 0]
    outcome, without = _expected(planned, window), _expected(nothing, window)
    together = outcome - without
    if fitted.scale.bounds is None:
        behind = responses[:, :, 1].sum(axis=1)
        outcome, together = outcome + behind, together + behind
    return Outlook(spend=spend * multipliers, outcome=outcome, added=responses.sum(axis=2), together=together)


def scenario(surface: ResponseSurface, spend: FloatArray, level: float) -> Scenario:
    """A plan beside the current one, with intervals at a level, from a surface. `spend`: (C,)."""
    current = outlook(surface, surface.spend)
    return compared(
        surface.channels, outlook(surface, spend), current, extrapolated=surface.extrapolated(spend), level=level
    )


def exact_scenario(
    fitted: Fitted, window: Window, *, spend: FloatArray, multipliers: FloatArray, level: float
) -> Scenario:
    """The same computed from the model. `spend`: (C,) of the current plan. `multipliers`: (C,) of it."""
    plan = exact_outlook(fitted, window, spend=spend, multipliers=multipliers)
    current = exact_outlook(fitted, window, spend=spend, multipliers=np.ones_like(multipliers))
    extrapolated = multipliers > observed_range(fitted, window)[: len(spend)] * (1 + 1e-9)
    return compared(fitted.media[: len(spend)], plan, current, extrapolated=extrapolated, level=level)


def compared(
    channels: tuple[str, ...],
    plan: Outlook,
    current: Outlook,
    *,
    extrapolated: npt.NDArray[np.bool_],
    level: float,
) -> Scenario:
    """Two outlooks of the same draws, as one scenario. A draw in which they are the same counts half for either."""
    difference = plan.outcome - current.outcome
    multipliers = np.divide(plan.spend, current.spend, out=np.zeros_like(plan.spend), where=current.spend > 0)
    return Scenario(
        spend=float(plan.spend.sum()),
        outcome=summary(plan.outcome, level),
        added=summary(plan.together, level),
        per_spend=_per_spend(plan.together, float(plan.spend.sum()), level),
        difference=summary(difference, level),
        probability_better=float(np.mean((difference > 0) + 0.5 * (difference == 0))),
        channels=tuple(
            ChannelScenario(
                channel=name,
                spend=float(plan.spend[place]),
                multiplier=float(multipliers[place]),
                added=summary(plan.added[:, place], level),
                per_spend=_per_spend(plan.added[:, place], float(plan.spend[place]), level),
                extrapolated=bool(extrapolated[place]),
            )
            for place, name in enumerate(channels)
        ),
    )


def _per_spend(added: FloatArray, spend: float, level: float) -> Summary:
    return summary(added / spend, level) if spend > 0 else dict(NOTHING)


def _expected(fitted: Fitted, window: Window) -> FloatArray:
    """The window's expected outcome (S,): its sum, or its mean where it has bounds."""
    found = np.empty(len(fitted.sigma))
    for block in blocks_of(len(found), 4 * fitted.amounts.size):
        found[block] = contributions(fitted, block)[0][:, window.start : window.stop].sum(axis=1)
    return found if fitted.scale.bounds is None else found / window.periods


def _require_multipliers(multipliers: FloatArray, channels: int) -> None:
    if multipliers.shape != (channels,) or not np.all(np.isfinite(multipliers) & (multipliers >= 0)):
        raise CannotBePlanned(f"A plan must have a multiplier of 0 or more for each of {channels} channels.")

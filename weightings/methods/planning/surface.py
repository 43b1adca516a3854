"""What each channel's spend in a horizon would add, in every draw: what budgets and scenarios are computed from.

The horizon is a window of the data that is replayed, or periods after its end (`plans`). Spend of a channel is
multiplied with its flighting as it is. *Added* is the incremental outcome, in the horizon and, by carry-over, behind it
(`weightings.methods.quantities`). *Outcome* is the expected outcome of the horizon with what is added behind it, so
that two plans differ by all that they bring about.

Only outcomes without bounds are a sum over channels and have a surface. Plans for one with bounds can be compared as
scenarios (`scenario`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.planning.interpolation import Curves
from weightings.methods.planning.plans import CannotBePlanned, observed_range
from weightings.methods.posterior import Fitted, blocks_of
from weightings.methods.quantities import MULTIPLIERS, Quantities, Window, contributions, response_grid

FloatArray: TypeAlias = npt.NDArray[np.float64]

# Near 0 a response can rise as steeply as it likes, so places are as far apart by their ratio as everywhere.
GRID = np.concatenate([[0.0, 1e-4, 3e-4], np.geomspace(1e-3, 1.0, 31)[:-1], np.geomspace(1.0, 3.0, 12)])


@dataclass(frozen=True, eq=False, kw_only=True)
class ResponseSurface:
    """S draws of what C paid channels add, by spend in the horizon.

    `spend`: (C,) of the current plan, account currency. `multipliers`: (M,) of it, from 0. `grid`: (S, C, M) what is
    added. `without`: (S,) the outcome with nothing spent: baseline, organic media, and what carries over from before.
    `observed`: (C,) multiplier up to which no period has more than was ever seen; beyond it is extrapolation.
    Raises ValueError where they do not fit together.
    """

    channels: tuple[str, ...]
    spend: FloatArray
    multipliers: FloatArray
    grid: FloatArray
    without: FloatArray
    observed: FloatArray

    def __post_init__(self) -> None:
        count = len(self.channels)
        if self.spend.shape != (count,) or self.observed.shape != (count,):
            raise ValueError(f"There must be one spend and one observed range for each of {count} channels.")
        if self.grid.shape != (len(self.without), count, len(self.multipliers)) or not count or not len(self.without):
            raise ValueError(f"Responses must have shape (draws, channels, multipliers), but have {self.grid.shape}.")
        if not np.all(np.isfinite(self.spend) & (self.spend >= 0)) or not np.all(np.isfinite(self.without)):
            raise ValueError("Spend must be at least 0, and the outcome without it finite.")

    @cached_property
    def curves(self) -> Curves:
        return Curves.through(self.multipliers, self.grid)

    @property
    def most(self) -> FloatArray:
        """The most spend (C,) that responses are known for."""
        return self.spend * self.curves.reach

    def added(self, spend: FloatArray) -> FloatArray:
        """What each channel adds (S, C), at spend (C,). Raises CannotBePlanned beyond what responses are known for."""
        return self.curves.at(self.multiplier(spend)).T

    def marginal(self, spend: FloatArray) -> FloatArray:
        """What the next unit of spend on each channel would add (S, C), at spend (C,). NaN for one without a plan."""
        slopes = self.curves.with_slopes(self.multiplier(spend))[1].T
        return np.asarray(slopes / np.where(self.spend > 0, self.spend, np.nan))

    def along(self, channel: int, spend: FloatArray) -> FloatArray:
        """What one channel adds (K, S), at many amounts of spend (K,)."""
        return self.curves.along(channel, spend / self.spend[channel] if self.spend[channel] > 0 else 0.0 * spend)

    def extrapolated(self, spend: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether spend (C,) is beyond what was ever seen of a channel in a period."""
        return np.asarray(self.multiplier(spend) > self.observed * (1 + 1e-9))

    def multiplier(self, spend: FloatArray) -> FloatArray:
        """Spend (C,) in multiples of the current plan."""
        if spend.shape != self.spend.shape:
            raise CannotBePlanned(f"A plan must have a spend for each of {len(self.channels)} channels.")
        for name, wanted, most in zip(self.channels, spend, self.most, strict=True):
            if not wanted >= 0 or not np.isfinite(wanted):
                raise CannotBePlanned(f"Spend on {name} must be 0 or more, but is {wanted:,.2f}.")
            if wanted > most * (1 + 1e-9):
                raise CannotBePlanned(_beyond(name, wanted, most))
        return np.divide(spend, self.spend, out=np.zeros_like(spend), where=self.spend > 0)


def surface_of(
    fitted: Fitted,
    window: Window,
    *,
    spend: FloatArray,
    multipliers: FloatArray = GRID,
    observed: FloatArray | None = None,
) -> ResponseSurface:
    """The surface of a window of a fitted model, of a plan, or of a forecast's model, whose window is all of it.

    `spend`: (C,) of the paid media, which come first. `multipliers`: from 0, 1 among them. `observed`: (C,) where the
    model does not hold the data that it was fitted to, as a forecast's. Raises CannotBePlanned for an outcome with
    bounds.
    """
    if fitted.scale.bounds is not None:
        raise CannotBePlanned(NOT_A_SUM)
    channels = len(spend)
    grid = response_grid(fitted, window, multipliers)[:, :channels]
    within = grid[:, :, int(np.flatnonzero(multipliers == 1.0)[0]), 0]
    expected = np.empty(len(fitted.sigma))
    for block in blocks_of(len(expected), 4 * fitted.amounts.size):
        expected[block] = contributions(fitted, block)[0][:, window.start : window.stop].sum(axis=1)
    return ResponseSurface(
        channels=fitted.media[:channels],
        spend=np.asarray(spend, np.float64),
        multipliers=np.asarray(multipliers, np.float64),
        grid=grid.sum(axis=3),
        without=expected - within.sum(axis=1),
        observed=observed_range(fitted, window)[:channels] if observed is None else observed,
    )


def surface_of_run(
    found: Quantities, curves: FloatArray, *, paid: int, observed: FloatArray, bounds: tuple[float, float] | None
) -> ResponseSurface:
    """The surface of the period that a run reports, from what it has stored: no model is needed.

    `found`: of all S draws. `curves`: (S', P, M) at `MULTIPLIERS`, of S' of the draws, evenly spaced. `paid`: how many
    of the media are paid for. `observed`: (P,) as `observed_range` has it. Between 0 and 0.1 times the spend there is
    nothing to go by: a channel cut that far may be off by several per cent of its response, where `surface_of` is not.
    Raises CannotBePlanned for an outcome with bounds.
    """
    if bounds is not None:
        raise CannotBePlanned(NOT_A_SUM)
    kept, draws = len(curves), len(found.expected)
    some = np.arange(kept) * draws // kept
    within = (found.incremental - found.carry_over)[some, :paid]
    return ResponseSurface(
        channels=found.media[:paid],
        spend=found.spend[:paid],
        multipliers=MULTIPLIERS,
        grid=curves[:, :paid],
        without=found.expected[some] - within.sum(axis=1),
        observed=observed[:paid],
    )


NOT_A_SUM = (
    "An outcome with bounds is not the sum of what channels add, so no budget can be searched for it. Compare plans as "
    "scenarios instead."
)


def _beyond(name: str, wanted: float, most: float) -> str:
    if most == 0:
        return f"{name} has no spend in the plan, so nothing is known of when it would be spent. Leave it at 0."
    return (
        f"What {name} would add is known up to a spend of {most:,.2f}, and {wanted:,.2f} is more. Plan less for it, or "
        "choose a period in which it had more."
    )

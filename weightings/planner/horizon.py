"""What plans are made for: the period that a run reports, or its last periods, as they were spent."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from analyses.models import Run
from marketing.panel_building.rhythm import Calendar, weekday
from marketing.periods import EPOCH, Period
from mmm_project import formats
from weightings.methods.planning.plans import CannotBePlanned, observed_range
from weightings.methods.planning.scenario import Scenario, exact_scenario, scenario
from weightings.methods.planning.surface import GRID, ResponseSurface, surface_of
from weightings.methods.posterior import Posterior
from weightings.methods.quantities import Window
from weightings.methods.summaries import spread_over
from weightings.stored import StoredModel

FloatArray: TypeAlias = npt.NDArray[np.float64]

OFFERED = {"day": (28, 56, 91, 182, 364), "week": (4, 8, 13, 26, 52), "month": (1, 3, 6, 12)}
SURFACE_DRAWS, EXACT_DRAWS = 1000, 400  # evenly spaced, for horizons that the run keeps no surface of
SURFACES_KEPT = 4
HALF_A_CENT = 0.0051  # with room for rounding


@dataclass(frozen=True, eq=False)
class Horizon:
    """A window of a stored model's data, whose spend is the current plan.

    `periods`: how many of the last periods, None for those that the run reports.
    """

    model: StoredModel
    periods: int | None = None

    @cached_property
    def window(self) -> Window:
        """Raises CannotBePlanned where the data have fewer periods."""
        if self.periods is None:
            return self.model.window
        known = len(self.model.panel)
        if self.periods > known:
            raise CannotBePlanned(f"The model knows {known} {self.granularity}s, fewer than {self.periods}.")
        return Window(known - self.periods, known)

    @property
    def granularity(self) -> str:
        return str(self.model.result["granularity"])

    @property
    def channels(self) -> tuple[str, ...]:
        """Those with spend that the model has, in its order."""
        return self.model.panel.channels

    @cached_property
    def spend(self) -> FloatArray:
        """The current plan (C,), account currency, over the window."""
        panel = self.model.panel
        inside = slice(panel.history + self.window.start, panel.history + self.window.stop)
        return np.asarray(panel.spend[inside].sum(axis=0))

    @property
    def most(self) -> FloatArray:
        """The most spend (C,) that responses are known for."""
        return np.asarray(self.spend * GRID[-1])

    @property
    def days(self) -> Period:
        """The window's days."""
        starts = self.model.panel.period_start[self.model.panel.history :]
        calendar = Calendar(self.model.panel.granularity, int(weekday(starts[:1])[0]))
        after = calendar.first_day(calendar.period_of(starts[self.window.stop - 1 : self.window.stop]) + 1)
        return Period(_date(starts[self.window.start]), _date(after[0] - 1))

    @property
    def label(self) -> str:
        """What the plan is for: "13 weeks as 1 Sep - 30 Nov 2026 were" (with an en dash)."""
        return f"{formats.count(self.window.periods, self.granularity)}, spent over time as in {self.days.label}"

    @property
    def surface(self) -> ResponseSurface:
        """What budgets are searched on. Raises CannotBePlanned for outcomes with bounds, among others."""
        if self.window == self.model.window:
            return self.model.surface
        return _surface(_Key(self.model.run, self.window, self.model))

    def within(self, spend: FloatArray) -> FloatArray:
        """A plan (C,), in which the most that responses are known for, rounded to the cent, is that most."""
        return np.where((spend > self.most) & (spend - self.most < HALF_A_CENT), self.most, spend)

    def scenario(self, spend: FloatArray) -> Scenario:
        """A plan (C,) beside the current one. Raises CannotBePlanned beyond what responses are known for.

        Plans are kept to the cent: an amount that is the current one, rounded, is the current one.
        """
        spend = self.within(np.where(np.abs(spend - self.spend) < HALF_A_CENT, self.spend, spend))
        if self.model.result["outcome"]["bounds"] is None:
            return scenario(self.surface, spend, self.model.level)
        posterior = _some(self.model.posterior, EXACT_DRAWS)
        multipliers = np.divide(spend, self.spend, out=np.zeros_like(spend), where=self.spend > 0)
        for name, wanted, most in zip(self.channels, spend, self.most, strict=True):
            if wanted > most * (1 + 1e-9):
                raise CannotBePlanned(
                    f"What {name} would add is known up to a spend of {most:,.2f}, and {wanted:,.2f} is more."
                )
        return exact_scenario(posterior, self.window, spend=self.spend, multipliers=multipliers, level=self.model.level)

    @cached_property
    def observed(self) -> FloatArray:
        """The multiple of each channel's current plan (C,) beyond which a period has more than was ever seen."""
        if self.model.result["outcome"]["bounds"] is None:
            return self.surface.observed
        return observed_range(self.model.posterior, self.window)[: len(self.channels)]


def offered_horizons(model: StoredModel) -> list[int]:
    """How many of the last periods can be planned for, beside the period that the run reports."""
    if model.result["stored"]["posterior"] is None:
        return []
    periods = int(model.result["estimation"]["periods"])
    return [count for count in OFFERED[model.result["granularity"]] if count <= periods]


def _date(day: int) -> dt.date:
    return EPOCH.date() + dt.timedelta(int(day))


def _some(posterior: Posterior, most: int) -> Posterior:
    return posterior.take(spread_over(len(posterior.sigma), most))


class _Key:
    """A window of a run as the key of a cache: a run and its file are never changed."""

    def __init__(self, run: Run, window: Window, model: StoredModel) -> None:
        self.model = model
        self._identity = (run.pk, run.artifact, window)
        self.window = window

    def __hash__(self) -> int:
        return hash(self._identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._identity == other._identity


@lru_cache(maxsize=SURFACES_KEPT)
def _surface(key: _Key) -> ResponseSurface:
    horizon = Horizon(key.model, key.window.periods)
    surface = surface_of(_some(key.model.posterior, SURFACE_DRAWS), key.window, spend=horizon.spend)
    _ = surface.curves  # here, so that it is computed once
    return surface

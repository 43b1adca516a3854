"""Response surfaces and fitted models whose answers are known or can be computed otherwise."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tests.weightings.worlds import panel
from weightings.methods.fitting import prior_of
from weightings.methods.media_mix import AdstockName, SaturationName
from weightings.methods.planning.objectives import Goal, Objective, TargetMarginalReturn, TargetReturn
from weightings.methods.planning.surface import GRID, ResponseSurface
from weightings.methods.posterior import Posterior
from weightings.methods.preparing import Choices, prepare

FloatArray = npt.NDArray[np.float64]
PERIODS, LAGS = 30, 4


def hill_surface(
    seed: int, *, channels: int = 3, draws: int = 40, slopes: tuple[float, float] = (0.7, 3.0)
) -> ResponseSurface:
    """Hill curves of all shapes, by channel and, less so, by draw."""
    rng = np.random.default_rng(seed)
    slope = rng.uniform(*slopes, (1, channels)) * np.exp(0.1 * rng.normal(size=(draws, channels)))
    half = np.exp(rng.normal(0, 0.5, (1, channels)) + 0.3 * rng.normal(size=(draws, channels)))
    spend = rng.gamma(3, 300, channels)
    most = spend * np.exp(rng.normal(0.5, 0.4, (1, channels)) + 0.4 * rng.normal(size=(draws, channels)))
    raised = GRID ** slope[:, :, None]
    return of_grid(spend, most[:, :, None] * raised / (raised + half[:, :, None] ** slope[:, :, None]))


def of_grid(spend: FloatArray, grid: FloatArray, multipliers: FloatArray = GRID) -> ResponseSurface:
    channels = len(spend)
    return ResponseSurface(
        channels=tuple(f"Channel {place + 1}" for place in range(channels)),
        spend=spend,
        multipliers=multipliers,
        grid=grid,
        without=np.full(len(grid), 5000.0) + np.arange(len(grid)),
        observed=np.full(channels, 1.5),
    )


def straight(spend: FloatArray, returns: FloatArray) -> ResponseSurface:
    """Without saturation: `returns` (S, C) for each unit of spend."""
    return of_grid(spend, (returns * spend)[:, :, None] * GRID)


def square_roots(spend: FloatArray, scale: FloatArray) -> ResponseSurface:
    """`scale` (S, C) times the square root of spend: the mean is best where spend goes by the square of mean scale."""
    return of_grid(spend, (scale * np.sqrt(spend))[:, :, None] * np.sqrt(GRID))


def fitted(
    *,
    channels: int = 3,
    draws: int = 20,
    bounded: bool = False,
    adstock: AdstockName = "delayed",
    saturation: SaturationName = "hill",
    lags: int = LAGS,
    periods: int = PERIODS,
) -> tuple[Posterior, FloatArray]:
    """Draws from the prior of a small market with as many periods of history as carry over; and spend (periods, C)."""
    rng = np.random.default_rng(31)
    spend = rng.gamma(2, 50, (periods + lags, channels)) * (rng.random((periods + lags, channels)) < 0.8)
    if bounded:
        outcome, bounds = 30 + 10 * rng.random(periods), (0.0, 100.0)
    else:
        outcome, bounds = 3000 + spend[lags:].sum(axis=1) + rng.normal(0, 100, periods), None
    given = panel(outcome, spend, history=lags, bounds=bounds, is_money=not bounded)
    prepared = prepare(given, Choices(adstock=adstock, saturation=saturation, lags=lags))
    drawn = prior_of(prepared, draws, np.random.default_rng(32))
    if bounded:  # the prior's log odds would be at the bounds nearly everywhere
        drawn = replace(drawn, coefficients=0.05 * drawn.coefficients)
    return drawn, spend[lags:]


def worth_of(surface: ResponseSurface, goal: Goal, objective: Objective, spend: FloatArray) -> float:
    """What a budget (C,) is worth to a goal; minus infinity where it misses a target return."""
    reached = float(objective.of(surface.added(spend).sum(axis=1)))
    if isinstance(goal, TargetMarginalReturn):
        return reached - goal.at_least * float(spend.sum())
    if isinstance(goal, TargetReturn) and reached < goal.at_least * float(spend.sum()) * (1 - 1e-9):
        return -np.inf
    return reached

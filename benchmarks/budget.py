"""Budgets: how long scenarios, budgets, flighting and what to test next take, and how exactly surfaces are read.

20 channels and 2,000 draws of the prior over 104 weeks, of which the last 26 are planned again. Curves are S-shaped in
some channels and steep at 0 in others, as the prior has them.

What a planner's page waits for on the server is measured by itself, with 12 channels and all 104 weeks: opening a run's
surface, evaluating plans as sliders are moved one after another, and recommending a budget by each objective.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from benchmarks.harness import Database, Measurement
from weightings.methods.planning.answers import Arrays, pack_surface, unpack_surface
from weightings.methods.planning.budget import BudgetWishes, recommend
from weightings.methods.planning.flighting import best_flighting
from weightings.methods.planning.objectives import (
    FixedTotal,
    Goal,
    Objective,
    ObjectiveName,
    TargetMarginalReturn,
    TargetReturn,
)
from weightings.methods.planning.scenario import scenario
from weightings.methods.planning.surface import ResponseSurface, surface_of
from weightings.methods.planning.testing_next import worth_testing
from weightings.methods.quantities import Window, response_grid

FloatArray: TypeAlias = npt.NDArray[np.float64]

CHANNELS, DRAWS, WEEKS, PLANNED = 20, 2000, 104, 26
SCENARIO_SECONDS, BUDGET_SECONDS, RANKING_SECONDS = 0.05, 3.0, 3.0
PLANNER_CHANNELS, MOVES, MOVED_SECONDS = 12, 240, 0.2  # of a planner with sliders, and within what one is answered
BETWEEN = np.array([0.02, 0.15, 0.55, 0.9, 1.1, 1.6, 2.3])  # multipliers at which no response is known
OBJECTIVES: tuple[ObjectiveName, ...] = ("mean", "cvar", "quantile")

Result = TypeVar("Result")


def run(database: Database) -> list[Measurement]:
    if database != "sqlite":
        return []  # no database has a part in this
    from tests.weightings.surfaces import fitted

    model, spend = fitted(channels=CHANNELS, draws=DRAWS, adstock="geometric", lags=13, periods=WEEKS)
    window, planned = Window(WEEKS - PLANNED, WEEKS), spend[-PLANNED:].sum(axis=0)
    built_s, surface = _seconds(lambda: surface_of(model, window, spend=planned))
    _seconds(lambda: scenario(surface, planned, 0.9))  # the curves are prepared once
    moved_s, _moved = min(_seconds(lambda: scenario(surface, 1.1 * planned, 0.9)) for _ in range(5))
    flighted_s, flighting = _seconds(lambda: best_flighting(model, window, spend=planned))
    ranked_s, _ranked = _seconds(lambda: worth_testing(surface))
    exact = response_grid(model.take(np.arange(0, DRAWS, 20)), window, BETWEEN).sum(axis=3)
    read = np.stack([surface.added(multiplier * planned)[::20] for multiplier in BETWEEN], axis=2)
    error = np.abs(read - exact) / surface.added(planned)[::20, :, None]
    return [
        Measurement(f"surface of {CHANNELS} channels, {DRAWS} draws, {PLANNED} weeks", built_s, "s"),
        Measurement("  error between its places, 99% of draws", float(np.quantile(error, 0.99)), "", at_most=1e-3),
        Measurement(
            "  error of the mean over draws, largest",
            _mean_error(read, exact, surface.added(planned).mean(axis=0)),
            "",
            at_most=1e-3,
        ),
        Measurement("scenario", moved_s, "s", at_most=SCENARIO_SECONDS),
        *_budgets(surface),
        Measurement("what to test next", ranked_s, "s", at_most=RANKING_SECONDS),
        Measurement(f"flighting over {PLANNED} weeks", flighted_s, "s"),
        Measurement("  gain over the plan's, share", float(flighting.gain.sum() / surface.added(planned).sum()), ""),
        *_planner(),
    ]


def _planner() -> list[Measurement]:
    from tests.weightings.surfaces import fitted

    model, spend = fitted(channels=PLANNER_CHANNELS, draws=DRAWS, adstock="geometric", lags=13, periods=WEEKS)
    described, arrays = pack_surface(surface_of(model, Window(0, WEEKS), spend=spend.sum(axis=0)))
    opened_s, surface = _seconds(lambda: _opened(described, arrays))
    moved_s = [_seconds(partial(scenario, surface, plan, 0.9))[0] for plan in _moves(surface.spend)]
    named = [(name, Objective(name)) for name in OBJECTIVES]
    budgets_s = [(name, _seconds(partial(recommend, surface, BudgetWishes(objective=of)))[0]) for name, of in named]
    return [
        Measurement(f"planner of {PLANNER_CHANNELS} channels, {DRAWS} draws: surface opened", opened_s, "s"),
        Measurement("  a slider moved, median", float(np.median(moved_s)), "s"),
        Measurement("  a slider moved, p95", float(np.quantile(moved_s, 0.95)), "s", at_most=MOVED_SECONDS),
        *(Measurement(f"  budget, {name}", seconds, "s", at_most=BUDGET_SECONDS) for name, seconds in budgets_s),
    ]


def _opened(described: dict[str, Any], arrays: Arrays) -> ResponseSurface:
    """A surface ready to be read, from the arrays of a run."""
    surface = unpack_surface(described, arrays)
    _ = surface.curves
    return surface


def _moves(spend: FloatArray) -> Iterator[FloatArray]:
    """Plans as one slider after another is moved to somewhere between nothing and twice the current spend."""
    rng = np.random.default_rng(1)
    plan = spend.copy()
    for move in range(MOVES):
        plan[move % len(spend)] = rng.uniform(0, 2) * spend[move % len(spend)]
        yield plan.copy()


def _budgets(surface: ResponseSurface) -> list[Measurement]:
    total = float(surface.spend.sum())
    figures = []
    for name in OBJECTIVES:
        objective = Objective(name)
        usual = float(objective.of(surface.added(surface.spend).sum(axis=1))) / total
        goals: dict[str, Goal] = {
            "fixed total": FixedTotal(total),
            "target return": TargetReturn(usual),
            "target marginal return": TargetMarginalReturn(usual / 2),
        }
        for described, goal in goals.items():
            seconds, found = _seconds(partial(recommend, surface, BudgetWishes(goal=goal, objective=objective)))
            figures.append(Measurement(f"budget, {name}, {described}", seconds, "s", at_most=BUDGET_SECONDS))
            if isinstance(goal, FixedTotal):
                gain = found.objective_recommended / found.objective_current - 1
                figures.append(Measurement("  gain over the current plan, share", gain, ""))
    return figures


def _mean_error(read: FloatArray, exact: FloatArray, planned: FloatArray) -> float:
    """Of the mean over draws, as a share of the response to the plan as it is."""
    return float((np.abs(read.mean(axis=0) - exact.mean(axis=0)) / planned[:, None]).max())


def _seconds(work: Callable[[], Result]) -> tuple[float, Result]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result

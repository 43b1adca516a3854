"""Answering how to spend, and when: from a finished run's model to what a budget keeps. Needs no JAX."""

import time
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from accounts.models import Workspace
from analyses.artifacts import ArtifactMissing
from analyses.errors import AnalysisError
from analyses.registry import Answer
from jobs.progress import Progress
from weightings import standing
from weightings.budgets.params import horizon_of, plan_of
from weightings.finished import find_finished
from weightings.methods.planning.answers import budget_json
from weightings.methods.planning.budget import bounds_of, recommend
from weightings.methods.planning.flighting import Flighting, recommend_with_flighting, with_budget
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.planning.surface import surface_of
from weightings.methods.summaries import spread_over, summary
from weightings.planner.horizon import Horizon
from weightings.planner.plan import Plan, wishes

FloatArray: TypeAlias = npt.NDArray[np.float64]

FORMAT = 2  # of the result; goes up when what is read changes its meaning: since 2 what `as_now` adds up to
FLIGHTING_DRAWS = 1000  # evenly spaced
ROOM = 1.1  # of an even spread, where a channel is to have more than it ever had in all periods


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Recommend the budget that canonical params ask for. Raises AnalysisError where the run's model cannot."""
    began = time.perf_counter()
    progress("Reading the model", 0.0)
    run = find_finished(workspace, params["model_run"])
    if run is None:
        raise AnalysisError("The run whose model was to be used no longer exists. Choose another.", code="no_model")
    try:
        horizon = horizon_of(run, params)
        plan, total = plan_of(horizon, params)
        progress("Searching for the budget", 0.1)
        answer = _answer(horizon, plan, total, with_flighting="flighting" in params)
    except ArtifactMissing as missing:
        raise AnalysisError(str(missing), code="no_figures") from missing
    except CannotBePlanned as problem:
        raise AnalysisError(str(problem), code="cannot_be_planned") from problem
    result = horizon.model.result
    return Answer(
        {
            "format": FORMAT,
            "model_run": {"id": str(run.pk), "created_at": run.created_at.isoformat()},
            "outcome": result["outcome"],
            "granularity": result["granularity"],
            "confidence": result["confidence"],
            "horizon": {
                "start": params["start"],
                "end": params["end"],
                "periods": horizon.window.periods,
                "is_reported": horizon.periods is None,
                "label": horizon.label,
            },
            "doubts": standing.doubts(result),
            **answer,
            "timings": {"total_seconds": time.perf_counter() - began},
        }
    )


def _answer(horizon: Horizon, plan: Plan, total: float, *, with_flighting: bool) -> dict[str, Any]:
    level, asked = horizon.model.level, wishes(horizon, plan, total=total)
    if not with_flighting:
        found = recommend(horizon.surface, asked)
        return {"budget": budget_json(found, horizon.surface, level), "flighting": None}
    posterior = horizon.model.posterior
    some = posterior.take(spread_over(len(posterior.sigma), FLIGHTING_DRAWS))
    most = _most(horizon, bounds_of(horizon.surface, asked)[1])
    found, flighting = recommend_with_flighting(some, horizon.window, spend=horizon.spend, wishes=asked, most=most)
    if flighting is None:  # no flighting is better than the one that is kept
        surface = surface_of(some, horizon.window, spend=horizon.spend)
        return {"budget": budget_json(found, surface, level), "flighting": None}
    now = surface_of(some, horizon.window, spend=horizon.spend)
    then = surface_of(flighting.planned, horizon.window, spend=flighting.best.sum(axis=1))
    return {
        "budget": budget_json(found, now, level, then=then),
        "flighting": _flighting(
            horizon, with_budget(flighting, some, spend=horizon.spend, budget=found.recommended), level
        ),
    }


def _most(horizon: Horizon, high: FloatArray) -> FloatArray:
    """What a channel can have in a period (C, H): what it ever had, or more if its budget, up to `high`, needs it."""
    ever, periods = horizon.model.panel.spend.max(axis=0), horizon.window.periods
    return np.repeat(np.maximum(ever, ROOM * high / periods)[:, None], periods, axis=1)


def _flighting(horizon: Horizon, found: Flighting, level: float) -> dict[str, Any]:
    """Spend by period: as it was, and the recommended budget as it would be if it was spread as now and as is best."""
    panel, window = horizon.model.panel, horizon.window
    inside = slice(panel.history + window.start, panel.history + window.stop)
    starts = panel.period_start[inside]
    return {
        "period_start": starts.tolist(),
        "gain": summary(found.gain.sum(axis=1), level),
        "channels": [
            {
                "channel": name,
                "current": panel.spend[inside, place].tolist(),
                "as_now": found.kept[place].tolist(),
                "best": found.best[place].tolist(),
                "gain": summary(found.gain[:, place], level),
            }
            for place, name in enumerate(found.channels)
        ],
    }

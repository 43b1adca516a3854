"""Answering what will come: from a finished run's model and a plan to what a forecast keeps. Needs no JAX."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from typing import Any

from accounts.models import Workspace
from analyses.artifacts import ArtifactMissing
from analyses.errors import AnalysisError
from analyses.registry import Answer
from jobs.progress import Progress
from marketing.day_labels import span_label
from marketing.frames import MediaPanel
from marketing.media_panels import PanelProblem
from marketing.periods import EPOCH
from weightings.forecasts.answers import forecast_json
from weightings.forecasts.horizon import Horizon
from weightings.forecasts.model_runs import Model, find_model
from weightings.forecasts.spending import Planned, planned
from weightings.methods.forecasting.forecast import Forecast, forecast
from weightings.methods.forecasting.forecast_plan import PERIODS_PER_YEAR
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.quantities import Window
from weightings.presentation.results import listed
from weightings.stored import StoredModel

FORMAT = 1  # of the result; goes up when what is read changes its meaning
READ, COMPUTED = 0.1, 0.9  # how far along the work is when each part ends
MOST_NAMED = 12


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Forecast what canonical params ask for. Raises AnalysisError where the run's model cannot."""
    began = time.perf_counter()
    progress("Reading the model", 0.0)
    model = find_model(workspace, params["model_run"])
    if model is None:
        raise AnalysisError("The run whose model was to be used no longer exists. Choose another.", code="no_model")
    stored, horizon = StoredModel(model.run), model.horizon(params["periods"])
    try:
        panel, posterior = stored.panel, stored.posterior
        progress("Forecasting", READ)
        plan = planned(panel, params, stored.window, horizon, model.run.params.get("holidays", ()))
        found = forecast(panel, posterior, plan.plan, knots=model.run.params.get("knots"), seed=params["seed"])
        progress("Adding up", COMPUTED)
        answer = forecast_json(panel, found, params["confidence"] / 100)
    except ArtifactMissing as missing:
        raise AnalysisError(str(missing), code="no_figures") from missing
    except PanelProblem as problem:
        raise AnalysisError(problem.sentence, code=problem.code) from problem
    except CannotBePlanned as problem:
        raise AnalysisError(str(problem), code="cannot_be_planned") from problem
    result = {
        **_about(model, params, horizon, plan, panel),
        **answer,
        "backtest": model.result["holdout"],
        "remarks": [
            {"code": code, "sentence": sentence, "names": list(names)}
            for code, sentence, names in _remarks(panel, model, plan, found, horizon)
        ],
        "timings": {"total_seconds": time.perf_counter() - began},
    }
    return Answer(result)


def _about(
    model: Model, params: Mapping[str, Any], horizon: Horizon, plan: Planned, panel: MediaPanel
) -> dict[str, Any]:
    """What the result is about: its first part, in the words of a weightings result where it has them."""
    result = model.result
    return {
        "format": FORMAT,
        "model": result["model"],
        "model_run": {
            "id": str(model.run.pk),
            "created_at": model.run.created_at.isoformat(),
            "converged": result["diagnostics"]["converged"],
            "verdict": result["verdict"],
        },
        "outcome": result["outcome"],
        "granularity": result["granularity"],
        "period": {
            "start": horizon.starts[0].isoformat(),
            "end": horizon.end.isoformat(),
            "periods": len(horizon.starts),
            "first": 0,
        },
        "estimation": result["estimation"],
        "confidence": params["confidence"],
        "spent_as": None if plan.pattern is None else _days(panel, plan.pattern, len(horizon.starts)),
        "holidays": dict(plan.holidays),
    }


def _days(panel: MediaPanel, pattern: Window, periods: int) -> dict[str, str]:
    """The days of the data as which spend is spread over time."""
    start = EPOCH.date() + dt.timedelta(int(panel.period_start[panel.history + pattern.start]))
    as_many = Horizon.after(start - dt.timedelta(1), panel.granularity, min(pattern.periods, periods))
    return {"start": start.isoformat(), "end": as_many.end.isoformat()}


def _remarks(
    panel: MediaPanel, model: Model, plan: Planned, found: Forecast, horizon: Horizon
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield what people should know of how the plan was taken: a code, a sentence and the names that it is about."""
    unit = panel.granularity
    if carried := found.plan.carried:
        reaches = len(panel) >= PERIODS_PER_YEAR[unit]
        as_what = "as a year before" if reaches else "as a year before, or at the mean of the data before these begin"
        yield (
            "carried",
            f"{_named(carried)}: carried on, each {unit} {as_what}. A plan by period can say otherwise.",
            carried,
        )
    if off := tuple(name for name in panel.events if name not in plan.plan.events):
        yield "events", f"{_named(off)}: taken not to be on. A plan by period can say otherwise.", off
    on = tuple(name for name, days in plan.holidays.items() if any(days) and name in panel.holidays)
    if on:
        yield "holidays", f"Public holidays from {span_label(horizon.starts[0], horizon.end)}: {_named(on)}.", on
    if unknown := found.plan.unknown_holidays:
        them = "it does" if len(unknown) == 1 else "they do"
        sentence = (
            f"{_named(unknown)}: holidays that the data have none of, so nobody knows what {them}. They are taken to "
            "do nothing."
        )
        yield "unknown_holidays", sentence, unknown
    if beyond := found.beyond:
        sentence = (
            f"{_named(beyond)}: more in some {unit} than in any {unit} of the data. What is added there is "
            "extrapolated: the model's shape speaks, not the data."
        )
        yield "extrapolated", sentence, beyond
    bought = tuple(name for name, of in zip(panel.channels, panel.exposure_units, strict=True) if of != "spend")
    if bought:
        yield (
            "bought",
            f"{_named(bought)}: spend is taken to buy as much as of late, in the last year with any.",
            bought,
        )
    tried = model.result["holdout"]
    furthest = max((fold["periods"] for fold in tried["folds"]), default=0) if tried else 0
    if 0 < furthest < len(horizon.starts):
        sentence = (
            f"The model has been tried up to {furthest} {unit}s ahead. How good it is further ahead, nobody knows."
        )
        yield "further_than_tried", sentence, ()


def _named(names: tuple[str, ...]) -> str:
    left = len(names) - MOST_NAMED
    return listed([*names[:MOST_NAMED], f"{left} more"] if left > 0 else list(names))

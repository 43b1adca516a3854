"""Finished weightings runs in the database with all that they keep of a model: arrays that nobody had to fit.

The result is what the program that fits models says of such a posterior, but for how the fit went, which is written by
hand. Numbers in it are consistent, and follow from the arrays.
"""

import datetime as dt
from functools import cache
from typing import Any

import numpy as np
from django.utils import timezone

from accounts.models import Workspace
from analyses import artifacts
from analyses.models import Run
from analyses.runs import current_data_version
from jobs.models import Job
from marketing.frames import MediaPanel
from marketing.periods import EPOCH
from tests.weightings import forecasts
from tests.weightings.results import PARAMS, a_result
from tests.weightings.worlds import panel
from weightings.analysis import KIND
from weightings.computation import FORMAT
from weightings.methods import answering, storing
from weightings.methods.baseline import baseline_of
from weightings.methods.convergence import diagnose
from weightings.methods.fitting import Fold
from weightings.methods.posterior import Posterior, posterior_of
from weightings.methods.preparing import Choices, prepare
from weightings.methods.quantities import Window
from weightings.methods.sampling import Draws
from weightings.methods.series import Fitting
from weightings.standing import doubts

KNOTS, DRAWS = 6, 40  # of the posterior of `a_stored_run`
BY_HAND = ("diagnostics", "health", "verdict")


def a_stored_run(workspace: Workspace, *, bounded: bool = False, **how: Any) -> Run:
    """Keep a run of sixty weeks of TV, Search and a blog, with a control, an event and a holiday: `forecasts.market`.

    `how`: as `stored_run` has it.
    """
    panel, posterior = _market(bounded)
    return stored_run(workspace, panel, posterior, **{"knots": KNOTS} | how)


def a_run_of(workspace: Workspace, *channels: str, seed: int = 2, **how: Any) -> Run:
    """Keep a run of thirty weeks of these channels, spend not in whole cents. `how`: as `stored_run` has it."""
    rng = np.random.default_rng(seed)
    spend = rng.gamma(2, 50, (36, len(channels)))
    found = panel(1000 + spend[6:].sum(axis=1) + rng.normal(0, 50, 30), spend, history=6, names=channels)
    prepared = prepare(found, Choices(lags=forecasts.LAGS, knots=KNOTS))
    posterior = posterior_of(prepared, 0.3 * rng.standard_normal((DRAWS, prepared.model.size)), rng)
    return stored_run(workspace, found, posterior, **{"knots": KNOTS} | how)


def stored_run(
    workspace: Workspace,
    panel: MediaPanel,
    posterior: Posterior,
    *,
    window: tuple[int, int] | None = None,
    folds: list[Fold] | None = None,
    converged: bool = True,
    checks: list[dict[str, Any]] | None = None,
    result: dict[str, Any] | None = None,
    **params: Any,
) -> Run:
    """Keep a finished run of this panel and its posterior; `window`: the periods that it reports, all unless given.

    `folds`: of periods held back, none unless given. `converged`, `checks`: as `results.finished` has them.
    `result`: parts of it that are otherwise. `params`: of the question, `knots` those of the posterior.
    """
    asked = _params(panel, window or (0, len(panel)), params)
    fitting = _fitting(panel, posterior, window or (0, len(panel)), asked, folds or [])
    by_hand = a_result(converged=converged, checks=checks)
    quantities = answering.quantities_of(fitting)
    curves = answering.curves_of(fitting)
    found = _about(panel, fitting.window, asked, workspace)
    found |= answering.answer(fitting, quantities, curves) | {name: by_hand[name] for name in BY_HAND}
    planned, surface = answering.plans_of(fitting, doubts=doubts(found))
    of_panel, panel_arrays = storing.pack_panel(panel)
    of_posterior, posterior_arrays = storing.pack_posterior(posterior)
    of_quantities, quantity_arrays = storing.pack_quantities(quantities)
    stored = {"panel": of_panel, "posterior": of_posterior, "quantities": of_quantities, **planned.pop("stored")}
    found |= planned | {"stored": stored, "timings": by_hand["timings"]} | (result or {})
    arrays = panel_arrays | posterior_arrays | quantity_arrays | surface | {"response_grid": curves}
    now = timezone.now()
    job = Job.objects.create(
        workspace=workspace, kind="analyses.run", status=Job.Status.DONE, progress=1, fence=1, finished_at=now
    )
    run = Run.objects.create(
        workspace=workspace,
        job=job,
        kind=KIND.name,
        method_version=KIND.method_version,
        params=asked,
        data_version=current_data_version(workspace=workspace, analysis=KIND),
        fingerprint=f"{job.pk:064}",
        result=found,
        trigger=Run.Trigger.CLI,
    )
    run.artifact = artifacts.write(run, arrays, fence=1)
    run.artifact_bytes = artifacts.size(run.artifact)
    run.save(update_fields=["artifact", "artifact_bytes"])
    return run


def held_back(panel: MediaPanel, *, horizon: int = 4, folds: int = 2, off_by: float = 0.1) -> list[Fold]:
    """Folds whose predictions spread around the outcome times 1 + `off_by`."""
    rng = np.random.default_rng(8)
    found = []
    for fold in range(1, folds + 1):
        origin = len(panel) - fold * horizon
        observed = panel.outcome[origin : origin + horizon]
        spread = 0.1 * np.nanmean(np.abs(panel.outcome)) * rng.standard_normal((400, horizon))
        found.append(Fold(origin, horizon, observed, (1 + off_by) * observed + spread, converged=True))
    return found


@cache
def _market(bounded: bool) -> tuple[MediaPanel, Posterior]:
    """Nobody has fitted it: what media do is near what is believed beforehand, and the baseline as the data have it."""
    panel, rng = forecasts.market(bounded=bounded), np.random.default_rng(10)
    prepared = prepare(panel, Choices(lags=forecasts.LAGS, knots=KNOTS))
    return panel, posterior_of(prepared, 0.3 * rng.standard_normal((DRAWS, prepared.model.size)), rng)


def _params(panel: MediaPanel, window: tuple[int, int], params: dict[str, Any]) -> dict[str, Any]:
    starts = _starts(panel)
    measured_in = "money" if panel.is_money else "share" if panel.bounds else "number"
    return {
        **PARAMS,
        "outcome": panel.outcome_name,
        "measured_in": measured_in,
        "granularity": panel.granularity,
        "start": starts[window[0]].isoformat(),
        "end": (starts[window[1]] - dt.timedelta(1)).isoformat(),
        **params,
    }


def _fitting(
    panel: MediaPanel, posterior: Posterior, window: tuple[int, int], params: dict[str, Any], folds: list[Fold]
) -> Fitting:
    positions = np.random.default_rng(9).standard_normal((4, 50, 2))
    return Fitting(
        panel=panel,
        fitted=posterior,
        draws=Draws(
            positions=positions,
            log_density=np.zeros((4, 50)),
            diverging=np.zeros((4, 50), np.bool_),
            steps=np.full((4, 50), 15),
            restarts=(0,) * 4,
            stuck=(),
            convergence=diagnose(positions),
            converged=True,
            compile_seconds=0.0,
            sampling_seconds=0.0,
        ),
        names=("retention of TV", "retention of Search"),
        window=Window(*window),
        level=params["confidence"] / 100,
        seed=params["seed"],
        folds=folds,
        baseline=baseline_of(panel, level=0.0, knots=params.get("knots")),
    )


def _about(panel: MediaPanel, window: Window, params: dict[str, Any], workspace: Workspace) -> dict[str, Any]:
    """As `weightings.computation` has it."""
    starts = _starts(panel)
    span = {"start": starts[0].isoformat(), "end": (starts[-1] - dt.timedelta(1)).isoformat()}
    of_window = {"start": params["start"], "end": params["end"], "periods": window.periods, "first": window.start}
    return {
        "format": FORMAT,
        "model": params["model"],
        "outcome": {
            "name": panel.outcome_name,
            "kind": "sales" if panel.is_money else "custom",
            "is_money": panel.is_money,
            "bounds": None if panel.bounds is None else list(panel.bounds),
            "unit": workspace.currency if panel.is_money else "",
        },
        "granularity": panel.granularity,
        "period": of_window,
        "estimation": {**span, "periods": len(panel), "history": panel.history},
        "confidence": params["confidence"],
        "remarks": [],
    }


def _starts(panel: MediaPanel) -> list[dt.date]:
    """The first days of the outcome's periods, and of the one after them."""
    days = panel.period_start[panel.history :].tolist()
    return [EPOCH.date() + dt.timedelta(day) for day in [*days, 2 * days[-1] - days[-2]]]

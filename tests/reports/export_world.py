"""One workspace with a finished run of every kind that people ask for, each in some variants, and a scenario."""

import datetime as dt
from pathlib import Path
from typing import Any

from accounts.actions import set_plan
from accounts.models import Workspace
from analyses.models import Run
from analyses.runs import request_run
from attribution.cube.daily_cube import refresh_cube
from jobs.execution import execute
from jobs.models import Job
from marketing.importing.actions import request_import
from marketing.models import Dataset, Import
from marketing.receivers import create_default_goals
from tests.crosschannel.shop import PERIOD, conversion_rows, touch_rows
from tests.factories import WorkspaceFactory
from tests.weightings import forecasts
from tests.weightings.results import finished
from tests.weightings.stored_runs import a_stored_run, held_back
from weightings.models import Scenario
from weightings.planner.plan import Plan
from weightings.planner.scenarios import create as create_scenario

NOW = dt.datetime(2026, 5, 20, 9, tzinfo=dt.UTC)
SPENT = {"Email": 20.0, "Search": 110.4, "Display": 75.3, "Social": 60.2}
QUICK = {"replicates": 100}
DASHBOARD = f"start={PERIOD['start']}&end=2026-04-30"


def make_workspace(folder: Path) -> Workspace:
    """Import the journeys of `tests.crosschannel.shop`, what was spent on them, two experiments and some paths."""
    made: Workspace = WorkspaceFactory.create(name="Acme", slug="acme")
    create_default_goals(workspace=made)
    set_plan(workspace=made, plan="professional", by=None)
    workspace = Workspace.objects.get(pk=made.pk)
    days = [dt.date(2026, 2, 25) + dt.timedelta(day) for day in range(70)]
    spend = [f"{day},{name},{day.day * 0.37 + cost:.2f}" for day in days for name, cost in SPENT.items()]
    rows = {
        Dataset.TOUCHPOINTS: list(touch_rows()),
        Dataset.CONVERSIONS: list(conversion_rows()),
        Dataset.SPEND: ["date,channel,spend", *spend],
        Dataset.EXPERIMENTS: [
            "channel,start,end,lift,standard_error,spend",
            "Search,2026-03-01,2026-03-20,3000,420,1900",
            "Display,2026-04-01,2026-04-20,300,160,1100",
        ],
        Dataset.PATHS: [
            "path,conversions,value,null",
            "Email > Search,31,1250.5,120",
            "Search,17,640,300",
            "Display > Email > Search,9,410.25,77",
            "Display,3,95,210",
        ],
    }
    for dataset, lines in rows.items():
        file = folder / f"{dataset}.csv"
        file.write_text("\n".join([*lines, ""]))
        batch = request_import(
            workspace=workspace, dataset=dataset, file=file, mapping={}, by=None, origin=Import.Origin.CLI, ring=False
        )
        execute(job_id=batch.job_id)
    execute(job_id=refresh_cube(workspace=workspace, ring=False).job_id)
    return workspace


def make_runs(workspace: Workspace) -> dict[str, Run]:
    """Ask for a run of every kind; of models that are slow to fit, keep ones that nobody had to."""
    panel = forecasts.market()
    model = a_stored_run(workspace, folds=held_back(panel))
    return {
        "rules": answered(workspace, "attribution", model="last,linear,position", **PERIOD, **QUICK),
        "one model": answered(workspace, "attribution", model="linear", **PERIOD, **QUICK),
        "data-driven": answered(workspace, "attribution", model="data_driven,shapley", **PERIOD, **QUICK),
        "paths": answered(workspace, "attribution", data="paths", model="last,markov:2", **QUICK),
        "crosschannel": answered(workspace, "crosschannel", **PERIOD),
        "weightings": model,
        "weightings by hand": kept(finished(workspace)),
        "lightweight": kept(finished(workspace, model="lightweight:hill_adstock", result=LIGHTWEIGHT, seed=1)),
        "budget": answered(workspace, "budget", model_run=str(model.pk), flighting="yes"),
        "forecast": answered(workspace, "forecast", model_run=str(model.pk), periods=4),
    }


LIGHTWEIGHT = {"model": "lightweight:hill_adstock"}


def make_scenario(run: Run) -> Scenario:
    """Keep the recommended budget of a media mix model."""
    assert run.result is not None
    spend = {each["channel"]: each["spend_recommended"] for each in run.result["budget"]["channels"]}
    return create_scenario(run=run, name="More search", plan=Plan(spend=spend), by=None)


def answered(workspace: Workspace, kind: str, **params: Any) -> Run:
    """Ask, carry it out, and return the run as it ended."""
    run = request_run(workspace=workspace, kind=kind, params=params, by=None, trigger=Run.Trigger.CLI, ring=False)
    execute(job_id=run.job_id)
    run = Run.objects.select_related("job", "workspace").get(pk=run.pk)
    assert run.job.status == Job.Status.DONE, run.job.error
    return run


def kept(run: Run) -> Run:
    """Put a run into the database that was written by hand."""
    run.fingerprint = str(run.pk)
    run.job.kind = "analyses.run"
    run.job.save()
    run.save()
    return run

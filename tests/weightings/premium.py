"""Workspaces whose plan has forecasts, and forecasts that are carried out at once and read by period."""

from typing import Any

import pytest

from accounts.actions import set_plan
from accounts.models import Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.execution import execute
from jobs.models import Job
from weightings.forecasts.presentation.rows import rows


def on_professional(workspace: Workspace) -> Workspace:
    """The same workspace, as it is known from now on."""
    set_plan(workspace=workspace, plan="professional", by=None)
    return Workspace.objects.get(pk=workspace.pk)


def ask(workspace: Workspace, **params: Any) -> Run:
    """Ask for a forecast that waits to be carried out."""
    return request_run(
        workspace=workspace, kind="forecast", params=params, by=None, trigger=Run.Trigger.CLI, ring=False
    )


def forecast(workspace: Workspace, **params: Any) -> Run:
    """Ask for a forecast, carry it out and return it; fails if it does."""
    run = carried_out(ask(workspace, **params))
    if run.job.status != Job.Status.DONE:
        pytest.fail(run.job.error)
    return run


def carried_out(run: Run) -> Run:
    """The run as it has ended."""
    execute(job_id=run.job_id)
    return Run.objects.select_related("workspace", "job", "requested_by", "api_key").get(pk=run.pk)


def table_of(run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of its exports by period and part."""
    header, *body = rows(run)
    named = [dict(zip(map(str, header), row, strict=True)) for row in body]
    return {(str(row["period_start"]), str(row["part"])): row for row in named}

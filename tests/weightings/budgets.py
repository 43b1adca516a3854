"""Budgets that are asked for and carried out at once."""

from typing import Any

import pytest

from accounts.models import Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.execution import execute
from jobs.models import Job


def budget(workspace: Workspace, **params: Any) -> Run:
    """Ask for a budget, carry it out and return it; fails if it does."""
    run = request_run(workspace=workspace, kind="budget", params=params, by=None, trigger=Run.Trigger.CLI, ring=False)
    if run.result is None:
        execute(job_id=run.job_id)
        run = Run.objects.select_related("workspace", "job").get(pk=run.pk)
    if run.job.status != Job.Status.DONE:
        pytest.fail(run.job.error)
    return run

"""Finished runs and scenarios as files to keep."""

import uuid

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import AuthedRequest
from analyses import registry
from analyses.models import Run
from jobs.models import Job
from mmm_project.problems import NotFound
from reports.exports import download
from weightings.planner import scenarios


@require_safe
def export_run(request: AuthedRequest, slug: str, run_id: uuid.UUID, form: str) -> HttpResponse:
    """Download a finished run in one of the formats; every member may."""
    workspace = access.get_workspace(request, slug)
    asked = Run.objects.filter(workspace=workspace, kind__in=registry.names(internal=False))
    run = asked.select_related("workspace", "job", "requested_by", "api_key").filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run in this workspace.")
    if run.job.status != Job.Status.DONE:
        raise NotFound("This run has no result to download.")
    return download(registry.get(run.kind).document(run), form)


@require_safe
def export_scenario(request: AuthedRequest, slug: str, scenario_id: int, form: str) -> HttpResponse:
    """Download a scenario in one of the formats; every member may."""
    workspace = access.get_workspace(request, slug)
    scenario = scenarios.get(workspace=workspace, scenario_id=scenario_id)
    # Here, not above: it brings SciPy, which the start of the web server must not wait for.
    from weightings.planner.pages import present_scenario

    page = present_scenario(scenario)
    if page.document is None:
        raise NotFound(page.problem)
    return download(page.document, form)

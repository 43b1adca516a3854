"""Weightings > Planner: what another plan of spend would bring."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from analyses.models import Run
from jobs.models import Job
from mmm_project.problems import NotFound
from mmm_project.web import render_page, wants_fragment
from weightings.models import Scenario
from weightings.planner.horizon import Horizon, offered_horizons
from weightings.planner.pages import PlannerPage, present_planner
from weightings.stored import StoredModel

LONGEST_ID = 18  # digits


@require_safe
def planner(request: AuthedRequest, slug: str, run_id: uuid.UUID) -> HttpResponse:
    """Show the planner of a finished run; to HTMX only what the plan in the address brings."""
    workspace = access.get_workspace(request, slug)
    run = get_run(workspace, run_id)
    page = present_planner(run, request.GET, scenario=_scenario(run, request.GET.get("scenario", "")))
    response = render_page(request, "weightings/planner.html", context(request, page), fragment="plan")
    if wants_fragment(request) and page.form and not page.problems:
        kept = f"&scenario={page.scenario.pk}" if page.scenario else ""
        response["HX-Replace-Url"] = f"{request.path}?{page.state}{kept}"
    return response


def horizon_asked(run: Run, query: Mapping[str, Any]) -> Horizon:
    """The horizon that an address names; that of the run where it names none that is offered."""
    model, asked = StoredModel(run), str(query.get("horizon", ""))
    return Horizon(model, int(asked) if asked in map(str, offered_horizons(model)) else None)


def context(request: AuthedRequest, page: PlannerPage) -> dict[str, object]:
    return {
        "page": page,
        "may_run": access.can(request, Permission.RUN),
        "may_save": access.can(request, Permission.SCENARIOS),
    }


def _scenario(run: Run, asked: str) -> Scenario | None:
    """The scenario of this run that is being changed, if the address names one."""
    known = asked.isdecimal() and len(asked) < LONGEST_ID
    return Scenario.objects.filter(workspace=run.workspace, run=run, pk=int(asked)).first() if known else None


def get_run(workspace: Workspace, run_id: uuid.UUID) -> Run:
    """Return a finished run of a media mix model of this workspace. Raises NotFound."""
    found = Run.objects.filter(workspace=workspace, kind="weightings", pk=run_id, job__status=Job.Status.DONE)
    run = found.select_related("workspace", "job").first()
    if run is None:
        raise NotFound("There is no such finished run of a media mix model in this workspace.")
    return run

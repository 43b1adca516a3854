"""Weightings > Planner: what another plan of spend would bring."""

import uuid

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.permissions import Permission
from mmm_project.web import render_page, wants_fragment
from weightings.planner.finding import get_run, scenario_of


@require_safe
def planner(request: AuthedRequest, slug: str, run_id: uuid.UUID) -> HttpResponse:
    """Show the planner of a finished run; to HTMX only what the plan in the address brings."""
    # Here, not above: it brings SciPy, which the start of the web server must not wait for.
    from weightings.planner.pages import present_planner

    run = get_run(access.get_workspace(request, slug), run_id)
    page = present_planner(run, request.GET, scenario=scenario_of(run, request.GET.get("scenario", "")))
    context = {
        "page": page,
        "may_run": access.can(request, Permission.RUN),
        "may_save": access.can(request, Permission.SCENARIOS),
    }
    response = render_page(request, "weightings/planner.html", context, fragment="plan")
    if wants_fragment(request) and page.form and not page.problems:
        kept = f"&scenario={page.scenario.pk}" if page.scenario else ""
        response["HX-Replace-Url"] = f"{request.path}?{page.state}{kept}"
    return response

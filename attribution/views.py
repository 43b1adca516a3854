"""The page that asks for attribution; its answer is a run's page."""

import datetime as dt

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from analyses.models import Run
from analyses.presenters import Offer, present_row
from analyses.runs import request_run
from attribution.catalogue import OFFERED
from attribution.forms import MORE_SETTINGS, AttributionForm, boxes_by_family, initial, locked_because, segment_problem
from attribution.sample import sample_sections
from marketing.demo_data import demo_state
from marketing.models import Dataset
from marketing.periods import Period, where_data_ends
from marketing.selectors import data_ends
from mmm_project.web import render_page

RUNS_SHOWN = 8


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Choose a question and see the latest answers; POST asks it and goes to its run."""
    workspace = access.get_workspace(request, slug)
    if request.method != "POST":
        form = AttributionForm(workspace=workspace, initial=initial(workspace, request.GET))
        return render_page(request, "attribution/page.html", _context(request, workspace, form))
    access.require(request, Permission.RUN)
    form = AttributionForm(request.POST, workspace=workspace)
    if not form.is_valid():
        return render_page(request, "attribution/page.html", _context(request, workspace, form), status=422)
    run = request_run(
        workspace=workspace, kind="attribution", params=form.params, by=request.user, trigger=Run.Trigger.PAGE
    )
    return redirect("analyses:run", slug=slug, run_id=run.pk)


@require_http_methods(["GET", "HEAD"])
def data_driven(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show what data-driven models are for, on a sample, also where the plan lacks them."""
    workspace = access.get_workspace(request, slug)
    context = {"sections": sample_sections(workspace), "locked": locked_because(workspace)}
    return render_page(request, "attribution/data_driven.html", context)


def _context(request: AuthedRequest, workspace: Workspace, form: AttributionForm) -> dict[str, object]:
    runs = Run.objects.filter(workspace=workspace, kind="attribution").defer("result")
    latest = runs.select_related("workspace", "job", "requested_by", "api_key")[:RUNS_SHOWN]
    ends = data_ends(workspace=workspace, datasets=[Dataset.CONVERSIONS])
    return {
        "form": form,
        "rules": [(model.label, model.sentence) for model in OFFERED.values()],
        "compare": boxes_by_family(form),
        "locked": form.locked,
        "more_open": any(form.errors.get(name) for name in MORE_SETTINGS),
        "may_edit_models": access.can(request, Permission.CUSTOM_MODELS),
        "may_run": access.can(request, Permission.RUN),
        "may_import": access.can(request, Permission.IMPORT),
        "has_data": ends is not None,
        "demo": demo_state(workspace) if ends is None else None,
        "data_ends": ends,
        "segment_problem": "" if form.is_bound else segment_problem(workspace, request.GET),
        "offer": None if form.is_bound else _offer(request, form, ends),
        "rows": [present_row(run) for run in latest],
    }


def _offer(request: AuthedRequest, form: AttributionForm, ends: dt.date | None) -> Offer | None:
    """Offer the last days of the data where the period goes on beyond it, leaving the rest of the question as it is."""
    start, end = (dt.date.fromisoformat(form.initial[name]) for name in ("start", "end"))
    period = where_data_ends(Period(start, end), data_ends=ends)
    if period is None:
        return None
    query = request.GET.copy()
    query.pop("period", None)
    query["start"], query["end"] = period.start.isoformat(), period.end.isoformat()
    return Offer(label=f"Use its last {period.days} days", url=f"?{query.urlencode()}")

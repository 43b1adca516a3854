"""The page that asks for attribution; its answer is a run's page."""

import datetime as dt
from collections.abc import Mapping

from django.db.models import Max
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from analyses.choices import as_form_says
from analyses.models import Run
from analyses.presenters import Offer, present_row
from analyses.runs import request_run
from attribution.catalogue import OFFERED
from attribution.forms import MORE_SETTINGS, AttributionForm, asked_for, boxes_by_family, initial, locked_because
from attribution.params import JOURNEYS, PATHS
from attribution.presentation.sample import sample_sections
from marketing.demo_data import demo_state
from marketing.models import Dataset, Import
from marketing.periods import Period, where_data_ends
from mmm_project.web import render_page

RUNS_SHOWN = 8
DATA_OF: dict[str, str] = {Dataset.CONVERSIONS: JOURNEYS, Dataset.PATHS: PATHS}  # dataset -> the question's `data`


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Choose a question and see the latest answers; POST asks it and goes to its run."""
    workspace = access.get_workspace(request, slug)
    if request.method != "POST":
        days = _days_of_data(workspace)
        data = PATHS if days.keys() == {PATHS} else JOURNEYS
        asked = asked_for(workspace, request.GET, data=data)
        form = AttributionForm(workspace=workspace, initial=initial(workspace, asked))
        context = _context(request, workspace, form, days)
        context["left_out"] = as_form_says(AttributionForm, asked.left_out)
        return render_page(request, "attribution/page.html", context)
    access.require(request, Permission.RUN)
    form = AttributionForm(request.POST, workspace=workspace)
    if not form.is_valid():
        context = _context(request, workspace, form, _days_of_data(workspace))
        return render_page(request, "attribution/page.html", context, status=422)
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


def _context(
    request: AuthedRequest, workspace: Workspace, form: AttributionForm, days: Mapping[str, dt.date | None]
) -> dict[str, object]:
    runs = Run.objects.filter(workspace=workspace, kind="attribution").defer("result")
    latest = runs.select_related("workspace", "job", "requested_by", "api_key")[:RUNS_SHOWN]
    of_paths = (form["source"].value() or JOURNEYS) == PATHS
    ends = days.get(PATHS if of_paths else JOURNEYS)
    return {
        "form": form,
        "rules": [(model.label, model.sentence) for model in OFFERED.values()],
        "compare": boxes_by_family(form),
        "locked": form.locked,
        "more_open": of_paths or any(form.errors.get(name) for name in MORE_SETTINGS),
        "may_edit_models": access.can(request, Permission.CUSTOM_MODELS),
        "may_run": access.can(request, Permission.RUN),
        "may_import": access.can(request, Permission.IMPORT),
        "has_data": bool(days),
        "demo": None if days else demo_state(workspace),
        "of_paths": of_paths,
        "data_ends": ends,
        "offer": None if form.is_bound else _offer(request, form, ends, of_paths=of_paths),
        "rows": [present_row(run) for run in latest],
    }


def _days_of_data(workspace: Workspace) -> dict[str, dt.date | None]:
    """Return the last day of what attribution can be asked about: journeys, paths. Without a day: paths of any day."""
    active = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE, dataset__in=DATA_OF)
    last = active.order_by().values_list("dataset").annotate(last=Max("last_day"))
    return {DATA_OF[dataset]: day for dataset, day in last}


def _offer(request: AuthedRequest, form: AttributionForm, ends: dt.date | None, *, of_paths: bool) -> Offer | None:
    """Offer the last days of the data where the period goes on beyond it, leaving the rest of the question as it is.

    The day of aggregated paths is the first of what they count: it may end later than the period does, if it is in it.
    """
    start, end = (dt.date.fromisoformat(form.initial[name]) for name in ("start", "end"))
    period = where_data_ends(Period(start, end), data_ends=ends)
    if period is None or (of_paths and ends is not None and ends >= start):
        return None
    query = request.GET.copy()
    query.pop("period", None)
    query["start"], query["end"] = period.start.isoformat(), period.end.isoformat()
    return Offer(label=f"Use its last {period.days} days", url=f"?{query.urlencode()}")

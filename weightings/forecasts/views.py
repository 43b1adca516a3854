"""The page that asks for a forecast, and the table that a plan by period is filled into; the answer is a run's page."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access, plans
from accounts.access import AuthedRequest
from accounts.models import Feature, Workspace
from accounts.permissions import Permission
from analyses.artifacts import ArtifactMissing
from analyses.models import Run
from analyses.presenters import present_row
from analyses.runs import request_run
from mmm_project.problems import NotFound
from mmm_project.web import render_page
from weightings.forecasts.analysis import LEFT_OUT
from weightings.forecasts.forms import MORE_SETTINGS, OF_SPEND, ForecastForm, initial
from weightings.forecasts.horizon import FEWEST, MOST, USUAL
from weightings.forecasts.model_runs import find_model, offered_runs
from weightings.forecasts.sample import sample
from weightings.models import Scenario

RUNS_SHOWN = 8
MOST_SCENARIOS = 200
TEMPLATE = "weightings/forecast.html"


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Choose a model and a plan, and see the latest forecasts; POST asks for one and goes to its run."""
    workspace = access.get_workspace(request, slug)
    if request.method != "POST":
        return render_page(request, TEMPLATE, _context(request, workspace))
    access.require(request, Permission.RUN)
    plans.require_feature(workspace, Feature.FORECAST)
    form = _form(workspace, data=request.POST, files=request.FILES)
    if not form.is_valid():
        return render_page(request, TEMPLATE, _context(request, workspace, form), status=422)
    run = request_run(
        workspace=workspace, kind="forecast", params=form.params, by=request.user, trigger=Run.Trigger.PAGE
    )
    return redirect("analyses:run", slug=slug, run_id=run.pk)


@require_safe
def plan_table(request: AuthedRequest, slug: str) -> HttpResponse:
    """Download the periods that follow a model's data as a table to fill in, with what was spent a year before."""
    from weightings.forecasts.tables_to_fill import table_to_fill

    workspace = access.get_workspace(request, slug)
    plans.require_feature(workspace, Feature.FORECAST)
    model = find_model(workspace, request.GET.get("model_run", ""))
    if model is None or model.cannot:
        raise NotFound("There is no such run to forecast with in this workspace.")
    asked = request.GET.get("periods", "")
    periods = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else USUAL[model.granularity]
    periods = min(max(periods, FEWEST[model.granularity]), MOST[model.granularity])
    try:
        text = table_to_fill(model, periods)
    except ArtifactMissing as missing:
        raise NotFound(str(missing)) from missing
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="plan-{model.horizon(periods).starts[0]}.csv"'
    return response


def _form(workspace: Workspace, **kwargs: Any) -> ForecastForm:
    scenarios = Scenario.objects.filter(workspace=workspace).order_by("name")[:MOST_SCENARIOS]
    return ForecastForm(workspace=workspace, offered=offered_runs(workspace), scenarios=list(scenarios), **kwargs)


def _context(request: AuthedRequest, workspace: Workspace, form: ForecastForm | None = None) -> dict[str, object]:
    runs = Run.objects.filter(workspace=workspace, kind="forecast").defer("result")
    latest = runs.select_related("workspace", "job", "requested_by", "api_key")[:RUNS_SHOWN]
    context: dict[str, object] = {"rows": [present_row(run) for run in latest], "locked": _locked(workspace)}
    if context["locked"]:
        headline, cards, sections = sample(workspace)
        return context | {"sample": {"headline": headline, "cards": cards, "sections": sections}}
    if form is None:
        form = _form(workspace, initial=initial(workspace, request.GET))
    return context | {
        "form": form,
        "spends": [(way, [form[name] for name in names]) for way, names in OF_SPEND.items()],
        "more": [form[name] for name in MORE_SETTINGS],
        "more_open": any(form.errors.get(name) for name in MORE_SETTINGS),
        "has_models": bool(form.fields["model_run"].choices),  # type: ignore[attr-defined]
        "model_run": form["model_run"].value() or "",
        "periods": form["periods"].value() or "",
        "left_out": LEFT_OUT in request.GET,
        "may_run": access.can(request, Permission.RUN),
    }


def _locked(workspace: Workspace) -> str:
    """Say why no forecast can be asked for; "" where the plan has them."""
    try:
        plans.require_feature(workspace, Feature.FORECAST)
    except plans.PlanRequired as refusal:
        return refusal.detail
    return ""

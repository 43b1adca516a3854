"""Asking for a budget: from the planner, with what it keeps to; its answer is a run's page."""

import uuid

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import AuthedRequest
from accounts.permissions import Permission
from analyses.artifacts import ArtifactMissing
from analyses.errors import InvalidParams
from analyses.models import Run
from analyses.runs import request_run
from mmm_project.problems import NotFound
from weightings.forecasts.model_runs import find_model, finished_runs
from weightings.methods.planning.plans import CannotBePlanned
from weightings.planner.forms import PlannerForm
from weightings.planner.pages import planner_url
from weightings.planner.plan import TOTAL
from weightings.planner.views import get_run, horizon_asked


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """GET goes to the planner of a model; POST asks for the budget that the planner's address describes."""
    workspace = access.get_workspace(request, slug)
    if request.method != "POST":
        model = find_model(workspace, request.GET.get("model_run", ""))
        run = model.run if model else finished_runs(workspace).select_related("workspace").defer("result").first()
        if run is None:
            return redirect("weightings:page", slug=slug)
        query = QueryDict(mutable=True)
        if "horizon" in request.GET:
            query["horizon"] = request.GET["horizon"]
        return redirect(f"{planner_url(workspace, run)}?{query.urlencode()}")
    access.require(request, Permission.RUN)
    try:
        run = get_run(workspace, uuid.UUID(request.POST.get("run", "")))
    except ValueError:
        raise NotFound("There is no such finished run of a media mix model in this workspace.") from None
    state = QueryDict(request.POST.get("state", ""))
    try:
        params = _params(run, state)
        flighting = {"flighting": "yes"} if request.POST.get("flighting") else {}
        asked = request_run(
            workspace=workspace, kind="budget", params=params | flighting, by=request.user, trigger=Run.Trigger.PAGE
        )
    except (CannotBePlanned, ArtifactMissing, InvalidParams) as refusal:
        errors = getattr(refusal, "errors", None)
        sentences = [sentence for each in errors.values() for sentence in each] if errors else [str(refusal)]
        messages.error(request, " ".join(sentences))
        return redirect(f"{planner_url(workspace, run)}?{state.urlencode()}")
    return redirect("analyses:run", slug=slug, run_id=asked.pk)


def _params(run: Run, state: QueryDict) -> dict[str, object]:
    """What the planner keeps to, as the params of a budget. Raises CannotBePlanned for an address that is no plan."""
    form = PlannerForm(horizon_asked(run, state), state)
    if not form.is_valid():
        raise CannotBePlanned(" ".join(form.problems()))
    plan = form.plan
    return {
        "model_run": str(run.pk),
        "horizon": plan.periods,
        "total": plan.total,
        "objective": plan.objective,
        "goal": plan.goal,
        "target": plan.target if plan.goal != TOTAL else None,
        "locks": {name: plan.spend[name] for name in plan.locks},
        "limits": {name: list(ends) for name, ends in plan.limits.items() if name not in plan.locks},
        "override": "yes" if plan.override else "no",
    }

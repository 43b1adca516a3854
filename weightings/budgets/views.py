"""Asking for a budget: from the planner, with what it keeps to; its answer is a run's page."""

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from analyses.artifacts import ArtifactMissing
from analyses.asking import Refused
from analyses.models import Run
from analyses.runs import request_run
from mmm_project.problems import Invalid
from weightings.finished import find_finished, finished_runs
from weightings.labels import TOTAL
from weightings.params import YES
from weightings.planner.finding import get_run

if TYPE_CHECKING:
    from weightings.planner.plan import Plan


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """GET goes to the planner of a model; POST asks for the budget that the planner's address describes."""
    workspace = access.get_workspace(request, slug)
    if request.method != "POST":
        named = find_finished(workspace, request.GET.get("model_run", ""))
        run = named or finished_runs(workspace).defer("result").first()
        if run is None:
            return redirect("weightings:page", slug=slug)
        return redirect(f"{_planner(workspace, run)}?{_state(run, request.GET)}")
    # Here, not above: it brings SciPy, which the start of the web server must not wait for.
    from weightings.planner.pages import plan_of_state

    access.require(request, Permission.RUN)
    run = get_run(workspace, request.POST.get("run", ""))
    state = QueryDict(request.POST.get("state", ""))
    try:
        params = _params(run, plan_of_state(run, state))
        flighting = {"flighting": "yes"} if request.POST.get("flighting") else {}
        asked = request_run(
            workspace=workspace, kind="budget", params=params | flighting, by=request.user, trigger=Run.Trigger.PAGE
        )
    except Invalid as refusal:
        sentences = [sentence for each in (refusal.errors or {}).values() for sentence in each]
        messages.error(request, " ".join(sentences) or refusal.detail)
        return redirect(f"{_planner(workspace, run)}?{state.urlencode()}")
    return redirect("analyses:run", slug=slug, run_id=asked.pk)


def _planner(workspace: Workspace, run: Run) -> str:
    return reverse("weightings:planner", kwargs={"slug": workspace.slug, "run_id": run.pk})


def _state(run: Run, query: QueryDict) -> str:
    """What an address asks of a budget, as the planner's address has it; the current plan where that cannot be."""
    from weightings.budgets.params import plan_of
    from weightings.methods.planning.plans import CannotBePlanned
    from weightings.planner.pages import horizon_asked

    current = urlencode({name: query[name] for name in ("horizon",) if name in query})
    if "total" not in query:  # every question that was asked has one
        return current
    try:
        horizon = horizon_asked(run, query)
        plan, total = plan_of(horizon, query.dict())
    except (Refused, CannotBePlanned, ArtifactMissing):
        return current
    plan = replace(plan, override=query.get("override") == YES[0])
    return f"{plan.query(horizon.channels)}&{urlencode({'amount': total})}"


def _params(run: Run, plan: "Plan") -> dict[str, object]:
    """What the planner keeps to, as the params of a budget."""
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

"""Weightings > Scenarios: plans that are kept, each by itself and several side by side."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from analyses.models import Run
from analyses.presenters import EXPORT_FORMATS
from mmm_project.problems import Invalid, NotFound
from mmm_project.web import render_page
from weightings.models import Scenario
from weightings.planner import scenarios as actions
from weightings.planner.finding import get_run, ids, scenario_of

# What computes plans is imported where it is called: the start of the web server must not wait for SciPy.


@require_http_methods(["GET", "HEAD", "POST"])
def scenarios(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the scenarios, those that are ticked side by side; POST keeps another one, or changes one."""
    from weightings.planner.document import comparison

    workspace = access.get_workspace(request, slug)
    if request.method == "POST":
        return _keep(request, workspace)
    ticked = ids(request.GET.getlist("compare"))
    chosen = _chosen(workspace, ticked)
    section, lost = comparison(chosen) if chosen else (None, [])
    context = {
        "scenarios": list(actions.known(workspace)),
        "ticked": {scenario.pk for scenario in chosen},
        "sections": [section] if section else [],
        "problems": [*lost, *_too_many(ticked)],
        "most": actions.MOST_COMPARED,
        "may_save": access.can(request, Permission.SCENARIOS),
    }
    return render_page(request, "weightings/scenarios.html", context)


@require_safe
def scenario(request: AuthedRequest, slug: str, scenario_id: int) -> HttpResponse:
    """Show a scenario: what it would bring, by the model that it was made with."""
    from weightings.planner.pages import present_scenario

    workspace = access.get_workspace(request, slug)
    page = present_scenario(actions.get(workspace=workspace, scenario_id=scenario_id))
    context = {
        "page": page,
        "scenario": page.scenario,
        "document": page.document,
        "exports": _exports(page.scenario) if page.document else [],
        "may_save": access.can(request, Permission.SCENARIOS),
    }
    return render_page(request, "weightings/scenario.html", context)


@require_POST
def scenario_rename(request: AuthedRequest, slug: str, scenario_id: int) -> HttpResponse:
    """Give a scenario another name."""
    found = _to_change(request, slug, scenario_id)
    try:
        actions.rename(scenario=found, name=request.POST.get("name", ""), by=request.user)
    except Invalid as refusal:
        messages.error(request, refusal.detail)
    return redirect("weightings:scenario", slug=slug, scenario_id=scenario_id)


@require_POST
def scenario_duplicate(request: AuthedRequest, slug: str, scenario_id: int) -> HttpResponse:
    """Keep the same plan under another name, and go to it."""
    found = _to_change(request, slug, scenario_id)
    try:
        copy = actions.duplicate(scenario=found, by=request.user)
    except Invalid as refusal:
        messages.error(request, refusal.detail)
        return redirect("weightings:scenario", slug=slug, scenario_id=scenario_id)
    return redirect("weightings:scenario", slug=slug, scenario_id=copy.pk)


@require_POST
def scenario_delete(request: AuthedRequest, slug: str, scenario_id: int) -> HttpResponse:
    """Remove a scenario."""
    found = _to_change(request, slug, scenario_id)
    actions.delete(scenario=found, by=request.user)
    messages.success(request, f"“{found.name}” is deleted. The model that it was made with stays.")
    return redirect("weightings:scenarios", slug=slug)


def _keep(request: AuthedRequest, workspace: Workspace) -> HttpResponse:
    """Keep the plan of a planner's address under a name, or in place of a scenario's."""
    from weightings.planner.pages import plan_of_state, planner_url

    access.require(request, Permission.SCENARIOS)
    run = get_run(workspace, request.POST.get("run", ""))
    state = QueryDict(request.POST.get("state", ""))
    try:
        plan = plan_of_state(run, state)
        if "update" in request.POST:
            kept = _of_model(run, request.POST["update"])
            actions.change_plan(scenario=kept, plan=plan, by=request.user)
        else:
            kept = actions.create(run=run, name=request.POST.get("name", ""), plan=plan, by=request.user)
    except Invalid as refusal:
        messages.error(request, refusal.detail)
        opened = scenario_of(run, request.POST.get("scenario", ""))
        kept_open = f"&scenario={opened.pk}" if opened else ""
        return redirect(f"{planner_url(workspace, run)}?{state.urlencode()}{kept_open}")
    messages.success(request, f"“{kept.name}” is saved.")
    return redirect("weightings:scenario", slug=workspace.slug, scenario_id=kept.pk)


def _of_model(run: Run, asked: str) -> Scenario:
    found = scenario_of(run, asked)
    if found is None:
        raise NotFound("There is no such scenario of this model.")
    return found


def _chosen(workspace: Workspace, ticked: Sequence[int]) -> list[Scenario]:
    """The scenarios that are ticked, in that order; of what is not there, nothing."""
    shown = ticked[: actions.MOST_COMPARED]
    found = Scenario.objects.filter(workspace=workspace, pk__in=shown).select_related("workspace", "run__workspace")
    by_id = {scenario.pk: scenario for scenario in found}
    return [by_id[one] for one in shown if one in by_id]


def _too_many(ticked: Sequence[int]) -> list[str]:
    most = actions.MOST_COMPARED
    return [f"The first {most} are shown: more cannot be read side by side."] if len(ticked) > most else []


def _to_change(request: AuthedRequest, slug: str, scenario_id: int) -> Scenario:
    """A scenario of the workspace, for those who may change it."""
    found = actions.get(workspace=access.get_workspace(request, slug), scenario_id=scenario_id)
    access.require(request, Permission.SCENARIOS)
    return found


def _exports(found: Scenario) -> list[tuple[str, str]]:
    arguments = {"slug": found.workspace.slug, "scenario_id": found.pk}
    return [
        (label, reverse("reports:export_scenario", kwargs={**arguments, "form": form}))
        for form, label in EXPORT_FORMATS.items()
    ]

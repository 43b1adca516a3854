"""Weightings > Scenarios: plans that are kept, each by itself and several side by side."""

import uuid
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
from analyses.artifacts import ArtifactMissing
from analyses.models import Run
from analyses.presenters import EXPORT_FORMATS
from mmm_project.problems import Invalid, NotFound
from mmm_project.web import render_page
from weightings.methods.planning.plans import CannotBePlanned
from weightings.models import Scenario
from weightings.planner import scenarios as actions
from weightings.planner.document import comparison, horizon_of, scenario_document
from weightings.planner.forms import PlannerForm
from weightings.planner.pages import planner_url
from weightings.planner.plan import Plan
from weightings.planner.views import LONGEST_ID, get_run, horizon_asked


@require_http_methods(["GET", "HEAD", "POST"])
def scenarios(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the scenarios, those that are ticked side by side; POST keeps another one, or changes one."""
    workspace = access.get_workspace(request, slug)
    if request.method == "POST":
        return _keep(request, workspace)
    ticked = request.GET.getlist("compare")
    chosen = _chosen(workspace, ticked)
    section, lost = comparison(chosen) if chosen else (None, [])
    known = list(actions.known(workspace))
    context = {
        "scenarios": known,
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
    workspace = access.get_workspace(request, slug)
    found = actions.get(workspace=workspace, scenario_id=scenario_id)
    document, problem, planner = None, "", ""
    try:
        document = scenario_document(found)
        horizon, plan = horizon_of(found)
        planner = f"{planner_url(workspace, found.run, plan, horizon.channels)}&scenario={found.pk}"
    except (CannotBePlanned, ArtifactMissing) as refusal:
        problem = str(refusal)
    newer = actions.newer_run(found.run)
    context = {
        "scenario": found,
        "document": document,
        "problem": problem,
        "planner_url": planner,
        "newer_url": _with_newer(workspace, found, newer.pk) if newer and document else "",
        "newer": newer,
        "exports": _exports(found) if document else [],
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
    access.require(request, Permission.SCENARIOS)
    try:
        run = get_run(workspace, uuid.UUID(request.POST.get("run", "")))
    except ValueError:
        raise NotFound("There is no such finished run of a media mix model in this workspace.") from None
    state = QueryDict(request.POST.get("state", ""))
    try:
        plan = _plan(run, state)
        if request.POST.get("update"):
            kept = _of_run(workspace, request.POST["update"])
            actions.change_plan(scenario=kept, plan=plan, by=request.user)
        else:
            kept = actions.create(run=run, name=request.POST.get("name", ""), plan=plan, by=request.user)
    except (CannotBePlanned, ArtifactMissing, Invalid) as refusal:
        messages.error(request, refusal.detail if isinstance(refusal, Invalid) else str(refusal))
        return redirect(f"{planner_url(workspace, run)}?{state.urlencode()}")
    messages.success(request, f"“{kept.name}” is saved.")
    return redirect("weightings:scenario", slug=workspace.slug, scenario_id=kept.pk)


def _plan(run: Run, state: QueryDict) -> Plan:
    form = PlannerForm(horizon_asked(run, state), state)
    if not form.is_valid():
        raise Invalid(" ".join(form.problems()))
    return form.plan


def _of_run(workspace: Workspace, scenario_id: str) -> Scenario:
    if not scenario_id.isdecimal() or len(scenario_id) >= LONGEST_ID:
        raise NotFound("There is no such scenario in this workspace.")
    return actions.get(workspace=workspace, scenario_id=int(scenario_id))


def _chosen(workspace: Workspace, ticked: Sequence[str]) -> list[Scenario]:
    """The scenarios that are ticked, in that order; of what is not there, nothing."""
    ids = [int(one) for one in dict.fromkeys(ticked) if one.isdecimal() and len(one) < LONGEST_ID][
        : actions.MOST_COMPARED
    ]
    found = Scenario.objects.filter(workspace=workspace, pk__in=ids).select_related("workspace", "run__workspace")
    by_id = {scenario.pk: scenario for scenario in found}
    return [by_id[one] for one in ids if one in by_id]


def _too_many(ticked: Sequence[str]) -> list[str]:
    most = actions.MOST_COMPARED
    return [f"The first {most} are shown: more cannot be read side by side."] if len(set(ticked)) > most else []


def _to_change(request: AuthedRequest, slug: str, scenario_id: int) -> Scenario:
    """A scenario of the workspace, for those who may change it."""
    found = actions.get(workspace=access.get_workspace(request, slug), scenario_id=scenario_id)
    access.require(request, Permission.SCENARIOS)
    return found


def _with_newer(workspace: Workspace, found: Scenario, run_id: uuid.UUID) -> str:
    """The address of the planner of a newer model with the same plan, by the names of channels."""
    newer = get_run(workspace, run_id)
    plan = Plan.from_json(found.plan)
    channels = [channel["channel"] for channel in (newer.result or {})["channels"] if channel["kind"] == "paid"]
    return planner_url(workspace, newer, plan, channels)


def _exports(found: Scenario) -> list[tuple[str, str]]:
    arguments = {"slug": found.workspace.slug, "scenario_id": found.pk}
    return [
        (label, reverse("reports:export_scenario", kwargs={**arguments, "form": form}))
        for form, label in EXPORT_FORMATS.items()
    ]

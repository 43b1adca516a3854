"""Settings > Goals & outcomes."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import User, Workspace
from accounts.permissions import Permission
from marketing import goals
from marketing.models import Goal
from marketing.pages.goal_forms import GoalForm, OutcomeForm
from mmm_project.problems import Conflict, Invalid
from mmm_project.web import render_page


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show the workspace's goals and outcomes; POST adds a goal."""
    workspace = access.get_workspace(request, slug)
    form = GoalForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        access.require(request, Permission.SETTINGS)
        if form.is_valid() and _done(form, lambda: _add(form, workspace, request.user)):
            messages.success(request, f"“{form.cleaned_data['name']}” is a goal now.")
            return redirect("marketing:goals", slug=slug)
    uses = goals.goals_in_use(workspace=workspace)
    context = {
        "form": form,
        "may_change": access.can(request, Permission.SETTINGS),
        "goals": [use for use in uses if use.goal.archived_at is None],
        "archived": [use for use in uses if use.goal.archived_at is not None],
        "outcomes": goals.outcomes_in_use(workspace=workspace),
    }
    return render_page(request, "settings/goals.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def goal(request: AuthedRequest, slug: str, goal_id: int) -> HttpResponse:
    """Show a goal's name and kind to be changed; POST changes them."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.SETTINGS)
    found = goals.find_goal(workspace=workspace, goal_id=goal_id)
    form = GoalForm(
        request.POST if request.method == "POST" else None, initial={"name": found.name, "kind": found.kind}
    )
    title = found.name
    if form.is_valid() and _done(form, lambda: goals.change_goal(goal=found, by=request.user, **form.cleaned_data)):
        messages.success(request, f"“{found.name}” is saved.")
        return redirect("marketing:goals", slug=slug)
    return render_page(
        request, "settings/goals_goal.html", {"form": form, "title": title}, status=422 if form.is_bound else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
def outcome(request: AuthedRequest, slug: str, outcome_id: int) -> HttpResponse:
    """Show an outcome's name, kind and unit to be changed; POST changes them."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.SETTINGS)
    found = goals.find_outcome(workspace=workspace, outcome_id=outcome_id)
    initial = {"name": found.name, "kind": found.kind, "is_money": found.is_money}
    form = OutcomeForm(request.POST if request.method == "POST" else None, initial=initial)
    title = found.name
    if form.is_valid() and _done(
        form, lambda: goals.change_outcome(outcome=found, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, f"“{found.name}” is saved.")
        return redirect("marketing:goals", slug=slug)
    return render_page(
        request, "settings/goals_outcome.html", {"form": form, "title": title}, status=422 if form.is_bound else 200
    )


@require_POST
def make_default(request: AuthedRequest, slug: str, goal_id: int) -> HttpResponse:
    """Make a goal the default one."""
    return _change(request, slug, goal_id, goals.make_default, "“{}” is the default goal now.")


@require_POST
def archive(request: AuthedRequest, slug: str, goal_id: int) -> HttpResponse:
    """Offer a goal no more."""
    return _change(request, slug, goal_id, goals.archive_goal, "“{}” is archived.")


@require_POST
def restore(request: AuthedRequest, slug: str, goal_id: int) -> HttpResponse:
    """Offer an archived goal again."""
    return _change(request, slug, goal_id, goals.restore_goal, "“{}” is offered again.")


@require_POST
def delete(request: AuthedRequest, slug: str, goal_id: int) -> HttpResponse:
    """Delete a goal that is not in use."""
    return _change(request, slug, goal_id, goals.delete_goal, "“{}” is deleted.")


def _change(request: AuthedRequest, slug: str, goal_id: int, deed: Callable[..., None], sentence: str) -> HttpResponse:
    """Do something about a goal, say what was done or why not, and go back to the list."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.SETTINGS)
    found: Goal = goals.find_goal(workspace=workspace, goal_id=goal_id)
    try:
        deed(goal=found, by=request.user)
    except Conflict as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, sentence.format(found.name))
    return redirect("marketing:goals", slug=slug)


def _add(form: GoalForm, workspace: Workspace, by: User) -> None:
    goals.add_goal(workspace=workspace, by=by, **form.cleaned_data)


def _done(form: forms.Form, deed: Callable[[], object]) -> bool:
    """Do it; say beside the form's fields why not, where it was refused."""
    try:
        deed()
    except Invalid as refusal:
        for field, sentences in refusal.errors.items():
            form.add_error(field, list(sentences))
        return False
    return True

"""Settings > Plan: what the workspace's plan includes, how much of it is used, and asking for another one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone as clock
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access, plan_requests
from accounts.access import AuthedRequest
from accounts.models import Plan, Workspace
from accounts.permissions import Permission
from accounts.plan_forms import PlanRequestForm
from accounts.plan_presenter import bars_of, compare_plans
from accounts.team import owners_of
from accounts.usage import usage_of
from mmm_project.problems import Conflict, Invalid, NotFound
from mmm_project.web import render_page


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show plan and usage; POST asks the site's admins for another plan."""
    workspace = access.get_workspace(request, slug)
    usage = usage_of(workspace)
    form = PlanRequestForm(request.POST if request.method == "POST" else None, present=usage.plan)
    if request.method == "POST":
        access.require(request, Permission.PLAN)
        if form.is_valid():
            try:
                made = plan_requests.request_plan(workspace=workspace, by=request.membership, **form.cleaned_data)
            except (Conflict, Invalid) as refusal:
                form.add_error(None, refusal.detail)
            else:
                messages.success(request, _what_happens_next(made.plan))
                return redirect("settings_plan", slug=slug)
    context = {
        "usage": usage,
        "as_of": f"{clock.now().astimezone(workspace.zone):%-d %B %Y, %H:%M}",
        "bars": bars_of(usage),
        "comparison": compare_plans(list(Plan.objects.all()), present=usage.plan),
        **_request_context(request, workspace, form),
    }
    return render_page(request, "settings/plan.html", context, status=422 if form.is_bound else 200)


@require_POST
def withdraw(request: AuthedRequest, slug: str) -> HttpResponse:
    """Take the request that waits for its answer back."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.PLAN)
    waiting = plan_requests.open_request(workspace)
    if waiting is None:
        raise NotFound("No request for another plan waits for its answer.")
    plan_requests.withdraw(request=waiting, by=request.membership)
    messages.success(request, "The request is withdrawn.")
    return redirect("settings_plan", slug=slug)


def _request_context(request: AuthedRequest, workspace: Workspace, form: PlanRequestForm) -> dict[str, object]:
    """What is said about asking: a form and the last answer for owners, and for others who the owners are."""
    if not access.can(request, Permission.PLAN):
        return {"owners": owners_of(workspace)}
    return {"form": form, "may_ask": True, "newest": plan_requests.newest_request(workspace)}


def _what_happens_next(plan: Plan) -> str:
    told = "The site’s admins have been mailed" if plan_requests.site_admins() else "The site’s admins see it"
    return f"You have asked for the {plan.name} plan. {told}; their answer is shown here."

"""The dashboard, its detail pages and its exports. All of them only read."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from marketing.demo_data import demo_state
from mmm_project.problems import NotFound
from mmm_project.web import render_page, wants_fragment
from reports import dashboard
from reports.branding.looks import asked_look
from reports.dashboard import DashboardPage
from reports.exports import download


@require_safe
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show how marketing does: the figures of a period, by channel, campaign and day."""
    workspace = access.get_workspace(request, slug)
    may_run = access.can(request, Permission.RUN)
    found = dashboard.overview(workspace, request.GET.dict(), now=timezone.now(), may_run=may_run)
    return _render(request, workspace, found)


@require_safe
def channel(request: AuthedRequest, slug: str, channel_id: int) -> HttpResponse:
    """Show one channel; a merged one is part of another, which is shown."""
    workspace = access.get_workspace(request, slug)
    found = dashboard.channel(workspace, channel_id, request.GET.dict(), now=timezone.now())
    if not isinstance(found, DashboardPage):
        return redirect(found)
    return _render(request, workspace, found)


@require_safe
def campaign(request: AuthedRequest, slug: str, campaign_id: int) -> HttpResponse:
    """Show one campaign."""
    workspace = access.get_workspace(request, slug)
    found = dashboard.campaign(workspace, campaign_id, request.GET.dict(), now=timezone.now())
    return _render(request, workspace, found)


@require_safe
def export(request: AuthedRequest, slug: str, form: str) -> HttpResponseBase:
    """Download the dashboard in the state that the address says."""
    workspace = access.get_workspace(request, slug)
    look = asked_look(workspace, request.GET.get("paper", ""))
    found = dashboard.overview(workspace, request.GET.dict(), now=timezone.now())
    if found.document is None:
        raise NotFound("This dashboard has no figures to download yet.")
    return download(found.document, form, look)


def _render(request: AuthedRequest, workspace: Workspace, found: DashboardPage) -> HttpResponse:
    context = {
        "page": found,
        "demo": demo_state(workspace) if found.situation == "empty" else None,
        "may_import": access.can(request, Permission.IMPORT),
    }
    fragment = "preparing" if found.situation == "preparing" else "freshness"
    response = render_page(request, "reports/dashboard.html", context, fragment=fragment)
    if wants_fragment(request) and not found.updating and found.situation == "ready":
        response["HX-Refresh"] = "true"  # it was asked for while figures were awaited: here they are
    return response

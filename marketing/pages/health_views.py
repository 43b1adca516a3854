"""The page Data health. It only reads the report that is kept."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.permissions import Permission
from marketing.demo_data import demo_state
from marketing.pages.health_presenters import health_page
from mmm_project.web import render_page, wants_fragment


@require_safe
def health(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show what is wrong or missing in the data, and what they are ready for."""
    workspace = access.get_workspace(request, slug)
    page = health_page(workspace, request.GET.dict(), now=timezone.now())
    context = {
        "page": page,
        "demo": demo_state(workspace) if page.situation == "empty" else None,
        "may_import": access.can(request, Permission.IMPORT),
    }
    response = render_page(request, "data/health.html", context, fragment="state")
    if wants_fragment(request) and not page.updating:
        response["HX-Refresh"] = "true"  # it was asked for while a report was awaited: here it is
    return response

"""Getting to a workspace: the front door, and making one's first."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import AuthedRequest, get_workspace
from accounts.actions import create_workspace
from accounts.forms import WorkspaceForm, currency_choices, timezone_choices
from accounts.invitations import IN_SESSION
from accounts.navigation import landing_url, last_workspace
from mmm_project.web import render_page


@require_safe
def home(request: AuthedRequest) -> HttpResponse:
    """Go to the workspace used last, else to the first one, else to the invitation one came by, else to making one."""
    workspace = last_workspace(request)
    if workspace is None:
        token = request.session.get(IN_SESSION)
        return redirect("invitation", token=token) if token else redirect("new_workspace")
    return redirect("workspace_home", slug=workspace.slug)


@require_safe
def workspace_home(request: AuthedRequest, slug: str) -> HttpResponse:
    """Go to the workspace's first page."""
    workspace = get_workspace(request, slug)
    if landing := landing_url(request, workspace):
        return redirect(landing)
    return render_page(request, "accounts/workspace_home.html")


@require_http_methods(["GET", "HEAD", "POST"])
def new_workspace(request: AuthedRequest) -> HttpResponse:
    """Ask for a workspace's name, currency and time zone, and create it."""
    form = WorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        workspace = create_workspace(
            name=form.cleaned_data["name"],
            owner=request.user,
            currency=form.cleaned_data["currency"],
            timezone=form.cleaned_data["timezone"],
        )
        return redirect("workspace_home", slug=workspace.slug)
    context = {"form": form, "currencies": currency_choices(), "timezones": timezone_choices()}
    return render_page(request, "accounts/new_workspace.html", context, status=422 if form.is_bound else 200)

"""Loading demo data into an empty workspace, following how far it is, and removing it again."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.permissions import Permission
from marketing import demo_data
from marketing.importing.demo import DemoAlreadyLoaded
from mmm_project import formats
from mmm_project.problems import Conflict, NotPermitted
from mmm_project.web import render_page, wants_fragment


@require_POST
def load_demo(request: AuthedRequest, slug: str) -> HttpResponse:
    """Queue the demo data; the workspace's first page then shows how far it is."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.IMPORT)
    try:
        demo_data.load_demo_data(workspace=workspace, by=request.user)
    except (Conflict, DemoAlreadyLoaded) as refusal:
        messages.error(request, str(refusal))
    return redirect("workspace_home", slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def remove_demo(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask whether the demo data is to go; POST removes it."""
    workspace = access.get_workspace(request, slug)
    if not demo_data.may_remove(request.membership):
        raise NotPermitted("Whoever loaded the demo data, an owner or an admin of the workspace can remove it.")
    if request.method == "POST":
        if demo_data.remove_demo_data(workspace=workspace, by=request.user) is None:
            messages.info(request, "There is no demo data in this workspace.")
        return redirect("workspace_home", slug=slug)
    state = demo_data.demo_state(workspace)
    context = {"demo": state, "rows": formats.count(state.rows, "row")}
    return render_page(request, "marketing/remove_demo.html", context)


@require_safe
def demo_status(request: AuthedRequest, slug: str) -> HttpResponse:
    """Say how far loading or removing is; when it is through, the page that asks shows itself anew."""
    workspace = access.get_workspace(request, slug)
    state = demo_data.demo_state(workspace)
    context = {"demo": state, "may_import": access.can(request, Permission.IMPORT)}
    response = render_page(request, "marketing/demo_status.html", context, fragment="status")
    if wants_fragment(request) and not state.is_moving:
        response["HX-Refresh"] = "true"
    return response

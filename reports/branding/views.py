"""Settings > Branding."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.permissions import Permission
from mmm_project.problems import Invalid, NotFound
from mmm_project.web import render_page
from reports.branding.actions import change_look
from reports.branding.forms import LookForm
from reports.branding.looks import look_of
from reports.branding.preview import preview_of


@require_http_methods(["GET", "HEAD", "POST"])
def branding(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show how the workspace's documents look; POST changes it."""
    workspace = access.get_workspace(request, slug)
    look = look_of(workspace)
    is_asked = request.method == "POST"
    form = LookForm(
        request.POST if is_asked else None,
        request.FILES if is_asked else None,
        initial={"colour": look.colour, "paper": look.paper},
    )
    if is_asked:
        access.require(request, Permission.SETTINGS)
        if form.is_valid():
            asked = form.cleaned_data
            sent = asked["logo"].read() if asked["logo"] else None
            try:
                changed = change_look(workspace=workspace, by=request.user, **(asked | {"logo": sent}))
            except Invalid as refusal:
                for field, sentences in refusal.errors.items():
                    form.add_error(field, list(sentences))
            else:
                messages.success(request, "Saved." if changed else "Nothing was different, so nothing was changed.")
                return redirect("reports:branding", slug=slug)
    context = {
        "form": form,
        "may_change": access.can(request, Permission.SETTINGS),
        "preview": preview_of(workspace, look),
    }
    return render_page(request, "settings/branding.html", context, status=422 if is_asked else 200)


@require_safe
def logo(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show the workspace's logo to its members."""
    look = look_of(access.get_workspace(request, slug))
    if look.logo is None:
        raise NotFound("This workspace has no logo.")
    return HttpResponse(look.logo, content_type="image/png", headers={"Cache-Control": "private, no-cache"})

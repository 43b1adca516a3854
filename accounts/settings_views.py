"""Settings > General."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import AuthedRequest
from accounts.actions import change_settings
from accounts.forms import currency_choices, timezone_choices
from accounts.permissions import Permission
from accounts.settings_forms import GeneralForm
from mmm_project.problems import Invalid
from mmm_project.web import render_page

# Those that the dashboard's figures depend on: it shows the old ones until the new ones are computed.
RECOMPUTED = frozenset({"timezone", "window_days", "channel_grouping"})


@require_http_methods(["GET", "HEAD", "POST"])
def general(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show the workspace's settings; POST changes them."""
    workspace = access.get_workspace(request, slug)
    form = GeneralForm(request.POST if request.method == "POST" else None, workspace=workspace)
    if request.method == "POST":
        access.require(request, Permission.SETTINGS)
        if form.is_valid():
            try:
                changed = change_settings(workspace=workspace, values=form.values, by=request.user)
            except Invalid as refusal:
                form.add_error(None, refusal.detail)
            else:
                messages.success(request, _what_was_done(changed))
                return redirect("settings_general", slug=slug)
    context = {
        "form": form,
        "may_change": access.can(request, Permission.SETTINGS),
        "currencies": currency_choices(),
        "timezones": timezone_choices(),
    }
    return render_page(request, "settings/general.html", context, status=422 if form.is_bound else 200)


def _what_was_done(changed: set[str]) -> str:
    if not changed:
        return "Nothing was different, so nothing was changed."
    if changed & RECOMPUTED:
        return "Saved. The figures are computed again; until they are ready, the dashboard shows the previous ones."
    return "Saved."

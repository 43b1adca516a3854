"""The page that an invitation's link leads to, for people who may not have an account yet."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import invitations
from accounts.invitations import Standing
from accounts.models import Invitation, Membership
from mmm_project.web import HtmxHttpRequest, render_page


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HtmxHttpRequest, token: str) -> HttpResponse:
    """Show what one is invited to, and how to get there; POST accepts it."""
    found = invitations.find(token=token)
    if found is None:
        return render_page(request, "accounts/invitation_ended.html", {"standing": "unknown"}, status=404)
    if _is_member(request, found):
        return redirect("workspace_home", slug=found.workspace.slug)
    standing = invitations.standing_of(found)
    if standing is not Standing.OPEN:
        context = {"standing": standing.value, "invitation": found}
        return render_page(request, "accounts/invitation_ended.html", context, status=410)
    if request.method == "POST" and request.user.is_authenticated:
        membership = invitations.accept(invitation=found, user=request.user)
        role = membership.get_role_display().lower()
        messages.success(request, f"Welcome to {found.workspace.name}. Your role is {role}.")
        return redirect("workspace_home", slug=found.workspace.slug)
    _remember(request, token)
    is_for_me = request.user.is_authenticated and invitations.is_for(found, request.user)
    context = {"invitation": found, "is_for_me": is_for_me, "ways_in": _ways_in(request, found)}
    return render_page(request, "accounts/invitation.html", context)


def _remember(request: HtmxHttpRequest, token: str) -> None:
    """Let the front door lead whoever signs up here back, also where a mail to confirm the address lies between."""
    if not request.user.is_authenticated:
        request.session[invitations.IN_SESSION] = token
    else:
        request.session.pop(invitations.IN_SESSION, None)


def _is_member(request: HtmxHttpRequest, found: Invitation) -> bool:
    user = request.user
    return user.is_authenticated and Membership.objects.filter(workspace=found.workspace, user=user).exists()


def _ways_in(request: HtmxHttpRequest, found: Invitation) -> str:
    """Return the query that brings one back here from signing in or up, with the address filled in."""
    return urlencode({"next": request.path, "email": found.email})

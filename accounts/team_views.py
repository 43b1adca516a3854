"""Settings > Team: members and invitations, and what is done about them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone as clock
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access, invitations, team
from accounts.access import AuthedRequest
from accounts.actions import revoke_invitation
from accounts.invitations import Offer
from accounts.models import Workspace
from accounts.permissions import Permission
from accounts.plans import plan_of
from accounts.seats import seats_taken
from accounts.team_forms import InvitationForm, RoleForm, TransferForm
from mmm_project.problems import Conflict, Invalid, NotPermitted, QuotaExceeded
from mmm_project.web import render_page


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show who belongs to the workspace; POST invites somebody."""
    workspace = access.get_workspace(request, slug)
    form = InvitationForm(request.POST if request.method == "POST" else None, by=request.membership)
    if request.method == "POST":
        access.require(request, Permission.MANAGE_MEMBERS)
        if form.is_valid():
            try:
                offer = invitations.invite(workspace=workspace, by=request.membership, **form.cleaned_data)
            except (Conflict, Invalid, QuotaExceeded) as refusal:
                form.add_error(None, refusal.detail)
            else:
                return _show_offer(request, offer)
    return render_page(
        request, "settings/team.html", _context(request, workspace, form), status=422 if form.is_bound else 200
    )


@require_POST
def send_again(request: AuthedRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Send an invitation again, under a new link and for another week."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.MANAGE_MEMBERS)
    invitation = invitations.find_open(workspace=workspace, invitation_id=invitation_id)
    try:
        offer = invitations.renew(invitation=invitation, by=request.membership)
    except (Conflict, Invalid, NotPermitted, QuotaExceeded) as refusal:
        messages.error(request, refusal.detail)
        return redirect("settings_team", slug=slug)
    return _show_offer(request, offer)


@require_POST
def revoke(request: AuthedRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.MANAGE_MEMBERS)
    invitation = invitations.find_open(workspace=workspace, invitation_id=invitation_id)
    if revoke_invitation(invitation=invitation, by=request.user):
        messages.success(request, f"The invitation of {invitation.email} no longer works.")
    return redirect("settings_team", slug=slug)


@require_POST
def change_role(request: AuthedRequest, slug: str, membership_id: int) -> HttpResponse:
    """Give a member another role."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.MANAGE_MEMBERS)
    member = team.find_member(workspace=workspace, membership_id=membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise Invalid("Choose one of the roles: owner, admin, analyst or viewer.")
    try:
        team.change_role(membership=member, role=form.cleaned_data["role"], by=request.membership)
    except (Conflict, NotPermitted) as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, f"The role of {member.user.email} is now {member.get_role_display().lower()}.")
    return redirect("settings_team", slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: AuthedRequest, slug: str, membership_id: int) -> HttpResponse:
    """Ask whether a member is to go; POST removes them."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.MANAGE_MEMBERS)
    member = team.find_member(workspace=workspace, membership_id=membership_id)
    if request.method != "POST":
        return render_page(request, "settings/team_remove.html", {"member": member})
    try:
        team.remove(membership=member, by=request.membership)
    except (Conflict, NotPermitted) as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, f"{member.user.email} is no longer a member.")
    return redirect("settings_team", slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask whether one means to leave the workspace; POST does."""
    workspace = access.get_workspace(request, slug)
    if request.method != "POST":
        return render_page(request, "settings/team_leave.html")
    try:
        team.leave(membership=request.membership)
    except Conflict as refusal:
        messages.error(request, refusal.detail)
        return redirect("settings_team", slug=slug)
    messages.success(request, f"You have left {workspace.name}.")
    return redirect("home")


@require_http_methods(["GET", "HEAD", "POST"])
def transfer(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask who is to be the owner in one's place; POST makes them so."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.TRANSFER)
    others = team.memberships_to_transfer_to(workspace, by=request.user)
    form = TransferForm(request.POST if request.method == "POST" else None, others=others)
    if request.method == "POST" and form.is_valid():
        member = team.find_member(workspace=workspace, membership_id=form.cleaned_data["member"])
        team.transfer(to=member, by=request.membership)
        messages.success(request, f"{member.user.email} is an owner of {workspace.name} now, and you are an admin.")
        return redirect("settings_team", slug=slug)
    return render_page(
        request, "settings/team_transfer.html", {"form": form, "others": others}, status=422 if form.is_bound else 200
    )


def _context(request: AuthedRequest, workspace: Workspace, form: InvitationForm) -> dict[str, object]:
    may_manage = access.can(request, Permission.MANAGE_MEMBERS)
    return {
        "form": form,
        "may_manage": may_manage,
        "may_transfer": access.can(request, Permission.TRANSFER),
        "members": team.members_seen_by(request.membership),
        "invitations": invitations.open_invitations(workspace).select_related("invited_by") if may_manage else (),
        "now": clock.now(),
        "seats": plan_of(workspace).max_members if may_manage else None,
        "seats_taken": seats_taken(workspace) if may_manage else 0,
    }


def _show_offer(request: AuthedRequest, offer: Offer) -> HttpResponse:
    """Mail the invitation and show its link: here and now, as a redirect would have to keep the token somewhere."""
    link = request.build_absolute_uri(reverse("invitation", kwargs={"token": offer.token}))
    context = {"invitation": offer.invitation, "link": link, "mailed": invitations.send(offer=offer, link=link)}
    response = render_page(request, "settings/invitation_sent.html", context)
    response["Cache-Control"] = "no-store"
    return response

"""Settings > Deliveries: who got what and when, and what can be done where it did not work."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.permissions import Permission
from mmm_project.problems import Problem
from mmm_project.web import render_page
from reports.deliveries import log, outbox
from reports.deliveries.transport import has_mail_server
from reports.models import Delivery


@require_safe
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show the deliveries of the workspace, newest first; `?status=` shows those of one state."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.SCHEDULE_OWN)
    status = request.GET.get("status", "")
    listed = log.deliveries_of(workspace)
    if status in Delivery.Status.values:
        listed = listed.filter(status=status)
    page = Paginator(listed, log.ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "rows": log.rows_of(list(page.object_list), membership=request.membership),
        "page": page,
        "status": status if status in Delivery.Status.values else "",
        "statuses": [(value.value, state.label) for value, state in log.STATES.items()],
        "has_mail_server": has_mail_server(),
        "has_any": bool(page.paginator.count) or Delivery.objects.filter(workspace=workspace).exists(),
    }
    return render_page(request, "reports/deliveries.html", context)


@require_POST
def resend(request: AuthedRequest, slug: str, delivery_id: uuid.UUID) -> HttpResponse:
    """Send a mail once more."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.SCHEDULE_OWN)
    delivery = log.get_delivery(workspace=workspace, delivery_id=delivery_id)
    log.require_change(delivery, request.membership)
    try:
        outbox.resend(delivery=delivery, by=request.user)
    except Problem as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, f"It is being sent to {delivery.email} again.")
    return _back(request, slug)


@require_POST
def enable(request: AuthedRequest, slug: str, recipient_id: int) -> HttpResponse:
    """Let mails go to an address again that was rejected."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.SCHEDULE_OWN)
    recipient = log.get_recipient(workspace=workspace, recipient_id=recipient_id)
    log.require_change_of_recipient(recipient, request.membership)
    outbox.enable(recipient=recipient, by=request.user)
    messages.success(request, f"{recipient.email} gets mails again.")
    return _back(request, slug)


def _back(request: AuthedRequest, slug: str) -> HttpResponse:
    """To the page whose log it was."""
    came_from = request.POST.get("next", "")
    # Only a path: neither another host nor "//host" is one.
    if url_has_allowed_host_and_scheme(came_from, allowed_hosts=None) and came_from.startswith("/"):
        return HttpResponseRedirect(came_from)
    return redirect("reports:deliveries", slug=slug)

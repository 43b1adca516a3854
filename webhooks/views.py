"""Settings > Webhooks: endpoints, what is told to them, and what became of it."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from mmm_project.problems import Conflict, Invalid, NotPermitted
from mmm_project.web import render_page
from webhooks import endpoints, outbox, presenters
from webhooks.addresses import host_of
from webhooks.endpoints import MOST_ENDPOINTS
from webhooks.event_types import DESCRIPTIONS
from webhooks.forms import EndpointForm, choices_of, first_choices
from webhooks.models import Delivery, Endpoint
from webhooks.verification import WITH_THE_LIBRARY, WITHOUT_A_LIBRARY

NOT_YOURS = "Webhooks are for owners and admins of the workspace, who can also change your role."
EXAMPLES = {"with_library": WITH_THE_LIBRARY, "without_library": WITHOUT_A_LIBRARY}


@require_safe
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the workspace's endpoints, and show what they are told and how a message is verified."""
    workspace = _workspace(request, slug)
    cards = [presenters.present_endpoint(endpoint) for endpoint in presenters.endpoints_of(workspace)]
    context = {
        "cards": cards,
        "may_add": len(cards) < MOST_ENDPOINTS,
        "most": MOST_ENDPOINTS,
        "events": [(event, description.when) for event, description in DESCRIPTIONS.items()],
        **EXAMPLES,
    }
    return render_page(request, "webhooks/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask where to send what; POST creates the endpoint and shows its secret, this once."""
    workspace = _workspace(request, slug)
    form = EndpointForm(request.POST if request.method == "POST" else None, initial=first_choices())
    if form.is_bound and form.is_valid():
        try:
            created, secret = endpoints.create_endpoint(workspace=workspace, by=request.user, **form.cleaned_data)
        except Invalid as refusal:
            form.refuse(refusal)
        else:
            return _show_secret(request, created, secret, is_new=True)
    return _editor(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: AuthedRequest, slug: str, endpoint_id: uuid.UUID) -> HttpResponse:
    """Show an endpoint's form; POST saves it."""
    found = _find(request, slug, endpoint_id)
    form = EndpointForm(request.POST if request.method == "POST" else None, initial=choices_of(found))
    if form.is_bound and form.is_valid():
        try:
            endpoints.change_endpoint(endpoint=found, by=request.user, **form.cleaned_data)
        except Invalid as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, "The webhook is saved.")
            return redirect("webhooks:endpoint", slug=slug, endpoint_id=endpoint_id)
    return _editor(request, form, found)


@require_safe
def endpoint(request: AuthedRequest, slug: str, endpoint_id: uuid.UUID) -> HttpResponse:
    """Show an endpoint with the log of what it was told; `?status=` shows deliveries of one state."""
    found = _find(request, slug, endpoint_id)
    asked = request.GET.get("status", "")
    status = asked if asked in Delivery.Status.values else ""
    log = Paginator(presenters.deliveries_of(found, status), presenters.ROWS_ON_A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "card": presenters.present_endpoint(found),
        "rows": presenters.present_rows(log.object_list, found),
        "page": log,
        "status": status,
        "statuses": [(value.value, state.label) for value, state in presenters.DELIVERY_STATES.items()],
        "has_any": bool(log.paginator.count) or presenters.deliveries_of(found).exists(),
    }
    return render_page(request, "webhooks/endpoint.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: AuthedRequest, slug: str, endpoint_id: uuid.UUID) -> HttpResponse:
    """Ask whether the endpoint is to have a new secret; POST makes one and shows it, this once."""
    found = _find(request, slug, endpoint_id)
    if request.method != "POST":
        return render_page(request, "webhooks/rotate.html", {"card": presenters.present_endpoint(found)})
    secret = endpoints.rotate_secret(endpoint=found, by=request.user)
    return _show_secret(request, found, secret, is_new=False)


@require_POST
def disable(request: AuthedRequest, slug: str, endpoint_id: uuid.UUID) -> HttpResponse:
    """Send nothing to it any more."""
    return _do(request, slug, endpoint_id, endpoints.disable_endpoint, "The webhook is disabled.")


@require_POST
def enable(request: AuthedRequest, slug: str, endpoint_id: uuid.UUID) -> HttpResponse:
    """Send events to it again."""
    return _do(request, slug, endpoint_id, endpoints.enable_endpoint, "The webhook gets events again.")


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: AuthedRequest, slug: str, endpoint_id: uuid.UUID) -> HttpResponse:
    """Ask whether an endpoint is to go; POST deletes it."""
    found = _find(request, slug, endpoint_id)
    if request.method != "POST":
        return render_page(request, "webhooks/delete.html", {"card": presenters.present_endpoint(found)})
    endpoints.delete_endpoint(endpoint=found, by=request.user)
    messages.success(request, f"The webhook to {host_of(found.url)} is deleted.")
    return redirect("webhooks:page", slug=slug)


@require_POST
def test(request: AuthedRequest, slug: str, endpoint_id: uuid.UUID) -> HttpResponse:
    """Send it a test event, and go to where its answer will show."""
    found = _find(request, slug, endpoint_id)
    try:
        delivery = endpoints.send_test(endpoint=found, by=request.user)
    except Conflict as refusal:
        messages.error(request, refusal.detail)
        return redirect("webhooks:endpoint", slug=slug, endpoint_id=endpoint_id)
    return redirect("webhooks:message", slug=slug, endpoint_id=endpoint_id, message_id=delivery.message_id)


@require_safe
def message(request: AuthedRequest, slug: str, endpoint_id: uuid.UUID, message_id: str) -> HttpResponse:
    """Show a message to an endpoint; its fragment asks for this address again while something is about to happen."""
    found = _find(request, slug, endpoint_id)
    delivery = presenters.find_delivery(endpoint=found, message_id=message_id)
    context = {
        "card": presenters.present_endpoint(found),
        "page": presenters.present_delivery(delivery, found),
    }
    return render_page(request, "webhooks/message.html", context, fragment="state")


@require_POST
def redeliver(request: AuthedRequest, slug: str, endpoint_id: uuid.UUID, message_id: str) -> HttpResponse:
    """Send a message again."""
    found = _find(request, slug, endpoint_id)
    delivery = presenters.find_delivery(endpoint=found, message_id=message_id)
    try:
        outbox.redeliver(delivery=delivery, by=request.user)
    except Conflict as refusal:
        messages.error(request, refusal.detail)
    return redirect("webhooks:message", slug=slug, endpoint_id=endpoint_id, message_id=message_id)


def _workspace(request: AuthedRequest, slug: str) -> Workspace:
    """Return the workspace, for those who manage what programs may do."""
    workspace = access.get_workspace(request, slug)
    if not access.can(request, Permission.API_KEYS):
        raise NotPermitted(NOT_YOURS)
    return workspace


def _find(request: AuthedRequest, slug: str, endpoint_id: uuid.UUID) -> Endpoint:
    return endpoints.find_endpoint(workspace=_workspace(request, slug), endpoint_id=endpoint_id)


def _editor(request: AuthedRequest, form: EndpointForm, found: Endpoint | None = None) -> HttpResponse:
    context = {"form": form, "card": presenters.present_endpoint(found) if found else None}
    return render_page(request, "webhooks/form.html", context, status=422 if form.is_bound else 200)


def _show_secret(request: AuthedRequest, found: Endpoint, secret: str, *, is_new: bool) -> HttpResponse:
    """Show a secret here and now, as a redirect would have to keep it somewhere."""
    context = {"card": presenters.present_endpoint(found), "secret": secret, "is_new": is_new, **EXAMPLES}
    response = render_page(request, "webhooks/secret.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _do(
    request: AuthedRequest, slug: str, endpoint_id: uuid.UUID, deed: Callable[..., object], sentence: str
) -> HttpResponse:
    """Do something about an endpoint, say what was done or why not, and go back to it."""
    found = _find(request, slug, endpoint_id)
    try:
        deed(endpoint=found, by=request.user)
    except Conflict as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, sentence)
    return redirect("webhooks:endpoint", slug=slug, endpoint_id=endpoint_id)

"""Data > Privacy: find one customer by their key, hand over what is held, erase it.

The key is only ever in the body of a request; addresses and the audit log have its keyed hash.
"""

from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.permissions import Permission
from marketing import privacy
from mmm_project.problems import NotFound
from mmm_project.web import render_page, wants_fragment

WHO_MAY = "Owners and admins of the workspace look customers up, hand out what is held of them, and erase it."


class KeyForm(forms.Form):
    """Asks for a customer's key."""

    key = forms.CharField(
        label="Key of the customer",
        max_length=200,
        help_text="As your files and programs name the customer, such as a user id.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )


class ErasureForm(forms.Form):
    """Asks for confirmation."""

    confirmed = forms.BooleanField(
        label="Erase this customer for good. This cannot be undone.",
        error_messages={"required": "Tick the box to confirm."},
    )


@sensitive_post_parameters("key")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Say how customers are kept, and what has been asked for; POST finds a customer by key."""
    workspace = access.get_workspace(request, slug)
    may = access.can(request, Permission.PRIVACY)
    form = KeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        access.require(request, Permission.PRIVACY)
        if form.is_valid():
            try:
                found = privacy.find_customer(workspace=workspace, key=form.cleaned_data["key"])
            except NotFound as refusal:
                form.add_error("key", refusal.detail)
            else:
                return redirect("marketing:customer", slug=slug, customer_id=found.pk)
    requests = privacy.past_requests(workspace) if may else []
    context = {
        "form": form if may else None,
        "who_may": WHO_MAY,
        "requests": requests,
        "is_moving": any(past.is_moving for past in requests),
    }
    status = 422 if form.is_bound and not wants_fragment(request) else 200
    return render_page(request, "data/privacy.html", context, fragment="requests", status=status)


@never_cache
@require_safe
def customer(request: AuthedRequest, slug: str, customer_id: int) -> HttpResponse:
    """Show what is held of a customer, and what can be done with it."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.PRIVACY)
    found = privacy.get_customer(workspace=workspace, customer_id=customer_id)
    context = {"holding": privacy.holding_of(found), "form": ErasureForm()}
    return render_page(request, "data/privacy_customer.html", context)


@never_cache
@require_POST
def export(request: AuthedRequest, slug: str, customer_id: int) -> StreamingHttpResponse:
    """Download all that is held of a customer as JSON."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.PRIVACY)
    found = privacy.get_customer(workspace=workspace, customer_id=customer_id)
    return StreamingHttpResponse(
        privacy.export_customer(customer=found, by=request.user),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="customer-{found.pk}.json"'},
    )


@require_POST
def erase(request: AuthedRequest, slug: str, customer_id: int) -> HttpResponse:
    """Ask for all that is held of a customer to be erased."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.PRIVACY)
    found = privacy.get_customer(workspace=workspace, customer_id=customer_id)
    form = ErasureForm(request.POST)
    if not form.is_valid():
        context = {"holding": privacy.holding_of(found), "form": form}
        return render_page(request, "data/privacy_customer.html", context, status=422)
    privacy.request_erasure(customer=found, by=request.user)
    messages.success(request, "The customer is being erased. Imports that are already under way are finished first.")
    return redirect("marketing:privacy", slug=slug)

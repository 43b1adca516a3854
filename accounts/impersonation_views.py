"""The way back from viewing as somebody."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts import impersonation
from accounts.access import AuthedRequest


@require_POST
def stop(request: AuthedRequest) -> HttpResponse:
    """Be oneself again, on the page of the person whom one viewed as."""
    person = impersonation.stop(session=request.session, by=request.user, because="the site admin stopped")
    if person is None:
        return redirect("home")
    messages.success(request, f"You are no longer viewing as {person.email}.")
    return redirect("admin:accounts_user_change", person.pk)

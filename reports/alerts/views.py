"""Settings > Alerts."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone as clock
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from mmm_project.problems import Invalid
from mmm_project.web import render_page
from reports.alerts import actions
from reports.alerts.forms import PREVIEW, AlertForm, choices_of, first_choices
from reports.alerts.presenters import present_alert, present_preview, present_rows
from reports.models import Alert


@require_safe
def alerts(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the workspace's alerts with how they stand."""
    workspace = _workspace(request, slug)
    return render_page(request, "settings/alerts.html", {"rows": present_rows(workspace, now=clock.now())})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask what is to be watched and who is to be told; POST tries it on past days, or saves it."""
    workspace = _workspace(request, slug)
    posted = request.POST if request.method == "POST" else None
    form = AlertForm(posted, workspace=workspace, initial=first_choices(request.user))

    def create() -> Alert:
        assert form.settings  # noqa: S101 - the form is valid
        return actions.create_alert(workspace=workspace, settings=form.settings, by=request.membership)

    if alert := _save(request, form, create):
        messages.success(request, f"“{alert.name}” watches from now on.")
        return redirect("reports:alert", slug=slug, alert_id=alert.pk)
    return _editor(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: AuthedRequest, slug: str, alert_id: uuid.UUID) -> HttpResponse:
    """Show an alert's form; POST tries it on past days, or saves it."""
    workspace, found = _find_own(request, slug, alert_id)
    posted = request.POST if request.method == "POST" else None
    form = AlertForm(posted, workspace=workspace, alert=found, initial=choices_of(found))

    def change() -> Alert:
        assert form.settings  # noqa: S101 - the form is valid
        actions.change_alert(alert=found, settings=form.settings, by=request.membership)
        return found

    if _save(request, form, change):
        messages.success(request, f"“{found.name}” is saved.")
        return redirect("reports:alert", slug=slug, alert_id=found.pk)
    return _editor(request, form)


@require_safe
def alert(request: AuthedRequest, slug: str, alert_id: uuid.UUID) -> HttpResponse:
    """Show an alert: what it watches, how it stands, what it noticed and who was told."""
    _, found = _find(request, slug, alert_id)
    page = present_alert(found, request.membership, now=clock.now())
    return render_page(request, "settings/alert.html", {"page": page})


@require_POST
def pause(request: AuthedRequest, slug: str, alert_id: uuid.UUID) -> HttpResponse:
    """Look at nothing for now."""
    _, found = _find_own(request, slug, alert_id)
    if actions.pause_alert(alert=found, by=request.membership):
        messages.success(request, f"“{found.name}” is paused.")
    return redirect("reports:alert", slug=slug, alert_id=alert_id)


@require_POST
def resume(request: AuthedRequest, slug: str, alert_id: uuid.UUID) -> HttpResponse:
    """Watch again."""
    _, found = _find_own(request, slug, alert_id)
    if actions.resume_alert(alert=found, by=request.membership):
        messages.success(request, f"“{found.name}” watches again.")
    return redirect("reports:alert", slug=slug, alert_id=alert_id)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: AuthedRequest, slug: str, alert_id: uuid.UUID) -> HttpResponse:
    """Ask whether an alert is to go; POST deletes it."""
    _, found = _find_own(request, slug, alert_id)
    if request.method != "POST":
        return render_page(request, "settings/alert_delete.html", {"alert": found})
    actions.delete_alert(alert=found, by=request.membership)
    messages.success(request, f"“{found.name}” is deleted.")
    return redirect("reports:alerts", slug=slug)


def _workspace(request: AuthedRequest, slug: str) -> Workspace:
    """Return the workspace, for those who may set up alerts."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.SCHEDULE_OWN)
    return workspace


def _find(request: AuthedRequest, slug: str, alert_id: uuid.UUID) -> tuple[Workspace, Alert]:
    workspace = _workspace(request, slug)
    return workspace, actions.find_alert(workspace=workspace, alert_id=alert_id)


def _find_own(request: AuthedRequest, slug: str, alert_id: uuid.UUID) -> tuple[Workspace, Alert]:
    """Return the workspace and its alert, for those who may change it."""
    workspace, found = _find(request, slug, alert_id)
    if not actions.may_change(found, request.membership):
        access.require(request, Permission.SCHEDULE_ANY)
    return workspace, found


def _save(request: AuthedRequest, form: AlertForm, deed: Callable[[], Alert]) -> Alert | None:
    """Do it if that is asked for and the form is valid; None, with the form saying why, where it was not done."""
    if request.POST.get("action") == PREVIEW or not form.is_valid():
        return None
    try:
        return deed()
    except Invalid as refusal:
        form.refuse(refusal)
        return None


def _editor(request: AuthedRequest, form: AlertForm) -> HttpResponse:
    """The form's page; to HTMX only what the alert would have raised."""
    tries = request.POST.get("action") == PREVIEW
    watched = form.watched
    preview = present_preview(watched, now=clock.now()) if watched else None
    context = {"form": form, "alert": form.alert, "preview": preview, "tries": tries}
    fragment = "preview" if tries else None
    status = 422 if form.is_bound and not tries else 200
    return render_page(request, "settings/alert_form.html", context, fragment=fragment, status=status)

"""Settings > Workspace: take everything along, or delete it."""

from typing import Any

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from jobs.models import Job
from mmm_project.problems import NotFound
from mmm_project.web import render_page
from reports.workspace_deletion import request_deletion
from reports.workspace_export import newest_export, request_export


class DeletionForm(forms.Form):
    """Asks for the workspace's slug, typed, and for the password."""

    slug = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}))
    password = forms.CharField(
        label="Your password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, *args: Any, request: AuthedRequest, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request, self._workspace = request, workspace
        self.fields["slug"].label = f"Type “{workspace.slug}” to confirm"

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug != self._workspace.slug:
            raise forms.ValidationError(f"This is not “{self._workspace.slug}”.")
        return slug

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not ratelimit.consume(self._request, action="reauthenticate", user=self._request.user):
            raise forms.ValidationError("Too many attempts. Wait a minute, then try again.")
        if not self._request.user.check_password(password):
            raise forms.ValidationError("This is not your password.")
        return password


@require_safe
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show how far an export is, and what else can be done with the workspace as a whole."""
    workspace = access.get_workspace(request, slug)
    may_export = access.can(request, Permission.EXPORT_WORKSPACE)
    export = newest_export(workspace) if may_export else None
    context = {
        "may_export": may_export,
        "may_delete": access.can(request, Permission.DELETE_WORKSPACE),
        "export": export,
        "size": filesizeformat(export.size) if export else "",
        "percent": int(export.job.progress * 100) if export else 0,
    }
    return render_page(request, "settings/workspace.html", context, fragment="export")


@require_POST
def export(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask for an export."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.EXPORT_WORKSPACE)
    request_export(workspace=workspace, by=request.user)
    return redirect("settings_workspace", slug=slug)


@require_safe
def export_file(request: AuthedRequest, slug: str) -> FileResponse:
    """Download the newest export."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.EXPORT_WORKSPACE)
    found = newest_export(workspace)
    if found is None or found.path is None:
        raise NotFound("There is no export to download. Exports are kept for 7 days.")
    name = f"{workspace.slug}-{timezone.localdate(found.job.finished_at):%Y-%m-%d}.zip"
    return FileResponse(found.path.open("rb"), as_attachment=True, filename=name)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask whether the workspace is to go; POST deletes it."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.DELETE_WORKSPACE)
    form = DeletionForm(request.POST if request.method == "POST" else None, request=request, workspace=workspace)
    if form.is_valid():
        request_deletion(workspace=workspace, by=request.user)
        messages.success(request, f"“{workspace.name}” is closed, and all that it held is being deleted.")
        return redirect("home")
    context = {"form": form, "running": _running(workspace), "members": workspace.memberships.count()}
    return render_page(request, "settings/workspace_delete.html", context, status=422 if form.is_bound else 200)


def _running(workspace: Workspace) -> int:
    """How many pieces of work will be stopped."""
    return Job.objects.filter(workspace=workspace).exclude(status__in=Job.ENDED).count()

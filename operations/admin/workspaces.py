"""Deleting a workspace in the admin: as its owners do, by a job, and not by one click."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.admin import workspaces
from accounts.models import Workspace
from accounts.site_admins import acting
from mmm_project.admin_rows import confirmed, row_action
from reports.workspace_deletion import request_deletion

# It belongs to accounts, and what deletes it, with all that it holds, is far above that.
admin.site.unregister(Workspace)


class DeletionForm(forms.Form):
    """Asks for the workspace's slug, typed."""

    slug = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}))

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._workspace = workspace
        self.fields["slug"].label = f"Type “{workspace.slug}” to confirm"

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug != self._workspace.slug:
            raise forms.ValidationError(f"This is not “{self._workspace.slug}”.")
        return slug


@admin.register(Workspace)
class WorkspaceAdmin(workspaces.WorkspaceAdmin):
    actions: tuple[str, ...] = (*workspaces.WorkspaceAdmin.actions, "delete_workspace")

    def has_delete_with_all_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may use the action; `has_delete_permission` is about the button that there is not."""
        return acting(request).has_perm("accounts.delete_workspace")

    @row_action("Delete…", permission="delete_with_all")
    def delete_workspace(self, request: HttpRequest, rows: QuerySet[Workspace]) -> HttpResponse | None:
        chosen = list(rows[:2])
        if len(chosen) != 1:
            self.message_user(request, "Workspaces are deleted one at a time.", messages.ERROR)
            return None
        (workspace,) = chosen
        form = DeletionForm(request.POST if confirmed(request) else None, workspace=workspace)
        if not form.is_valid():
            sentence = (
                "Everybody is shut out at once; then a job deletes everything in it. Nothing brings it back; only "
                "the audit log stays."
            )
            return self.ask(
                request, rows, title=f"Delete {workspace.name}", sentence=sentence, button="Delete it", form=form
            )
        request_deletion(workspace=workspace, by=acting(request))
        self.message_user(request, f"“{workspace.name}” is closed, and all that it held is being deleted.")
        return None

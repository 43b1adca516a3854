"""Runs in the admin: to look at, never to edit."""

from django.contrib import admin
from django.http import HttpRequest

from analyses.models import Run


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A read-only list of what was asked, by whom, and how it ended."""

    list_display = ("id", "workspace", "kind", "state", "trigger", "requested_by", "created_at")
    list_filter = ("kind", "job__status", "trigger")
    search_fields = ("id", "workspace__slug", "fingerprint")
    list_select_related = ("workspace", "job", "requested_by")
    date_hierarchy = "created_at"
    # Results can be megabytes of JSON.
    exclude = ("result",)

    @admin.display(ordering="job__status")
    def state(self, run: Run) -> str:
        return run.job.status

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

"""Jobs in the admin: to look at, never to edit."""

from django.contrib import admin
from django.http import HttpRequest

from jobs.models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A read-only list of what runs, waits and failed."""

    list_display = ("id", "workspace", "kind", "status", "phase", "progress", "attempt", "created_at", "error_code")
    list_filter = ("status", "kind", "error_code")
    search_fields = ("=id", "workspace__slug", "error")
    list_select_related = ("workspace",)
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

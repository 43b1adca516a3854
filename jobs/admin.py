"""Jobs in the admin: to look at, never to edit."""

from django.contrib import admin

from jobs.models import Job
from mmm_project.read_only_admin import ReadOnlyAdmin


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """A read-only list of what runs, waits and failed."""

    list_display = ("id", "workspace", "kind", "status", "phase", "progress", "attempt", "created_at", "error_code")
    list_filter = ("status", "kind", "error_code")
    search_fields = ("=id", "workspace__slug", "error")
    list_select_related = ("workspace",)
    date_hierarchy = "created_at"

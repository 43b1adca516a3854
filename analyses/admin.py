"""What a site admin can see of runs. Only `analyses.runs` writes them."""

from typing import ClassVar

from django.contrib import admin

from analyses.models import Run
from mmm_project.read_only_admin import ReadOnlyAdmin


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ("id", "workspace", "kind", "state", "trigger", "requested_by", "created_at", "void")
    list_filter = ("kind", "trigger", "void", "job__status", "workspace")
    search_fields = ("=id", "fingerprint")
    date_hierarchy = "created_at"
    list_select_related: ClassVar = ["workspace", "job", "requested_by"]

    @admin.display(ordering="job__status")
    def state(self, run: Run) -> str:
        return str(run.job.get_status_display())

"""Jobs in the admin: to look at. What asked for one cancels it or asks again: a run, an import, a delivery."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone as clock

from jobs import handlers
from jobs.models import Job
from mmm_project.admin_links import by_workspace, link_to, link_to_row
from mmm_project.read_only_admin import ReadOnlyAdmin

RECENTLY = timedelta(days=30)


class ByKind(admin.SimpleListFilter):
    """Keeps to one kind of work; what kinds there are, no row has to be asked for."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(kind, kind) for kind in handlers.kinds()]

    def queryset(self, _request: HttpRequest, jobs: QuerySet[Job]) -> QuerySet[Job]:
        return jobs.filter(kind=self.value()) if self.value() else jobs


class ByErrorCode(admin.SimpleListFilter):
    """Keeps to one way of failing, of those that there were lately."""

    title = f"error code of the last {RECENTLY.days} days"
    parameter_name = "error_code"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Sequence[tuple[str, str]]:
        recent = Job.objects.filter(status=Job.Status.FAILED, finished_at__gt=clock.now() - RECENTLY)
        codes = recent.order_by("error_code")
        return [(code, code) for code in codes.values_list("error_code", flat=True).distinct() if code]

    def queryset(self, _request: HttpRequest, jobs: QuerySet[Job]) -> QuerySet[Job]:
        return jobs.filter(status=Job.Status.FAILED, error_code=self.value()) if self.value() else jobs


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        *("id", link_to("workspace"), "kind", "status", "phase", "percent", "attempt", "created_at", "finished_at"),
        "error_code",
    )
    # Not by a hierarchy of dates, which would look at every one of a million rows for each page.
    list_filter = ("status", ByKind, ByErrorCode, "created_at", by_workspace)
    search_fields = ("=id", "workspace__slug", "workspace__name", "error")
    list_select_related = ("workspace",)
    readonly_fields = ("carries_out", "percent")
    fields = (
        *("workspace", "kind", "carries_out", "status", "error_code", "error", "phase", "percent", "attempt"),
        *("cancel_requested", "created_at", "rung_at", "started_at", "lease_until", "finished_at"),
    )

    @admin.display(description="progress", ordering="progress")
    def percent(self, job: Job) -> str:
        return f"{job.progress:.0%}"

    @admin.display(description="carries out")
    def carries_out(self, job: Job) -> str:
        """The row of another app that this job is the work of; deliveries come several to a job."""
        for relation in Job._meta.related_objects:
            if relation.one_to_one and relation.name:
                try:
                    return link_to_row(getattr(job, relation.name))
                except ObjectDoesNotExist:
                    continue
        return ""

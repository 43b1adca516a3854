"""What a site admin sees of runs, and can do about them. Only `analyses.runs` writes them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.site_admins import acting
from analyses import registry
from analyses.models import Run
from analyses.requeueing import ENDED_WITHOUT_RESULT, requeue
from jobs.actions import request_cancel
from mmm_project.admin_links import by_workspace, link_to
from mmm_project.admin_rows import answer, row_action
from mmm_project.problems import Conflict
from mmm_project.read_only_admin import ReadOnlyAdmin


class ByKind(admin.SimpleListFilter):
    """Keeps to one kind of question."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(name, registry.get(name).label) for name in registry.names()]

    def queryset(self, _request: HttpRequest, runs: QuerySet[Run]) -> QuerySet[Run]:
        return runs.filter(kind=self.value()) if self.value() else runs


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs without their results, which are the workspace's affair, and may be megabytes."""

    list_display = (
        *("short_id", link_to("workspace"), "kind", "state", "error_code", "trigger", "requested_by", "created_at"),
    )
    list_filter = ("job__status", ByKind, "trigger", "void", by_workspace)
    search_fields = ("=id", "fingerprint", "workspace__slug", "workspace__name", "requested_by__email")
    date_hierarchy = "created_at"
    list_select_related: ClassVar = ["workspace", "job", "requested_by"]
    fields = (
        *("workspace", "kind", "state", "error_code", "error", "job", "params", "trigger", "requested_by", "api_key"),
        *("created_at", "void", "method_version", "data_version", "fingerprint", "artifact", "artifact_bytes"),
    )
    actions = ("requeue", "cancel")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        rows: QuerySet[Run] = super().get_queryset(request)
        return rows.defer("result")

    @admin.display(description="run", ordering="pk")
    def short_id(self, run: Run) -> str:
        return f"{run.pk.hex[:8]} …"

    @admin.display(ordering="job__status")
    def state(self, run: Run) -> str:
        return str(run.job.get_status_display())

    @admin.display(description="error code", ordering="job__error_code")
    def error_code(self, run: Run) -> str:
        return run.job.error_code

    @admin.display
    def error(self, run: Run) -> str:
        return run.job.error

    @row_action("Ask again", applies=lambda run: run.job.status in ENDED_WITHOUT_RESULT)
    def requeue(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        """Ask failed questions again, of the newest data, for whom they were asked."""
        rows = runs.select_related("workspace__subscription__plan", "requested_by", "api_key")
        self.carry_out(request, rows, lambda run: requeue(run=run, by=acting(request)), done="Asked again")

    @row_action("Cancel…", applies=lambda run: not run.job.finished)
    def cancel(self, request: HttpRequest, runs: QuerySet[Run]) -> HttpResponse | None:
        if not answer(forms.Form, request).is_valid():
            sentence = "What waits is taken out of the queue; what is running stops within seconds, without a result."
            return self.ask(request, runs, title="Cancel runs", sentence=sentence, button="Cancel them")

        def stop(run: Run) -> None:
            if not request_cancel(job=run.job, by=acting(request)):
                raise Conflict("It has ended already.")

        self.carry_out(request, runs.select_related("job__workspace"), stop, done="Cancelled")
        return None

"""What a site admin sees of a workspace's data: how it came in and what it is called, never the rows themselves."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join

from accounts.site_admins import acting
from marketing.importing.undo_requests import WAITING, cancel_import
from marketing.importing.uploads import discard_upload
from marketing.models import Channel, Goal, HealthReport, Import, SavedSegment, Upload
from mmm_project.admin_links import by_workspace, link_to
from mmm_project.admin_rows import answer, row_action
from mmm_project.problems import Conflict
from mmm_project.read_only_admin import ReadOnlyAdmin


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    list_display = (
        *("id", link_to("workspace"), "dataset", "status", "file_name", "accepted", "rejected", "duplicates", "origin"),
        *("requested_by", "created_at", "error_code", link_to("job")),
    )
    list_filter = ("status", "dataset", "origin", "job__status", by_workspace)
    search_fields = ("=id", "file_name", "=checksum", "workspace__slug", "workspace__name", "requested_by__email")
    list_select_related: ClassVar = ["workspace", "job", "requested_by"]
    date_hierarchy = "created_at"
    fields = (
        *("workspace", "dataset", "status", "error_code", "error", "job", "file_name", "origin", "layout", "mapping"),
        *("accepted", "rejected", "duplicates", "rejections", "warnings", "first_day", "last_day", "requested_by"),
        *("created_at", "activated_at", "undone_at", "undone_by", "rows_removed_at", "file_removed_at", "checksum"),
    )
    actions = ("cancel",)

    @admin.display(description="error code", ordering="job__error_code")
    def error_code(self, batch: Import) -> str:
        return batch.job.error_code

    @admin.display
    def error(self, batch: Import) -> str:
        return batch.job.error

    @admin.display(description="first rejected cells")
    def rejections(self, batch: Import) -> str:
        """Where they are, and not why: the reasons quote what is in them."""
        cells = ((error["row"], error["column"] or "the whole row") for error in batch.errors)
        return format_html_join(", ", "row {}: {}", cells)

    @row_action("Cancel…", applies=lambda batch: batch.status in WAITING)
    def cancel(self, request: HttpRequest, imports: QuerySet[Import]) -> HttpResponse | None:
        if not answer(forms.Form, request).is_valid():
            sentence = "Nothing of them stays. An import that counts already is undone by the workspace's people."
            return self.ask(request, imports, title="Cancel imports", sentence=sentence, button="Cancel them")
        by, rows = acting(request), imports.select_related("job__workspace", "workspace")
        self.carry_out(request, rows, lambda batch: cancel_import(batch=batch, by=by), done="Cancelled")
        return None


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Files on their way to an import, without the sample of their rows."""

    list_display = (
        *("id", link_to("workspace"), "file_name", "dataset", "size", "origin", "requested_by", "created_at"),
        *(link_to("check_job", "check"), link_to("batch", "import")),
    )
    list_filter = ("dataset", "origin", ("batch", admin.EmptyFieldListFilter), by_workspace)
    search_fields = ("=id", "file_name", "=checksum", "workspace__slug", "workspace__name", "requested_by__email")
    list_select_related: ClassVar = ["workspace", "requested_by", "check_job", "batch"]
    date_hierarchy = "created_at"
    fields = (
        *("workspace", "file_name", "dataset", "layout", "size", "checksum", "mapping", "origin", "requested_by"),
        *("created_at", "check_job", "batch"),
    )
    actions = ("discard",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        rows: QuerySet[Upload] = super().get_queryset(request)
        return rows.defer("findings")

    @row_action("Discard…", applies=lambda upload: upload.batch_id is None)
    def discard(self, request: HttpRequest, uploads: QuerySet[Upload]) -> HttpResponse | None:
        if not answer(forms.Form, request).is_valid():
            sentence = "The files are deleted, and a check that runs is stopped. They have to be uploaded again."
            return self.ask(request, uploads, title="Discard uploads", sentence=sentence, button="Discard them")

        def discard(upload: Upload) -> None:
            if not discard_upload(upload=upload, by=acting(request)):
                raise Conflict("It has been imported, or is gone.")

        rows = uploads.select_related("workspace", "check_job__workspace")
        self.carry_out(request, rows, discard, done="Discarded")
        return None


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    list_display = ("name", link_to("workspace"), "type", link_to("merged_into"))
    list_filter = ("type", ("merged_into", admin.EmptyFieldListFilter), by_workspace)
    search_fields = ("name", "aliases__name", "workspace__slug", "workspace__name")
    list_select_related: ClassVar = ["workspace", "merged_into"]


@admin.register(Goal)
class GoalAdmin(ReadOnlyAdmin):
    list_display = ("name", link_to("workspace"), "kind", "is_default", "archived_at")
    list_filter = ("kind", "is_default", ("archived_at", admin.EmptyFieldListFilter), by_workspace)
    search_fields = ("name", "workspace__slug", "workspace__name")
    list_select_related: ClassVar = ["workspace"]


@admin.register(SavedSegment)
class SavedSegmentAdmin(ReadOnlyAdmin):
    list_display = ("name", link_to("workspace"), "created_by", "created_at", "archived_at")
    list_filter = (("archived_at", admin.EmptyFieldListFilter), by_workspace)
    search_fields = ("name", "workspace__slug", "workspace__name", "created_by__email")
    list_select_related: ClassVar = ["workspace", "created_by"]
    date_hierarchy = "created_at"


@admin.register(HealthReport)
class HealthReportAdmin(ReadOnlyAdmin):
    """When a workspace's data were last looked at; what was found is on its own pages."""

    list_display = ("__str__", link_to("workspace"), "day", "computed_at")
    list_filter = (by_workspace,)
    search_fields = ("workspace__slug", "workspace__name")
    list_select_related: ClassVar = ["workspace"]
    date_hierarchy = "day"
    fields = ("workspace", "day", "computed_at", "data_version")

    def get_queryset(self, request: HttpRequest) -> QuerySet[HealthReport]:
        rows: QuerySet[HealthReport] = super().get_queryset(request)
        return rows.defer("report")

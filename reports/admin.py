"""What a site admin can see of reports, schedules, alerts and mails. Only the product itself writes them."""

from typing import ClassVar

from django.contrib import admin

from mmm_project.read_only_admin import ReadOnlyAdmin
from reports.models import Alert, AlertEvent, Delivery, Edition, Occurrence, Report, Schedule


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ("name", "workspace", "template", "period", "created_by", "updated_at")
    list_filter = ("template", "workspace")
    search_fields = ("name",)
    list_select_related: ClassVar = ["workspace", "created_by"]


@admin.register(Edition)
class EditionAdmin(ReadOnlyAdmin):
    list_display = ("title", "workspace", "start", "end", "state", "trigger", "requested_by", "created_at")
    list_filter = ("trigger", "job__status", "workspace")
    search_fields = ("=id", "title")
    date_hierarchy = "created_at"
    list_select_related: ClassVar = ["workspace", "job", "requested_by"]

    @admin.display(ordering="job__status")
    def state(self, edition: Edition) -> str:
        return str(edition.job.get_status_display())


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ("name", "workspace", "frequency", "time", "zone", "next_run_at", "paused_because", "created_by")
    list_filter = ("frequency", "workspace")
    search_fields = ("name", "recipients__email")
    list_select_related: ClassVar = ["workspace", "created_by"]


@admin.register(Occurrence)
class OccurrenceAdmin(ReadOnlyAdmin):
    list_display = ("schedule", "due_at", "claimed_at", "late", "missed", "manual", "problem")
    list_filter = ("late", "manual", "schedule__workspace")
    date_hierarchy = "due_at"
    list_select_related: ClassVar = ["schedule"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("subject", "email", "workspace", "purpose", "status", "attempts", "error", "created_at", "sent_at")
    list_filter = ("status", "purpose", "workspace")
    search_fields = ("=id", "email", "subject")
    date_hierarchy = "created_at"
    list_select_related: ClassVar = ["workspace"]


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("name", "workspace", "metric", "channel", "condition", "threshold", "paused_at", "created_by")
    list_filter = ("metric", "condition", "workspace")
    search_fields = ("name",)
    list_select_related: ClassVar = ["workspace", "channel", "created_by"]


@admin.register(AlertEvent)
class AlertEventAdmin(ReadOnlyAdmin):
    list_display = ("alert", "day", "value", "low", "high", "mailed", "created_at")
    list_filter = ("mailed", "alert__workspace")
    date_hierarchy = "day"
    list_select_related: ClassVar = ["alert"]

"""What a site admin sees of reports, schedules, alerts and mails, and can do about them."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse

from accounts.models import Membership
from accounts.site_admins import acting, authority_over
from mmm_project.admin_links import by_chosen, by_workspace, link_to, links, list_of
from mmm_project.admin_rows import answer, row_action
from mmm_project.problems import Conflict
from mmm_project.read_only_admin import ReadOnlyAdmin
from reports.deliveries.outbox import enable, resend
from reports.models import Alert, AlertEvent, Delivery, Edition, ExportFile, Occurrence, Recipient, Report, Schedule
from reports.schedules import actions as schedules

IN_WORKSPACE = ("workspace__slug", "workspace__name")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ("name", link_to("workspace"), "template", "period", "created_by", "updated_at")
    list_filter = ("template", by_workspace)
    search_fields = ("name", *IN_WORKSPACE, "created_by__email")
    list_select_related: ClassVar = ["workspace", "created_by"]
    date_hierarchy = "created_at"


@admin.register(Edition)
class EditionAdmin(ReadOnlyAdmin):
    list_display = (
        *(
            "title",
            link_to("workspace"),
            "start",
            "end",
            "state",
            "trigger",
            "requested_by",
            "created_at",
            "error_code",
        ),
        link_to("job"),
    )
    list_filter = ("trigger", "job__status", by_workspace, by_chosen("report"))
    search_fields = ("=id", "title", *IN_WORKSPACE, "requested_by__email")
    date_hierarchy = "created_at"
    list_select_related: ClassVar = ["workspace", "job", "requested_by"]
    fields = (
        *("workspace", "report", "title", "start", "end", "state", "error", "job", "problems", "trigger"),
        *("requested_by", "created_at", "snapshot", "deliveries"),
    )
    readonly_fields = ("deliveries",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Edition]:
        rows: QuerySet[Edition] = super().get_queryset(request)
        return rows.defer("definition")

    @admin.display(ordering="job__status")
    def state(self, edition: Edition) -> str:
        return str(edition.job.get_status_display())

    @admin.display(description="error code", ordering="job__error_code")
    def error_code(self, edition: Edition) -> str:
        return edition.job.error_code

    @admin.display
    def error(self, edition: Edition) -> str:
        return edition.job.error

    @admin.display
    def deliveries(self, edition: Edition) -> str:
        return links(("Who got it", list_of("reports.delivery", edition__id__exact=edition.pk)))


@admin.register(ExportFile)
class ExportFileAdmin(ReadOnlyAdmin):
    """Files that were made in the background."""

    list_display = ("name", link_to("workspace"), "form", "bytes", "requested_by", "created_at", "expires_at")
    list_filter = ("form", "job__status", by_workspace)
    search_fields = ("=id", "name", *IN_WORKSPACE, "requested_by__email")
    list_select_related: ClassVar = ["workspace", "requested_by"]
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExportFile]:
        rows: QuerySet[ExportFile] = super().get_queryset(request)
        return rows.defer("run__result")


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Schedules; a site admin pauses, resumes and sends with an owner's authority, and the owners see who did."""

    list_display = (
        *("name", link_to("workspace"), "frequency", "time", "zone", "next_run_at", "last_due_at", "paused_because"),
        "created_by",
    )
    list_filter = ("frequency", ("paused_at", admin.EmptyFieldListFilter), by_workspace)
    search_fields = ("name", "recipients__email", *IN_WORKSPACE, "created_by__email")
    list_select_related: ClassVar = ["workspace", "created_by"]
    date_hierarchy = "created_at"
    readonly_fields = ("history",)
    actions = ("pause", "resume", "send_now")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        rows: QuerySet[Schedule] = super().get_queryset(request)
        newest = Occurrence.objects.filter(schedule=OuterRef("pk")).order_by("-due_at")
        return rows.annotate(last_due=Subquery(newest.values("due_at")[:1]))

    @admin.display(description="last due at", ordering="last_due")
    def last_due_at(self, schedule: Schedule) -> object:
        return schedule.last_due  # type: ignore[attr-defined]

    @admin.display
    def history(self, schedule: Schedule) -> str:
        return links(
            ("Times that it was due", list_of("reports.occurrence", schedule__id__exact=schedule.pk)),
            ("Recipients", list_of("reports.recipient", schedule__id__exact=schedule.pk)),
            ("Deliveries", list_of("reports.delivery", occurrence__schedule__id__exact=schedule.pk)),
        )

    @row_action("Pause…", applies=lambda schedule: schedule.paused_at is None)
    def pause(self, request: HttpRequest, rows: QuerySet[Schedule]) -> HttpResponse | None:
        if not answer(forms.Form, request).is_valid():
            sentence = "Nothing goes out until somebody resumes them, and what is not sent yet is withdrawn."
            return self.ask(request, rows, title="Pause schedules", sentence=sentence, button="Pause them")

        def pause(schedule: Schedule) -> bool:
            return schedules.pause_schedule(schedule=schedule, by=_authority(request, schedule))

        self.carry_out(request, _whole(rows), pause, done="Paused")
        return None

    @row_action("Resume", applies=lambda schedule: schedule.paused_at is not None)
    def resume(self, request: HttpRequest, rows: QuerySet[Schedule]) -> None:
        def resume(schedule: Schedule) -> bool:
            if because := schedules.why_not(schedule):
                # Otherwise it would be the site admin's, who is no member: the next tick would pause it again.
                raise Conflict(f"{because} An owner of the workspace resumes it, and answers for it from then on.")
            return schedules.resume_schedule(schedule=schedule, by=_authority(request, schedule))

        self.carry_out(request, _whole(rows), resume, done="Resumed")

    @row_action("Send now…")
    def send_now(self, request: HttpRequest, rows: QuerySet[Schedule]) -> HttpResponse | None:
        if not answer(forms.Form, request).is_valid():
            sentence = "All recipients get the report by mail at once, beside its own times."
            return self.ask(request, rows, title="Send reports now", sentence=sentence, button="Send them")

        def send(schedule: Schedule) -> None:
            schedules.send_now(schedule=schedule, by=_authority(request, schedule))

        self.carry_out(request, _whole(rows), send, done="On their way")
        return None


def _whole(rows: QuerySet[Schedule]) -> QuerySet[Schedule]:
    return rows.select_related("workspace__subscription__plan", "report__campaign", "created_by")


def _authority(request: HttpRequest, schedule: Schedule) -> Membership:
    return authority_over(schedule.workspace, by=acting(request))


@admin.register(Occurrence)
class OccurrenceAdmin(ReadOnlyAdmin):
    list_display = (
        *("__str__", link_to("schedule"), "due_at", "claimed_at", "late", "missed", "manual", "problem"),
        link_to("edition"),
    )
    list_filter = ("late", "manual", by_chosen("schedule"), by_chosen("schedule__workspace"))
    search_fields = ("schedule__name", "name", "problem", "schedule__workspace__slug", "schedule__workspace__name")
    date_hierarchy = "due_at"
    list_select_related: ClassVar = ["schedule", "edition"]


@admin.register(Recipient)
class RecipientAdmin(ReadOnlyAdmin):
    """Who gets the mails of a schedule or an alert."""

    list_display = (
        *("email", link_to("schedule"), link_to("alert"), "unsubscribed_at", "removed_at", "rejected_at"),
        "rejected_because",
    )
    list_filter = (
        ("unsubscribed_at", admin.EmptyFieldListFilter),
        ("rejected_at", admin.EmptyFieldListFilter),
        *(by_chosen("schedule"), by_chosen("alert")),
    )
    search_fields = ("email", "schedule__name", "alert__name", "schedule__workspace__slug", "alert__workspace__slug")
    list_select_related: ClassVar = ["schedule", "alert"]
    date_hierarchy = "created_at"
    actions = ("allow",)

    @row_action("Allow mails again", applies=lambda recipient: recipient.rejected_at is not None)
    def allow(self, request: HttpRequest, recipients: QuerySet[Recipient]) -> None:
        """Let mails go to addresses again that a mail server has rejected."""

        def allow(recipient: Recipient) -> bool:
            enable(recipient=recipient, by=acting(request))
            return recipient.rejected_at is not None

        rows = recipients.select_related("schedule__workspace", "alert__workspace")
        self.carry_out(request, rows, allow, done="Allowed")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = (
        *("subject", "email", link_to("workspace"), "purpose", "status", "attempts", "error", "created_at", "sent_at"),
    )
    list_filter = ("status", "purpose", by_workspace, by_chosen("edition"), by_chosen("occurrence__schedule"))
    search_fields = ("=id", "email", "subject", "error", *IN_WORKSPACE)
    date_hierarchy = "created_at"
    list_select_related: ClassVar = ["workspace"]
    fields = (
        *("workspace", "purpose", "subject", "email", "recipient", "status", "error", "attempts", "next_try_at"),
        *("created_at", "sent_at", "edition", "occurrence", "alert_event", "formats", "job", "resend_of"),
        "requested_by",
    )
    actions = ("resend",)

    @row_action("Send again", applies=lambda delivery: delivery.status in ("sent", "failed", "unknown"))
    def resend(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        def send(delivery: Delivery) -> None:
            resend(delivery=delivery, by=acting(request))

        self.carry_out(request, deliveries.select_related("workspace"), send, done="On their way again")


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = (
        *("name", link_to("workspace"), "metric", "channel", "condition", "threshold", "paused_at", "checked_on"),
        "created_by",
    )
    list_filter = ("metric", "condition", ("paused_at", admin.EmptyFieldListFilter), by_workspace)
    search_fields = ("name", "recipients__email", *IN_WORKSPACE, "created_by__email")
    list_select_related: ClassVar = ["workspace", "channel", "created_by"]
    date_hierarchy = "created_at"


@admin.register(AlertEvent)
class AlertEventAdmin(ReadOnlyAdmin):
    list_display = ("__str__", link_to("alert"), "day", "value", "low", "high", "mailed", "created_at")
    list_filter = ("mailed", by_chosen("alert"), by_chosen("alert__workspace"))
    search_fields = ("alert__name", "alert__workspace__slug", "alert__workspace__name")
    date_hierarchy = "day"
    list_select_related: ClassVar = ["alert"]

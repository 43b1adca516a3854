"""When reports go out, to whom, and each time that they did."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Lower

from accounts.models import User, Workspace, validate_timezone
from reports.models.alerts import Alert
from reports.models.editions import Edition
from reports.models.reports import Report


class Schedule(models.Model):
    """A report, or a single analysis, that goes out again and again. Only `reports.schedules` writes it.

    `report`: what goes out; without one it is the analysis `kind` with `params` (a block of
    `reports.blocks.definition`). `next_run_at`: null while paused. `paused_because`: what to tell the owner where the
    product paused it; "" where a person did.
    """

    class Frequency(models.TextChoices):
        DAILY = "daily"
        WEEKLY = "weekly"
        MONTHLY = "monthly"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=100)
    report = models.ForeignKey(Report, models.CASCADE, null=True, blank=True, related_name="schedules")
    kind = models.CharField(max_length=40, blank=True)
    params: Any = models.JSONField(default=dict)
    period = models.CharField(max_length=30)
    formats: Any = models.JSONField(default=list)
    frequency = models.CharField(max_length=10, choices=Frequency.choices)
    weekday = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 is Monday.")
    month_day = models.PositiveSmallIntegerField(null=True, blank=True, help_text="31 is the last day of any month.")
    time = models.TimeField(help_text="By the clock of the zone.")
    zone = models.CharField(max_length=64, validators=[validate_timezone])
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_because = models.TextField(blank=True)
    next_run_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]
        indexes: ClassVar = [models.Index(fields=["next_run_at"], name="schedule_due")]
        constraints: ClassVar = [
            models.UniqueConstraint("workspace", Lower("name"), name="schedule_name_unique"),
            models.CheckConstraint(
                condition=models.Q(report=None) ^ models.Q(kind=""), name="schedule_of_a_report_or_an_analysis"
            ),
            models.CheckConstraint(
                condition=models.Q(next_run_at=None, paused_at__isnull=False)
                | models.Q(next_run_at__isnull=False, paused_at=None),
                name="schedule_runs_or_is_paused",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Occurrence(models.Model):
    """A time at which a schedule was due, and what came of it: each is claimed once.

    `missed`: earlier times since the last one, while nothing ran, that this one stands for. `manual`: somebody sent it
    at once. `name`, `formats`, `recipient_ids`: of the schedule when it was claimed, whatever is changed afterwards;
    who is on its list no more gets nothing all the same. `problem`: why nothing was sent.
    """

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="occurrences")
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField()
    missed = models.PositiveIntegerField(default=0)
    late = models.BooleanField(default=False)
    manual = models.BooleanField(default=False)
    name = models.CharField(max_length=100, blank=True)
    formats: Any = models.JSONField(default=list)
    recipient_ids: Any = models.JSONField(default=list)
    edition = models.ForeignKey(Edition, models.SET_NULL, null=True, related_name="occurrences")
    problem = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-due_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["schedule", "due_at"], name="occurrence_claimed_once")]

    def __str__(self) -> str:
        return f"{self.schedule_id} due {self.due_at:%Y-%m-%d %H:%M}"


class Recipient(models.Model):
    """Somebody who gets the mails of a schedule or of an alert, until they unsubscribe or cannot be reached.

    `removed_at`: taken off the list; the row is kept only of those who have unsubscribed, so that they stay so when
    somebody adds them again.
    """

    schedule = models.ForeignKey(Schedule, models.CASCADE, null=True, related_name="recipients")
    alert = models.ForeignKey(Alert, models.CASCADE, null=True, related_name="recipients")
    email = models.EmailField("e-mail address")
    unsubscribed_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    rejected_at = models.DateTimeField(null=True)
    rejected_because = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["email"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                "schedule", Lower("email"), condition=models.Q(alert=None), name="recipient_once_in_a_schedule"
            ),
            models.UniqueConstraint(
                "alert", Lower("email"), condition=models.Q(schedule=None), name="recipient_once_in_an_alert"
            ),
            models.CheckConstraint(
                condition=models.Q(schedule=None) ^ models.Q(alert=None), name="recipient_of_a_schedule_or_an_alert"
            ),
            models.CheckConstraint(
                condition=models.Q(removed_at=None) | models.Q(unsubscribed_at__isnull=False),
                name="recipient_kept_only_as_unsubscribed",
            ),
        ]

    def __str__(self) -> str:
        return self.email

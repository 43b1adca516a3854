"""Who got what, and when."""

import uuid
from typing import Any, ClassVar

from django.db import models

from accounts.models import User, Workspace
from jobs.models import Job
from reports.models.alerts import AlertEvent
from reports.models.editions import Edition
from reports.models.schedules import Occurrence, Recipient


class Delivery(models.Model):
    """One mail to one person: an outbox row. Only `reports.deliveries` writes it.

    A row is claimed (waiting -> sending) before the mail server is spoken to; one that is found in sending by another
    attempt was interrupted while the mail may have gone out: it becomes `unknown`, and is never sent again by itself.
    `withdrawn`: its recipient unsubscribed, or was removed, before it was sent.
    `formats`: what is attached, or linked. `body`: the text of a notice or an alert, in paragraphs. `recipient`: null
    for notices to owners; their `occurrence` or `alert_event` is the one whose mail came to nothing.
    """

    class Purpose(models.TextChoices):
        REPORT = "report"
        ALERT = "alert"
        NOTICE = "notice"

    class Status(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        REJECTED = "rejected"
        UNKNOWN = "unknown"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="deliveries")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    occurrence = models.ForeignKey(Occurrence, models.SET_NULL, null=True, related_name="deliveries")
    edition = models.ForeignKey(Edition, models.SET_NULL, null=True, related_name="deliveries")
    alert_event = models.ForeignKey(AlertEvent, models.SET_NULL, null=True, related_name="deliveries")
    recipient = models.ForeignKey(Recipient, models.SET_NULL, null=True, related_name="deliveries")
    email = models.EmailField("e-mail address")
    subject = models.CharField(max_length=250)
    body = models.TextField(blank=True)
    formats: Any = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="deliveries")
    # Without the first of them, several copies would each count as the one mail of an occurrence.
    resend_of = models.ForeignKey("self", models.CASCADE, null=True, related_name="resends")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(fields=["status", "next_try_at"], name="delivery_outbox"),
            models.Index(fields=["workspace", "-created_at"], name="delivery_log"),
            models.Index(fields=["status", "-created_at"], name="delivery_by_status"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["occurrence", "email"],
                condition=models.Q(purpose="report", resend_of=None),
                name="delivery_once_per_occurrence",
            ),
            models.UniqueConstraint(
                fields=["alert_event", "email"],
                condition=models.Q(purpose="alert", resend_of=None),
                name="delivery_once_per_alert_event",
            ),
            models.UniqueConstraint(
                fields=["occurrence", "email"],
                condition=models.Q(purpose="notice", resend_of=None),
                name="delivery_one_notice_per_occurrence",
            ),
            models.UniqueConstraint(
                fields=["alert_event", "email"],
                condition=models.Q(purpose="notice", resend_of=None),
                name="delivery_one_notice_per_alert_event",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {self.email} ({self.status})"

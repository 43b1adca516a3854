"""What is watched, and what was noticed."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from accounts.models import User, Workspace
from marketing.models import Channel, Goal


class Alert(models.Model):
    """A metric of the daily figures that is watched. Only `reports.alerts` writes it.

    `channel`: null for all. `goal`: null for the workspace's default one. `condition` `above` or `below`: the metric of
    the last `days` days against `threshold` (account currency, a count, or a ratio); `anomaly`: a day that is not like
    the days before it. `checked_cube` and `checked_on`: the figures and the day of the last look; `checked_until`: the
    last day that was known then. `revision`: grows when something else is watched than before.
    """

    class Metric(models.TextChoices):
        REVENUE = "revenue"
        SPEND = "spend"
        CONVERSIONS = "conversions"
        ROAS = "roas", "ROAS"

    class Condition(models.TextChoices):
        ABOVE = "above", "rises above"
        BELOW = "below", "falls below"
        ANOMALY = "anomaly", "is unlike the days before"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="alerts")
    name = models.CharField(max_length=100)
    metric = models.CharField(max_length=12, choices=Metric.choices)
    channel = models.ForeignKey(Channel, models.CASCADE, null=True, blank=True, related_name="+")
    goal = models.ForeignKey(Goal, models.CASCADE, null=True, blank=True, related_name="+")
    condition = models.CharField(max_length=10, choices=Condition.choices)
    threshold = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    days = models.PositiveSmallIntegerField(default=1)
    revision = models.PositiveIntegerField(default=1)
    watched_from = models.DateField()
    paused_at = models.DateTimeField(null=True, blank=True)
    checked_cube = models.UUIDField(null=True)
    checked_on = models.DateField(null=True)
    checked_until = models.DateField(null=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint("workspace", Lower("name"), name="alert_name_unique"),
            models.CheckConstraint(
                condition=models.Q(condition="anomaly", threshold=None)
                | (~models.Q(condition="anomaly") & models.Q(threshold__isnull=False)),
                name="alert_has_a_threshold_unless_of_anomalies",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AlertEvent(models.Model):
    """Something that an alert noticed about a day: each day once, under each revision of the alert.

    `low`, `high`: what was expected; null for thresholds. `taken_back_at`: when a look found that by later data the
    day would not have raised it; null while it would.
    """

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="events")
    revision = models.PositiveIntegerField(default=1)
    day = models.DateField()
    value = models.FloatField()
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    sentence = models.TextField()
    mailed = models.BooleanField(default=True, help_text="False where the day had its two mails already.")
    taken_back_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-day", "-revision"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "revision", "day"], name="alert_event_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} on {self.day}"

"""What was asked and what came out. Only `analyses.runs` writes these rows."""

import uuid
from typing import ClassVar

from django.db import models

from accounts.models import ApiKey, User, Workspace
from analyses.fields import OrderedJSONField
from jobs.models import Job


class Run(models.Model):
    """A question (kind and params, on one version of the data) and, once its job is done, the answer."""

    class Trigger(models.TextChoices):
        PAGE = "page", "a page"
        API = "api", "the API"
        SCHEDULE = "schedule", "a schedule"
        CLI = "cli", "the command line"
        DATA = "data", "new data"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="runs")
    job = models.OneToOneField(Job, models.RESTRICT, related_name="run")
    kind = models.CharField(max_length=40)
    method_version = models.CharField(max_length=20)
    params = models.JSONField()
    data_version = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    # The job failed or was cancelled, or the artifact was lost: the same question may be asked again.
    void = models.BooleanField(default=False)
    result = OrderedJSONField(null=True)
    artifact = models.CharField(max_length=200, blank=True, help_text="The file of its arrays, below MEDIA_ROOT.")
    artifact_bytes = models.PositiveBigIntegerField(default=0)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "-created_at"], name="run_history"),
            models.Index(fields=["workspace", "kind", "-created_at"], name="run_history_of_kind"),
            models.Index(fields=["kind", "workspace"], condition=models.Q(void=False), name="run_standing_of_kind"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "fingerprint"], condition=models.Q(void=False), name="run_asked_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} run {self.pk}"

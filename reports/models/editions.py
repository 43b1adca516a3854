"""What was made: a report of a period, as it was read then; and files that take a while."""

import uuid
from typing import Any, ClassVar

from django.db import models

from accounts.models import User, Workspace
from analyses.models import Run
from jobs.models import Job
from reports.models.reports import Report


class Edition(models.Model):
    """A report of one period, made once. Only `reports.editions` writes it.

    `definition`: what it was made from (`reports.editions.definition`), with the run of each block. `snapshot`: the
    file of the finished document, below MEDIA_ROOT; "" until the job is done. What has been made never changes,
    whatever becomes of the data.
    """

    class Trigger(models.TextChoices):
        PAGE = "page", "a page"
        API = "api", "the API"
        SCHEDULE = "schedule", "a schedule"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="editions")
    report = models.ForeignKey(Report, models.SET_NULL, null=True, related_name="editions")
    job = models.OneToOneField(Job, models.RESTRICT, related_name="edition")
    title = models.CharField(max_length=200)
    start = models.DateField()
    end = models.DateField()
    definition: Any = models.JSONField()
    snapshot = models.CharField(max_length=200, blank=True)
    problems: Any = models.JSONField(default=list, help_text="Why parts of it could not be made, as sentences.")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [models.Index(fields=["workspace", "-created_at"], name="edition_history")]

    def __str__(self) -> str:
        return f"{self.title}, {self.start} to {self.end}"


class ExportFile(models.Model):
    """A file that is made in the background, as it would keep its page waiting, and kept for a while."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="export_files")
    job = models.OneToOneField(Job, models.RESTRICT, related_name="export_file")
    run = models.ForeignKey(Run, models.CASCADE, related_name="export_files")
    form = models.CharField(max_length=10)
    paper = models.CharField(max_length=10, blank=True)
    name = models.CharField(max_length=255, blank=True)
    path = models.CharField(max_length=200, blank=True, help_text="The file, below MEDIA_ROOT.")
    bytes = models.PositiveBigIntegerField(default=0)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.form} of run {self.run_id}"

"""The batches that rows come in by, and which of them count."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import User, Workspace
from jobs.models import Job


class Dataset(models.TextChoices):
    """The kinds of file that can be imported."""

    TOUCHPOINTS = "touchpoints"
    CONVERSIONS = "conversions"
    SPEND = "spend"
    OUTCOMES = "outcomes"
    CONTROLS = "controls"
    EXPERIMENTS = "experiments"
    MEDIA_TABLE = "media_table"
    EVENTS = "events"
    PATHS = "paths"


class Import(models.Model):
    """One batch of rows that came in together, becomes visible together, and can be taken back together."""

    class Status(models.TextChoices):
        PENDING = "pending"  # waits for its turn
        LOADING = "loading"  # holds the workspace's import lock; selectors do not see its rows
        ACTIVE = "active"
        FAILED = "failed"
        UNDONE = "undone"

    class Origin(models.TextChoices):
        PAGE = "page"
        API = "api"
        CLI = "cli"
        DEMO = "demo"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="imports")
    job = models.OneToOneField(Job, models.RESTRICT, related_name="batch")
    dataset = models.CharField(max_length=20, choices=Dataset.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    file_name = models.CharField(max_length=255)
    stored_file = models.CharField(max_length=500, help_text="Path below MEDIA_ROOT.")
    file_removed_at = models.DateTimeField(null=True, blank=True)  # when its retention had passed
    checksum = models.CharField(max_length=64)
    layout = models.CharField(max_length=40, blank=True, help_text="Code of the export that its header was known as.")
    reading = models.JSONField(default=dict, help_text="How the file is read: `marketing.importing.reading.Reading`.")
    mapping = models.JSONField(default=dict, help_text="Field name -> column name.")
    # Of an ended import, these say what there was; `rows_removed_at` whether its rows are still stored.
    accepted = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)
    duplicates = models.PositiveBigIntegerField(default=0)
    rows_removed_at = models.DateTimeField(null=True, blank=True)
    errors = models.JSONField(default=list, help_text="The first rejected cells: row, column, reason.")
    warnings = models.JSONField(default=list, help_text="Sentences about what was accepted but looks odd.")
    rejects_file = models.CharField(max_length=500, blank=True, help_text="Path below MEDIA_ROOT.")
    first_day = models.DateField(null=True, help_text="The first day that its rows speak of.")
    last_day = models.DateField(null=True)
    # Of rows that have a time: the days above follow the workspace's time zone.
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    created_names = models.JSONField(
        default=dict, help_text="Kind of name -> first and last id of each run of those that it created."
    )
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    idempotency_key = models.CharField(max_length=255, null=True)  # noqa: DJ001 - absent is not the empty key
    # Grows when rows of this import change their `shadowed` flag after activation; part of a snapshot segment's name.
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["workspace", "checksum"], name="import_checksum")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(status="loading"), name="import_one_at_a_time_per_workspace"
            ),
            models.UniqueConstraint(fields=["workspace", "idempotency_key"], name="import_idempotency_key_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} import {self.pk} ({self.status})"


class DatasetVersion(models.Model):
    """An order-independent digest of the active imports that touch a dataset (their XOR), so an undo restores it."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="dataset_versions")
    dataset = models.CharField(max_length=20, choices=Dataset.choices)
    digest = models.CharField(max_length=32, default="0" * 32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "dataset"], name="dataset_version_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} at {self.digest}"


class Upload(models.Model):
    """A file on its way to an import: how it is read, what its columns mean, and what a check of its rows found."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="uploads")
    origin = models.CharField(max_length=10, choices=Import.Origin.choices, default=Import.Origin.PAGE)
    file_name = models.CharField(max_length=255)
    stored_file = models.CharField(max_length=500, help_text="Path below MEDIA_ROOT.")
    size = models.PositiveBigIntegerField("bytes")
    checksum = models.CharField(max_length=64)
    dataset = models.CharField(max_length=20, choices=Dataset.choices, blank=True)
    layout = models.CharField(max_length=40, blank=True, help_text="Code of the export that its header is known as.")
    reading = models.JSONField(default=dict, help_text="How the file is read: `marketing.importing.reading.Reading`.")
    mapping = models.JSONField(default=dict, help_text="Field name -> column name.")
    check_job = models.OneToOneField(Job, models.SET_NULL, null=True, blank=True, related_name="upload")
    findings = models.JSONField(default=dict, help_text="What the last finished check found; {} before.")
    rejects_file = models.CharField(max_length=500, blank=True, help_text="Path below MEDIA_ROOT.")
    batch = models.OneToOneField(Import, models.SET_NULL, null=True, blank=True, related_name="upload")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"upload {self.pk} of {self.file_name}"


class SavedMapping(models.Model):
    """What the columns of one source's files mean, as somebody mapped them last; `signature` is the header's digest."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="saved_mappings")
    signature = models.CharField(max_length=64)
    dataset = models.CharField(max_length=20, choices=Dataset.choices)
    mapping = models.JSONField(default=dict, help_text="Field name -> column name.")
    reading = models.JSONField(default=dict, help_text="What was chosen by hand: decimal sign, order of dates ...")
    used_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "signature"], name="saved_mapping_unique")
        ]

    def __str__(self) -> str:
        return f"mapping of {self.dataset}"

"""An import in JSON."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from rest_framework import serializers

from jobs.models import Job
from marketing.models import Import

COUNTED = (Import.Status.ACTIVE, Import.Status.UNDONE)


class ImportSerializer(serializers.ModelSerializer[Import]):
    """An import's state and counts.

    `accepted` and `duplicates` are null until it counts. `errors`: the first rejected rows, each with its number (from
    1 in a batch; as a spreadsheet counts in a file), the field or the file's column (null: the row as a whole) and the
    reason. `error` is null unless the import failed.
    """

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    phase = serializers.CharField(source="job.phase")
    progress = serializers.FloatField(source="job.progress")
    accepted = serializers.SerializerMethodField()
    duplicates = serializers.SerializerMethodField()
    errors = serializers.SerializerMethodField()  # type: ignore[assignment] # DRF moves fields away from attributes
    error = serializers.SerializerMethodField()
    requested_by = serializers.CharField(source="requested_by.email", default=None)

    class Meta:
        model = Import
        fields: tuple[str, ...] = (
            "id",
            "url",
            "workspace",
            "dataset",
            "status",
            "phase",
            "progress",
            "accepted",
            "rejected",
            "duplicates",
            "errors",
            "warnings",
            "error",
            "first_day",
            "last_day",
            "origin",
            "file_name",
            "idempotency_key",
            "requested_by",
            "created_at",
            "activated_at",
            "undone_at",
        )

    def get_url(self, batch: Import) -> str:
        return reverse("marketing:api_import", kwargs={"import_id": batch.pk})

    def get_accepted(self, batch: Import) -> int | None:
        return batch.accepted if batch.status in COUNTED else None

    def get_duplicates(self, batch: Import) -> int | None:
        return batch.duplicates if batch.status in COUNTED else None

    def get_errors(self, batch: Import) -> list[dict[str, Any]]:
        return [
            {"row": kept["row"], "field": kept["column"] or None, "reason": kept["reason"]} for kept in batch.errors
        ]

    def get_error(self, batch: Import) -> Mapping[str, str] | None:
        if batch.job.status != Job.Status.FAILED:
            return None
        return {"code": batch.job.error_code, "detail": batch.job.error}

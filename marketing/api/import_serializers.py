"""An import in JSON."""

from typing import Any, TypedDict

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.models import Job
from marketing.models import Import

COUNTED = (Import.Status.ACTIVE, Import.Status.UNDONE)


class RejectedRowSerializer(serializers.Serializer[Any]):
    """A row that was rejected, and why."""

    row = serializers.IntegerField(help_text="From 1 in a batch; as a spreadsheet counts in a file.")
    field = serializers.CharField(allow_null=True, help_text="Or the file's column; null: the row as a whole.")
    reason = serializers.CharField()


class WhyFailed(TypedDict):
    """Why an import failed: for programs and for people."""

    code: str
    detail: str


class ImportSerializer(serializers.ModelSerializer[Import]):
    """An import's state and counts."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    phase = serializers.CharField(source="job.phase", allow_blank=True)
    progress = serializers.FloatField(source="job.progress", min_value=0, max_value=1)
    accepted = serializers.SerializerMethodField(help_text="Null until it counts.")
    duplicates = serializers.SerializerMethodField(help_text="Null until it counts.")
    errors = serializers.SerializerMethodField(  # type: ignore[assignment] # DRF moves fields away from attributes
        help_text="The first rejected rows: all of a batch when it is sent, 100 at most later."
    )
    rejects = serializers.SerializerMethodField(help_text="Where all rejected rows are as CSV; null: none are kept.")
    warnings = serializers.ListField(child=serializers.CharField(), help_text="What was accepted but looks odd.")
    error = serializers.SerializerMethodField(help_text="Null unless it failed.")
    requested_by = serializers.CharField(source="requested_by.email", default=None, allow_null=True)

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
            "rejects",
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

    @extend_schema_field(RejectedRowSerializer(many=True))
    def get_errors(self, batch: Import) -> list[dict[str, Any]]:
        return [
            {"row": kept["row"], "field": kept["column"] or None, "reason": kept["reason"]} for kept in batch.errors
        ]

    def get_rejects(self, batch: Import) -> str | None:
        return reverse("marketing:api_import_rejects", kwargs={"import_id": batch.pk}) if batch.rejects_file else None

    def get_error(self, batch: Import) -> WhyFailed | None:
        if batch.job.status != Job.Status.FAILED:
            return None
        return {"code": batch.job.error_code, "detail": batch.job.error}


class RowsRejectedSerializer(serializers.Serializer[Any]):
    """Why a batch was refused: `rows_rejected` with its rows, or `idempotency_key_reused` without any."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.ChoiceField(["rows_rejected", "idempotency_key_reused"])
    rejected = serializers.IntegerField(required=False, help_text="How many rows.")
    errors = RejectedRowSerializer(many=True, required=False)  # type: ignore[assignment]  # as above

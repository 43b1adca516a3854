"""Editions in JSON."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analyses.serializers import RunErrorSerializer
from jobs.models import Job
from reports.blocks.definition import KINDS
from reports.builder.edition_page import CANCELLED
from reports.editions import snapshots
from reports.exports import FORMATS
from reports.models import Edition


class EditionSerializer(serializers.ModelSerializer[Edition]):
    """A report of one period, made once. `problems`: why parts of it could not be made; `error`: why all of it failed.

    `files`: where it is, by format, once it is done.
    """

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    report = serializers.IntegerField(source="report_id", allow_null=True, help_text="Null: of a single analysis.")
    status = serializers.ChoiceField(Job.Status.choices, source="job.status")
    phase = serializers.CharField(source="job.phase", allow_blank=True)
    progress = serializers.FloatField(source="job.progress", min_value=0, max_value=1)
    error = serializers.SerializerMethodField()
    problems = serializers.ListField(child=serializers.CharField())
    files = serializers.SerializerMethodField()
    requested_by = serializers.CharField(source="requested_by.email", default=None, allow_null=True)
    finished_at = serializers.DateTimeField(source="job.finished_at", allow_null=True)

    class Meta:
        model = Edition
        fields: tuple[str, ...] = (
            "id",
            "url",
            "workspace",
            "report",
            "title",
            "start",
            "end",
            "status",
            "phase",
            "progress",
            "error",
            "problems",
            "files",
            "trigger",
            "requested_by",
            "created_at",
            "finished_at",
        )

    def get_url(self, edition: Edition) -> str:
        return reverse("reports:api_edition", kwargs={"edition_id": edition.pk})

    @extend_schema_field(RunErrorSerializer(allow_null=True))
    def get_error(self, edition: Edition) -> dict[str, str] | None:
        job = edition.job
        if not job.finished or job.status == Job.Status.DONE:
            return None
        return {"code": job.error_code or job.status, "detail": job.error or CANCELLED}

    def get_files(self, edition: Edition) -> dict[str, str]:
        if edition.job.status != Job.Status.DONE:
            return {}
        return {
            form: reverse("reports:api_edition_file", kwargs={"edition_id": edition.pk, "form": form})
            for form in FORMATS
        }


class EditionBlockSerializer(serializers.Serializer[Any]):
    """A block of an edition, with the run that answers it. `problem`: why nothing could be asked, "" if it could."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(list(KINDS))
    title = serializers.CharField()
    params = serializers.DictField()
    run = serializers.UUIDField(allow_null=True)
    problem = serializers.CharField(allow_blank=True)


class PartSerializer(serializers.Serializer[Any]):
    """A chapter: `data` as the files of its kind have it, the `text` of its author, or the `problem` why not."""

    kind = serializers.ChoiceField(list(KINDS))
    title = serializers.CharField()
    headline = serializers.CharField(required=False)
    data = serializers.DictField(required=False)  # type: ignore[assignment]  # DRF moves fields away from attributes
    problem = serializers.CharField(required=False)
    text = serializers.CharField(required=False, allow_blank=True)


class EditionDocumentSerializer(serializers.Serializer[Any]):
    """What an edition holds: the same as its JSON file."""

    title = serializers.CharField()
    workspace = serializers.CharField()
    start = serializers.DateField()
    end = serializers.DateField()
    parts = PartSerializer(many=True)


class EditionWithDocumentSerializer(EditionSerializer):
    """An edition with what it is made from, and its document: null until it is done, and where its file is lost."""

    campaign = serializers.SerializerMethodField(help_text="The name of the campaign that it is about.")
    blocks = serializers.SerializerMethodField()
    document = serializers.SerializerMethodField()

    class Meta(EditionSerializer.Meta):
        fields = (*EditionSerializer.Meta.fields, "campaign", "blocks", "document")

    def get_campaign(self, edition: Edition) -> str | None:
        campaign = edition.definition.get("campaign")
        return campaign["name"] if campaign else None

    @extend_schema_field(EditionBlockSerializer(many=True))
    def get_blocks(self, edition: Edition) -> list[Any]:
        return list(EditionBlockSerializer(edition.definition["blocks"], many=True).data)

    @extend_schema_field(EditionDocumentSerializer(allow_null=True))
    def get_document(self, edition: Edition) -> Mapping[str, Any] | None:
        try:
            return snapshots.document_of(edition).data
        except snapshots.SnapshotLost:
            return None

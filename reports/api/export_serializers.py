"""A file that is prepared, in JSON."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analyses.serializers import RunErrorSerializer
from api.serializers import KnownFieldsOnly
from jobs.models import Job
from reports.api.fields import Choice
from reports.exports import FORMATS
from reports.exports.background import place_of
from reports.exports.file_page import CANCELLED, GONE
from reports.models import Branding, ExportFile


class NewExport(KnownFieldsOnly):
    """Which file to prepare."""

    form = Choice(choices=list(FORMATS), help_text="The format.")
    paper = Choice(
        choices=Branding.Paper.choices,
        required=False,
        help_text="Of a PDF or a workbook; the workspace's own if absent.",
    )


class ExportFileSerializer(serializers.ModelSerializer[ExportFile]):
    """A file on its way, ready or failed. `content_url`: where it is, once it is; `error`: why there is none, if so."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    run = serializers.UUIDField(source="run_id")
    form = serializers.ChoiceField(list(FORMATS))
    paper = serializers.SerializerMethodField(help_text="Null: the workspace's own.")
    status = serializers.ChoiceField(Job.Status.choices, source="job.status")
    phase = serializers.CharField(source="job.phase", allow_blank=True)
    progress = serializers.FloatField(source="job.progress", min_value=0, max_value=1)
    error = serializers.SerializerMethodField()
    name = serializers.CharField(allow_blank=True, help_text="Empty until it is ready.")
    bytes = serializers.IntegerField()
    content_url = serializers.SerializerMethodField()
    requested_by = serializers.CharField(source="requested_by.email", default=None, allow_null=True)

    class Meta:
        model = ExportFile
        fields: tuple[str, ...] = (
            "id",
            "url",
            "workspace",
            "run",
            "form",
            "paper",
            "status",
            "phase",
            "progress",
            "error",
            "name",
            "bytes",
            "content_url",
            "requested_by",
            "created_at",
            "expires_at",
        )

    def get_url(self, file: ExportFile) -> str:
        return reverse("reports:api_export_file", kwargs={"file_id": file.pk})

    def get_content_url(self, file: ExportFile) -> str | None:
        return reverse("reports:api_export_content", kwargs={"file_id": file.pk}) if place_of(file) else None

    @extend_schema_field(serializers.ChoiceField(Branding.Paper.choices, allow_null=True))
    def get_paper(self, file: ExportFile) -> str | None:
        return file.paper or None

    @extend_schema_field(RunErrorSerializer(allow_null=True))
    def get_error(self, file: ExportFile) -> dict[str, str] | None:
        job = file.job
        if not job.finished:
            return None
        if job.status != Job.Status.DONE:
            return {"code": job.error_code or job.status, "detail": job.error or CANCELLED}
        return None if place_of(file) else {"code": "gone", "detail": GONE}

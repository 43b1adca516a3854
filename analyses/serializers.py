"""A run in JSON, and the question in a request."""

import json
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from rest_framework import serializers

from analyses.age import is_stale
from analyses.models import Run
from api.serializers import KnownFieldsOnly
from jobs.models import Job


class Question(KnownFieldsOnly):
    """What a client asks: a kind of analysis, its params and, signed in without an API key, the workspace."""

    kind = serializers.CharField(max_length=40)
    params = serializers.DictField(default=dict)
    workspace = serializers.SlugField(required=False)

    def validate_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Refuse text that no database stores: NUL and lone surrogates."""
        text = json.dumps(params, ensure_ascii=False)
        if "\\u0000" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise serializers.ValidationError("Text in params must not contain NUL or surrogate characters.")
        return params


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run's question and state. `error` is null unless the run failed."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    status = serializers.CharField(source="job.status")
    phase = serializers.CharField(source="job.phase")
    progress = serializers.FloatField(source="job.progress")
    error = serializers.SerializerMethodField()
    requested_by = serializers.CharField(source="requested_by.email", default=None)
    started_at = serializers.DateTimeField(source="job.started_at")
    finished_at = serializers.DateTimeField(source="job.finished_at")
    is_stale = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields: tuple[str, ...] = (
            "id",
            "url",
            "workspace",
            "kind",
            "params",
            "status",
            "phase",
            "progress",
            "error",
            "data_version",
            "method_version",
            "trigger",
            "requested_by",
            "created_at",
            "started_at",
            "finished_at",
            "is_stale",
        )

    def get_url(self, run: Run) -> str:
        return reverse("analyses:api_run", kwargs={"run_id": run.pk})

    def get_is_stale(self, run: Run) -> bool:
        """Whether its result is too old to act on."""
        return run.job.status == Job.Status.DONE and is_stale(run)

    def get_error(self, run: Run) -> Mapping[str, str] | None:
        if run.job.status != Job.Status.FAILED:
            return None
        return {"code": run.job.error_code, "detail": run.job.error}


class RunWithResultSerializer(RunSerializer):
    """A run with its answer: numbers in full precision, null until the run is done."""

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "result")

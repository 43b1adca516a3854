"""A run in JSON, and the question in a request."""

import json
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analyses import registry
from analyses.age import is_stale
from analyses.models import Run
from analyses.registry import AnalysisKind
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


class AgainSerializer(KnownFieldsOnly):
    """How to ask a question once more."""

    renew = serializers.BooleanField(default=False)


class KindSerializer(serializers.Serializer[Any]):
    """A kind of question. `scope`: the area whose scopes a key needs for it, such as `weightings`."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF moves fields away from attributes
    method_version = serializers.CharField()
    scope = serializers.SerializerMethodField()
    datasets = serializers.ListField(child=serializers.CharField(), help_text="What a result depends on.")
    can_be_scheduled = serializers.BooleanField()

    def get_scope(self, kind: AnalysisKind) -> str:
        return registry.scope_of(kind.name)


class RunErrorSerializer(serializers.Serializer[Any]):
    """Why a run failed: `code` for programs, `detail` for people."""

    code = serializers.CharField()
    detail = serializers.CharField()


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run's question and state. `error` is null unless the run failed."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    status = serializers.ChoiceField(Job.Status.choices, source="job.status")
    phase = serializers.CharField(source="job.phase", allow_blank=True)
    progress = serializers.FloatField(source="job.progress")
    error = serializers.SerializerMethodField()
    requested_by = serializers.CharField(source="requested_by.email", default=None, allow_null=True)
    started_at = serializers.DateTimeField(source="job.started_at", allow_null=True)
    finished_at = serializers.DateTimeField(source="job.finished_at", allow_null=True)
    is_stale = serializers.SerializerMethodField()

    params = serializers.DictField()

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

    @extend_schema_field(RunErrorSerializer(allow_null=True))
    def get_error(self, run: Run) -> Mapping[str, str] | None:
        if run.job.status != Job.Status.FAILED:
            return None
        return {"code": run.job.error_code, "detail": run.job.error}


@extend_schema_field({"type": ["object", "null"], "additionalProperties": True})
class ResultField(serializers.JSONField):
    """A result, whose members depend on the kind."""


class RunWithResultSerializer(RunSerializer):
    """A run with its answer: numbers in full precision, null until the run is done."""

    result = ResultField(allow_null=True)

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "result")

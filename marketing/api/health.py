"""Data health in the API: the report that is kept of what is wrong or missing."""

from typing import Any, ClassVar, get_args

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from api.views import ApiView
from marketing.health.checks import Severity, Status
from marketing.health.reports import Situation, kept_report, situation_of
from marketing.models import Dataset


class FindingSerializer(serializers.Serializer[Any]):
    """Something wrong or odd: a problem makes answers wrong, a warning may, a note is worth knowing."""

    code = serializers.CharField(help_text="To branch on, such as `missing_days`.")
    severity = serializers.ChoiceField(list(Severity))
    dataset = serializers.ChoiceField(Dataset.choices)
    channel = serializers.CharField(allow_blank=True, help_text="Empty: it is about no single one.")
    series = serializers.CharField(allow_blank=True, help_text="A goal, outcome or control; empty: none in particular.")
    first_day = serializers.DateField(allow_null=True, help_text="Null: it is about all days.")
    last_day = serializers.DateField(allow_null=True)
    count = serializers.IntegerField(help_text="Of what the sentence counts.")
    sentence = serializers.CharField()
    advice = serializers.CharField(allow_blank=True)


class NeedSerializer(serializers.Serializer[Any]):
    """Something that an analysis needs of the data."""

    status = serializers.ChoiceField(list(Status))
    sentence = serializers.CharField()
    advice = serializers.CharField(allow_blank=True)


class ReadinessSerializer(serializers.Serializer[Any]):
    """Whether an analysis can be run: with what there is, with reservations, or not yet."""

    code = serializers.CharField(help_text="Such as `attribution` or `media_mix`.")
    label = serializers.CharField()  # type: ignore[assignment]  # DRF moves fields away from attributes
    status = serializers.ChoiceField(list(Status))
    needs = NeedSerializer(many=True)


class DatasetDaysSerializer(serializers.Serializer[Any]):
    """A dataset as a whole: its rhythm, first and last day, and how many days any of its series lacks."""

    dataset = serializers.ChoiceField(Dataset.choices)
    cadence = serializers.CharField()
    first_day = serializers.DateField(allow_null=True)
    last_day = serializers.DateField(allow_null=True)
    missing = serializers.IntegerField()


class SeriesDaysSerializer(serializers.Serializer[Any]):
    """A channel's spend or touches, a goal, an outcome or a control, day by day."""

    dataset = serializers.ChoiceField(Dataset.choices)
    name = serializers.CharField()
    is_channel = serializers.BooleanField()
    cadence = serializers.CharField()
    states = serializers.CharField(
        allow_blank=True,
        help_text="A letter for each day from the report's first: o has data, m lacks them, l has far less than usual, "
        "n expects none.",
    )


class SeenSerializer(serializers.Serializer[Any]):
    """How much there was to look at."""

    days = serializers.IntegerField()
    channels = serializers.IntegerField()
    touches = serializers.IntegerField()
    conversions = serializers.IntegerField()


class HealthSerializer(serializers.Serializer[Any]):
    """What was found in the data from `first_day` to `last_day`."""

    workspace = serializers.CharField()
    status = serializers.ChoiceField(
        list(get_args(Situation)), help_text="empty: nothing has been imported; preparing: the first report is made."
    )
    computed_at = serializers.DateTimeField(allow_null=True)
    is_outdated = serializers.BooleanField(help_text="Whether data, settings or the day are others now.")
    first_day = serializers.DateField(allow_null=True)
    last_day = serializers.DateField(allow_null=True)
    seen = SeenSerializer(allow_null=True)
    readiness = ReadinessSerializer(many=True)
    findings = FindingSerializer(many=True, help_text="The gravest first.")
    datasets = DatasetDaysSerializer(many=True)
    series = SeriesDaysSerializer(many=True)


class HealthDetail(ApiView):
    """The state of the workspace's data."""

    tag = "Data"
    scopes: ClassVar = {"GET": (Scope.DATA_READ,)}

    @extend_schema(operation_id="getDataHealth", responses=HealthSerializer)
    def get(self, request: Request) -> Response:
        """Return the report on the data: what is missing, late, repeated, out of line or wrongly tagged, and which
        analyses the data are ready for. It is made again in the background when data or settings change.
        """
        kept = kept_report(workspace=self.workspace)
        report = kept.report if kept else None
        said = {
            "workspace": self.workspace.slug,
            "status": situation_of(workspace=self.workspace, kept=kept),
            "computed_at": kept.computed_at if kept else None,
            "is_outdated": kept.is_outdated if kept else False,
            "first_day": report and report.first_day,
            "last_day": report and report.last_day,
            "seen": report and report.seen,
            "readiness": report.readiness if report else [],
            "findings": report.findings if report else [],
            "datasets": report.datasets if report else [],
            "series": report.series if report else [],
        }
        return Response(self.represent(said, HealthSerializer))

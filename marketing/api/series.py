"""Outcomes and controls in the API: what the series are that rows give values of."""

from typing import ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Permission
from accounts.scopes import Scope
from api.serializers import KnownFieldsOnly
from api.views import ApiView, RowView
from marketing.api.fields import LineField
from marketing.goals import change_outcome
from marketing.models import Control, Outcome

READ, WRITE = (Scope.DATA_READ, Scope.SETTINGS_READ), (Scope.SETTINGS_WRITE,)
LONGEST_NAME = 100


class OutcomeSeriesSerializer(serializers.ModelSerializer[Outcome]):
    """A business outcome that is measured over time. `is_money`: its values are in the workspace's currency."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")

    class Meta:
        model = Outcome
        fields = ("id", "url", "workspace", "name", "kind", "is_money")

    def get_url(self, outcome: Outcome) -> str:
        return reverse("marketing:api_outcome_series", kwargs={"outcome_id": outcome.pk})


class ControlSeriesSerializer(serializers.ModelSerializer[Control]):
    """Something besides media that moves outcomes."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")

    class Meta:
        model = Control
        fields = ("id", "url", "workspace", "name")

    def get_url(self, control: Control) -> str:
        return reverse("marketing:api_control_series", kwargs={"control_id": control.pk})


class OutcomeSeriesChanges(KnownFieldsOnly):
    """What is to be changed of an outcome; what is left out stays."""

    name = LineField(required=False, max_length=LONGEST_NAME)
    kind = serializers.ChoiceField(Outcome.Kind.choices, required=False)
    is_money = serializers.BooleanField(required=False)


class OutcomeSeriesList(ApiView):
    """The workspace's outcomes."""

    tag = "Settings"
    scopes: ClassVar = {"GET": READ}
    ordering = "id"
    queryset = Outcome.objects.none()

    @extend_schema(operation_id="listOutcomeSeries", responses=OutcomeSeriesSerializer)
    def get(self, request: Request) -> Response:
        """List the outcomes that rows name. Their values are under `/outcomes/`."""
        return self.paged(_outcomes().filter(workspace=self.workspace), OutcomeSeriesSerializer)


class OutcomeSeriesDetail(RowView[Outcome]):
    """One outcome, and changing what it is."""

    tag = "Settings"
    scopes: ClassVar = {"GET": READ, "PATCH": WRITE}
    needs: ClassVar = {"PATCH": Permission.SETTINGS}
    missing = "There is no such outcome."
    lookup_url_kwarg = "outcome_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Outcome]:
        return _outcomes()

    @extend_schema(operation_id="getOutcomeSeries", responses=OutcomeSeriesSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the outcome."""
        return Response(self.represent(self.row, OutcomeSeriesSerializer))

    @extend_schema(operation_id="changeOutcomeSeries", request=OutcomeSeriesChanges, responses=OutcomeSeriesSerializer)
    def patch(self, request: Request, **_: object) -> Response:
        """Give the outcome another name, kind or unit. Rows that still say the old name bring a second outcome.

        A name that is another outcome's is refused.
        """
        asked, outcome = self.read(OutcomeSeriesChanges), self.row
        change_outcome(
            outcome=outcome,
            name=asked.get("name", outcome.name),
            kind=asked.get("kind", outcome.kind),
            is_money=asked.get("is_money", outcome.is_money),
            by=self.user,
            api_key=self.key,
        )
        return Response(self.represent(outcome, OutcomeSeriesSerializer))


class ControlSeriesList(ApiView):
    """The workspace's controls."""

    tag = "Settings"
    scopes: ClassVar = {"GET": READ}
    ordering = "id"
    queryset = Control.objects.none()

    @extend_schema(operation_id="listControlSeries", responses=ControlSeriesSerializer)
    def get(self, request: Request) -> Response:
        """List the controls that rows name. Their values are under `/controls/`."""
        return self.paged(_controls().filter(workspace=self.workspace), ControlSeriesSerializer)


class ControlSeriesDetail(RowView[Control]):
    """One control."""

    tag = "Settings"
    scopes: ClassVar = {"GET": READ}
    missing = "There is no such control."
    lookup_url_kwarg = "control_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Control]:
        return _controls()

    @extend_schema(operation_id="getControlSeries", responses=ControlSeriesSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the control."""
        return Response(self.represent(self.row, ControlSeriesSerializer))


def _outcomes() -> QuerySet[Outcome]:
    return Outcome.objects.select_related("workspace")


def _controls() -> QuerySet[Control]:
    return Control.objects.select_related("workspace")

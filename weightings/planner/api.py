"""Scenarios in the API: keep a plan, read what it would bring, rename it, remove it."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Permission
from accounts.scopes import Scope
from api.serializers import KnownFieldsOnly, ProblemSerializer
from api.views import ApiView, RowView, created
from mmm_project.problems import Invalid, NotFound
from weightings.models import Scenario
from weightings.planner import scenarios
from weightings.planner.finding import get_run

MOST_SPEND = 1e12
MOST_PERIODS = 1000
READ, WRITE = (Scope.WEIGHTINGS_READ,), (Scope.WEIGHTINGS_WRITE,)
MAY_EDIT = Permission.SCENARIOS
FILE_IS_GONE = "The file of the run's model is gone, so that nothing can be computed from it."


class NewScenario(KnownFieldsOnly):
    """A plan to keep: spend by channel over the period that the run reports, or over its last `horizon` periods."""

    run = serializers.UUIDField(help_text="A finished weightings run.")
    name = serializers.CharField(max_length=scenarios.LONGEST_NAME)
    spend = serializers.DictField(
        child=serializers.FloatField(min_value=0, max_value=MOST_SPEND),
        allow_empty=False,
        help_text="By channel, in the workspace's currency; it names every channel of the model.",
    )
    horizon = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=MOST_PERIODS
    )


class NewName(KnownFieldsOnly):
    """What can be changed of a scenario."""

    name = serializers.CharField(max_length=scenarios.LONGEST_NAME)


class PlanSerializer(serializers.Serializer[Any]):
    """A plan as it is kept: spend by channel over `periods` (null: those that the run reports), and its limits."""

    periods = serializers.IntegerField(allow_null=True)
    spend = serializers.DictField(child=serializers.FloatField())
    locks = serializers.ListField(child=serializers.CharField(), help_text="Channels that keep their spend.")
    limits = serializers.DictField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2)
    )
    is_fixed = serializers.BooleanField(help_text="Whether the total stays when one channel is changed.")
    objective = serializers.CharField()
    goal = serializers.CharField()
    target = serializers.FloatField(allow_null=True)
    override = serializers.BooleanField()


class ScenarioSerializer(serializers.ModelSerializer[Scenario]):
    """A plan that is kept under a name, on the run of the model that it was made with."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    run = serializers.UUIDField(source="run_id")
    plan = PlanSerializer()

    class Meta:
        model = Scenario
        fields: tuple[str, ...] = ("id", "url", "name", "workspace", "run", "created_at", "updated_at", "plan")

    def get_url(self, scenario: Scenario) -> str:
        return reverse("weightings:api_scenario", kwargs={"scenario_id": scenario.pk})


class SummarySerializer(serializers.Serializer[Any]):
    """A posterior's median and mean, and the ends of its interval; null where there is none, as without spend."""

    median = serializers.FloatField(allow_null=True)
    mean = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class ChannelOutlookSerializer(serializers.Serializer[Any]):
    """What a channel adds. `extrapolated`: more in some period than the data ever had."""

    channel = serializers.CharField()
    spend = serializers.FloatField()
    multiplier = serializers.FloatField(help_text="Of its current spend.")
    added = SummarySerializer()
    per_spend = SummarySerializer()
    extrapolated = serializers.BooleanField()


class OutlookSerializer(serializers.Serializer[Any]):
    """What a plan brings, in the outcome's unit; `difference` and `probability_better` against the current plan."""

    spend = serializers.FloatField()
    outcome = SummarySerializer()
    added = SummarySerializer()
    per_spend = SummarySerializer()
    difference = SummarySerializer()
    probability_better = serializers.FloatField()
    channels = ChannelOutlookSerializer(many=True)


class PeriodSerializer(serializers.Serializer[Any]):
    """First and last day."""

    start = serializers.DateField()
    end = serializers.DateField()


class ScenarioWithOutlookSerializer(ScenarioSerializer):
    """A plan, and what it would bring beside the current one. `doubts`: why nothing is to be decided by the model."""

    horizon = PeriodSerializer()
    confidence = serializers.IntegerField(allow_null=True)
    doubts = serializers.CharField(allow_blank=True)
    current = OutlookSerializer()
    planned = OutlookSerializer()

    class Meta(ScenarioSerializer.Meta):
        fields = (*ScenarioSerializer.Meta.fields, "horizon", "confidence", "doubts", "current", "planned")

    def to_representation(self, scenario: Scenario) -> dict[str, Any]:
        """Return those members that are asked for. Raises Conflict where nothing can be computed."""
        # Here, not above: it brings SciPy, which the start of the web server must not wait for.
        from weightings.planner.pages import scenario_json

        said = scenario_json(scenario)
        return {name: said[name] for name in map(str, self.fields)}


class KeptScenarioSerializer(ScenarioWithOutlookSerializer):
    """A plan that was kept; what it would bring is left out for keys that may not read."""

    horizon = PeriodSerializer(required=False)
    confidence = serializers.IntegerField(allow_null=True, required=False)
    doubts = serializers.CharField(allow_blank=True, required=False)
    current = OutlookSerializer(required=False)
    planned = OutlookSerializer(required=False)


class ScenarioList(ApiView):
    """The workspace's scenarios, and keeping another."""

    tag = "Weightings"
    scopes: ClassVar = {"GET": READ, "POST": WRITE}
    needs: ClassVar = {"POST": MAY_EDIT}
    ordering = "-id"
    queryset = Scenario.objects.none()

    @extend_schema(operation_id="listScenarios", responses=ScenarioSerializer)
    def get(self, request: Request) -> Response:
        """List scenarios without what they would bring, the newest first."""
        return self.paged(scenarios.known(self.workspace), ScenarioSerializer)

    @extend_schema(operation_id="createScenario", request=NewScenario, responses={201: KeptScenarioSerializer})
    def post(self, request: Request) -> Response:
        """Keep a plan under a name, and return what it would bring. 409 where the model's file is gone.

        What it would bring is left out for keys that may not read it.
        """
        from weightings.planner.pages import plan_of_spend  # SciPy, as above

        asked = self.read(NewScenario)
        try:
            run = get_run(self.workspace, asked["run"])
        except NotFound as refusal:  # named in the body: as if it had never been
            raise Invalid(refusal.detail, errors={"run": [refusal.detail]}) from refusal
        plan = plan_of_spend(run, asked["spend"], asked["horizon"])
        kept = scenarios.create(run=run, name=asked["name"], plan=plan, by=self.user, api_key=self.key)
        may_read = self.key is None or Scope.WEIGHTINGS_READ in self.key.scopes
        return created(self.represent(kept, ScenarioWithOutlookSerializer if may_read else ScenarioSerializer))


class ScenarioDetail(RowView[Scenario]):
    """One scenario."""

    tag = "Weightings"
    scopes: ClassVar = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}
    needs: ClassVar = {"PATCH": MAY_EDIT, "DELETE": MAY_EDIT}
    missing = "There is no such scenario."
    lookup_url_kwarg = "scenario_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Scenario]:
        return Scenario.objects.select_related("workspace", "run__workspace", "run__job", "created_by")

    @extend_schema(
        operation_id="getScenario",
        responses={200: ScenarioWithOutlookSerializer, 409: OpenApiResponse(ProblemSerializer, FILE_IS_GONE)},
    )
    def get(self, request: Request, **_: object) -> Response:
        """Return the plan, and what it would bring beside the current one."""
        return Response(self.represent(self.row, ScenarioWithOutlookSerializer))

    @extend_schema(operation_id="renameScenario", request=NewName, responses=ScenarioSerializer)
    def patch(self, request: Request, **_: object) -> Response:
        """Rename it."""
        name = self.read(NewName)["name"]
        scenarios.rename(scenario=self.row, name=name, by=self.user, api_key=self.key)
        return Response(self.represent(self.row, ScenarioSerializer))

    @extend_schema(operation_id="deleteScenario", request=None, responses={204: None})
    def delete(self, request: Request, **_: object) -> Response:
        """Remove it; the run stays."""
        scenarios.delete(scenario=self.row, by=self.user, api_key=self.key)
        return Response(status=204)

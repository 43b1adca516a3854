"""Goals in the API: what counts as a conversion."""

from collections.abc import Callable
from typing import ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Permission
from accounts.scopes import Scope
from api import filters
from api.serializers import KnownFieldsOnly
from api.views import ApiView, RowView, created
from marketing import goals as actions
from marketing.api.fields import LineField
from marketing.models import Goal

READ, WRITE = (Scope.DATA_READ, Scope.SETTINGS_READ), (Scope.SETTINGS_WRITE,)
CHANGING = Permission.SETTINGS
LONGEST_NAME = 100


class GoalSerializer(serializers.ModelSerializer[Goal]):
    """A goal. An archived one keeps its conversions, but is not offered any more."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")

    class Meta:
        model = Goal
        fields = ("id", "url", "workspace", "name", "kind", "is_default", "archived_at")

    def get_url(self, goal: Goal) -> str:
        return reverse("marketing:api_goal", kwargs={"goal_id": goal.pk})


class NewGoal(KnownFieldsOnly):
    """A goal to be made."""

    name = LineField(max_length=LONGEST_NAME, help_text="As rows of conversions call it.")
    kind = serializers.ChoiceField(
        Goal.Kind.choices, default=Goal.Kind.OTHER, help_text="A sale has a value; “Leads” counts those of kind lead."
    )


class GoalChanges(KnownFieldsOnly):
    """What is to be changed of a goal; what is left out stays."""

    name = LineField(required=False, max_length=LONGEST_NAME)
    kind = serializers.ChoiceField(Goal.Kind.choices, required=False)


class GoalFilter(filters.Filters):
    """Which goals to list."""

    kind = filters.ChoiceFilter(choices=Goal.Kind.choices)
    archived = filters.BooleanFilter(
        "archived_at", "isnull", exclude=True, help_text="true: only archived goals; false: only those on offer."
    )


class GoalList(ApiView):
    """The workspace's goals, and adding one."""

    tag = "Settings"
    scopes: ClassVar = {"GET": READ, "POST": WRITE}
    needs: ClassVar = {"POST": CHANGING}
    filterset_class = GoalFilter
    ordering = "id"
    queryset = Goal.objects.none()

    @extend_schema(operation_id="listGoals", responses=GoalSerializer)
    def get(self, request: Request) -> Response:
        """List goals, archived ones among them, as they were made."""
        return self.paged(_goals().filter(workspace=self.workspace), GoalSerializer)

    @extend_schema(
        operation_id="createGoal",
        request=NewGoal,
        responses={201: GoalSerializer},
        examples=[OpenApiExample("A lead", {"name": "Demo booked", "kind": "lead"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Add a goal. A name that is, or was, another goal's is refused: earlier results call that one so."""
        asked = self.read(NewGoal)
        goal = actions.add_goal(workspace=self.workspace, **asked, by=self.user, api_key=self.key)
        return created(self.represent(goal, GoalSerializer))


class OfAGoal(RowView[Goal]):
    """One goal."""

    tag = "Settings"
    missing = "There is no such goal."
    lookup_url_kwarg = "goal_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Goal]:
        return _goals()

    def carry_out(self, deed: Callable[..., None]) -> Response:
        """Do something about the goal, and return it as it is stored then."""
        deed(goal=self.row, by=self.user, api_key=self.key)
        return Response(self.represent(_goals().get(pk=self.row.pk), GoalSerializer))


class GoalDetail(OfAGoal):
    """A goal, changing and deleting it."""

    scopes: ClassVar = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}
    needs: ClassVar = {"PATCH": CHANGING, "DELETE": CHANGING}

    @extend_schema(operation_id="getGoal", responses=GoalSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the goal."""
        return Response(self.represent(self.row, GoalSerializer))

    @extend_schema(operation_id="changeGoal", request=GoalChanges, responses=GoalSerializer)
    def patch(self, request: Request, **_: object) -> Response:
        """Give the goal another name or kind. Rows that still say the old name bring a second goal."""
        asked, goal = self.read(GoalChanges), self.row
        actions.change_goal(
            goal=goal,
            name=asked.get("name", goal.name),
            kind=asked.get("kind", goal.kind),
            by=self.user,
            api_key=self.key,
        )
        return Response(self.represent(goal, GoalSerializer))

    @extend_schema(operation_id="deleteGoal", responses={204: None})
    def delete(self, request: Request, **_: object) -> Response:
        """Delete a goal that no conversion has. 409 for the default goal and for one in use: archive that."""
        actions.delete_goal(goal=self.row, by=self.user, api_key=self.key)
        return Response(status=204)


class MakeGoalDefault(OfAGoal):
    """Choosing the default goal."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": CHANGING}

    @extend_schema(operation_id="makeGoalDefault", responses={200: GoalSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Let this be the goal of dashboards, and of conversions that name none. 409 for an archived one."""
        return self.carry_out(actions.make_default)


class ArchiveGoal(OfAGoal):
    """Putting a goal away."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": CHANGING}

    @extend_schema(operation_id="archiveGoal", responses={200: GoalSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Offer the goal no more; its conversions and the runs about it stay. 409 for the default goal."""
        return self.carry_out(actions.archive_goal)


class RestoreGoal(OfAGoal):
    """Taking a goal out again."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": CHANGING}

    @extend_schema(operation_id="restoreGoal", responses={200: GoalSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Offer an archived goal again."""
        return self.carry_out(actions.restore_goal)


def _goals() -> QuerySet[Goal]:
    return Goal.objects.select_related("workspace")

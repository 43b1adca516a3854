"""Where a call leads, a workspace's settings, and what it uses of its plan."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import access
from accounts.actions import change_settings
from accounts.defaults import LONGEST_PERIOD_DAYS, LONGEST_WINDOW_DAYS, attribution_models
from accounts.models import Workspace, validate_currency, validate_timezone
from accounts.permissions import Permission
from accounts.plans import plan_of
from accounts.scopes import Scope
from accounts.usage import usage_of
from api.serializers import KnownFieldsOnly
from api.views import ApiView, RowView

SETTINGS_READ, SETTINGS_WRITE = (Scope.SETTINGS_READ,), (Scope.SETTINGS_WRITE,)


class KeySerializer(serializers.Serializer[Any]):
    """The key that asks, without its secret."""

    name = serializers.CharField()
    key = serializers.SerializerMethodField(help_text="How the key begins and ends.")
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices))
    expires_at = serializers.DateTimeField(allow_null=True)

    def get_key(self, key: Any) -> str:
        return f"mmm_{key.lookup}...{key.last4}"


class WorkspaceSerializer(serializers.ModelSerializer[Workspace]):
    """A workspace and its defaults for every analysis. `role` is the caller's, `plan` the code of its plan."""

    url = serializers.SerializerMethodField()
    plan = serializers.SerializerMethodField()

    class Meta:
        model = Workspace
        fields = (
            "slug",
            "url",
            "name",
            "currency",
            "timezone",
            "week_start",
            "period_days",
            "window_days",
            "confidence",
            "channel_grouping",
            "default_attribution_model",
            "keep_files_days",
            "plan",
            "created_at",
        )

    def get_url(self, workspace: Workspace) -> str:
        return reverse("api:workspace", kwargs={"slug": workspace.slug})

    def get_plan(self, workspace: Workspace) -> str:
        return plan_of(workspace).code


def _checked_by(validate: Any) -> Any:
    """Return a validator of REST framework that holds a value to one of Django's."""

    def check(value: str) -> None:
        try:
            validate(value)
        except ValidationError as refusal:
            raise serializers.ValidationError(refusal.messages) from refusal

    return check


class SettingsChanges(KnownFieldsOnly):
    """Settings of a workspace to change; what is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    currency = serializers.RegexField(
        "^[A-Z]{3}$",
        required=False,
        validators=[_checked_by(validate_currency)],
        help_text="An ISO 4217 code; fixed once amounts have been imported.",
    )
    timezone = serializers.CharField(
        max_length=64,
        required=False,
        validators=[_checked_by(validate_timezone)],
        help_text="An IANA name, such as Europe/Berlin.",
    )
    week_start = serializers.ChoiceField(Workspace.WeekStart.choices, required=False, help_text="0 is Monday.")
    period_days = serializers.IntegerField(min_value=1, max_value=LONGEST_PERIOD_DAYS, required=False)
    window_days = serializers.IntegerField(min_value=1, max_value=LONGEST_WINDOW_DAYS, required=False)
    confidence = serializers.ChoiceField([80, 90, 95, 99], required=False)
    channel_grouping = serializers.ChoiceField(Workspace.Grouping.choices, required=False)
    default_attribution_model = serializers.CharField(max_length=60, required=False)
    keep_files_days = serializers.ChoiceField([0, 7, 30, 90, 365], required=False)

    def validate_default_attribution_model(self, model: str) -> str:
        offered = [name for _group, choices in attribution_models(self.context["workspace"]) for name, _ in choices]
        if model not in offered:
            raise serializers.ValidationError(f"“{model}” is not one of: {', '.join(offered)}.")
        return model


class RootSerializer(serializers.Serializer[Any]):
    """Who asks, and of which workspace."""

    workspace = WorkspaceSerializer()
    role = serializers.CharField(help_text="The caller's, which a key never goes beyond.")
    user = serializers.EmailField(help_text="Whose key it is, or who is signed in.")
    key = KeySerializer(allow_null=True, help_text="Null for a signed-in browser.")


class UsedSerializer(serializers.Serializer[Any]):
    """A number against the plan's limit; null: by agreement."""

    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True)


class UsageSerializer(serializers.Serializer[Any]):
    """What a workspace uses of its plan. Months are the workspace's, days of API calls UTC's."""

    plan = serializers.CharField(source="plan.code")
    features = serializers.ListField(child=serializers.CharField(), source="plan.features")
    rows = UsedSerializer()
    seats = UsedSerializer(help_text="Members and open invitations.")
    runs_this_month = UsedSerializer()
    fits_now = UsedSerializer(help_text="Models that are being fitted at this moment.")
    api_calls_a_minute = serializers.IntegerField(source="plan.api_calls_a_minute", help_text="The limit of each key.")
    api_calls_today = serializers.IntegerField()
    api_calls_this_month = serializers.IntegerField()


class Root(ApiView):
    """Who asks."""

    tag = "Account"
    scopes: ClassVar = {"GET": tuple(Scope)}

    @extend_schema(operation_id="getRoot", responses=RootSerializer)
    def get(self, request: Request) -> Response:
        """Return the workspace, role and key of this call: to see that a key works, and what for."""
        said = {
            "workspace": self.workspace,
            "role": request.membership.role,  # type: ignore[attr-defined]
            "user": self.user.email,
            "key": self.key,
        }
        return Response(self.represent(said, RootSerializer))


class WorkspaceList(ApiView):
    """The caller's workspaces."""

    tag = "Account"
    names_workspace = False
    scopes: ClassVar = {"GET": SETTINGS_READ}
    ordering = "id"
    queryset = Workspace.objects.none()

    def enter(self) -> Workspace:
        """Enter whichever: the list names them all."""
        mine = self._mine().first()
        return access.get_workspace(self.request, mine.slug if mine else "")

    @extend_schema(operation_id="listWorkspaces", responses=WorkspaceSerializer)
    def get(self, request: Request) -> Response:
        """List the workspaces that the caller may enter. A key has one."""
        return self.paged(self._mine(), WorkspaceSerializer)

    def _mine(self) -> QuerySet[Workspace]:
        mine = Workspace.objects.filter(memberships__user=self.user).select_related("subscription__plan")
        return mine.filter(pk=self.key.workspace_id) if self.key else mine.order_by("pk")


class OfAWorkspace(RowView[Workspace]):
    """One workspace, by its slug."""

    tag = "Account"
    missing = "There is no such workspace, or you are not a member of it."
    lookup_field = "slug"

    def rows(self) -> QuerySet[Workspace]:
        return Workspace.objects.select_related("subscription__plan")

    def workspace_of(self, row: Workspace) -> Workspace:
        return row


class WorkspaceDetail(OfAWorkspace):
    """A workspace's settings."""

    scopes: ClassVar = {"GET": SETTINGS_READ, "PATCH": SETTINGS_WRITE}
    needs: ClassVar = {"PATCH": Permission.SETTINGS}

    @extend_schema(operation_id="getWorkspace", responses=WorkspaceSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the workspace's settings, which are the defaults of every analysis."""
        return Response(self.represent(self.row, WorkspaceSerializer))

    @extend_schema(operation_id="changeWorkspace", request=SettingsChanges, responses=WorkspaceSerializer)
    def patch(self, request: Request, **_: object) -> Response:
        """Change settings. Figures that depend on the time zone, window or grouping are computed again."""
        changes = self.read(SettingsChanges)
        change_settings(workspace=self.row, values=changes, by=self.user, api_key=self.key)
        return Response(self.represent(self.row, WorkspaceSerializer))

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "workspace": getattr(self, "row", None)}


class WorkspaceUsage(OfAWorkspace):
    """What a workspace uses of its plan."""

    scopes: ClassVar = {"GET": SETTINGS_READ}

    @extend_schema(operation_id="getUsage", responses=UsageSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the plan's limits, and how much of them is used."""
        return Response(self.represent(usage_of(self.row), UsageSerializer))

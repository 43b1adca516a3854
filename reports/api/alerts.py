"""Alerts in the API: watch a metric, see what was noticed, change, pause and remove it."""

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone as clock
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import access
from accounts.models import Workspace
from accounts.permissions import Permission
from api import filters
from api.views import RowView, created
from marketing.models import Channel, Goal
from reports.alerts import actions
from reports.alerts.series import SeriesReader
from reports.api.alert_serializers import (
    AlertChanges,
    AlertEventSerializer,
    AlertSerializer,
    AlertWithEventsSerializer,
    NewAlert,
)
from reports.api.base import READ, WRITE, OfReports
from reports.api.fields import named
from reports.api.filters import WholeNumberFilter
from reports.deliveries.recipients import listed
from reports.models import Alert, AlertEvent

MAY = Permission.SCHEDULE_OWN
SET = ("name", "metric", "condition", "threshold", "days", "channel", "goal")
EXAMPLE = OpenApiExample(
    "Spend that falls away",
    value={
        "name": "Search stands still",
        "metric": "spend",
        "channel": 12,
        "condition": "below",
        "threshold": "100.00",
        "days": 7,
        "recipients": ["ann@example.com"],
    },
    request_only=True,
)


class AlertFilter(filters.Filters):
    """Which alerts to list."""

    metric = filters.ChoiceFilter(choices=Alert.Metric.choices)
    channel = WholeNumberFilter("channel_id", help_text="Those about this channel.")
    paused = filters.BooleanFilter("paused_at", "isnull", exclude=True, help_text="Whether they are paused.")


class EventFilter(filters.Filters):
    """Which events of an alert to list."""

    day_after = filters.DateFilter("day", "gte", help_text="About this day or a later one.")
    day_before = filters.DateFilter("day", "lt", help_text="About a day before this one.")


class OfAlerts(OfReports):
    """An address about alerts, which are held against the daily figures."""

    @functools.cached_property
    def figures(self) -> SeriesReader:
        """The figures of the workspace: read once, however many alerts there are."""
        return SeriesReader(self.workspace, now=clock.now())


class AlertList(OfAlerts):
    """The workspace's alerts, and setting up another."""

    scopes: ClassVar = {"GET": READ, "POST": WRITE}
    needs: ClassVar = {"GET": MAY, "POST": MAY}
    filterset_class = AlertFilter
    ordering = ("-created_at", "-id")
    queryset = Alert.objects.none()

    @extend_schema(operation_id="listAlerts", responses=AlertSerializer)
    def get(self, request: Request) -> Response:
        """List alerts, newest first, each with how it stands."""
        return self.paged(_alerts().filter(workspace=self.workspace), AlertSerializer)

    @extend_schema(
        operation_id="createAlert", request=NewAlert, responses={201: AlertWithEventsSerializer}, examples=[EXAMPLE]
    )
    def post(self, request: Request) -> Response:
        """Watch a metric from yesterday on, and tell the recipients by mail when it is raised.

        `above` and `below` need a threshold; `anomaly`, a day that is unlike the days before, has none.
        """
        asked = self.read(NewAlert)
        settings = _settings(asked, self.workspace, {"threshold": None, "days": 1, "channel": None, "goal": None})
        alert = actions.create_alert(workspace=self.workspace, settings=settings, by=self.membership, api_key=self.key)
        return created(self.represent(_alerts().get(pk=alert.pk), AlertWithEventsSerializer))


class OfAnAlert(OfAlerts, RowView[Alert]):
    """One alert. Whoever may set up alerts sees all of them, and changes their own or, if allowed to, any."""

    missing = "There is no such alert."
    lookup_url_kwarg = "alert_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Alert]:
        return _alerts()

    def require_change(self) -> None:
        """Raise NotPermitted unless the member may change this alert."""
        if not actions.may_change(self.row, self.membership):
            access.require(self.request, Permission.SCHEDULE_ANY)

    def represented(self) -> Any:
        """Return the alert as it is stored now."""
        return self.represent(_alerts().get(pk=self.row.pk), AlertWithEventsSerializer)


class AlertDetail(OfAnAlert):
    """An alert as it is set up, and what it noticed."""

    scopes: ClassVar = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}
    needs: ClassVar = {"GET": MAY, "PATCH": MAY, "DELETE": MAY}

    @extend_schema(operation_id="getAlert", responses=AlertWithEventsSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the alert, how it stands, and what it noticed lately."""
        return Response(self.represent(self.row, AlertWithEventsSerializer))

    @extend_schema(operation_id="changeAlert", request=AlertChanges, responses=AlertWithEventsSerializer)
    def patch(self, request: Request, **_: object) -> Response:
        """Change what is given: what is watched, or who is told; `recipients` are all of the list.

        Where it watches something else than before, it does so from yesterday on, and what it noticed before no longer
        counts. Your own alerts, or, as an owner or admin, everybody's.
        """
        self.require_change()
        asked = self.read(AlertChanges)
        before = {name: getattr(self.row, name) for name in SET}
        before["recipients"] = list(listed(self.row).order_by("pk").values_list("email", flat=True))
        settings = _settings(asked, self.workspace, before)
        actions.change_alert(alert=self.row, settings=settings, by=self.membership, api_key=self.key)
        return Response(self.represented())

    @extend_schema(operation_id="deleteAlert", request=None, responses={204: None})
    def delete(self, request: Request, **_: object) -> Response:
        """Remove the alert with its recipients and events."""
        self.require_change()
        actions.delete_alert(alert=self.row, by=self.membership, api_key=self.key)
        return Response(status=204)


class AlertPause(OfAnAlert):
    """Looking at nothing for now."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": MAY}

    @extend_schema(operation_id="pauseAlert", responses=AlertWithEventsSerializer)
    def post(self, request: Request, **_: object) -> Response:
        """Look at nothing until it is resumed. One that is paused stays so."""
        self.require_change()
        actions.pause_alert(alert=self.row, by=self.membership, api_key=self.key)
        return Response(self.represented())


class AlertResume(OfAnAlert):
    """Watching again."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": MAY}

    @extend_schema(operation_id="resumeAlert", responses=AlertWithEventsSerializer)
    def post(self, request: Request, **_: object) -> Response:
        """Watch again, from yesterday on."""
        self.require_change()
        actions.resume_alert(alert=self.row, by=self.membership, api_key=self.key)
        return Response(self.represented())


class AlertEvents(OfAnAlert):
    """What an alert noticed."""

    scopes: ClassVar = {"GET": READ}
    needs: ClassVar = {"GET": MAY}
    filterset_class = EventFilter
    ordering = ("-day", "-id")
    queryset = AlertEvent.objects.none()

    @extend_schema(operation_id="listAlertEvents", responses=AlertEventSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """List all that the alert noticed, the newest day first."""
        return self.paged(self.row.events.select_related("alert"), AlertEventSerializer)


def _alerts() -> QuerySet[Alert]:
    """The alerts with all that is said of them, in as many queries however many there are."""
    related = ("workspace", "channel", "goal", "created_by")
    return Alert.objects.select_related(*related).prefetch_related("recipients", "events")


def _settings(asked: Mapping[str, Any], workspace: Workspace, before: Mapping[str, Any]) -> actions.Settings:
    """Return the settings that the actions take. Raises Invalid for a channel or goal that there is not."""
    wanted = {**before, **asked}
    for name, model in (("channel", Channel), ("goal", Goal)):
        if name in asked:
            sentence = f"There is no such {name} in this workspace."
            rows = model._default_manager.filter(workspace=workspace)
            wanted[name] = named(rows, asked[name], field=name, sentence=sentence)
    if asked.get("condition") == Alert.Condition.ANOMALY and "threshold" not in asked:
        wanted["threshold"] = None
    return actions.Settings(**wanted)

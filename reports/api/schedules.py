"""Schedules in the API: set one up, change, pause and remove it, send it at once, and see what came of it."""

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from django.utils import timezone as clock
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import access
from accounts.permissions import Permission
from api import filters
from api.views import RowView, created
from mmm_project.problems import Invalid
from reports.api.base import READ, WRITE, OfReports, accepted
from reports.api.edition_serializers import EditionSerializer
from reports.api.filters import WholeNumberFilter
from reports.api.schedule_bodies import settings_from, where_refused
from reports.api.schedule_serializers import (
    NewSchedule,
    OccurrenceSerializer,
    ScheduleChanges,
    ScheduleSerializer,
    UpcomingSerializer,
    next_times,
)
from reports.models import Edition, Occurrence, Schedule
from reports.schedules import actions
from reports.schedules.contents import ANALYSES
from reports.schedules.outcomes import with_mails
from reports.schedules.presenters import present_next

MAY = Permission.SCHEDULE_OWN
MOST_UPCOMING = 100
EXAMPLE = OpenApiExample(
    "Every Monday",
    value={
        "name": "Week in figures",
        "kind": "dashboard",
        "period": "previous_week",
        "formats": ["pdf", "xlsx"],
        "frequency": "weekly",
        "weekday": 0,
        "time": "09:00",
        "zone": "Europe/Berlin",
        "recipients": ["ann@example.com", "bob@example.com"],
    },
    request_only=True,
)


class ScheduleFilter(filters.Filters):
    """Which schedules to list."""

    report = WholeNumberFilter("report_id", help_text="Those that send this report.")
    kind = filters.ChoiceFilter(choices=[(name, name) for name in ANALYSES], help_text="Those of a single analysis.")
    paused = filters.BooleanFilter("paused_at", "isnull", exclude=True, help_text="Whether they are paused.")
    recipient = filters.CharFilter(
        method="on_list", help_text="Those with this address on their list, in capitals or not."
    )

    def on_list(self, rows: QuerySet[Schedule], _name: str, address: str) -> QuerySet[Schedule]:
        """Narrow to those that this address is a recipient of."""
        return rows.filter(recipients__email__iexact=address, recipients__removed_at=None)


class ScheduleList(OfReports):
    """The workspace's schedules, and setting up another."""

    scopes: ClassVar = {"GET": READ, "POST": WRITE}
    needs: ClassVar = {"GET": MAY, "POST": MAY}
    filterset_class = ScheduleFilter
    ordering = ("-created_at", "-id")
    queryset = Schedule.objects.none()

    @extend_schema(operation_id="listSchedules", responses=ScheduleSerializer)
    def get(self, request: Request) -> Response:
        """List schedules, newest first, each with what came of it last."""
        return self.paged(_schedules().filter(workspace=self.workspace), ScheduleSerializer)

    @extend_schema(
        operation_id="createSchedule", request=NewSchedule, responses={201: ScheduleSerializer}, examples=[EXAMPLE]
    )
    def post(self, request: Request) -> Response:
        """Let a report, or a single analysis, go out again and again from its next time on.

        It is yours: you answer for it, and are told by mail when it fails. 403 where the plan lacks what it sends.
        """
        asked = self.read(NewSchedule)
        settings = settings_from(asked, workspace=self.workspace)
        try:
            schedule = actions.create_schedule(
                workspace=self.workspace, settings=settings, by=self.membership, api_key=self.key
            )
        except Invalid as refusal:
            raise where_refused(refusal, asked) from refusal
        return created(self.represent(_schedules().get(pk=schedule.pk), ScheduleSerializer))


class OfASchedule(OfReports, RowView[Schedule]):
    """One schedule. Whoever may schedule reports sees all of them, and changes their own or, if allowed to, any."""

    missing = "There is no such schedule."
    lookup_url_kwarg = "schedule_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Schedule]:
        return _schedules()

    def require_change(self) -> None:
        """Raise NotPermitted unless the member may change this schedule."""
        if not actions.may_change(self.row, self.membership):
            access.require(self.request, Permission.SCHEDULE_ANY)

    def represented(self) -> Any:
        """Return the schedule as it is stored now."""
        return self.represent(_schedules().get(pk=self.row.pk), ScheduleSerializer)


class ScheduleDetail(OfASchedule):
    """A schedule as it is set up."""

    scopes: ClassVar = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}
    needs: ClassVar = {"GET": MAY, "PATCH": MAY, "DELETE": MAY}

    @extend_schema(operation_id="getSchedule", responses=ScheduleSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the schedule as it is set up, its next times, and what came of the last one."""
        return Response(self.represent(self.row, ScheduleSerializer))

    @extend_schema(operation_id="changeSchedule", request=ScheduleChanges, responses=ScheduleSerializer)
    def patch(self, request: Request, **_: object) -> Response:
        """Change what is given: what goes out, when, or to whom; `recipients` are all of the list.

        Another frequency needs its own day, and drops the day of the one before. What has been due already still goes
        out as it was. Your own schedules, or, as an owner or admin, everybody's.
        """
        self.require_change()
        asked = self.read(ScheduleChanges)
        settings = settings_from(asked, workspace=self.workspace, schedule=self.row)
        try:
            actions.change_schedule(schedule=self.row, settings=settings, by=self.membership, api_key=self.key)
        except Invalid as refusal:
            raise where_refused(refusal, asked) from refusal
        return Response(self.represented())

    @extend_schema(operation_id="deleteSchedule", request=None, responses={204: None})
    def delete(self, request: Request, **_: object) -> Response:
        """Remove the schedule. What it made and the log of its mails stay; whoever set it up is told."""
        self.require_change()
        actions.delete_schedule(schedule=self.row, by=self.membership, api_key=self.key)
        return Response(status=204)


class SchedulePause(OfASchedule):
    """Sending nothing for now."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": MAY}

    @extend_schema(operation_id="pauseSchedule", responses=ScheduleSerializer)
    def post(self, request: Request, **_: object) -> Response:
        """Send nothing until it is resumed; mails that still wait are withdrawn. One that is paused stays so."""
        self.require_change()
        actions.pause_schedule(schedule=self.row, by=self.membership, api_key=self.key)
        return Response(self.represented())


class ScheduleResume(OfASchedule):
    """Letting a paused schedule go out again."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": MAY}

    @extend_schema(operation_id="resumeSchedule", responses=ScheduleSerializer)
    def post(self, request: Request, **_: object) -> Response:
        """Let it go out again from its next time on. 409 where nobody would get it."""
        self.require_change()
        actions.resume_schedule(schedule=self.row, by=self.membership, api_key=self.key)
        return Response(self.represented())


class ScheduleSendNow(OfASchedule):
    """Sending a schedule at once."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": MAY}

    @extend_schema(operation_id="sendScheduleNow", responses={202: OccurrenceSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Send it to its recipients at once, beside its times: 202, with the edition that is made as `Location`.

        409 within a minute of the last time that somebody did, and where nobody would get it.
        """
        self.require_change()
        sent = actions.send_now(schedule=self.row, by=self.membership, api_key=self.key)
        body = self.represent(sent, OccurrenceSerializer)
        return accepted(body, at=body["edition_url"])


class SchedulePreview(OfASchedule):
    """Making what a schedule would send."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": MAY}

    @extend_schema(operation_id="previewSchedule", responses={202: EditionSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Make what would go out now, without a mail: 202 with the edition."""
        edition = actions.preview(schedule=self.row, by=self.membership, trigger=Edition.Trigger.API, api_key=self.key)
        return accepted(self.represent(edition, EditionSerializer))


class UpcomingQuery(serializers.Serializer[Any]):
    """How much to say of what is to come."""

    number = serializers.IntegerField(default=3, min_value=1, max_value=MOST_UPCOMING, help_text="Of times.")


class ScheduleUpcoming(OfASchedule):
    """When a schedule goes out."""

    scopes: ClassVar = {"GET": READ}
    needs: ClassVar = {"GET": MAY}
    parameters: ClassVar = {"GET": ("number",)}

    @extend_schema(
        operation_id="listUpcomingTimes", parameters=[UpcomingQuery], responses=UpcomingSerializer(many=False)
    )
    def get(self, request: Request, **_: object) -> Response:
        """Return the next times of the schedule and the days that each will cover, also while it is paused."""
        asked = UpcomingQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        schedule, now = self.row, clock.now()
        next_ = present_next(actions.recurrence_of(schedule), schedule.workspace, schedule.period, now=now)
        upcoming = {
            "paused": schedule.paused_at is not None,
            "when": next_.when,
            "warnings": next_.warnings,
            "results": next_times(schedule, asked.validated_data["number"], now=now),
        }
        return Response(self.represent(upcoming, UpcomingSerializer))


class ScheduleOccurrences(OfASchedule):
    """What came of a schedule."""

    scopes: ClassVar = {"GET": READ}
    needs: ClassVar = {"GET": MAY}
    ordering = ("-due_at", "-id")
    queryset = Occurrence.objects.none()

    @extend_schema(operation_id="listOccurrences", responses=OccurrenceSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """List the times at which the schedule was due, newest first, each with what came of it."""
        return self.paged(with_mails(self.row.occurrences.all()), OccurrenceSerializer)


def _schedules() -> QuerySet[Schedule]:
    """The schedules with all that is said of them, in as many queries however many there are."""
    newest = with_mails(Occurrence.objects.order_by("-due_at"))[:1]
    related = ("workspace", "report__campaign", "created_by")
    fetched = ("recipients", Prefetch("occurrences", queryset=newest, to_attr="newest"))
    return Schedule.objects.select_related(*related).prefetch_related(*fetched)

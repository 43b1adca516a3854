"""Reports in the API: put one together, change, copy and remove it, and have it made."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Permission
from api import filters
from api.views import RowView, created
from marketing.models import Campaign
from mmm_project.problems import Invalid
from reports.api.base import READ, WRITE, OfReports, accepted
from reports.api.edition_serializers import EditionSerializer
from reports.api.editions import EditionFilter
from reports.api.fields import named
from reports.api.filters import WholeNumberFilter
from reports.api.report_serializers import NewReport, ReportChanges, ReportSerializer
from reports.builder import actions
from reports.builder.listing import editions_of
from reports.models import Edition, Report

MAY_EDIT = Permission.REPORTS
EXAMPLE = OpenApiExample(
    "A weekly note",
    value={
        "name": "Weekly note",
        "period": "previous_week",
        "comparison": "previous",
        "blocks": [
            {"kind": "text", "title": "Summary", "params": {"text": "Spring sale until Sunday."}},
            {"kind": "dashboard"},
            {"kind": "attribution", "extent": "full", "params": {"model": ["last", "linear"]}},
        ],
    },
    request_only=True,
)


class ReportFilter(filters.Filters):
    """Which reports to list."""

    campaign = WholeNumberFilter("campaign_id", help_text="Those about this campaign.")
    created_after = filters.IsoDateTimeFilter("created_at", "gte", help_text="Begun at this time or later.")
    created_before = filters.IsoDateTimeFilter("created_at", "lt", help_text="Begun before this time.")


class ReportList(OfReports):
    """The workspace's reports, and beginning another."""

    scopes: ClassVar = {"GET": READ, "POST": WRITE}
    needs: ClassVar = {"POST": MAY_EDIT}
    filterset_class = ReportFilter
    ordering = ("-created_at", "-id")
    queryset = Report.objects.none()

    @extend_schema(operation_id="listReports", responses=ReportSerializer)
    def get(self, request: Request) -> Response:
        """List reports, newest first."""
        return self.paged(_reports().filter(workspace=self.workspace), ReportSerializer)

    @extend_schema(
        operation_id="createReport", request=NewReport, responses={201: ReportSerializer}, examples=[EXAMPLE]
    )
    def post(self, request: Request) -> Response:
        """Begin a report with blocks, with a template, or with nothing. 403 where the plan lacks what a block needs.

        A template has its own period and comparison, unless others are given, and its own blocks. One about a campaign
        has to be told which.
        """
        asked = self.read(NewReport)
        wanted = asked | _campaign_of(self, asked)
        with _errors_as_in_the_body():
            report = actions.create(workspace=self.workspace, by=self.user, api_key=self.key, **wanted)
        return created(self.represent(report, ReportSerializer))


class OfAReport(OfReports, RowView[Report]):
    """One report."""

    missing = "There is no such report."
    lookup_url_kwarg = "report_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Report]:
        return _reports()


class ReportDetail(OfAReport):
    """A report as it is set up."""

    scopes: ClassVar = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}
    needs: ClassVar = {"PATCH": MAY_EDIT, "DELETE": MAY_EDIT}

    @extend_schema(operation_id="getReport", responses=ReportSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the report as it is set up. What was made of it are its editions."""
        return Response(self.represent(self.row, ReportSerializer))

    @extend_schema(operation_id="changeReport", request=ReportChanges, responses=ReportSerializer)
    def patch(self, request: Request, **_: object) -> Response:
        """Change what is given; `blocks` takes the place of all that there are. Its editions stay as they were made."""
        asked = self.read(ReportChanges)
        now: dict[str, Any] = {name: getattr(self.row, name) for name in ("name", "period", "comparison", "campaign")}
        wanted = now | {"blocks": None} | asked | _campaign_of(self, asked)
        with _errors_as_in_the_body():
            actions.change(report=self.row, by=self.user, api_key=self.key, **wanted)
        return Response(self.represent(_reports().get(pk=self.row.pk), ReportSerializer))

    @extend_schema(operation_id="deleteReport", request=None, responses={204: None})
    def delete(self, request: Request, **_: object) -> Response:
        """Remove the report and the schedules that send it; its editions stay.

        409 where one of the schedules is somebody else's, which your role does not let you delete.
        """
        actions.delete(report=self.row, by=self.membership, api_key=self.key)
        return Response(status=204)


class ReportDuplicate(OfAReport):
    """Copying a report."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": MAY_EDIT}

    @extend_schema(operation_id="duplicateReport", responses={201: ReportSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Copy the report under a name that is free. Schedules stay with the first."""
        return created(
            self.represent(actions.duplicate(report=self.row, by=self.user, api_key=self.key), ReportSerializer)
        )


class ReportEditions(OfAReport):
    """What was made of a report, and making it."""

    scopes: ClassVar = {"GET": READ, "POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": Permission.RUN}
    filterset_class = EditionFilter
    ordering = ("-created_at", "-id")
    queryset = Edition.objects.none()

    @extend_schema(operation_id="listReportEditions", responses=EditionSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """List the editions of the report, newest first."""
        return self.paged(editions_of(self.workspace).filter(report=self.row), EditionSerializer)

    @extend_schema(operation_id="makeEdition", responses={202: EditionSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Make the report now, of its period as it is today: 202 with the edition, which a worker makes.

        Its analyses are run first where there is no answer to them yet.
        """
        edition = actions.preview(report=self.row, by=self.user, trigger=Edition.Trigger.API, api_key=self.key)
        return accepted(self.represent(edition, EditionSerializer))


def _reports() -> QuerySet[Report]:
    return Report.objects.select_related("workspace", "campaign", "created_by")


def _campaign_of(view: OfReports, asked: dict[str, Any]) -> dict[str, Campaign | None]:
    """Return the campaign that a body names, if it names one or none; {} if it says nothing of it."""
    if "campaign" not in asked:
        return {}
    sentence = "There is no such campaign in this workspace."
    campaigns = Campaign.objects.filter(workspace=view.workspace)
    return {"campaign": named(campaigns, asked["campaign"], field="campaign", sentence=sentence)}


@contextmanager
def _errors_as_in_the_body() -> Iterator[None]:
    """Say of a block's setting where it stands in the body, which the actions do not know."""
    try:
        yield
    except Invalid as refusal:
        errors = {re.sub(r"^(blocks[.][0-9]+)[.]", r"\1.params.", name): said for name, said in refusal.errors.items()}
        raise Invalid(refusal.detail, errors=errors) from refusal

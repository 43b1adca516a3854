"""Editions in the API: what was made of reports, and its files."""

from typing import ClassVar

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import access
from accounts.permissions import Permission
from api import filters
from api.views import RowView
from jobs import actions as job_actions
from jobs.models import Job
from mmm_project.problems import Conflict, NotFound
from reports.api.base import READ, WRITE, OfReports, accepted
from reports.api.edition_serializers import EditionSerializer, EditionWithDocumentSerializer
from reports.api.files import FORM, WhateverIsAccepted, described, file_of
from reports.api.filters import WholeNumberFilter
from reports.builder.edition_page import cancel_permission
from reports.builder.listing import editions_of
from reports.editions import files, snapshots
from reports.editions.actions import request_again
from reports.exports import format_of
from reports.models import Edition


class EditionFilter(filters.Filters):
    """Which editions to list."""

    status = filters.ChoiceFilter("job__status", choices=Job.Status.choices)
    trigger = filters.ChoiceFilter(choices=Edition.Trigger.choices, help_text="What it was made for.")
    created_after = filters.IsoDateTimeFilter("created_at", "gte", help_text="Asked for at this time or later.")
    created_before = filters.IsoDateTimeFilter("created_at", "lt", help_text="Asked for before this time.")


class AnyEditionFilter(EditionFilter):
    """Which editions of all reports to list."""

    report = WholeNumberFilter("report_id", help_text="Those of this report.")


class EditionList(OfReports):
    """What was made in the workspace."""

    scopes: ClassVar = {"GET": READ}
    filterset_class = AnyEditionFilter
    ordering = ("-created_at", "-id")
    queryset = Edition.objects.none()

    @extend_schema(operation_id="listEditions", responses=EditionSerializer)
    def get(self, request: Request) -> Response:
        """List the editions of all reports, and of analyses that are sent by themselves, newest first."""
        return self.paged(editions_of(self.workspace), EditionSerializer)


class OfAnEdition(OfReports, RowView[Edition]):
    """One edition."""

    missing = "There is no such edition."
    lookup_url_kwarg = "edition_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Edition]:
        return Edition.objects.select_related("workspace", "job", "report", "requested_by")


class EditionDetail(OfAnEdition):
    """An edition in its present state."""

    scopes: ClassVar = {"GET": READ}

    @extend_schema(operation_id="getEdition", responses=EditionWithDocumentSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return how far the edition is and, once it is done, its document.

        `fields=status,progress` leaves the document out: enough to see whether it is done.
        """
        return Response(self.represent(self.row, EditionWithDocumentSerializer))


class EditionFile(OfAnEdition):
    """An edition as a file."""

    scopes: ClassVar = {"GET": READ}
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(operation_id="downloadEdition", parameters=[FORM], responses=described("The edition is not done."))
    def get(self, request: Request, form: str, **_: object) -> FileResponse:
        """Download a finished edition in one of the formats: made once, and the same whoever fetches it."""
        format_of(form)
        if self.row.job.status != Job.Status.DONE:
            raise Conflict("This edition has not been finished, so there is nothing to download.")
        try:
            name = files.name_of(snapshots.document_of(self.row), form)
            path = files.file_of(self.row, form)
        except snapshots.SnapshotLost as lost:
            raise NotFound(str(lost)) from lost
        return file_of(path, name=name, form=form)


class EditionCancel(OfAnEdition):
    """Stopping the making of an edition."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False

    @extend_schema(operation_id="cancelEdition", responses={202: EditionSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Ask for the edition not to be made: 202, as a worker takes a moment. 409 when it has ended already.

        Its analyses go on, as others may wait for them, too. An edition that somebody else asked for is for owners and
        admins to stop.
        """
        access.require(self.request, cancel_permission(self.row, self.user))
        if not job_actions.request_cancel(job=self.row.job, by=self.user, api_key=self.key):
            raise Conflict("This edition has already ended.")
        return accepted(self.represent(self.row, EditionSerializer))


class EditionAgain(OfAnEdition):
    """Making an edition once more."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": Permission.RUN}

    @extend_schema(operation_id="makeEditionAgain", responses={202: EditionSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Make another edition of the same blocks and period, on the present data: 202 with the new one."""
        again = request_again(edition=self.row, by=self.user, trigger=Edition.Trigger.API, api_key=self.key)
        return accepted(self.represent(again, EditionSerializer))

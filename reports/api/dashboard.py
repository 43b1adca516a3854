"""The dashboard in the API: the figures of a period, and the same as a file."""

from typing import ClassVar

from django.http.response import HttpResponseBase
from django.utils import timezone as clock
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analyses.documents import Document
from api.renderers import CSV
from api.serializers import ProblemSerializer
from api.views import JSON_OR_CSV
from reports import dashboard
from reports.api.base import READ, OfReports
from reports.api.dashboard_serializers import DashboardQuery, DashboardSerializer
from reports.api.files import CONFLICT, FORM, PAPER, WhateverIsAccepted, described
from reports.branding.looks import asked_look
from reports.exports import download, format_of

STATE = tuple(DashboardQuery().fields)
NOT_READY = "`not_ready`: no figures have been computed yet, or none by the model that is asked for."


class OfTheDashboard(OfReports):
    """The dashboard in the state that the address says."""

    scopes: ClassVar = {"GET": READ}

    def document(self) -> Document:
        """Return what the dashboard shows. Raises ValidationError, Invalid and NotReady."""
        said = self.request.query_params
        asked = DashboardQuery(data={name: said[name] for name in STATE if name in said})
        asked.is_valid(raise_exception=True)
        return dashboard.exactly(self.workspace, asked.state(), now=clock.now())


class Dashboard(OfTheDashboard):
    """The figures of a period."""

    parameters: ClassVar = {"GET": STATE}
    renderer_classes = JSON_OR_CSV

    @extend_schema(
        operation_id="getDashboard",
        parameters=[DashboardQuery],
        responses={
            200: DashboardSerializer,
            (200, CSV): OpenApiTypes.STR,
            CONFLICT: OpenApiResponse(ProblemSerializer, NOT_READY),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return the figures that the dashboard shows, in full precision. With `Accept: text/csv`, as one table.

        A state that there is not, such as an unknown goal, is refused: nothing stands in for it.
        """
        document = self.document()
        if self.wants_csv:
            return self.csv(document.rows, name=document.file_name)
        return Response(self.represent(document.data, DashboardSerializer))


class DashboardExport(OfTheDashboard):
    """The dashboard as a file."""

    parameters: ClassVar = {"GET": (*STATE, PAPER.name)}
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(
        operation_id="exportDashboard", parameters=[FORM, DashboardQuery, PAPER], responses=described(NOT_READY)
    )
    def get(self, request: Request, form: str) -> HttpResponseBase:
        """Download the dashboard in one of the formats: the file that the page offers in this state."""
        format_of(form)
        look = asked_look(self.workspace, request.query_params.get(PAPER.name, ""))
        return download(self.document(), form, look)

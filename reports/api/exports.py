"""Runs and scenarios as files in the API: at once, or prepared in the background where that takes a while."""

from typing import ClassVar

from django.db.models import QuerySet
from django.http import FileResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import READING, Scope
from analyses import registry
from analyses.api import OfARun, OfRuns
from analyses.models import Run
from api.views import RowView
from jobs.models import Job
from mmm_project.problems import Conflict, NotFound
from reports.api.base import OfReports
from reports.api.export_serializers import ExportFileSerializer, NewExport
from reports.api.files import FORM, PAPER, TakesLong, WhateverIsAccepted, described, file_of
from reports.branding.looks import asked_look
from reports.exports import background, download, format_of
from reports.exports.file_page import CANCELLED, GONE
from reports.exports.weight import takes_long
from reports.models import ExportFile
from weightings.models import Scenario

NOT_DONE = "This run has no result to make a file of: it is not done."
NO_FILE = "The run is not done."
HOW_LONG = "`export_takes_long`: have it prepared by POST."


class OfAFinishedRun(OfARun):
    """A run that files are made of: whoever may read it may have them."""

    def rows(self) -> QuerySet[Run]:
        return super().rows().select_related("api_key")

    def require_result(self) -> None:
        """Raise Conflict for a run without a result."""
        if self.row.job.status != Job.Status.DONE:
            raise Conflict(NOT_DONE)


class RunExport(OfAFinishedRun):
    """A run as a file."""

    scopes: ClassVar = {"GET": READING}
    parameters: ClassVar = {"GET": (PAPER.name,)}
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(operation_id="exportRun", parameters=[FORM, PAPER], responses=described(f"{NO_FILE} Or {HOW_LONG}"))
    def get(self, request: Request, form: str, **_: object) -> HttpResponseBase:
        """Download a finished run in one of the formats: the file that its page offers.

        A PDF, presentation or workbook with very many charts or rows is refused with `export_takes_long`: it is
        prepared in the background.
        """
        format_of(form)
        self.require_scope(self.row.kind, "read")
        look = asked_look(self.workspace, request.query_params.get(PAPER.name, ""))
        self.require_result()
        document = registry.get(self.row.kind).document(self.row)
        if takes_long(document, form):
            raise TakesLong(f"This takes a while. POST to /api/v1/runs/{self.row.pk}/exports/ has it prepared.")
        return download(document, form, look)


class RunExports(OfAFinishedRun):
    """Having a file of a run prepared."""

    scopes: ClassVar = {"POST": READING}

    @extend_schema(
        operation_id="prepareRunExport",
        request=NewExport,
        responses={202: ExportFileSerializer, 200: ExportFileSerializer},
    )
    def post(self, request: Request, **_: object) -> Response:
        """Have a file of a finished run prepared in the background: 202, or 200 where it is ready already.

        It changes nothing that others see: reading is enough for it. The file is kept for 7 days.
        """
        self.require_scope(self.row.kind, "read")
        asked = self.read(NewExport)
        self.require_result()
        file = background.request_file(
            run=self.row, form=asked["form"], paper=asked.get("paper", ""), by=self.user, api_key=self.key
        )
        body = self.represent(file, ExportFileSerializer)
        is_ready = background.place_of(file) is not None
        return Response(body, status=200 if is_ready else 202, headers={"Location": body["url"]})


class OfAnExportFile(OfRuns, RowView[ExportFile]):
    """A file of a run that was prepared."""

    scopes: ClassVar = {"GET": READING}
    missing = "There is no such file. Files that were prepared are kept for 7 days."
    lookup_url_kwarg = "file_id"

    def rows(self) -> QuerySet[ExportFile]:
        return ExportFile.objects.select_related("workspace", "job", "run", "requested_by").defer("run__result")


class ExportFileDetail(OfAnExportFile):
    """How far a file is."""

    @extend_schema(operation_id="getExportFile", responses=ExportFileSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return how far a file is, and where it is once it is ready."""
        self.require_scope(self.row.run.kind, "read")
        return Response(self.represent(self.row, ExportFileSerializer))


class ExportFileContent(OfAnExportFile):
    """A file itself."""

    content_negotiation_class = WhateverIsAccepted

    @extend_schema(operation_id="downloadExportFile", responses=described("It is not ready, or has failed."))
    def get(self, request: Request, **_: object) -> FileResponse:
        """Download a file that was prepared. 404 once its time is over."""
        file, job = self.row, self.row.job
        self.require_scope(file.run.kind, "read")
        if not job.finished:
            raise Conflict("This file is not ready yet.")
        if job.status != Job.Status.DONE:
            raise Conflict(job.error or CANCELLED)
        place = background.place_of(file)
        if place is None:
            raise NotFound(GONE)
        return file_of(place, name=file.name, form=file.form)


class ScenarioExport(OfReports, RowView[Scenario]):
    """A scenario as a file."""

    tag = "Weightings"
    scopes: ClassVar = {"GET": (Scope.WEIGHTINGS_READ,)}
    parameters: ClassVar = {"GET": (PAPER.name,)}
    missing = "There is no such scenario."
    lookup_url_kwarg = "scenario_id"
    content_negotiation_class = WhateverIsAccepted

    def rows(self) -> QuerySet[Scenario]:
        return Scenario.objects.select_related("workspace", "run__workspace", "run__job", "created_by")

    @extend_schema(
        operation_id="exportScenario",
        parameters=[FORM, PAPER],
        responses=described("What it would bring cannot be computed."),
    )
    def get(self, request: Request, form: str, **_: object) -> HttpResponseBase:
        """Download a scenario in one of the formats: the file that its page offers."""
        # Here, not above: it brings SciPy, which the start of the web server must not wait for.
        from weightings.planner.pages import present_scenario

        format_of(form)
        look = asked_look(self.workspace, request.query_params.get(PAPER.name, ""))
        page = present_scenario(self.row)
        if page.document is None:
            raise Conflict(page.problem)
        return download(page.document, form, look)

"""Imports in the API: what came in by whichever way, what was rejected, and taking it back."""

from typing import ClassVar

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import access
from accounts.permissions import Permission
from accounts.scopes import Scope
from api import filters
from api.renderers import CSV, CsvRenderer
from api.views import ApiView, RowView
from marketing.api.import_serializers import ImportSerializer
from marketing.importing import kept_files
from marketing.importing.undo_requests import WAITING, cancel_import, delete_permission, request_undo
from marketing.models import Dataset, Import
from mmm_project.problems import NotFound

READ, WRITE = (Scope.DATA_READ,), (Scope.DATA_WRITE,)


class ImportFilter(filters.Filters):
    """Which imports to list."""

    dataset = filters.ChoiceFilter(choices=Dataset.choices)
    status = filters.ChoiceFilter(choices=Import.Status.choices)
    origin = filters.ChoiceFilter(choices=Import.Origin.choices, help_text="By which way it came.")
    created_after = filters.IsoDateTimeFilter("created_at", "gte", help_text="Asked for at this time or later.")
    created_before = filters.IsoDateTimeFilter("created_at", "lt", help_text="Asked for before this time.")


class ImportList(ApiView):
    """The workspace's imports, whichever way they came."""

    tag = "Data"
    scopes: ClassVar = {"GET": READ}
    filterset_class = ImportFilter
    ordering = "-id"
    queryset = Import.objects.none()

    @extend_schema(operation_id="listImports", responses=ImportSerializer)
    def get(self, request: Request) -> Response:
        """List imports, newest first: batches, files of pages and of the command line, and demo data."""
        return self.paged(_imports().filter(workspace=self.workspace), ImportSerializer)


class OfAnImport(RowView[Import]):
    """One import."""

    tag = "Data"
    missing = "There is no such import."
    lookup_url_kwarg = "import_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Import]:
        return _imports()


class ImportDetail(OfAnImport):
    """An import's state and counts."""

    scopes: ClassVar = {"GET": READ, "DELETE": WRITE}

    @extend_schema(operation_id="getImport", responses=ImportSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the import's state and counts."""
        return Response(self.represent(self.row, ImportSerializer))

    @extend_schema(operation_id="deleteImport", responses={202: ImportSerializer})
    def delete(self, request: Request, **_: object) -> Response:
        """Take the import back: 202, as a worker does it. One that has not come in yet is stopped.

        409 if it does not count any more, and for demo data. Your own imports, or, as an owner or admin, everybody's.
        """
        batch = self.row
        access.require(request, delete_permission(batch=batch, user=self.user))
        take_back = cancel_import if batch.status in WAITING else request_undo
        take_back(batch=batch, by=self.user, api_key=self.key)
        return Response(self.represent(_imports().get(pk=batch.pk), ImportSerializer), status=202)


class ImportRejects(OfAnImport):
    """The rejected rows of an import."""

    scopes: ClassVar = {"GET": READ}
    needs: ClassVar = {"GET": Permission.IMPORT}
    renderer_classes = (CsvRenderer,)

    @extend_schema(operation_id="getImportRejects", responses={(200, CSV): OpenApiTypes.STR})
    def get(self, request: Request, **_: object) -> FileResponse:
        """Download the rejected rows as they were sent, each with its number, the field and the reason.

        404 where nothing was rejected, and once the import's files have been removed, after the time that the
        workspace keeps them.
        """
        stored = self.row.rejects_file
        path = kept_files.path_of(stored)
        if not stored or not path.is_file():
            raise NotFound("No rejected rows are kept of this import.")
        name = f"import-{self.row.pk}-rejected.csv"
        return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type=f"{CSV}; charset=utf-8")


def _imports() -> QuerySet[Import]:
    return Import.objects.select_related("workspace", "job", "requested_by").defer(
        "mapping", "reading", "created_names"
    )

"""Rows in the API: read those that count, send more in batches."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django_filters.utils import translate_validation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Permission
from accounts.scopes import Scope, to_send
from api.filters import YES_OR_NO
from api.schema import IDEMPOTENCY_KEY
from api.views import JSON_OR_CSV, ApiView
from marketing.api.import_serializers import ImportSerializer, RowsRejectedSerializer
from marketing.api.parsers import LinesParser, RowsParser
from marketing.api.rows.batch_schema import BATCHES, example
from marketing.api.rows.filter_sets import FILTERS
from marketing.api.rows.kinds import KINDS, Kind
from marketing.api.rows.names import Names
from marketing.api.rows.pages import RowPages
from marketing.api.rows.serializers import SERIALIZERS
from marketing.api.rows.walking import Rows, stream
from marketing.models import Dataset, Import
from mmm_project.problems import CONTENT_TYPE, Invalid
from mmm_project.tables import Cell

LINES = {
    "type": "string",
    "description": "A row on each line, as a JSON object; the fields are those of the rows in JSON.",
}
BATCH_KEY = OpenApiParameter(
    IDEMPOTENCY_KEY.name,
    IDEMPOTENCY_KEY.type,
    OpenApiParameter.HEADER,
    description="A new one for each batch, such as a UUID. The same batch, sent again under the same key, is the same "
    "import, however much later: 200, with `Idempotent-Replayed: true`. A key is free again if its import failed.",
)
STRICT = OpenApiParameter("strict", bool, default=False, description="Whether one invalid row refuses the whole batch.")
# Of these, rows are about single people, named by the hash of their key: for those who bring data in.
OF_CUSTOMERS = (Dataset.TOUCHPOINTS, Dataset.CONVERSIONS)


class RowList(ApiView):
    """The rows of one dataset that count, and sending more of them."""

    tag = "Data"
    kind: ClassVar[Kind]
    parser_classes = (RowsParser, LinesParser)
    renderer_classes = JSON_OR_CSV
    pagination_class = RowPages
    ordering = ("-batch", "-id")
    parameters: ClassVar[Mapping[str, Sequence[str]]] = {"POST": ("strict",)}
    is_idempotent_itself = True

    def read_rows(self) -> HttpResponseBase:
        """Return a page of the rows that are asked for or, as CSV, all of them."""
        rows = self.filter_queryset(self.kind.rows())
        if not self.wants_csv:
            page = self.paginate_queryset(rows) or []
            records = self.kind.records(page, Names(self.workspace))
            return self.get_paginated_response(self.represent(records, SERIALIZERS[self.kind.dataset], many=True))
        return self.csv(self._table(rows), name=self.kind.dataset)

    def take_batch(self) -> Response:
        """Import the valid rows of a batch, or return the import that the same request got before."""
        from marketing.importing.batches import request_batch  # pyarrow: only where batches come in

        answer = request_batch(
            workspace=self.workspace,
            dataset=self.kind.dataset,
            body=self.request.data,
            by=self.user,
            api_key=self.key,
            idempotency_key=self.request.headers.get("Idempotency-Key"),
            strict=_strict(self.request),
        )
        body = self.represent(answer.batch, ImportSerializer) | {"errors": answer.errors}
        headers = {"Location": body["url"]}
        if answer.replayed:
            headers["Idempotent-Replayed"] = "true"
        return Response(body, status=200 if answer.replayed else 202, headers=headers)

    def filter_queryset(self, queryset: Any) -> Any:
        """Narrow the rows, and the imports that they are looked for in."""
        filters = FILTERS[self.kind.dataset](self.request.query_params, queryset, request=self.request)
        if not filters.is_valid():
            raise translate_validation(filters.errors)
        self._imports: QuerySet[Import] = filters.narrowed(self._active())
        return filters.qs

    def imports(self) -> QuerySet[Import]:
        """Return the imports whose rows are asked for."""
        return self._imports

    def _active(self) -> QuerySet[Import]:
        return Import.objects.filter(
            workspace=self.workspace, status=Import.Status.ACTIVE, dataset__in=self.kind.brought_by
        )

    def _table(self, rows: Rows) -> Iterator[list[Cell]]:
        """Yield the header and a line for each row; lists are left out."""
        columns = [name for name in map(str, SERIALIZERS[self.kind.dataset]().fields) if name != "steps"]
        yield [*columns]
        names = Names(self.workspace)
        for some in stream(rows, self.imports()):
            for record in self.kind.records(some, names):
                yield [_cell(record[name]) for name in columns]


def _cell(value: Any) -> Cell:
    return str(value).lower() if isinstance(value, bool) else value


def _strict(request: Request) -> bool:
    asked = request.query_params.get("strict", "false")
    if asked.lower() not in YES_OR_NO:
        raise Invalid("Say whether all rows have to be valid.", errors={"strict": ["Use true or false."]})
    return YES_OR_NO[asked.lower()]


def _get(dataset: Dataset) -> Callable[[RowList, Request], HttpResponseBase]:
    def get(self: RowList, _request: Request) -> HttpResponseBase:
        return self.read_rows()

    get.__doc__ = f"""List the {dataset.value} that count: those of active imports, but not rows that others repeat or
    restate. The newest import comes first, and within it the last row. With `Accept: text/csv`, all rows that the
    filters leave, as a file of any length.
    """
    answers = {200: SERIALIZERS[dataset](many=True), (200, "text/csv"): OpenApiTypes.STR}
    described: Callable[[RowList, Request], HttpResponseBase] = extend_schema(
        operation_id=f"list{dataset.value.title()}", responses=answers
    )(get)
    return described


def _post(dataset: Dataset) -> Callable[[RowList, Request], Response]:
    def post(self: RowList, _request: Request) -> Response:
        return self.take_batch()

    post.__doc__ = f"""Send a batch of {dataset.value}: 202 once every row has been checked, with those that are not
    valid in `errors`; the others are on their way as an import. 422 if no row is valid, or `strict` and one is not.
    """
    batch = example(dataset)
    lines = "\n".join(json.dumps(row) for row in batch["rows"])
    described: Callable[[RowList, Request], Response] = extend_schema(
        operation_id=f"send{dataset.value.title()}",
        request={"application/json": BATCHES[dataset], LinesParser.media_type: LINES},
        parameters=[BATCH_KEY, STRICT],
        responses={202: ImportSerializer, 200: ImportSerializer, (422, CONTENT_TYPE): RowsRejectedSerializer},
        examples=[
            OpenApiExample("A batch", batch, request_only=True, media_type="application/json"),
            OpenApiExample("Lines", lines, request_only=True, media_type=LinesParser.media_type),
        ],
    )(post)
    return described


def _view(dataset: Dataset) -> type[RowList]:
    members = {
        "__doc__": f"The workspace's {dataset.value}.",
        "kind": KINDS[dataset],
        "queryset": KINDS[dataset].model._default_manager.none(),
        "filterset_class": FILTERS[dataset],
        "scopes": {"GET": (Scope.DATA_READ,), "POST": to_send(dataset)},
        "needs": {"POST": Permission.IMPORT} | ({"GET": Permission.IMPORT} if dataset in OF_CUSTOMERS else {}),
        "get": _get(dataset),
        "post": _post(dataset),
    }
    return type(f"{dataset.value.title()}List", (RowList,), members)


VIEWS: Mapping[Dataset, type[RowList]] = {dataset: _view(dataset) for dataset in KINDS}

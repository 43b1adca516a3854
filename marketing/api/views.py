"""Data in the API: send a batch of rows, follow its import, take it back."""

from typing import ClassVar

from django.db.models import QuerySet
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import access
from accounts.models import ApiKey, User
from accounts.permissions import Permission
from accounts.scopes import Scope, to_send
from marketing.api.parsers import LinesParser, RowsParser
from marketing.api.serializers import ImportSerializer
from marketing.importing.undo_requests import WAITING, cancel_import, delete_permission, request_undo
from marketing.models import Dataset, Import
from mmm_project.problems import Invalid, NotFound

# A media table is a spreadsheet's layout; programs send spend, outcomes and controls.
SENT_IN_BATCHES = (
    Dataset.TOUCHPOINTS,
    Dataset.CONVERSIONS,
    Dataset.SPEND,
    Dataset.OUTCOMES,
    Dataset.CONTROLS,
    Dataset.EXPERIMENTS,
    Dataset.EVENTS,
    Dataset.PATHS,
)
YES_OR_NO = {"true": True, "1": True, "false": False, "0": False}


class NewestFirst(CursorPagination):
    """Pages that stay put while new imports arrive."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class Batches(APIView):
    """Rows of one dataset, such as touchpoints, in batches."""

    dataset: Dataset = Dataset.TOUCHPOINTS  # each address sets its own
    parser_classes = (RowsParser, LinesParser)

    @property
    def scopes(self) -> dict[str, tuple[Scope, ...]]:
        return {"POST": to_send(self.dataset)}

    def post(self, request: Request) -> Response:
        """Import a batch: 202 with the rejected rows, 200 if this request has been made before."""
        from marketing.importing.batches import request_batch  # pyarrow: only where batches come in

        # Who may not send learns that before anything about the rows.
        workspace = access.get_api_workspace(request)
        access.require(request, Permission.IMPORT)
        answer = request_batch(
            workspace=workspace,
            dataset=self.dataset,
            body=request.data,
            by=_user(request),
            api_key=_key(request),
            idempotency_key=request.headers.get("Idempotency-Key"),
            strict=_strict(request),
        )
        body = ImportSerializer(answer.batch).data | {"errors": answer.errors}
        headers = {"Location": body["url"]}
        if answer.replayed:
            headers["Idempotent-Replayed"] = "true"
        return Response(body, status=200 if answer.replayed else 202, headers=headers)


class ImportList(APIView):
    """The workspace's imports, whichever way they came."""

    scopes: ClassVar = {"GET": (Scope.DATA_READ,)}

    def get(self, request: Request) -> Response:
        """List imports, newest first; `?dataset=` and `?status=` narrow."""
        workspace = access.get_api_workspace(request)
        imports = _imports().filter(workspace=workspace, **_filters(request))
        paginator = NewestFirst()
        page = paginator.paginate_queryset(imports, request, view=self) or []
        return paginator.get_paginated_response(ImportSerializer(page, many=True).data)


class ImportDetail(APIView):
    """One import."""

    scopes: ClassVar = {"GET": (Scope.DATA_READ,), "DELETE": (Scope.DATA_WRITE,)}

    def get(self, request: Request, import_id: int) -> Response:
        """Return the import's state and counts."""
        return Response(ImportSerializer(_get_import(request, import_id)).data)

    def delete(self, request: Request, import_id: int) -> Response:
        """Take the import back: 202, as a worker does it. One that has not come in yet is stopped."""
        batch = _get_import(request, import_id)
        access.require(request, delete_permission(batch=batch, user=_user(request)))
        take_back = cancel_import if batch.status in WAITING else request_undo
        take_back(batch=batch, by=_user(request), api_key=_key(request))
        return Response(ImportSerializer(_get_import(request, import_id)).data, status=202)


def _imports() -> QuerySet[Import]:
    return Import.objects.select_related("workspace", "job", "requested_by").defer(
        "mapping", "reading", "created_names"
    )


def _get_import(request: Request, import_id: int) -> Import:
    """Return an import of a workspace that the caller may enter; all others do not exist for them."""
    batch = _imports().filter(pk=import_id).first()
    try:
        access.get_workspace(request, batch.workspace.slug if batch else "")
    except NotFound:
        batch = None
    if batch is None:
        raise NotFound("There is no such import.")
    return batch


def _filters(request: Request) -> dict[str, str]:
    """Return the narrowing that the address asks for. Raises Invalid for a value that there cannot be."""
    choices = {"dataset": Dataset.values, "status": Import.Status.values}
    asked = {name: request.query_params[name] for name in choices if name in request.query_params}
    for name, value in asked.items():
        if value not in choices[name]:
            raise Invalid(f"There is no such {name}.", errors={name: [f"Use one of {', '.join(choices[name])}."]})
    return asked


def _strict(request: Request) -> bool:
    asked = request.query_params.get("strict", "false")
    if asked.lower() not in YES_OR_NO:
        raise Invalid("Say whether all rows have to be valid.", errors={"strict": ["Use true or false."]})
    return YES_OR_NO[asked.lower()]


def _key(request: Request) -> ApiKey | None:
    return request.auth if isinstance(request.auth, ApiKey) else None


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 (the API lets nobody else in)
    return request.user

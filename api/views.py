"""What every address of the API has in common. Views subclass `ApiView`, or `RowView` where they are about one row.

The order of checks is the same everywhere: who asks (401), how many calls are left (429), whether the key's scopes take
the method (403), whether the workspace or row is theirs (404), whether their role may (403); then the input (400), the
plan (403), and what the request is about.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer

from accounts import access
from accounts.models import ApiKey, User, Workspace
from accounts.permissions import Permission
from accounts.scopes import Scope
from api import idempotency, throttling
from api.paging import Pages
from api.renderers import CSV, CsvRenderer
from api.serializers import printable
from mmm_project.problems import Invalid, NotFound
from mmm_project.tables import Cell, csv_pieces

M = TypeVar("M", bound=Model)
MOST_ID = 2**63 - 1
JSON_OR_CSV = (JSONRenderer, CsvRenderer)


class ApiView(GenericAPIView[Any]):
    """One address. `scopes`, `needs` and `tag` say who may do what there, and where the reference lists it."""

    # By method: the scopes of which a key needs one; what the member's role has to allow.
    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {}
    needs: ClassVar[Mapping[str, Permission]] = {}
    tag: ClassVar[str] = ""
    # By method: names in the address's query that the view reads itself, beside those of paging and filters.
    parameters: ClassVar[Mapping[str, Sequence[str]]] = {}
    # Whether the address's query may name the workspace.
    names_workspace: ClassVar[bool] = True
    # Whether POST takes a body; where it takes none, what is sent is refused, as it would do nothing.
    takes_body: ClassVar[bool] = True
    # Where POST has a use of its own for `Idempotency-Key`, or changes nothing.
    is_idempotent_itself: ClassVar[bool] = False
    # Statuses of answers that an `Idempotency-Key` keeps; None for all. Where POST made nothing, it can be asked again.
    answers_kept: ClassVar[Collection[int] | None] = None

    filter_backends = (DjangoFilterBackend,)
    pagination_class = Pages
    workspace: Workspace

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, with ETag, If-None-Match and gzip for what it answers."""
        return gzip_page(conditional_page(super().as_view(**initkwargs)))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check who asks and what for; what is left to the method is about the thing itself."""
        if request.user.is_authenticated:
            super().check_throttles(request)
        super().initial(request, *args, **kwargs)
        method = str(request.method)
        if not hasattr(self, method.lower()):
            return  # answered with 405
        self.workspace = self.enter()
        if needed := self.needs.get("GET" if method == "HEAD" else method):
            access.require(request, needed)
        self._refuse_unknown_parameters()
        if method == "POST" and not self.takes_body:
            self._refuse_body()
        if method == "POST" and not self.is_idempotent_itself:
            self._answer_once()

    def check_throttles(self, request: Request) -> None:
        """Do nothing, where DRF counts the call: `initial` has counted it, before anything was refused."""

    def options(self, request: Request, *_: object, **__: object) -> Response:  # type: ignore[override]  # as in DRF
        """Say which methods there are."""
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def enter(self) -> Workspace:
        """Return the workspace that the call is about, with the caller's membership on the request (404 if none)."""
        return access.get_api_workspace(self.request)

    @property
    def key(self) -> ApiKey | None:
        """The key that asks; None for a signed-in browser."""
        return self.request.auth if isinstance(self.request.auth, ApiKey) else None

    @property
    def user(self) -> User:
        """The person who asks: the key's creator, or who is signed in."""
        assert isinstance(self.request.user, User)  # noqa: S101 (the API lets nobody else in)
        return self.request.user

    def read(self, serializer_class: type[Serializer[Any]], **kwargs: Any) -> dict[str, Any]:
        """Return the request's body as `serializer_class` reads it. Raises ValidationError (400)."""
        asked = serializer_class(data=self.request.data, context=self.get_serializer_context(), **kwargs)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)

    def represent(self, thing: Any, serializer_class: type[BaseSerializer[Any]], *, many: bool = False) -> Any:
        """Return `thing` in JSON, or of it the members that `?fields=` names. Raises Invalid for unknown ones."""
        serializer = serializer_class(thing, many=many, context=self.get_serializer_context())
        each = serializer.child if isinstance(serializer, ListSerializer) else serializer
        if self.fields_wanted is not None and isinstance(each, Serializer):
            self.require_known(known := list(each.fields))
            for name in set(known) - set(self.fields_wanted):
                each.fields.pop(name)
        return serializer.data

    @functools.cached_property
    def fields_wanted(self) -> list[str] | None:
        """The members that `?fields=` names; None for all."""
        asked = self.request.query_params.get("fields")
        return None if asked is None else [name.strip() for name in asked.split(",")]

    def require_known(self, fields: Sequence[str]) -> None:
        """Raise Invalid where `?fields=` names another than these."""
        if unknown := [name for name in self.fields_wanted or () if name not in fields]:
            sentence = f"“{printable(unknown[0])}” is not among {', '.join(fields)}."
            raise Invalid("There is no such field.", errors={"fields": [sentence]})

    def wants(self, field: str) -> bool:
        """Whether the answer is to have this member: what is costly need not be read otherwise."""
        return self.fields_wanted is None or field in self.fields_wanted

    def paged(self, rows: QuerySet[M], serializer_class: type[BaseSerializer[Any]]) -> Response:
        """Return a page of `rows`, narrowed by the view's filters."""
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        return self.get_paginated_response(self.represent(page, serializer_class, many=True))

    @property
    def wants_csv(self) -> bool:
        """Whether `Accept` prefers CSV, which a view offers by `renderer_classes = JSON_OR_CSV`."""
        return getattr(self.request, "accepted_renderer", None).__class__ is CsvRenderer

    def csv(self, rows: Iterable[Sequence[Cell]], *, name: str) -> StreamingHttpResponse:
        """Return all `rows`, the first of them the header, as a CSV file of any length.

        Of its columns those that `?fields=` names. Raises Invalid for unknown ones.
        """
        lines = iter(rows)
        columns = [str(column) for column in next(lines)]
        self.require_known(columns)
        wanted = [self.wants(column) for column in columns]
        chosen = ([*compress(row, wanted)] for row in chain([columns], lines))
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return StreamingHttpResponse(csv_pieces(chosen), content_type=f"{CSV}; charset=utf-8", headers=headers)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        finished: HttpResponse = super().finalize_response(request, response, *args, **kwargs)
        finished.setdefault("Cache-Control", "private, no-cache")
        throttling.add_headers(request, finished)
        if finished.status_code == 202:
            finished.setdefault("Retry-After", "1")
        return finished

    def _refuse_unknown_parameters(self) -> None:
        """Raise Invalid for a misspelt or empty parameter, without which the answer would be another than was meant."""
        asked = self.request.query_params
        known = set(self._known_parameters())
        sentences = {name: ["Give a value, or leave it out."] for name in asked if "" in asked.getlist(name)}
        for name in sorted(set(asked) - known):
            sentences[printable(name)] = [f"Known ones are {', '.join(sorted(known))}."]
        if sentences:
            unknown = not known.issuperset(asked)
            raise Invalid("There is no such parameter." if unknown else "A parameter is empty.", errors=sentences)

    def _refuse_body(self) -> None:
        """Raise Invalid for a body where none is read, and whatever DRF raises for one that it cannot read."""
        sent = self.request.data
        if sent:
            names = [printable(str(name)) for name in sent] if isinstance(sent, Mapping) else [""]
            raise Invalid("This takes no body.", errors={name: ["There is no such field."] for name in names})

    def _known_parameters(self) -> Iterator[str]:
        method = str(self.request.method)
        if self.names_workspace:
            yield "workspace"
        yield from self.parameters.get(method, ())
        if method in ("GET", "HEAD"):
            yield "fields"
            yield from self.parameters.get("GET", ())
            if self.is_list:
                yield from ("cursor", "page_size")
            filters = getattr(self, "filterset_class", None)
            yield from filters.base_filters if filters else ()

    @property
    def is_list(self) -> bool:
        """Whether GET answers with pages: `class ...(ApiView)` with an `ordering`."""
        return hasattr(self, "ordering")

    def _answer_once(self) -> None:
        """Have POST answered once for its `Idempotency-Key`: DRF takes the method from the instance after `initial`."""
        key = idempotency.read_key(self.request)
        if key is None:
            return
        asked = idempotency.Keyed(
            workspace=self.workspace,
            user=self.user,
            key=key,
            fingerprint=idempotency.fingerprint(self.request, self.key.scopes if self.key else ()),
            kept=self.answers_kept,
        )
        method: Callable[..., Response] = self.post  # type: ignore[attr-defined]

        def post(request: Request, *args: Any, **kwargs: Any) -> Response:
            return idempotency.answer_once(asked, lambda: method(request, *args, **kwargs))

        self.__dict__["post"] = post


class RowView(ApiView, Generic[M]):
    """An address about one row, which the address's `lookup_url_kwarg` finds among `rows`, by `lookup_field`."""

    missing: ClassVar[str] = "There is nothing at this address."
    row: M

    def rows(self) -> QuerySet[M]:
        """Return the rows of all workspaces that there may be a view of."""
        raise NotImplementedError

    def workspace_of(self, row: M) -> Workspace:
        workspace: Workspace = row.workspace  # type: ignore[attr-defined]
        return workspace

    def enter(self) -> Workspace:
        """Find the row and enter its workspace; rows of workspaces that the caller may not enter do not exist."""
        asked = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        found = None
        if not (isinstance(asked, int) and asked > MOST_ID):
            found = self.rows().filter(**{self.lookup_field: asked}).first()
        try:
            workspace = access.get_workspace(self.request, self.workspace_of(found).slug if found else "")
        except NotFound:
            raise NotFound(self.missing) from None
        named = self.request.query_params.get("workspace", workspace.slug)
        if found is None or named != workspace.slug:
            raise NotFound(self.missing)
        self.row = found
        return workspace


def created(body: Mapping[str, Any]) -> Response:
    """Return the answer to a POST that made what `body` says, with its `url` as `Location`."""
    return Response(body, status=201, headers={"Location": str(body["url"])})

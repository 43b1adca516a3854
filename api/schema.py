"""The API's description (OpenAPI 3.1): what is the same for all views is said here and not beside each of them."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from accounts.scopes import Scope
from api.serializers import KnownFieldsOnly, ProblemSerializer
from api.views import ApiView, RowView
from mmm_project.problems import CONTENT_TYPE

# Which refusals a method may answer with, whatever its view does, and when.
REFUSALS = {
    400: "The request cannot be used as it is; `errors` says by field why.",
    401: "There is no valid API key or session.",
    403: "The key's scopes, the role or the plan do not allow this; see `code`.",
    404: "There is no such thing, or it is in a workspace that is not yours.",
    406: "`Accept` asks for a form that there is none of.",
    409: "Not in the present state of the thing; or the first request of this Idempotency-Key is under way.",
    413: "The body is too large.",
    415: "The body is of another content type than can be read.",
    422: "This Idempotency-Key stands for another request.",
    429: "Too many calls within a minute; `Retry-After` says how many seconds to wait.",
    500: "A fault of ours; mention `error_id` when you report it.",
}
OF_ALL = (400, 401, 403, 404, 406, 429, 500)
OF_CHANGES = (409, 413, 415)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x20-\x7e]{1,255}$"},
    OpenApiParameter.HEADER,
    description="A new one for each request, such as a UUID. The same request, sent again within 24 hours under the "
    "same key, does nothing again and is answered the same, with `Idempotent-Replayed: true`.",
)
WORKSPACE = OpenApiParameter(
    "workspace",
    {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
    description="The workspace's slug, which a signed-in browser gives that is a member of several. A key has one.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag` of an earlier answer: 304 if it still holds."
)


class KeyScheme(OpenApiAuthenticationExtension):
    """How `accounts.api_auth.ApiKeyAuthentication` is described."""

    target_class = "accounts.api_auth.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        scheme: dict[str, Any] = build_bearer_security_scheme_object("Authorization", "Bearer", "mmm_...")
        return scheme | {"description": "A key from Settings > API access."}


class Description(AutoSchema):
    """How a view's methods are described: beside what the view says, refusals, scopes and common parameters."""

    view: Any

    def get_tags(self) -> list[str]:
        tag = getattr(self.view, "tag", "")
        return [tag] if tag else list(super().get_tags())

    def get_description(self) -> str:  # type: ignore[override]  # as in its parent
        """Return the method's docstring, and what a key and a role need for it."""
        said = str(super().get_description() or "")
        scopes: tuple[Scope, ...] = getattr(self.view, "scopes", {}).get(self.method, ())
        if scopes:
            said += f"\n\nScope: {' or '.join(f'`{scope}`' for scope in scopes)}."
        needed = getattr(self.view, "needs", {}).get(self.method)
        if needed:
            said += f" Your role has to allow you to {needed.value}."
        return said.strip()

    def get_summary(self) -> str | None:
        """Return the docstring's first sentence up to a colon or full stop."""
        first = str(super().get_description() or "").split("\n", maxsplit=1)[0]
        return first.split(". ")[0].split(": ")[0].rstrip(".") or None

    def get_request_serializer(self) -> Any:
        takes_body = getattr(self.view, "takes_body", True) or self.method != "POST"
        return super().get_request_serializer() if takes_body else None

    def get_override_parameters(self) -> list[Any]:
        parameters = [*super().get_override_parameters()]
        if not isinstance(self.view, ApiView):
            return parameters
        if self.view.names_workspace and not isinstance(self.view, RowView):
            parameters.append(WORKSPACE)
        if self.method == "GET":
            parameters.append(IF_NONE_MATCH)
        if self.method == "POST" and not self.view.is_idempotent_itself:
            parameters.append(IDEMPOTENCY_KEY)
        return parameters

    def get_filter_backends(self) -> list[Any]:
        return list(super().get_filter_backends()) if getattr(self.view, "filterset_class", None) else []

    def _get_paginator(self) -> Any:
        is_page = not isinstance(self.view, ApiView) or self.view.is_list
        return super()._get_paginator() if is_page else None  # type: ignore[no-untyped-call]

    def _is_list_view(self, serializer: Any = None) -> bool:
        if serializer is OpenApiTypes.STR:  # a file of all rows
            return False
        is_page = isinstance(self.view, ApiView) and self.view.is_list and self.method == "GET"
        return is_page or bool(super()._is_list_view(serializer))

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        described: dict[str, Any] = super()._get_response_bodies(direction)
        if isinstance(self.view, ApiView):
            for status, answer in described.items():
                if status >= "400":  # those that the view itself names
                    answer["content"] = {CONTENT_TYPE: next(iter(answer["content"].values()))}
            for refusal in self._refusals():
                described.setdefault(str(refusal), self._refusal(refusal))
            if self.method == "GET":
                described.setdefault("304", {"description": "What `If-None-Match` names still holds."})
        return described

    def _refusals(self) -> tuple[int, ...]:
        if self.method == "GET":
            return OF_ALL
        takes_key = self.method == "POST" and not self.view.is_idempotent_itself
        return (*OF_ALL, *OF_CHANGES, *((422,) if takes_key else ()))

    def _refusal(self, status: int) -> dict[str, Any]:
        answer = OpenApiResponse(ProblemSerializer, REFUSALS[status])
        described: dict[str, Any] = self._get_response_for_code(  # type: ignore[no-untyped-call]
            answer, str(status), [CONTENT_TYPE]
        )
        if status == 429:
            described["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
        return described

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer(  # type: ignore[no-untyped-call]
            serializer, direction, bypass_extensions
        )
        if direction == "request" and isinstance(serializer, KnownFieldsOnly) and isinstance(schema, dict):
            schema = schema | {"additionalProperties": False}
        return schema


def only_v1(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Leave out what is not the API, such as its own description."""
    return [each for each in endpoints if each[0].startswith("/api/v1/") and issubclass(each[3].cls, ApiView)]

"""Expected refusals, and their form in the API: RFC 9457 `application/problem+json`.

A page and the API raise the same exceptions. Each `Problem` is also the Django exception of its status, so that a page
gets the matching error page (`mmm_project.errors`), while Django REST framework gets `problem_response`.
"""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

CONTENT_TYPE = "application/problem+json"
FieldErrors = Mapping[str, Sequence[str]]


class Problem(Exception):
    """A refusal that the caller can act on.

    `detail` is a sentence, `errors` maps fields to sentences, and `members` are further members of the problem object.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid"
    title: ClassVar[str] = "Invalid input"

    def __init__(self, detail: str = "", *, errors: FieldErrors | None = None, **members: object) -> None:
        self.detail = detail or f"{self.title}."
        self.errors = errors or {}
        self.members = members
        super().__init__(self.detail)

    def as_json(self) -> dict[str, object]:
        return problem(
            status=self.status, code=self.code, title=self.title, detail=self.detail, errors=self.errors, **self.members
        )


class Invalid(Problem, BadRequest):
    """The input cannot be used as it is; `errors` says which field and why."""


class NotPermitted(Problem, PermissionDenied):
    """The member's role, or the key's scopes, do not allow this."""

    status = 403
    code = "permission_denied"
    title = "Not permitted"


class PlanLimit(Problem, PermissionDenied):
    """The workspace's plan does not include this feature."""

    status = 403
    code = "plan_required"
    title = "Not in this plan"


class QuotaExceeded(Problem, PermissionDenied):
    """The workspace's plan includes this, but not as much of it."""

    status = 403
    code = "quota_exceeded"
    title = "Beyond this plan's limit"


class NotFound(Problem, Http404):
    """Nothing here, or nothing that this caller may know of."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(Problem):
    """The request is fine, but not in the present state of the thing it is about."""

    status = 409
    code = "conflict"
    title = "Conflict"


class TooLarge(Problem):
    """The body of the request is over `DATA_UPLOAD_MAX_MEMORY_SIZE`."""

    status = 413
    code = "too_large"
    title = "Too large"

    def __init__(self) -> None:
        super().__init__(f"This is more than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20} MB. Send less at once.")


class FileTooLarge(TooLarge, BadRequest):
    """A file of data is over `MAX_FILE_BYTES`."""

    def __init__(self) -> None:
        Problem.__init__(
            self,
            f"The file is larger than {settings.MAX_FILE_BYTES // 2**20:,} MB. Compress it with gzip, or split it by "
            "month and import the parts one after another.",
        )


def problem(
    *, status: int, code: str, detail: str, title: str = "", errors: FieldErrors | None = None, **members: object
) -> dict[str, object]:
    """Return a problem object; `title` defaults to the status's phrase."""
    body: dict[str, object] = {
        "type": f"urn:mixed-media-modeling:problem:{code}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": encodable(detail),
        "code": code,
        **members,
    }
    if errors:
        body["errors"] = {encodable(field): list(map(encodable, sentences)) for field, sentences in errors.items()}
    return body


def encodable(text: str) -> str:
    """Return text that UTF-8 can hold: what is repeated of a request may be a lone surrogate."""
    return text.encode(errors="replace").decode()


def json_problem(*, status: int, code: str, detail: str, **members: str) -> JsonResponse:
    """Return a problem as a plain Django response, for errors outside of Django REST framework's views."""
    body = problem(status=status, code=code, detail=detail) | members
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


def problem_response(exc: Exception, context: Mapping[str, object]) -> Response | None:  # noqa: ARG001 (DRF's signature)
    """Turn an exception in an API view into a problem; None (a fault of ours) is left to `handler500`."""
    headers: dict[str, str] = {}
    if isinstance(exc, Problem):
        body = exc.as_json()
    elif isinstance(exc, Http404):
        body = NotFound("There is nothing at this address.").as_json()
    elif isinstance(exc, PermissionDenied):
        body = NotPermitted(str(exc) or "You may not do this.").as_json()
    elif isinstance(exc, ValidationError):
        body = Invalid("Some of the input cannot be used.", errors=_django_errors(exc)).as_json()
    elif isinstance(exc, exceptions.APIException):
        body = _framework_problem(exc)
        headers = _framework_headers(exc)
    else:
        return None
    return Response(body, status=int(str(body["status"])), headers=headers, content_type=CONTENT_TYPE)


def _framework_problem(exc: exceptions.APIException) -> dict[str, object]:
    if isinstance(exc, exceptions.ValidationError):
        return Invalid("Some of the input cannot be used.", errors=dict(_field_errors(exc.detail))).as_json()
    if isinstance(exc, exceptions.PermissionDenied):
        return NotPermitted(str(exc.detail)).as_json()
    code = {"throttled": "rate_limited", "error": "internal_error"}.get(exc.default_code, exc.default_code)
    return problem(status=exc.status_code, code=code, detail=str(exc.detail))


def _framework_headers(exc: exceptions.APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait_seconds := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait_seconds))
    return headers


def _django_errors(exc: ValidationError) -> FieldErrors:
    if hasattr(exc, "error_dict"):
        return {("" if field == "__all__" else field): sentences for field, sentences in exc.message_dict.items()}
    return {"": exc.messages}


def _field_errors(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Flatten DRF's nested error detail to (dotted field, sentences); errors of no field have the name ""."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from _field_errors(value, ".".join(filter(None, (path, name))))
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        for index, item in enumerate(detail):
            if item:
                yield from _field_errors(item, ".".join(filter(None, (path, str(index)))))
    else:
        yield path, [str(item) for item in (detail if isinstance(detail, list) else [detail])]

"""Error pages, and the same errors as problems under /api/."""

import logging
import sys
import uuid
from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import is_valid_path
from structlog.contextvars import bind_contextvars

from mmm_project.outages import Outage, outage_of
from mmm_project.problems import Conflict, Problem, TooLarge, json_problem
from mmm_project.web import is_api

logger = logging.getLogger(__name__)


class ConflictMiddleware:
    """Answers a Conflict on a page: Django has an exception and a page of its own for each other `Problem`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Conflict):
            return None
        return _refusal(request, exception, status=exception.status, code=exception.code, detail=exception.detail)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        exception = TooLarge()
    status = exception.status if isinstance(exception, Problem) else 400
    return _refusal(request, exception, status=status, code="invalid", detail="This request cannot be understood.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    logger.warning("CSRF check failed at %s: %s", request.path, reason)
    return _refusal(
        request,
        None,
        status=403,
        code="csrf_failed",
        detail="This form is too old, or cookies are blocked. Go back, reload the page and send it again.",
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _refusal(request, exception, status=403, code="permission_denied", detail="You may not do this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = "There is nothing at this address."
    if is_api(request) and not request.path_info.endswith("/") and is_valid_path(f"{request.path_info}/"):
        detail = f"Addresses of the API end with a slash: {request.path}/."
    return _refusal(request, exception, status=404, code="not_found", detail=detail)


def server_error(request: HttpRequest) -> HttpResponse:
    """Log the fault with an id and show the id; where the service is out of order, say so instead.

    The page is rendered without the request, so that it needs neither database nor session: they may be the fault.
    """
    if (outage := outage_of(sys.exc_info()[1])) is not None:
        return _out_of_order(request, outage)
    error_id = uuid.uuid4().hex[:8]
    bind_contextvars(error_id=error_id)
    logger.error("Error %s at %s %s", error_id, request.method, request.path, exc_info=True)
    if is_api(request):
        detail = f"Something went wrong on our side. Mention error {error_id} when you report it."
        return json_problem(status=500, code="internal_error", detail=detail, error_id=error_id)
    return HttpResponse(render_to_string("500.html", {"error_id": error_id}), status=500)


def _out_of_order(request: HttpRequest, outage: Outage) -> HttpResponse:
    logger.error("%s at %s %s", outage.code, request.method, request.path, exc_info=True)
    response: HttpResponse
    if is_api(request):
        response = json_problem(status=outage.status, code=outage.code, detail=outage.detail)
    else:
        response = HttpResponse(render_to_string("outage.html", {"outage": outage}), status=outage.status)
    if outage.retry_after is not None:
        response["Retry-After"] = str(outage.retry_after)
    return response


def _refusal(request: HttpRequest, exception: Exception | None, *, status: int, code: str, detail: str) -> HttpResponse:
    if isinstance(exception, Problem):
        code, detail = exception.code, exception.detail
    if is_api(request):
        return json_problem(status=status, code=code, detail=detail)
    return render(request, f"{status}.html", {"code": code, "detail": detail}, status=status)

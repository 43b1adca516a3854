"""What is noted of every request: an id, a line in the log, and its place in the metrics."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

from operations.metrics import requests as metrics

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,128}")


class RequestMiddleware:
    """Gives a request its id, which all that is logged meanwhile carries, and notes how it ended.

    The id is that of the `X-Request-ID` header where it is 8 to 128 letters, digits, dots, dashes and underscores; a
    proxy may set it. The answer has it too. The line names the route and not the address, as addresses hold tokens.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.headers.get(HEADER, "")
        request_id = asked if _SANE.fullmatch(asked) else uuid.uuid4().hex
        # Not cleared at the end: Django logs "Not Found" and the like after the outermost middleware.
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        began = time.perf_counter()
        response = self.get_response(request)
        _note(request, response, seconds=time.perf_counter() - began)
        response[HEADER] = request_id
        return response


def _note(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """Count the request, and log it unless it was for a static file that was there."""
    route = _route(request)
    method = metrics.observe(route=route, method=request.method or "", status=response.status_code, seconds=seconds)
    if route == STATIC and response.status_code < 400:
        return
    noted = {"method": method, "route": route, "status": response.status_code, "ms": round(seconds * 1000)}
    logger.info("%s %s %s in %s ms", *noted.values(), extra=noted)


STATIC, UNKNOWN = "static", "unknown"


def _route(request: HttpRequest) -> str:
    """Return the name of the route, one of as many as `urls.py` has, or what stands for addresses without one."""
    if request.resolver_match is not None:
        return request.resolver_match.view_name
    return STATIC if request.path_info.startswith(settings.STATIC_URL) else UNKNOWN

"""What load balancers ask: whether this process serves."""

import logging
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

PATH = "/healthz/"


class ReadinessMiddleware:
    """Answers GET /healthz/ with 200 “ok”, or 503 where the database cannot be asked; nothing else is said.

    Before all other middleware: load balancers ask over plain HTTP, by address and not by name, and without a session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != PATH:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        serves = _database_answers()
        said = "" if request.method == "HEAD" else "ok" if serves else "unavailable"
        response = HttpResponse(said, "text/plain", 200 if serves else 503)
        response["Cache-Control"] = "no-store"
        return response


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except (DatabaseError, InterfaceError):
        logger.exception("Not ready: the database cannot be asked")
        return False
    return True

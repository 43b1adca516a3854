"""Whether this process serves (what load balancers ask) and whether it answers at all (what supervisors ask)."""

import logging
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse

from operations.migration_state import missing_migrations

logger = logging.getLogger(__name__)

READY = "/healthz/"
LIVE = "/healthz/live/"


class ReadinessMiddleware:
    """Answers GET /healthz/ and /healthz/live/ with 200 “ok” or 503 “unavailable”; nothing else is said.

    `/healthz/`: the database can be asked and has every migration of this code. `/healthz/live/`: the process answers;
    nothing else is looked at, as starting it again would bring no database back. Redis is in neither: without it, the
    product works on. Before all other middleware: they are asked over plain HTTP, by address and without a session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._is_migrated = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in (READY, LIVE):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        serves = request.path_info == LIVE or self._is_ready()
        said = "" if request.method == "HEAD" else "ok" if serves else "unavailable"
        response = HttpResponse(said, "text/plain", 200 if serves else 503)
        response["Cache-Control"] = "no-store"
        return response

    def _is_ready(self) -> bool:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                cursor.fetchone()
            # Migrations are not taken back while this code runs, so they are looked at until they are all there.
            missing = [] if self._is_migrated else missing_migrations()
        except (DatabaseError, InterfaceError):
            logger.exception("Not ready: the database cannot be asked")
            return False
        if missing:
            logger.error("Not ready: %s migrations are not applied, such as %s", len(missing), missing[0])
        self._is_migrated = not missing
        return self._is_migrated

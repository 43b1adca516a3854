"""Makes requests of a session that views as somebody theirs, as far as looking goes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from accounts import impersonation
from accounts.access import LAST_WORKSPACE
from accounts.impersonation import Viewing
from accounts.models import User
from mmm_project.problems import NotPermitted, json_problem
from mmm_project.web import is_api

LOOKING = ("GET", "HEAD")
CODE = "viewing_as"
READ_ONLY = "You are looking at the product as somebody else, and change nothing in their name."
NOT_THEIR_ADMIN = "The administration is yours and not theirs."
THEIR_ACCOUNT = "Somebody's addresses, password, second factor and invitations are for nobody else."
NOT_TO_TAKE = "Personal data, keys and secrets are for nobody who looks at the product as somebody else."
OVER = "You are yourself again: {because}."
# Pages and files that are kept from who views as their person: names of addresses, or of whole namespaces.
KEPT_BACK = frozenset(
    {
        *("api:access", "api:create_key", "api:rotate_key", "api:revoke_key", "webhooks"),
        *("marketing:privacy", "marketing:customer", "marketing:export_customer", "marketing:erase_customer"),
        *("marketing:api_customer", "marketing:api_customer_lookup", "marketing:api_customer_export"),
        *("marketing:api_customer_erase", "marketing:api_customer_requests", "marketing:api_customer_request"),
        *("marketing:api_touchpoints", "marketing:api_conversions"),
        *("marketing:import_file", "marketing:import_rejects", "marketing:upload_rejects"),
        *("marketing:upload", "marketing:upload_file", "marketing:upload_columns", "marketing:upload_check"),
        "marketing:api_import_rejects",
        *("workspace_export", "workspace_export_file", "audit_export"),
    }
)
WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "TRUNCATE", "COPY", "CREATE", "ALTER", "DROP"})


class ImpersonationMiddleware:
    """Sets `request.impersonator` to the site admin who views as `request.user`; None on anybody else's requests.

    Stands after `SessionLimitsMiddleware`, which keeps the limits of the site admin's own session. What the views see
    as the session is empty, and is thrown away: nothing of the site admin's is read as the person's, nor the reverse.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.impersonator = None  # type: ignore[attr-defined]
        viewing = _viewing(request)
        if viewing is None or request.path_info == reverse("stop_viewing_as"):
            return self.get_response(request)
        admin = request.user
        if not isinstance(admin, User):  # deactivated, or the password was changed: whoever signs in here is themselves
            impersonation.stop(session=request.session, by=None, because="the site admin can sign in no more")
            return self.get_response(request)
        person = User.objects.filter(pk=viewing.person).first()
        if because := impersonation.over_because(viewing, by=admin, person=person):
            impersonation.stop(session=request.session, by=admin, because=because)
            request.viewing_ended = OVER.format(because=because)  # type: ignore[attr-defined]
            return self.get_response(request)
        with _as_the_person(request, admin, person, viewing):
            response = self.get_response(request)
        response["Cache-Control"] = "no-store"  # nobody comes back to it when they are themselves again
        return response

    def process_view(
        self, request: HttpRequest, _view: Callable[..., HttpResponseBase], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        if sentence := getattr(request, "viewing_ended", ""):
            return _back_to_oneself(request, sentence)
        if getattr(request, "impersonator", None) is None:
            return None
        sentence = _refusal(request)
        return _refuse(request, sentence) if sentence else None


def _viewing(request: HttpRequest) -> Viewing | None:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    return impersonation.current(request.session)


@contextmanager
def _as_the_person(request: Any, admin: User, person: User | None, viewing: Viewing) -> Iterator[None]:
    """Let the request be the person's, and refuse whatever would be written to the database on the way."""
    session, asynchronous_user = request.session, request.auser

    async def person_later() -> User | None:
        return person

    request.impersonator, request.user, request.auser = admin, person, person_later
    request.session = SessionStore()  # one that keeps nothing anywhere unless it is saved, and nobody does
    if viewing.landing:
        request.session[LAST_WORKSPACE] = viewing.landing
    try:
        with connection.execute_wrapper(_refuse_writes):
            yield
    finally:
        request.user, request.auser, request.session = admin, asynchronous_user, session


def _refuse_writes(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    """Let through what reads: a page that would write although it is only looked at is refused as a whole."""
    if sql.lstrip(" (\n").partition(" ")[0].upper() in WRITES:
        raise NotPermitted(READ_ONLY)
    return execute(sql, params, many, context)


def _refusal(request: HttpRequest) -> str:
    """Why a request is not for who views as somebody; "" where it is."""
    if request.method not in LOOKING:
        return READ_ONLY
    if request.path_info.startswith(reverse("admin:index")):
        return NOT_THEIR_ADMIN
    if request.path_info.startswith("/accounts/"):
        return THEIR_ACCOUNT
    match = request.resolver_match
    if match is not None and KEPT_BACK.intersection((match.view_name, match.namespace)):
        return NOT_TO_TAKE
    return ""


def _refuse(request: HttpRequest, sentence: str) -> HttpResponse:
    if is_api(request):
        return json_problem(status=403, code=CODE, detail=sentence)
    return render(request, "accounts/viewing_as_refused.html", {"detail": sentence}, status=403)


def _back_to_oneself(request: HttpRequest, sentence: str) -> HttpResponse:
    """Answer the first request after the end with nothing of what it asked for: it was asked for as somebody else."""
    if is_api(request):
        return json_problem(status=403, code=CODE, detail=sentence)
    messages.warning(request, sentence)
    home = reverse("admin:index")
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(home)
    return redirect(home)

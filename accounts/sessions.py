"""How long a signed-in browser stays signed in, where it goes then, and what it keeps of what it has seen."""

import re
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth import middleware as auth_middleware
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone as clock
from django_htmx.http import HttpResponseClientRedirect
from structlog.contextvars import bind_contextvars

from mmm_project.web import HtmxHttpRequest, wants_fragment

STARTED_AT = "started_at"
SEEN_AT = "seen_at"
# The last visit is noted this often at most, so that reading a page rarely writes a row.
NOTE_EVERY_SECONDS = 300
_ID = re.compile("[a-z0-9]{32}")  # of a session, as Django makes them


class KnownFormSessionMiddleware(SessionMiddleware):
    """Looks only for sessions whose id can be one: PostgreSQL refuses a text with a NUL in it."""

    def process_request(self, request: HttpRequest) -> None:
        if not _ID.fullmatch(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")):
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        super().process_request(request)


class SessionLimitsMiddleware:
    """Signs a browser out after `SESSION_IDLE_SECONDS` without a visit, and after `SESSION_COOKIE_AGE` in any case.

    Django alone would start the whole time anew with each change of the session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            bind_contextvars(user_id=request.user.pk)
            self._keep_or_end(request)
        return self.get_response(request)

    def _keep_or_end(self, request: HttpRequest) -> None:
        now = int(clock.now().timestamp())
        started_at = request.session.setdefault(STARTED_AT, now)
        seen_at = request.session.setdefault(SEEN_AT, now)
        is_idle = now - seen_at > settings.SESSION_IDLE_SECONDS
        is_old = now - started_at > settings.SESSION_COOKIE_AGE
        if is_idle or is_old:
            logout(request)
        elif now - seen_at > NOTE_EVERY_SECONDS:
            request.session[SEEN_AT] = now


class KeepNothingMiddleware:
    """Keeps pages out of every cache, the browser's too, unless a view has said how its answer may be kept.

    Whoever goes back after signing out, or sits down at the same browser, asks for each page anew.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Cache-Control", "private, no-store")
        return response


class LoginRequiredMiddleware(auth_middleware.LoginRequiredMiddleware):
    """Sends whoever is not signed in to sign in; the whole browser, also when HTMX asked for a part of a page."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        redirect: HttpResponseBase | None = super().process_view(request, view_func, view_args, view_kwargs)
        htmx_request = cast("HtmxHttpRequest", request)
        if redirect is None or not wants_fragment(htmx_request):
            return redirect
        # HTMX would follow it and put the sign-in page into the fragment's place. Afterwards, back to the page around.
        page = htmx_request.htmx.current_url_abs_path or "/"
        return HttpResponseClientRedirect(redirect_to_login(page, self.get_login_url(view_func)).url)

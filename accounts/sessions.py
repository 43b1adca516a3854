"""How long a signed-in browser stays signed in, and where it goes then."""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth import middleware as auth_middleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone as clock
from django_htmx.http import HttpResponseClientRedirect

from mmm_project.web import HtmxHttpRequest, wants_fragment

STARTED_AT = "started_at"
SEEN_AT = "seen_at"
# The last visit is noted this often at most, so that reading a page rarely writes a row.
NOTE_EVERY_SECONDS = 300


class SessionLimitsMiddleware:
    """Signs a browser out after `SESSION_IDLE_SECONDS` without a visit, and after `SESSION_COOKIE_AGE` in any case.

    Django alone would start the whole time anew with each change of the session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
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

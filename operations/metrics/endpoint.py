"""GET /metrics, for those who may read it."""

import hmac
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from operations.metrics import requests, service

PATH = "/metrics"
LOOPBACK = frozenset({"127.0.0.1", "::1"})
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via")


class MetricsMiddleware:
    """Answers GET /metrics to whoever sends `Authorization: Bearer METRICS_TOKEN`; to others there is no such page.

    Without a token, programs on this machine may ask, unless a proxy is in front: what it passes on looks the same.
    Before all other middleware: Prometheus asks over plain HTTP, by address and without a session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != PATH or request.method != "GET" or not _may_read(request):
            return self.get_response(request)
        body = requests.exposition() + service.exposition()
        return HttpResponse(body, CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        sent = request.headers.get("Authorization", "")
        return hmac.compare_digest(sent.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    if settings.BEHIND_PROXY or request.META.get("REMOTE_ADDR") not in LOOPBACK:
        return False
    return not any(name in request.headers for name in FORWARDED) and _is_a_name_of_ours(request)


def _is_a_name_of_ours(request: HttpRequest) -> bool:
    """Whether the host is ours: a page elsewhere could have its own name lead to this machine (DNS rebinding)."""
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True

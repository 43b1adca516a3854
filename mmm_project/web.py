"""Pages and fragments: one URL answers a browser with a page and HTMX with the part of it that changed."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

# What decides between page and fragment; caches must keep the two apart.
HTMX_VARY = ("HX-Request", "HX-Boosted", "HX-History-Restore-Request")


class HtmxHttpRequest(HttpRequest):
    """A request that went through `HtmxMiddleware`. `accounts.access.AuthedRequest` adds who is asking."""

    htmx: HtmxDetails


def is_api(request: HttpRequest) -> bool:
    """Whether a program asks, that is answered in JSON."""
    return request.path_info.startswith("/api/")


def wants_fragment(request: HtmxHttpRequest) -> bool:
    """Whether HTMX asks for a part of the page.

    A boosted link and a restored history entry replace the whole body, so they get the whole page.
    """
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def render_page(
    request: HtmxHttpRequest,
    template: str,
    context: Mapping[str, object] | None = None,
    *,
    fragment: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render `template`, or only its `{% partialdef fragment %}` when HTMX asks for a fragment.

    A form that failed validation is rendered with `status=422`.
    """
    name = f"{template}#{fragment}" if fragment and wants_fragment(request) else template
    response = render(request, name, dict(context or {}), status=status)
    if fragment:
        patch_vary_headers(response, HTMX_VARY)
    return response

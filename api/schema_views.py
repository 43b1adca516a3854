"""The description of the API as a file."""

from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

MEDIA_TYPES = {"json": "application/vnd.oai.openapi+json", "yaml": "application/vnd.oai.openapi"}


@login_not_required
@require_safe
@gzip_page
@conditional_page
def schema(_request: HttpRequest, form: str) -> HttpResponse:
    """Return the OpenAPI description as JSON or YAML. It is the same for everybody, and tells nothing of anybody."""
    return HttpResponse(rendered(form), content_type=f"{MEDIA_TYPES[form]}; charset=utf-8")


@cache
def rendered(form: str) -> bytes:
    """Return the description as a file: made once in each process."""
    # Only where it is asked for: it takes longer to import than the start of the web server should wait.
    from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

    renderer = OpenApiJsonRenderer() if form == "json" else OpenApiYamlRenderer()
    text: bytes = renderer.render(description(), renderer_context={})
    return text


def description() -> dict[str, Any]:
    """Return the OpenAPI description of every address."""
    from drf_spectacular.generators import SchemaGenerator

    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made

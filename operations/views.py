"""The status page, among the pages of the admin."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from operations.status.look import look


@never_cache
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Show how the service is; `operations.site` lets only staff in."""
    context = {**admin.site.each_context(request), "title": "Status", "report": look()}
    return TemplateResponse(request, "operations/status.html", context)

"""Settings > Audit log: who did what in the workspace, to look through and to take along."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone as clock
from django.views.decorators.http import require_POST, require_safe

from accounts import access, audit_log
from accounts.access import AuthedRequest
from accounts.audit import record
from accounts.audit_forms import AuditFilterForm
from accounts.audit_presenter import csv_rows, json_pieces, present_event
from accounts.models import AuditEvent
from accounts.permissions import Permission
from mmm_project.problems import Invalid
from mmm_project.tables import csv_pieces
from mmm_project.web import render_page, wants_fragment

Pieces: TypeAlias = Iterator[str] | Iterator[bytes]
LARGEST_ID = 2**63 - 1


def _as_csv(events: Iterable[AuditEvent], zone: ZoneInfo) -> Pieces:
    return csv_pieces(csv_rows(events, zone))


# What it is called in the address and in a file's name -> how it is written, and its type.
FORMATS: dict[str, tuple[Callable[[Iterable[AuditEvent], ZoneInfo], Pieces], str]] = {
    "csv": (_as_csv, "text/csv; charset=utf-8"),
    "json": (json_pieces, "application/json"),
}


@require_safe
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show the log, newest first; the address says what is filtered and which page it is."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.AUDIT_LOG)
    form = AuditFilterForm(request.GET, workspace=workspace)
    shown = audit_log.page_of(
        audit_log.events(workspace, form.filters),
        after=_event_id(request.GET.get("after")),
        before=_event_id(request.GET.get("before")),
    )
    context = {
        "form": form,
        "rows": [present_event(event, workspace.zone) for event in shown.events],
        "is_first": shown.newer is None,
        "newer_url": f"?{urlencode({**form.asked, 'before': shown.newer})}" if shown.newer else "",
        "older_url": f"?{urlencode({**form.asked, 'after': shown.older})}" if shown.older else "",
        "zone": workspace.timezone,
        "is_fragment": wants_fragment(request),
    }
    response = render_page(request, "settings/audit.html", context, fragment="events")
    if wants_fragment(request):
        # Only what is filtered by, so that the address is one to share.
        query = urlencode(form.asked)
        response["HX-Push-Url"] = f"{request.path}?{query}" if query else request.path
    return response


@require_POST
def export(request: AuthedRequest, slug: str) -> StreamingHttpResponse:
    """Download the log as it is filtered, and note that. A POST, as it leaves a trace."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.AUDIT_LOG)
    form = AuditFilterForm(request.POST, workspace=workspace)
    wanted = request.POST.get("format", "")
    if wanted not in FORMATS or not form.is_valid():
        raise Invalid("This export cannot be made. Go back to the audit log and choose its filters again.")
    record(
        workspace=workspace,
        action="audit.exported",
        target=wanted.upper(),
        actor=request.user,
        filters=form.asked,
    )
    write, content_type = FORMATS[wanted]
    events = audit_log.in_batches(audit_log.events(workspace, form.filters))
    day = clock.now().astimezone(workspace.zone).date()
    return StreamingHttpResponse(
        write(events, workspace.zone),
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="audit-log-{slug}-{day}.{wanted}"',
            "Cache-Control": "no-store",
        },
    )


def _event_id(text: str | None) -> int | None:
    """The event that an address names; None where it names none."""
    if not text or not (text.isascii() and text.isdigit()) or len(text) > 19:
        return None
    return number if (number := int(text)) <= LARGEST_ID else None

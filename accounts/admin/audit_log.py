"""The audit log in the admin: to read, to search, and to take along."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone as clock
from django.utils.html import format_html

from accounts.audit import record
from accounts.audit_words import NOUNS, actions_of
from accounts.models import AuditEvent
from accounts.site_admins import acting
from mmm_project.admin_links import by_chosen, by_workspace, link_to
from mmm_project.admin_rows import row_action
from mmm_project.read_only_admin import ReadOnlyAdmin
from mmm_project.tables import Cell, csv_pieces

HEADER = ("id", "at", "workspace", "action", "target", "actor", "api_key", "detail")
EVENTS_AT_ONCE = 2_000


class ByNoun(admin.SimpleListFilter):
    """Keeps to what was done about one sort of thing; what sorts there are, no row has to be asked for."""

    title = "what it is about"
    parameter_name = "about"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(name, noun.label) for name, noun in NOUNS.items()]

    def queryset(self, _request: HttpRequest, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return events.filter(action__in=actions_of(self.value() or "")) if self.value() else events


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", link_to("workspace"), "action", "target", link_to("actor"), "api_key")
    list_filter = (ByNoun, by_workspace, by_chosen("actor"), by_chosen("api_key", "API key"))
    search_fields = ("action", "target", "actor__email", "workspace__name", "workspace__slug")
    list_select_related = ("workspace", "actor", "api_key")
    date_hierarchy = "at"
    fields = ("at", "workspace", "action", "target", "actor", "api_key", "what")
    readonly_fields = ("what",)
    actions = ("export",)

    @admin.display(description="detail")
    def what(self, event: AuditEvent) -> str:
        return format_html("<pre>{}</pre>", json.dumps(event.detail, ensure_ascii=False, indent=2))

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever may read the log may take it along."""
        return self.has_view_permission(request)

    @row_action("Export as CSV", permission="export", applies=lambda _event: False)
    def export(self, request: HttpRequest, events: QuerySet[AuditEvent]) -> StreamingHttpResponse:
        record(workspace=None, action="audit.exported", actor=acting(request), events=events.count())
        rows = events.select_related("workspace", "actor", "api_key").iterator(EVENTS_AT_ONCE)
        response = StreamingHttpResponse(csv_pieces(_table(rows)), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="audit-log-{clock.now():%Y-%m-%d}.csv"'
        return response


def _table(events: Iterable[AuditEvent]) -> Iterator[tuple[Cell, ...]]:
    yield HEADER
    for event in events:
        yield (
            event.pk,
            event.at.isoformat(),
            event.workspace.slug if event.workspace else "",
            event.action,
            event.target,
            event.actor.email if event.actor else "",
            str(event.api_key) if event.api_key else "",
            json.dumps(event.detail, ensure_ascii=False),
        )

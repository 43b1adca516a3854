"""The audit log in the API."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from accounts import audit_log
from accounts.audit import record
from accounts.audit_words import in_words
from accounts.models import AuditEvent, User
from accounts.permissions import Permission
from accounts.scopes import Scope
from api import filters
from api.views import JSON_OR_CSV, ApiView
from mmm_project.tables import Cell

COLUMNS = ("at", "action", "what", "target", "actor", "api_key", "detail")


class AuditFilter(filters.Filters):
    """Which events to list; days are the workspace's, both ends included."""

    actor = filters.CharFilter(help_text="The e-mail address of a person, or `product` for what nobody did.")
    api_key = filters.UUIDFilter(help_text="The id of a key.")
    action = filters.CharFilter(help_text="Such as `member.added`, or `member` for all about members.")
    target = filters.CharFilter(help_text="A part of what the object is called.")
    start = filters.DateFilter(help_text="The first day.")
    end = filters.DateFilter(help_text="The last day.")

    def filter_queryset(self, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Return what `accounts.audit_log` finds, as the page does."""
        asked = {name: value for name, value in self.form.cleaned_data.items() if value not in (None, "")}
        actor = asked.pop("actor", None)
        if actor is not None and actor != audit_log.THE_PRODUCT:
            person = User.objects.filter(email__iexact=actor).first()
            if person is None:
                return queryset.none()
            actor = person.pk
        workspace = self.request.parser_context["view"].workspace
        return audit_log.events(workspace, audit_log.Filters(actor=actor, **asked))


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    """What somebody did. `detail.changes` has the values before and after by field, where some changed."""

    what = serializers.SerializerMethodField(help_text="The action in plain words.")
    actor = serializers.CharField(source="actor.email", default=None, allow_null=True)
    api_key = serializers.SerializerMethodField(help_text="The key that was used, or that the event is about.")
    detail = serializers.DictField()

    class Meta:
        model = AuditEvent
        fields = ("id", *COLUMNS)

    def get_what(self, event: AuditEvent) -> str:
        return in_words(event.action)

    @extend_schema_field({"type": ["string", "null"]})
    def get_api_key(self, event: AuditEvent) -> str | None:
        return str(event.api_key) if event.api_key else None


class AuditList(ApiView):
    """The workspace's audit log."""

    tag = "Account"
    scopes: ClassVar = {"GET": (Scope.AUDIT_READ,)}
    needs: ClassVar = {"GET": Permission.AUDIT_LOG}
    filterset_class = AuditFilter
    renderer_classes = JSON_OR_CSV
    ordering = ("-at", "-id")
    queryset = AuditEvent.objects.none()

    @extend_schema(
        operation_id="listAuditEvents",
        responses={(200, "application/json"): AuditEventSerializer, (200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """List who did what, newest first. With `Accept: text/csv`, all that the filters leave, as a table."""
        if not self.wants_csv:
            return self.paged(audit_log.events(self.workspace), AuditEventSerializer)
        found = self.filter_queryset(audit_log.events(self.workspace))
        table = self.csv(_rows(found), name="audit-log")
        record(
            workspace=self.workspace,
            action="audit.exported",
            target="csv",
            actor=self.user,
            api_key=self.key,
            filters=request.query_params.dict(),
        )
        return table


def _rows(found: QuerySet[AuditEvent]) -> Iterator[tuple[Cell, ...]]:
    yield COLUMNS
    for event in audit_log.in_batches(found):
        said: dict[str, Any] = AuditEventSerializer(event).data
        yield tuple(json.dumps(said[name]) if name == "detail" else said[name] for name in COLUMNS)

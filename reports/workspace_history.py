"""What a workspace holds besides its rows, for its export: settings, names and rules, and what was done in it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Model

from accounts.models import ApiKey, ApiUsage, AuditEvent, Invitation, Membership, PlanRequest, Workspace
from accounts.plans import plan_of
from analyses.models import Run
from attribution.models import CustomModel, CustomModelVersion
from marketing.models import (
    Campaign,
    Channel,
    ChannelAlias,
    ChannelGrouping,
    Control,
    Goal,
    Import,
    Outcome,
    SavedSegment,
    Segment,
)
from reports.models import Alert, Branding, Delivery, Recipient, Report, Schedule
from webhooks.addresses import host_of
from webhooks.models import Endpoint

ROWS_AT_ONCE = 500
RESULTS_AT_ONCE = 20  # of runs, each of which may be large


def settings_of(workspace: Workspace) -> dict[str, Any]:
    """Return the workspace's settings, its people, and every name and rule that it has made up. No secrets."""
    fields = [field.name for field in Workspace._meta.fields if field.name != "id"]
    return {
        "settings": {name: getattr(workspace, name) for name in fields},
        "plan": plan_of(workspace).code,
        "plan_requests": _all(
            PlanRequest, workspace, plan="plan__code", message="message", requested_by="requested_by__email",
            status="status", answer="answer", created_at="created_at", decided_at="decided_at",
        ),
        "api_calls": _all(ApiUsage, workspace, day="day", calls="calls"),
        "members": _all(Membership, workspace, email="user__email", role="role", since="created_at"),
        "invitations": _all(
            Invitation, workspace, email="email", role="role", sent_at="created_at", expires_at="expires_at",
            accepted_at="accepted_at", revoked_at="revoked_at",
        ),
        "api_keys": _all(
            ApiKey, workspace, name="name", lookup="lookup", scopes="scopes", created_by="created_by__email",
            created_at="created_at", expires_at="expires_at", revoked_at="revoked_at",
        ),
        "channels": _all(
            Channel, workspace, name="name", type="type", colour_slot="colour_slot", merged_into="merged_into__name"
        ),
        "channel_aliases": _all(ChannelAlias, workspace, name="name", channel="channel__name"),
        "channel_grouping": _all(ChannelGrouping, workspace, rules="rules", changed_at="changed_at"),
        "campaigns": _all(Campaign, workspace, name="name"),
        "goals": _all(Goal, workspace, name="name", kind="kind", is_default="is_default", archived_at="archived_at"),
        "outcomes": _all(Outcome, workspace, name="name", kind="kind", is_money="is_money"),
        "controls": _all(Control, workspace, name="name"),
        "segments_of_the_data": _all(Segment, workspace, name="name"),
        "segments": _all(
            SavedSegment, workspace, name="name", definition="definition", created_at="created_at",
            archived_at="archived_at",
        ),
        "custom_models": _custom_models(workspace),
        "reports": _all(
            Report, workspace, id="pk", name="name", period="period", comparison="comparison",
            campaign="campaign__name", blocks="blocks", created_by="created_by__email", created_at="created_at",
        ),
        "schedules": _with_recipients(
            Schedule, workspace, id="pk", name="name", report="report__name", kind="kind", params="params",
            period="period", formats="formats", frequency="frequency", weekday="weekday", month_day="month_day",
            time="time", zone="zone", paused_at="paused_at", paused_because="paused_because",
            created_by="created_by__email", created_at="created_at",
        ),
        "alerts": _with_recipients(
            Alert, workspace, id="pk", name="name", metric="metric", channel="channel__name", goal="goal__name",
            condition="condition", threshold="threshold", days="days", paused_at="paused_at",
            created_by="created_by__email", created_at="created_at",
        ),
        "branding": _all(Branding, workspace, colour="colour", paper="paper"),
        "webhooks": _webhooks(workspace),
    }  # fmt: skip


def imports_of(workspace: Workspace) -> Iterator[Mapping[str, Any]]:
    """Yield what is known of each import: file, counts, mapping, who and when."""
    left_out = {"workspace", "job", "stored_file", "rejects_file", "requested_by", "undone_by"}
    fields = [field.name for field in Import._meta.fields if field.name not in left_out]
    rows = Import.objects.filter(workspace=workspace).order_by("pk")
    yield from rows.values(*fields, "requested_by__email", "undone_by__email").iterator(chunk_size=ROWS_AT_ONCE)


def runs_of(workspace: Workspace) -> Iterator[Mapping[str, Any]]:
    """Yield each run: the question, the answer, who and when."""
    fields = ("id", "kind", "params", "trigger", "created_at", "data_version", "method_version", "result", "void")
    rows = Run.objects.filter(workspace=workspace).order_by("created_at")
    values = (*fields, "requested_by__email", "job__status", "job__error", "job__finished_at")
    yield from rows.values(*values).iterator(chunk_size=RESULTS_AT_ONCE)


def deliveries_of(workspace: Workspace) -> Iterator[Mapping[str, Any]]:
    """Yield each mail that went out, or was to: what, to whom, when, and what came of it."""
    rows = Delivery.objects.filter(workspace=workspace).order_by("created_at")
    fields = ("id", "purpose", "subject", "email", "status", "attempts", "error", "formats", "created_at", "sent_at")
    values = rows.values(*fields, "edition_id", "occurrence__schedule__name", "occurrence__due_at")
    yield from values.iterator(chunk_size=ROWS_AT_ONCE)


def audit_of(workspace: Workspace) -> Iterator[Mapping[str, Any]]:
    """Yield the audit log, oldest first."""
    rows = AuditEvent.objects.filter(workspace=workspace).order_by("pk")
    values = rows.values("at", "action", "target", "actor__email", "api_key__name", "detail")
    yield from values.iterator(chunk_size=ROWS_AT_ONCE)


def _custom_models(workspace: Workspace) -> list[dict[str, Any]]:
    """The custom models with all their versions; runs name a version "custom:<id>@<number>"."""
    columns = {
        "id": "pk", "name": "name", "description": "description", "created_by": "created_by__email",
        "created_at": "created_at", "archived_at": "archived_at",
    }  # fmt: skip
    versions = defaultdict(list)
    of_version = ("number", "definition", "created_by__email", "created_at")
    rows = CustomModelVersion.objects.filter(model__workspace=workspace).order_by("number")
    for model_id, *values in rows.values_list("model", *of_version):
        versions[model_id].append(dict(zip(of_version, values, strict=True)))
    return [model | {"versions": versions[model["id"]]} for model in _all(CustomModel, workspace, **columns)]


def _webhooks(workspace: Workspace) -> list[dict[str, Any]]:
    """The webhooks without their secrets; of a URL only the host, as the rest may hold a password of the receiver's."""
    rows = _all(
        Endpoint, workspace, id="pk", url="url", description="description", events="events",
        created_by="created_by__email", created_at="created_at", disabled_at="disabled_at",
        disabled_because="disabled_because",
    )  # fmt: skip
    return [{"host": host_of(row.pop("url")), **row} for row in rows]


def _with_recipients(model: type[Schedule] | type[Alert], workspace: Workspace, **columns: str) -> list[dict[str, Any]]:
    """Schedules or alerts with the people who get their mails, and those who stay unsubscribed though removed."""
    owner = "schedule" if model is Schedule else "alert"
    fields = ("email", "unsubscribed_at", "rejected_at", "removed_at")
    found = defaultdict(list)
    for owner_id, *values in Recipient.objects.filter(**{f"{owner}__workspace": workspace}).values_list(owner, *fields):
        found[owner_id].append(dict(zip(fields, values, strict=True)))
    return [row | {"recipients": found[row["id"]]} for row in _all(model, workspace, **columns)]


def _all(model: type[Model], workspace: Workspace, **columns: str) -> list[dict[str, Any]]:
    rows = model._default_manager.filter(workspace=workspace).order_by("pk").values_list(*columns.values())
    return [dict(zip(columns, row, strict=True)) for row in rows]

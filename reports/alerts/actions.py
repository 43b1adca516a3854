"""Everything that people do to alerts. Only this package writes Alert and AlertEvent."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, NoReturn

from django.db import transaction
from django.urls import reverse
from django.utils import timezone as clock

from accounts.audit import record
from accounts.models import ApiKey, Membership, Workspace
from accounts.permissions import Permission, allows
from marketing.models import Channel, Goal
from marketing.periods import yesterday
from mmm_project.problems import Invalid, NotFound, NotPermitted
from reports.deliveries import outbox
from reports.deliveries.addresses import clean_addresses
from reports.deliveries.links import site_url
from reports.deliveries.recipients import change_list
from reports.models import Alert

LONGEST_NAME = 100
MOST_ALERTS = 50  # of a workspace: each is looked at whenever figures change
SPANS = (1, 7, 30)
LARGEST_THRESHOLD = Decimal(10) ** 13  # what SQLite rounds up from below still fits into its column


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an alert is made of, as its model has it. `recipients`: addresses."""

    name: str
    metric: str
    condition: str
    threshold: Decimal | None = None
    days: int = 1
    channel: Channel | None = None
    goal: Goal | None = None
    recipients: Sequence[str] = ()


def find_alert(*, workspace: Workspace, alert_id: uuid.UUID) -> Alert:
    """Return an alert of the workspace. Raises NotFound."""
    related = Alert.objects.select_related("workspace", "channel", "goal", "created_by")
    alert = related.filter(workspace=workspace, pk=alert_id).first()
    if alert is None:
        raise NotFound("There is no such alert in this workspace.")
    return alert


def may_change(alert: Alert, membership: Membership) -> bool:
    """Whether a member may change the alert: their own one, or any."""
    return allows(membership.role, _permission_for(alert, membership))


@transaction.atomic
def create_alert(*, workspace: Workspace, settings: Settings, by: Membership, api_key: ApiKey | None = None) -> Alert:
    """Watch a metric from yesterday on. Raises NotPermitted, and Invalid with `errors` by field."""
    _require(allows(by.role, Permission.SCHEDULE_OWN), Permission.SCHEDULE_OWN)
    _lock(workspace)
    settings = cleaned(workspace, settings, besides=None)
    if Alert.objects.filter(workspace=workspace).count() >= MOST_ALERTS:
        raise Invalid(f"A workspace has at most {MOST_ALERTS} alerts. Delete one that nobody needs.")
    alert = Alert.objects.create(
        workspace=workspace, created_by=by.user, watched_from=_yesterday(workspace), **_fields(settings)
    )
    change_list(about=alert, addresses=settings.recipients)
    record(
        workspace=workspace,
        action="alert.created",
        target=alert.name,
        actor=by.user,
        api_key=api_key,
        alert=str(alert.pk),
        recipients=list(settings.recipients),
    )
    return alert


@transaction.atomic
def change_alert(*, alert: Alert, settings: Settings, by: Membership, api_key: ApiKey | None = None) -> None:
    """Change what is watched, or who is told. Raises as `create_alert` does.

    Where it watches something else than before, it does so from yesterday on, and what it noticed before no longer
    counts. Who has unsubscribed stays so.
    """
    _require_authority(alert, by)
    # The alert first, and names last, as a look does that finds something: two that wait for each other would not end.
    Alert.objects.select_for_update(no_key=True).filter(pk=alert.pk).first()
    added, removed = change_list(about=alert, addresses=clean_addresses(settings.recipients))
    _lock(alert.workspace)
    alert.refresh_from_db()
    settings = cleaned(alert.workspace, settings, besides=alert)
    values = _fields(settings)
    changes = {
        name: {"before": _as_recorded(before), "after": _as_recorded(value)}
        for name, value in sorted(values.items())
        if (before := getattr(alert, name)) != value
    }
    if changes.keys() - {"name"}:
        values |= {"revision": alert.revision + 1, **_afresh(alert.workspace)}
    for name, value in values.items():
        setattr(alert, name, value)
    alert.save(update_fields=list(values))
    if changes or added or removed:
        record(
            workspace=alert.workspace,
            action="alert.changed",
            target=alert.name,
            actor=by.user,
            api_key=api_key,
            alert=str(alert.pk),
            changes=changes,
            recipients_added=added,
            recipients_removed=removed,
        )


@transaction.atomic
def pause_alert(*, alert: Alert, by: Membership, api_key: ApiKey | None = None) -> bool:
    """Look at nothing until it is resumed; False if it is paused already. Raises NotPermitted."""
    _require_authority(alert, by)
    if not Alert.objects.filter(pk=alert.pk, paused_at=None).update(paused_at=clock.now()):
        return False
    _record(alert, "alert.paused", by, api_key)
    return True


@transaction.atomic
def resume_alert(*, alert: Alert, by: Membership, api_key: ApiKey | None = None) -> bool:
    """Watch again, from yesterday on; False if it is not paused. Raises NotPermitted.

    Where whoever made it may no longer set up alerts, whoever resumes it answers for it from then on.
    """
    _require_authority(alert, by)
    paused = Alert.objects.filter(pk=alert.pk, paused_at__isnull=False)
    if not paused.update(
        paused_at=None,
        **_afresh(alert.workspace),
        created_by=by.user_id if why_not(alert) else alert.created_by_id,
    ):
        return False
    _record(alert, "alert.resumed", by, api_key)
    return True


@transaction.atomic
def delete_alert(*, alert: Alert, by: Membership, api_key: ApiKey | None = None) -> None:
    """Delete it with its recipients, its events and the log of their mails. Raises NotPermitted."""
    _require_authority(alert, by)
    _record(alert, "alert.deleted", by, api_key)
    Alert.objects.filter(pk=alert.pk).delete()


def why_not(alert: Alert) -> str:
    """Why the alert may not go on: nobody who may set up alerts answers for it; "" where it may."""
    owner = Membership.objects.filter(workspace=alert.workspace_id, user=alert.created_by_id).first()
    if owner is None:
        return "Whoever made it is no longer a member of the workspace."
    if not allows(owner.role, Permission.SCHEDULE_OWN):
        return f"{owner.user.email} made it, and may no longer set up alerts."
    return ""


def pause_for(alert: Alert, because: str) -> None:
    """Pause an alert that may not go on, in the caller's transaction, and tell whoever made it, or else the owners."""
    if not Alert.objects.filter(pk=alert.pk, paused_at=None).update(paused_at=clock.now()):
        return
    record(workspace=alert.workspace, action="alert.paused", target=alert.name, alert=str(alert.pk), because=because)
    page = reverse("reports:alert", kwargs={"slug": alert.workspace.slug, "alert_id": alert.pk})
    body = f"The alert “{alert.name}” is paused. {because}\n\nAn owner or admin can resume it: {site_url(page)}"
    for user in outbox.whom_to_tell(alert.workspace, alert.created_by):
        outbox.notify(workspace=alert.workspace, user=user, subject=f"Paused: {alert.name}", body=body)


def cleaned(workspace: Workspace, settings: Settings, *, besides: Alert | None) -> Settings:
    """Return the settings in canonical form. Raises Invalid with `errors` by field."""
    if settings.metric not in Alert.Metric.values:
        _refuse("metric", f"“{settings.metric[:40]}” is no metric. Choose one of {', '.join(Alert.Metric.values)}.")
    if settings.condition not in Alert.Condition.values:
        _refuse("condition", f"“{settings.condition[:40]}” is no condition of an alert.")
    if any(each and each.workspace_id != workspace.pk for each in (settings.channel, settings.goal)):
        _refuse("channel", "There is no such channel or goal in this workspace.")
    if settings.condition == Alert.Condition.ANOMALY:
        settings = replace(settings, threshold=None, days=1)
    elif settings.threshold is None:
        _refuse("threshold", "Enter a number to compare with.")
    elif not settings.threshold.is_finite() or not 0 <= settings.threshold < LARGEST_THRESHOLD:
        _refuse("threshold", f"A threshold lies between 0 and {LARGEST_THRESHOLD:,}.")
    elif settings.condition == Alert.Condition.BELOW and not settings.threshold:
        _refuse("threshold", "Nothing of this ever falls below 0. Enter a number above it.")
    if settings.days not in SPANS:
        _refuse("days", f"Choose {', '.join(map(str, SPANS[:-1]))} or {SPANS[-1]} days.")
    if settings.metric == Alert.Metric.SPEND:
        settings = replace(settings, goal=None)
    return replace(
        settings, name=_name(workspace, settings.name, besides), recipients=clean_addresses(settings.recipients)
    )


def _record(alert: Alert, action: str, by: Membership, api_key: ApiKey | None) -> None:
    record(
        workspace=alert.workspace,
        action=action,
        target=alert.name,
        actor=by.user,
        api_key=api_key,
        alert=str(alert.pk),
    )


def _name(workspace: Workspace, asked: str, besides: Alert | None) -> str:
    """The name on one line: it becomes part of a mail's subject."""
    name = " ".join("".join(one if one.isprintable() else " " for one in asked).split())
    if not name:
        _refuse("name", "Give the alert a name.")
    if len(name) > LONGEST_NAME:
        _refuse("name", f"A name has at most {LONGEST_NAME} characters; this one has {len(name)}.")
    others = Alert.objects.filter(workspace=workspace)
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    if name.lower() in (other.lower() for other in others.values_list("name", flat=True)):
        _refuse("name", f"“{name}” is there already; names that differ only in capitals are the same.")
    return name


def _fields(settings: Settings) -> dict[str, Any]:
    return {field.name: getattr(settings, field.name) for field in fields(settings) if field.name != "recipients"}


def _as_recorded(value: Any) -> Any:
    """A value of an alert as the audit log keeps it."""
    match value:
        case Channel(name=name) | Goal(name=name):
            return name
        case Decimal():
            return f"{value.normalize():f}"
    return value


def watch_from_today(*, now: dt.datetime) -> None:
    """Let every alert tell of no day that is over.

    For a database that was restored: nobody knows what has been told since it was written.
    """
    alerts = list(Alert.objects.select_related("workspace"))
    for alert in alerts:
        alert.watched_from = max(alert.watched_from, now.astimezone(alert.workspace.zone).date())
    Alert.objects.bulk_update(alerts, ["watched_from"])


def _permission_for(alert: Alert, by: Membership) -> Permission:
    return Permission.SCHEDULE_OWN if alert.created_by_id == by.user_id else Permission.SCHEDULE_ANY


def _require_authority(alert: Alert, by: Membership) -> None:
    _require(may_change(alert, by), _permission_for(alert, by))


def _require(allowed: bool, permission: Permission) -> None:
    if not allowed:
        raise NotPermitted(f"You may not {permission.value}. An owner or admin of the workspace can.")


def _lock(workspace: Workspace) -> None:
    """Let one transaction at a time name alerts of the workspace."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def _afresh(workspace: Workspace) -> dict[str, Any]:
    """The values of an alert that watches from yesterday on and has not looked yet."""
    return {"watched_from": _yesterday(workspace), "checked_cube": None, "checked_on": None, "checked_until": None}


def _yesterday(workspace: Workspace) -> dt.date:
    return yesterday(now=clock.now(), zone=workspace.zone)


def _refuse(field: str, sentence: str) -> NoReturn:
    raise Invalid(sentence, errors={field: [sentence]})

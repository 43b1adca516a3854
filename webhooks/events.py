"""The way in for what happens: an event is announced if, and only if, what it says is committed."""

import datetime as dt
import json
from collections.abc import Mapping

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise

from accounts.models import User, Workspace
from webhooks import outbox
from webhooks.event_types import EventType
from webhooks.models import Delivery, Endpoint, Message


def announce(
    *, workspace: Workspace, event: EventType, data: Mapping[str, object], path: str | Promise = ""
) -> Message | None:
    """Tell the endpoints that ask for this event, in the caller's transaction; None, and no row, if none does.

    `data`: what the event is about, in JSON values: ids, a status, and nothing that is about a person. `path`: where
    the API says more; with `reverse_lazy` it is looked up only where somebody asks.
    """
    asking = [one for one in Endpoint.objects.filter(workspace=workspace, disabled_at=None) if event in one.events]
    if not asking:
        return None
    message = _write(workspace, event, data, path)
    outbox.put(message, asking)
    return message


def announce_to(endpoint: Endpoint, *, event: EventType, data: Mapping[str, object], by: User | None) -> Delivery:
    """Tell one endpoint alone, whatever it asks for, in the caller's transaction."""
    message = _write(endpoint.workspace, event, data, "")
    (delivery,) = outbox.put(message, [endpoint], by=by)
    return delivery


def instant(at: dt.datetime) -> str:
    """An instant as payloads say it: ISO 8601, in UTC."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _write(workspace: Workspace, event: EventType, data: Mapping[str, object], path: str | Promise) -> Message:
    now = timezone.now()
    told = {"workspace": workspace.slug, **data} | ({"url": f"{settings.SITE_URL}{path}"} if path else {})
    payload = {"type": event.value, "timestamp": instant(now), "data": told}
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Message.objects.create(workspace=workspace, type=event, body=body, created_at=now)

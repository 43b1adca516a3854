"""How long it is known what was told to whom."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Workspace
from webhooks.models import Endpoint, Message

KEPT = dt.timedelta(days=30)
REMOVED_AT_ONCE = 500


def sweep() -> None:
    """Called every few seconds: remove some of the messages that are older than that, with their deliveries."""
    _remove_some(Message.objects.filter(created_at__lt=timezone.now() - KEPT).order_by("created_at"), REMOVED_AT_ONCE)


def forget_some(*, workspace: Workspace, at_once: int = REMOVED_AT_ONCE) -> int:
    """Delete some messages of a workspace that is being deleted, or else its endpoints; return how many there were."""
    return _remove_some(Message.objects.filter(workspace=workspace), at_once) or _remove_some(
        Endpoint.objects.filter(workspace=workspace), at_once
    )


def _remove_some(rows: QuerySet[Any], at_once: int) -> int:
    some = list(rows.values_list("pk", flat=True)[:at_once])
    if some:
        rows.model._default_manager.filter(pk__in=some).delete()
    return len(some)

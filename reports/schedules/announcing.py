"""What webhooks are told of schedules, in the transaction in which it happens."""

import datetime as dt

from django.urls import reverse_lazy

from reports.models import Schedule
from webhooks.event_types import EventType
from webhooks.events import announce, instant


def announce_failure(schedule: Schedule, *, due_at: dt.datetime) -> None:
    """Tell that a schedule was due and its report could not be made."""
    _announce(schedule, status="failed", due_at=due_at)


def announce_pause(schedule: Schedule, *, due_at: dt.datetime) -> None:
    """Tell that a schedule was due and the product has paused it instead."""
    _announce(schedule, status="paused", due_at=due_at)


def _announce(schedule: Schedule, *, status: str, due_at: dt.datetime) -> None:
    data = {"id": str(schedule.pk), "status": status, "due_at": instant(due_at)}
    announce(
        workspace=schedule.workspace,
        event=EventType.SCHEDULE_FAILED,
        data=data,
        path=reverse_lazy("reports:api_schedule", kwargs={"schedule_id": schedule.pk}),
    )

"""What can be told: the types of events, in words and by example. docs/webhooks.md has them all."""

from dataclasses import dataclass
from typing import Any

from django.db import models


class EventType(models.TextChoices):
    """The `type` of a message. One that an integrator relies on is never renamed."""

    RUN_FINISHED = "run.finished", "A run has ended"
    IMPORT_FINISHED = "import.finished", "An import has ended"
    IMPORT_UNDONE = "import.undone", "An import was undone"
    REPORT_DELIVERED = "report.delivered", "A report was delivered"
    SCHEDULE_FAILED = "schedule.failed", "A scheduled report failed"
    PING = "ping", "A test"


# Those that an endpoint chooses from. A ping goes to one endpoint, because somebody wanted it to.
SUBSCRIBABLE = tuple(event for event in EventType if event is not EventType.PING)


@dataclass(frozen=True, slots=True)
class Description:
    """When an event is told, as a sentence, and the `data` of an example."""

    when: str
    example: dict[str, Any]


_ID, _OTHER_ID = "6b5f0c9e-4f0e-4d0a-9c1e-2f6f2f7f8a10", "0d4a7f52-93a1-4a55-8f0c-5d8a2f1f6f37"
_THIRD_ID = "c2a4e6f0-1b3d-4c5e-8f70-92b4d6f8a0c1"
_SITE = "https://mmm.example.com"
DESCRIPTIONS: dict[EventType, Description] = {
    EventType.RUN_FINISHED: Description(
        "An analysis that somebody asked for is done, has failed or was cancelled: its status says which.",
        {
            "workspace": "acme",
            "id": _ID,
            "kind": "attribution",
            "status": "done",
            "url": f"{_SITE}/api/v1/runs/{_ID}/",
        },
    ),
    EventType.IMPORT_FINISHED: Description(
        "The rows of an import count (its status is active), or none of them do (failed, also if cancelled).",
        {
            "workspace": "acme",
            "id": 812,
            "dataset": "spend",
            "status": "active",
            "url": f"{_SITE}/api/v1/imports/812/",
        },
    ),
    EventType.IMPORT_UNDONE: Description(
        "Somebody took an import back: its rows count no longer.",
        {
            "workspace": "acme",
            "id": 812,
            "dataset": "spend",
            "status": "undone",
            "url": f"{_SITE}/api/v1/imports/812/",
        },
    ),
    EventType.REPORT_DELIVERED: Description(
        "A mail server took the mail of a report for one of its recipients. For three recipients there are three. Who "
        "they are is not said.",
        {
            "workspace": "acme",
            "id": _ID,
            "status": "sent",
            "edition_id": _THIRD_ID,
            "schedule_id": _OTHER_ID,
            "due_at": "2026-03-02T08:00:00Z",
            "formats": ["pdf"],
            "url": f"{_SITE}/api/v1/deliveries/{_ID}/",
        },
    ),
    EventType.SCHEDULE_FAILED: Description(
        "A schedule was due and nothing went out: its report could not be made (its status is failed), or the product "
        "has paused the schedule (paused).",
        {
            "workspace": "acme",
            "id": _OTHER_ID,
            "status": "failed",
            "due_at": "2026-03-02T08:00:00Z",
            "url": f"{_SITE}/api/v1/schedules/{_OTHER_ID}/",
        },
    ),
    EventType.PING: Description(
        "Somebody pressed “Send test event”. It comes whatever the endpoint has chosen.",
        {"workspace": "acme", "id": _ID, "status": "test"},
    ),
}

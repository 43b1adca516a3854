"""What happens in a workspace, and what is in the outbox then."""

import json
from typing import Any

from accounts.models import Workspace
from webhooks.event_types import SUBSCRIBABLE, EventType
from webhooks.events import announce
from webhooks.models import Attempt, Delivery, Endpoint, Message
from webhooks.signing import seal

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://hooks.example.com/mmm?token=planted"


def an_endpoint(workspace: Workspace, **changes: Any) -> Endpoint:
    """An endpoint with `SECRET`, which asks for every event; its URL is not looked up."""
    fields: dict[str, Any] = {
        "workspace": workspace,
        "url": URL,
        "events": [event.value for event in SUBSCRIBABLE],
        "secret": seal(SECRET),
    }
    return Endpoint.objects.create(**(fields | changes))


def told() -> list[tuple[str, dict[str, Any]]]:
    """Type and data of each message, oldest first; of the data without what they all have."""
    found = []
    for message in Message.objects.order_by("created_at", "pk"):
        payload = json.loads(message.body)
        assert payload["type"] == message.type
        assert payload["data"].pop("workspace") == message.workspace.slug
        found.append((message.type, payload["data"]))
    return found


def a_run_ends(workspace: Workspace, *, status: str = "done") -> Message:
    """Announce it to whoever asks."""
    message = announce(
        workspace=workspace,
        event=EventType.RUN_FINISHED,
        data={"id": "1f", "kind": "attribution", "status": status},
        path="/api/v1/runs/1f/",
    )
    assert message is not None
    return message


def only_delivery() -> Delivery:
    return Delivery.objects.select_related("message", "endpoint").get()


def statuses() -> list[str]:
    """Those of all deliveries, oldest first."""
    return list(Delivery.objects.order_by("pk").values_list("status", flat=True))


def log() -> list[tuple[int, int | None, str]]:
    """Number, status and error of each attempt, in order."""
    return list(Attempt.objects.order_by("delivery", "number").values_list("number", "response_status", "error"))


def fresh(endpoint: Endpoint) -> Endpoint:
    return Endpoint.objects.select_related("workspace").get(pk=endpoint.pk)

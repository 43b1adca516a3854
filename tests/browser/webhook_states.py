"""Webhooks in every state, with messages that came to everything that they can come to."""

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone

from accounts.models import User, Workspace
from tests.webhooks.steps import an_endpoint
from webhooks.event_types import EventType
from webhooks.events import announce
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.outbox import DISABLED
from webhooks.sending import FAILED_TOO_LONG

BUSY = "The receiver answered 503 Service Unavailable."
ERRORS = {
    200: "",
    302: "The receiver answered with a redirect (302 Found), which is not followed. Enter the URL it leads to.",
    503: BUSY,
    None: "The receiver did not answer within 10 seconds.",
}
TRIES: dict[str, list[int | None]] = {
    Delivery.Status.DELIVERED: [200],
    Delivery.Status.FAILED: [None, 503, 302],
    Delivery.Status.PENDING: [503],
}
SAID = '{"error": "' + "Down for maintenance. " * 30 + '"}'
LONG_URL = "https://a-receiver-with-quite-a-long-name.a-company-of-some-length.example.com/services/" + "a1b2c3" * 20
EVENTS = list(EventType)
Status = Delivery.Status


def webhook_arguments(shop: Workspace, owner: User) -> dict[str, object]:
    """Keep webhooks in every state; return what arguments of URLs stand for: one that fails, and a failed message."""
    now = timezone.now()
    failing = an_endpoint(
        shop,
        url=LONG_URL,
        description="Tells the data warehouse that there is something new to fetch, and the team’s chat as well",
        created_by=owner,
        failing_since=now - dt.timedelta(hours=3),
        failures=12,
        previous_secret_until=now + dt.timedelta(hours=20),
    )
    an_endpoint(shop, created_by=owner, last_delivered_at=now, events=["run.finished"])
    an_endpoint(shop, url="https://new.example.com/")
    for place, status in enumerate(Status):
        _tell(shop, failing, EVENTS[place], status, now - dt.timedelta(hours=place))
    failed = Delivery.objects.get(endpoint=failing, status=Status.FAILED)
    return {"endpoint_id": failing.pk, "message_id": failed.message_id}


def webhook_cases(shop: Workspace) -> dict[str, Mapping[str, object]]:
    """Keep a webhook that the product has disabled; return its arguments, and those of further messages."""
    disabled = an_endpoint(
        shop, disabled_at=timezone.now(), disabled_because=FAILED_TOO_LONG.format(BUSY), url="https://gone.example.com/"
    )
    theirs = Delivery.objects.filter(endpoint__url=LONG_URL).order_by("-attempts", "pk")
    of = {status: theirs.filter(status=status)[0] for status in Status}  # other states of the world are told, too
    return {
        "webhook disabled": {"slug": shop.slug, "endpoint_id": disabled.pk},
        **{
            f"message {status}": {
                "slug": shop.slug, "endpoint_id": of[status].endpoint_id, "message_id": of[status].message_id,
            }
            for status in (Status.DELIVERED, Status.CANCELLED, Status.PENDING)
        },
    }  # fmt: skip


def _tell(shop: Workspace, endpoint: Endpoint, event: EventType, status: Status, at: dt.datetime) -> None:
    message = announce(workspace=shop, event=event, data={"id": "6b5f0c9e-4f0e-4d0a-9c1e-2f6f2f7f8a10", "status": "x"})
    assert message is not None
    Delivery.objects.filter(message=message).exclude(endpoint=endpoint).delete()
    delivery = Delivery.objects.get(message=message)
    tries = TRIES.get(status, [])
    for number, answer in enumerate(tries, start=1):
        Attempt.objects.create(
            delivery=delivery,
            number=number,
            at=at + dt.timedelta(seconds=5 * number),
            response_status=answer,
            response_body=SAID if answer in (302, 503) else "",
            error=ERRORS[answer],
            duration_ms=1234 * number,
        )
    Delivery.objects.filter(pk=delivery.pk).update(
        status=status,
        attempts=len(tries),
        tries=len(tries),
        response_status=tries[-1] if tries else None,
        error={Status.FAILED: ERRORS[302], Status.PENDING: BUSY, Status.CANCELLED: DISABLED}.get(status, ""),
        next_try_at=at + dt.timedelta(hours=5) if status == Status.PENDING else None,
        created_at=at,
    )

"""The outbox: a row for each message to each endpoint, and the doorbell that has a worker send them."""

import datetime as dt
from collections.abc import Iterable

import celery
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.audit import record
from accounts.models import Membership, User
from mmm_project.problems import Conflict, NotFound
from webhooks.addresses import host_of
from webhooks.event_types import EventType
from webhooks.models import Delivery, Endpoint, Message

SEND_TASK = "webhooks.tasks.send"
DISABLED = "The endpoint was disabled before this was sent."
NOT_WANTED = "The endpoint no longer asks for this event."
ON_ITS_WAY = (Delivery.Status.PENDING, Delivery.Status.SENDING)


def put(message: Message, endpoints: Iterable[Endpoint], *, by: User | None = None) -> list[Delivery]:
    """Have the message told to each of the endpoints once the caller's transaction is committed."""
    now = timezone.now()
    rows = [
        Delivery(endpoint=endpoint, message=message, next_try_at=now, created_at=now, requested_by=by)
        for endpoint in endpoints
    ]
    Delivery.objects.bulk_create(rows)
    ring()
    return rows


@transaction.atomic
def redeliver(*, delivery: Delivery, by: User | None) -> None:
    """Send a message that has been delivered, has failed or was cancelled again, under the same id, and try as often.

    Raises Conflict for one that is on its way or whose event the endpoint no longer asks for, and while the endpoint is
    disabled; NotFound if that has been deleted.
    """
    endpoint = lock(delivery.endpoint)
    if endpoint.disabled_at is not None:
        raise Conflict("This endpoint is disabled. Enable it first.")
    if delivery.message.type not in wanted_by(endpoint):
        raise Conflict(f"This endpoint no longer asks for {delivery.message.type}. Choose this event again first.")
    ended = Delivery.objects.filter(pk=delivery.pk).exclude(status__in=ON_ITS_WAY)
    again = {"status": Delivery.Status.PENDING, "tries": 0, "next_try_at": timezone.now(), "requested_by": by}
    if not ended.update(**again):
        raise Conflict("This is on its way already.")
    wake(endpoint)
    record(
        workspace=endpoint.workspace,
        actor=by,
        action="webhook.redelivered",
        target=host_of(endpoint.url),
        endpoint=str(endpoint.pk),
        message=delivery.message_id,
    )
    ring()


def lock(endpoint: Endpoint) -> Endpoint:
    """Hold the endpoint still until the transaction ends. Raises NotFound if it has been deleted."""
    locked = Endpoint.objects.select_for_update(of=("self",), no_key=True).select_related("workspace")
    stored = locked.filter(pk=endpoint.pk).first()
    if stored is None:
        raise NotFound("This webhook has been deleted.")
    return stored


def wake(endpoint: Endpoint) -> None:
    """End the endpoint's rest: somebody wants to see now whether it answers."""
    Endpoint.objects.filter(pk=endpoint.pk).update(rests_until=None)


def withdraw(endpoint: Endpoint, *, because: str, but: Iterable[str] = ()) -> None:
    """Cancel what waits to be sent to the endpoint; events in `but` go on waiting."""
    waiting = Delivery.objects.filter(endpoint=endpoint, status=Delivery.Status.PENDING)
    cancel(waiting.exclude(message__type__in=[*but]), because=because)


def cancel(waiting: QuerySet[Delivery], *, because: str) -> int:
    """Cancel those of the deliveries that wait to be sent; return how many."""
    cancelled = {"status": Delivery.Status.CANCELLED, "next_try_at": None, "error": because}
    return waiting.filter(status=Delivery.Status.PENDING).update(**cancelled)


def cancel_all(*, because: str) -> int:
    """Cancel everything that waits or is being sent; return how many.

    For a database that was restored: nobody knows what has been sent since it was written.
    """
    on_its_way = Delivery.objects.filter(status__in=ON_ITS_WAY)
    cancelled = {"status": Delivery.Status.CANCELLED, "next_try_at": None, "claimed_until": None, "error": because}
    return on_its_way.update(**cancelled)


def wanted_by(endpoint: Endpoint) -> list[str]:
    """The types of events that the endpoint gets."""
    return [*endpoint.events, EventType.PING.value]


def due(now: dt.datetime) -> QuerySet[Delivery]:
    """What can be sent now: of endpoints that are enabled, do not rest, and to which nothing is being sent.

    Those of a workspace that nobody is in are left alone: it is being deleted.
    """
    members = Membership.objects.filter(workspace=OuterRef("endpoint__workspace"))
    being_sent = Delivery.objects.filter(endpoint=OuterRef("endpoint"), status=Delivery.Status.SENDING)
    awake = Q(endpoint__rests_until=None) | Q(endpoint__rests_until__lte=now)
    waiting = Delivery.objects.filter(status=Delivery.Status.PENDING, next_try_at__lte=now)
    return waiting.filter(awake, ~Exists(being_sent), Exists(members), endpoint__disabled_at=None)


def interrupted(now: dt.datetime) -> QuerySet[Delivery]:
    """What was claimed by a worker that has not been heard of since."""
    return Delivery.objects.filter(status=Delivery.Status.SENDING, claimed_until__lt=now)


def ring() -> None:
    """Tell the workers, after commit, that there is something to send; should that fail, the next sweep does so."""

    def send() -> None:
        celery.current_app.send_task(SEND_TASK, retry=False, ignore_result=True)

    transaction.on_commit(send, robust=True)


def sweep() -> None:
    """Called every few seconds: ring for what is due, such as another try, and cancel what nobody waits for."""
    # Announced by a transaction that began before the endpoint was disabled, and ended after.
    left_over = Delivery.objects.filter(status=Delivery.Status.PENDING, endpoint__disabled_at__isnull=False)
    if left_over.exists():
        cancel(left_over, because=DISABLED)
    now = timezone.now()
    if due(now).exists() or interrupted(now).exists():
        ring()
